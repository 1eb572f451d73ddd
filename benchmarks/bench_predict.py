"""How long a fitted network takes to predict one row of a DataFrame.

``predict`` of a MultimodalNetworkRegressor over numbers and categories, from a DataFrame with one row, stands beside
two peers that are spared what a user would have to write himself, namely looking up columns, checking and encoding:
``model.predict`` of Keras on the encoded row, and a bare compiled call on ready-made tensors, the least that any
prediction by this network can take. All three take turns in one process, so that whatever else the machine does meets
them alike.
"""

import time

import numpy as np

from ._comparison import Comparison, Figure
from ._job import Job

NUMBERS = [f"number_{position}" for position in range(8)]


def make_data(n_samples, seed=0):
    """Return a DataFrame of numbers and categories, and a target."""
    import pandas as pd

    generator = np.random.default_rng(seed)
    X = pd.DataFrame(generator.normal(size=(n_samples, len(NUMBERS))), columns=NUMBERS)
    X["city"] = generator.choice([f"city {number}" for number in range(50)], n_samples)
    X["kind"] = generator.choice(["flat", "house", "villa"], n_samples)
    return X, X["number_0"] + 2.0 * (X["kind"] == "villa") + 0.1 * generator.normal(size=n_samples)


def fit_network(X, y):
    """Return a network that was trained on the data for one epoch: what it learned does not change its speed."""
    from skstack import MultimodalNetworkRegressor
    from skstack.branches import CategoricalBranch, NumericBranch

    branches = [("numbers", NumericBranch(), NUMBERS), ("categories", CategoricalBranch(), ["city", "kind"])]
    return MultimodalNetworkRegressor(branches, epochs=1, early_stopping=False, random_state=0).fit(X, y)


def make_bare_call(model, encoded):
    """Return a function that runs the compiled model on tensors which are there already."""
    from skstack._backend import keras

    if keras.backend.backend() != "tensorflow":
        raise ValueError("the bare call is a tf.function: it needs the TensorFlow backend of Keras.")
    import tensorflow as tf

    tensors = {name: tf.constant(array) for name, array in encoded.items()}
    compiled = tf.function(lambda inputs: model(inputs, training=False), autograph=False)
    return lambda: compiled(tensors).numpy()


def contestants(network, row):
    """Return what is timed, by name; each is called once so that it is compiled."""
    encoded = network.encode(row)
    model = network.model_
    calls = {
        "ours": lambda: network.predict(row),
        "peer": lambda: model.predict(encoded, verbose=0),
        "bare": make_bare_call(model, encoded),
    }
    predictions = [np.ravel(call()) for call in calls.values()]
    np.testing.assert_allclose(predictions, np.broadcast_to(predictions[1], np.shape(predictions)), rtol=1e-5)
    return calls


def time_in_turns(calls, n_rounds):
    """Return wall and processor seconds of each call in each round; every round begins with another of the calls."""
    names = list(calls)
    seconds = {name: [] for name in names}
    for number in range(n_rounds):
        first = number % len(names)
        for name in [*names[first:], *names[:first]]:
            wall, processor = time.perf_counter(), time.process_time()
            calls[name]()
            seconds[name].append((time.perf_counter() - wall, time.process_time() - processor))
    return {name: np.array(values) for name, values in seconds.items()}


def summarise(seconds):
    """Return p50 and p95 in milliseconds; the median of the processor time tells a slow program from a busy machine."""
    wall, processor = 1e3 * seconds.T
    return {
        "p50_ms": float(np.median(wall)),
        "p95_ms": float(np.percentile(wall, 95)),
        "processor_p50_ms": float(np.median(processor)),
    }


def in_turns(n_samples, n_rounds, n_repeats):
    X, y = make_data(n_samples)
    calls = contestants(fit_network(X, y), X.iloc[[7]])
    time_in_turns(calls, 3)

    def describe(repeats):
        summaries = [{name: summarise(values) for name, values in seconds.items()} for seconds in repeats]
        pairs = [{side: summary[side] for side in ("ours", "peer")} for summary in summaries]
        for pair, summary in zip(pairs, summaries, strict=True):
            pair["ours"]["bare_call_p50_ms"] = summary["bare"]["p50_ms"]
        return {"pairs": pairs}

    return Job(lambda: [time_in_turns(calls, n_rounds) for _ in range(n_repeats)], describe)


COMPARISONS = (
    Comparison(
        name="predict",
        work="predict of one row of a DataFrame",
        peer="Keras model.predict of the encoded row",
        ours_job="bench_predict:in_turns",
        peer_job=None,
        figures=(Figure("p50_ms", "median of many", "ms", at_least=15, at_most=3.0),),
        full={"n_samples": 2000, "n_rounds": 40},
        quick={"n_samples": 200, "n_rounds": 10},
        n_repeats=5,
    ),
)

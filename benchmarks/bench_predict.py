"""How long a fitted network takes to predict one row of a DataFrame.

``predict`` of a MultimodalNetworkRegressor over numbers and categories, from a DataFrame with one row, stands beside
two peers that are spared what a user would have to write himself, namely looking up columns, checking and encoding:
``model.predict`` of Keras on the encoded row, and a bare compiled call on ready-made tensors, the least that any
prediction by this network can take. All three take turns, so that whatever else the machine does meets them alike.

Run from the repository: ``python -m benchmarks.bench_predict [--quick] [--json results.json]``.
"""

import argparse
import json
import os
import platform
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from skstack import MultimodalNetworkRegressor
from skstack._backend import keras
from skstack.branches import CategoricalBranch, NumericBranch

#: What the network has to reach: a p50 in milliseconds, and how much faster than ``model.predict``.
TARGET_MS, TARGET_RATIO = 3.0, 15.0

NUMBERS = [f"number_{position}" for position in range(8)]
CATEGORIES = ["city", "kind"]


def make_data(n_samples, seed=0):
    """Return a DataFrame of numbers and categories, and a target."""
    generator = np.random.default_rng(seed)
    X = pd.DataFrame(generator.normal(size=(n_samples, len(NUMBERS))), columns=NUMBERS)
    X["city"] = generator.choice([f"city {number}" for number in range(50)], n_samples)
    X["kind"] = generator.choice(["flat", "house", "villa"], n_samples)
    return X, X["number_0"] + 2.0 * (X["kind"] == "villa") + 0.1 * generator.normal(size=n_samples)


def fit_network(X, y):
    """Return a network that was trained on the data for one epoch: what it learned does not change its speed."""
    branches = [("numbers", NumericBranch(), NUMBERS), ("categories", CategoricalBranch(), CATEGORIES)]
    return MultimodalNetworkRegressor(branches, epochs=1, early_stopping=False, random_state=0).fit(X, y)


def make_bare_call(model, encoded):
    """Return a function that runs the compiled model on tensors which are there already."""
    if keras.backend.backend() != "tensorflow":
        raise SystemExit("bench_predict compares with a tf.function: it needs the TensorFlow backend of Keras.")
    import tensorflow as tf

    tensors = {name: tf.constant(array) for name, array in encoded.items()}
    compiled = tf.function(lambda inputs: model(inputs, training=False), autograph=False)
    return lambda: compiled(tensors).numpy()


def contestants(network, row):
    """Return what is timed, by name; each is called once so that it is compiled."""
    encoded = network._encode(row)
    model = network.model_
    calls = {
        "skstack predict": lambda: network.predict(row),
        "keras model.predict": lambda: model.predict(encoded, verbose=0),
        "bare compiled call": make_bare_call(model, encoded),
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


def summarise(repeats):
    """Return p50 and p95 in milliseconds, and how many times faster than ``model.predict``.

    The ratio is that of the medians of a repeat; its median and range over the repeats are given. The median of the
    processor time tells a slow program from a busy machine.
    """
    results = {}
    for name in repeats[0]:
        wall, processor = 1e3 * np.concatenate([seconds[name] for seconds in repeats]).T
        ratios = [np.median(s["keras model.predict"][:, 0]) / np.median(s[name][:, 0]) for s in repeats]
        results[name] = {
            "p50_ms": float(np.median(wall)),
            "p95_ms": float(np.percentile(wall, 95)),
            "processor_p50_ms": float(np.median(processor)),
            "times_faster": float(np.median(ratios)),
            "times_faster_range": [float(min(ratios)), float(max(ratios))],
        }
    return results


def machine():
    """Return what the figures depend on."""
    return {
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "platform": platform.platform(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("keras", "tensorflow", "scikit-learn", "pandas", "numpy")},
    }


def report(results, described):
    """Print the figures as a table, the machine and whether the targets are met."""
    print(", ".join(f"{name} {value}" for name, value in described.items()))
    print(f"\n{'one row':<22}{'p50 ms':>9}{'p95 ms':>9}{'cpu p50 ms':>12}   times faster than model.predict")
    for name, result in results.items():
        low, high = result["times_faster_range"]
        print(
            f"{name:<22}{result['p50_ms']:>9.2f}{result['p95_ms']:>9.2f}{result['processor_p50_ms']:>12.2f}"
            f"{result['times_faster']:>9.1f}  ({low:.1f} to {high:.1f})"
        )
    ours = results["skstack predict"]
    met = ours["p50_ms"] <= TARGET_MS and ours["times_faster"] >= TARGET_RATIO
    print(
        f"\ntarget: p50 of at most {TARGET_MS:g} ms and at least {TARGET_RATIO:g} times faster than model.predict: "
        f"{'met' if met else 'missed'}"
    )


def main(arguments=None):
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    quick = bool(os.environ.get("SKSTACK_QUICK"))
    parser.add_argument("--quick", action="store_true", default=quick, help="less data and fewer rounds")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args(arguments)

    X, y = make_data(200 if options.quick else 2000)
    calls = contestants(fit_network(X, y), X.iloc[[7]])
    n_repeats, n_rounds = (3, 10) if options.quick else (5, 40)
    time_in_turns(calls, 3)
    results = summarise([time_in_turns(calls, n_rounds) for _ in range(n_repeats)])
    described = machine()
    report(results, described)
    if options.json:
        figures = {"benchmark": "predict", "machine": described, "results": results}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

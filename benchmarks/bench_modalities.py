"""How long exact Shapley values of five modalities take, beside what a prediction of the same rows takes.

``shapley_values`` of a fitted stack stands beside ``predict``, which both read the same DataFrame of numbers,
categories, texts and two columns of pictures. Its 32 coalitions are as many predictions for who asks for them one by
one. The work of a first call (building and tracing the parts of the network) is part of the first figure, not of the
second.
"""

import time

import numpy as np

from ._comparison import Comparison, Figure
from ._job import Job

NUMBERS = [f"number_{position}" for position in range(6)]
#: Rows to fit to; more would not change what is timed.
N_FIT = 100

WORDS = "house garden bright quiet street large small kitchen view old new sunny roof garage pool".split()


def make_data(n_samples, size, seed=0):
    """Return a DataFrame of five modalities and a target."""
    import pandas as pd

    from skstack.preprocessing import tensor_column

    generator = np.random.default_rng(seed)
    X = pd.DataFrame(generator.normal(size=(n_samples, len(NUMBERS))), columns=NUMBERS)
    X["city"] = generator.choice([f"city {number}" for number in range(50)], n_samples)
    X["text"] = [" ".join(words) for words in generator.choice(WORDS, (n_samples, 12))]
    for name in ("front", "kitchen"):
        X[name] = tensor_column(generator.integers(0, 256, (n_samples, size, size, 3), dtype="uint8"))
    return X, X["number_0"] + 2.0 * (X["city"] == "city 7") + 0.1 * generator.normal(size=n_samples)


def fit_stack(X, y, size):
    """Return a stack whose network was trained for one epoch: what it learned does not change its speed."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    from skstack import MultimodalNetworkRegressor, MultimodalStackingRegressor
    from skstack.branches import CategoricalBranch, ImageBranch, NumericBranch, TextBranch

    parts = [
        ("numbers", NumericBranch(), NUMBERS),
        ("city", CategoricalBranch(), ["city"]),
        ("text", TextBranch(), ["text"]),
        *((name, ImageBranch(size=(size, size)), [name]) for name in ("front", "kitchen")),
        ("boosting", HistGradientBoostingRegressor(max_iter=50), NUMBERS),
    ]
    network = MultimodalNetworkRegressor(epochs=1, early_stopping=False)
    return MultimodalStackingRegressor(parts, network=network, cv=2, random_state=0).fit(X, y)


def measure(work):
    """Return the seconds of a call, and what it returned."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def in_turns(n_samples, size, n_repeats):
    from skstack.inspection import shapley_values

    X, y = make_data(n_samples, size)
    stack = fit_stack(X[:N_FIT], y[:N_FIT], size)
    predictions = stack.predict(X)  # compiled now, and pictures are read

    def run():
        predicting, _ = measure(lambda: stack.predict(X))
        explaining, result = measure(lambda: shapley_values(stack, X))
        np.testing.assert_allclose(result.predictions, predictions, rtol=1e-5)
        return predicting, explaining

    def describe(repeats):
        cold, *warm = repeats
        pairs = [
            {
                "ours": {
                    "cold_s": cold[1],
                    "cold_beside_s": cold[1] - cold[0],
                    "warm_s": explaining,
                    "beside_s": explaining - predicting,
                },
                "peer": {"cold_s": cold[0], "warm_s": predicting},
            }
            for predicting, explaining in warm
        ]
        return {"pairs": pairs}

    return Job(lambda: [run() for _ in range(n_repeats + 1)], describe)


COMPARISONS = (
    Comparison(
        name="shapley",
        work="Shapley values of 5 modalities, {n_samples} rows, pictures of {size} x {size}",
        peer="predict of the stack",
        ours_job="bench_modalities:in_turns",
        peer_job=None,
        figures=(
            Figure("cold_s", "first"),
            Figure("cold_beside_s", "first, beside the predictions", at_most=1.0),
            Figure("warm_s", "further"),
            Figure("beside_s", "further, beside the predictions", at_most=1.0),
        ),
        full={"n_samples": 1000, "size": 64},
        quick={"n_samples": 60, "size": 32},
        n_repeats=3,
    ),
)

"""What a fit leaves behind in the process: the slope of the resident memory over many fits of one network."""

import gc

from ._comparison import Comparison, Figure
from ._job import Job
from ._machine import memory_mb
from ._problems import build_mlp, keras_fit, make_table
from ._settings import PLAIN_BRANCH, PLAIN_NETWORK

#: Fits during which caches and pools may still grow.
N_FIRST = 10


def _job(fit, n_samples, n_fits):
    X, y, _, _ = make_table(n_samples)

    def fit_often():
        readings = []
        for _ in range(n_fits):
            fit(X, y)
            gc.collect()
            readings.append(memory_mb()["now"])
        return readings

    return Job(fit_often, lambda readings: {"mb_after_fit": readings, "mb_per_fit": slope(readings[N_FIRST:])})


def slope(readings):
    """Return how much a straight line through the readings climbs per fit; None where memory cannot be read."""
    import numpy as np

    return None if None in readings else float(np.polyfit(range(len(readings)), readings, 1)[0])


def ours(n_samples, n_fits, n_peer_fits):
    from skstack import MultimodalNetworkRegressor
    from skstack.branches import NumericBranch

    branches = [("numeric", NumericBranch(hidden=(32,), **PLAIN_BRANCH))]
    network = MultimodalNetworkRegressor(branches, head=(), epochs=2, batch_size=32, random_state=0, **PLAIN_NETWORK)
    return _job(network.fit, n_samples, n_fits)


def keras(n_samples, n_fits, n_peer_fits):
    return _job(lambda X, y: keras_fit(build_mlp(20, (32,)), X, y, 2, 32), n_samples, n_peer_fits)


COMPARISONS = (
    Comparison(
        name="memory",
        work="{n_fits} fits of one network in one process, after the first ten",
        peer="{n_peer_fits} Keras fits of a new model",
        ours_job="bench_memory:ours",
        peer_job="bench_memory:keras",
        figures=(Figure("mb_per_fit", "memory left per fit", "MB", at_most=0.1),),
        full={"n_samples": 200, "n_fits": 200, "n_peer_fits": 40},
        quick={"n_samples": 64, "n_fits": 13, "n_peer_fits": 12},
        ours_runs=1,
    ),
)

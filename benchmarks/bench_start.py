"""Starting: the import of skstack, and the way from a fresh process to a first small network that was fitted.

Nothing but the standard library may be imported before the clock starts, so each job imports what it needs itself.
"""

from ._comparison import Comparison, Figure
from ._job import Job
from ._settings import PLAIN_BRANCH, PLAIN_NETWORK


def import_skstack():
    def work():
        import skstack  # noqa: F401

    return Job(work)


def import_keras():
    def work():
        import keras  # noqa: F401

    return Job(work)


def first_fit_ours():
    def work():
        import numpy as np

        from skstack import MultimodalNetworkRegressor
        from skstack.branches import NumericBranch

        branches = [("numbers", NumericBranch(hidden=(), **PLAIN_BRANCH))]
        network = MultimodalNetworkRegressor(
            branches, head=(16,), epochs=5, batch_size=32, random_state=0, **PLAIN_NETWORK
        )
        return network.fit(*_small_table(np))

    return Job(work)


def first_fit_keras():
    def work():
        import keras
        import numpy as np

        keras.utils.set_random_seed(0)
        layers = keras.layers
        model = keras.Sequential([layers.Input((4,)), layers.Dense(16, activation="relu"), layers.Dense(1)])
        model.compile(optimizer="adam", loss="mse")
        model.fit(*_small_table(np), epochs=5, batch_size=32, verbose=0)
        return model

    return Job(work)


def _small_table(np):
    generator = np.random.default_rng(0)
    X = generator.standard_normal((200, 4), dtype="float32")
    return X, X[:, 0] * X[:, 1]


COMPARISONS = (
    Comparison(
        name="import",
        work="import skstack",
        peer="import keras",
        ours_job="bench_start:import_skstack",
        peer_job="bench_start:import_keras",
        figures=(Figure("cold_s", "first in a process", at_most=0.3),),
        full={},
        quick={},
        alone=True,
        ours_runs=1,
        n_repeats=7,
    ),
    Comparison(
        name="first-fit",
        work="import and first fit of a small network",
        peer="import of Keras and fit of the same network",
        ours_job="bench_start:first_fit_ours",
        peer_job="bench_start:first_fit_keras",
        figures=(Figure("cold_s", "first in a process", at_least=1.0),),
        full={},
        quick={},
        alone=True,
        ours_runs=1,
        n_repeats=7,
    ),
)

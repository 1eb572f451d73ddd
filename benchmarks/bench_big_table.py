"""A table of a million rows, once through a network: time, and the most memory that the process held."""

from dataclasses import replace

from ._comparison import Comparison, Figure, cold
from ._flops import training_flop
from ._job import Job
from ._machine import memory_mb
from ._problems import N_HELD_OUT, build_mlp, keras_fit, load_keras, make_table
from ._settings import PLAIN_BRANCH, PLAIN_NETWORK

HIDDEN, BATCH_SIZE, N_FEATURES = (256, 256), 1024, 50


def _job(fit, n_samples, predict):
    X, y, X_held_out, y_held_out = make_table(n_samples, N_FEATURES)
    before = memory_mb()["now"]

    def describe(fitted):
        from sklearn.metrics import r2_score

        return {
            "before_mb": before,
            "held_out_r2": r2_score(y_held_out, predict(fitted, X_held_out).reshape(N_HELD_OUT)),
            "flop": training_flop(build_mlp(N_FEATURES, HIDDEN), n_samples),
        }

    return Job(lambda: fit(X, y), describe)


def our_network():
    """Return our network, with all of its layers in the head."""
    from skstack import MultimodalNetworkRegressor
    from skstack.branches import NumericBranch

    return MultimodalNetworkRegressor(
        [("numeric", NumericBranch(hidden=(), **PLAIN_BRANCH))],
        head=HIDDEN,
        epochs=1,
        batch_size=BATCH_SIZE,
        random_state=0,
        **PLAIN_NETWORK,
    )


def ours(n_samples):
    return _job(our_network().fit, n_samples, lambda fitted, X: fitted.predict(X))


def keras(n_samples, **settings):
    load_keras()
    return _job(
        lambda X, y: keras_fit(build_mlp(N_FEATURES, HIDDEN), X, y, 1, BATCH_SIZE, **settings),
        n_samples,
        lambda fitted, X: fitted.predict(X, verbose=0),
    )


_BIG_TABLE = Comparison(
    name="big-table",
    work="{n_samples:,} x 50 floats, MLP 256-256, batch 1024, one epoch",
    peer="Keras fit",
    ours_job="bench_big_table:ours",
    peer_job="bench_big_table:keras",
    figures=(cold(at_least=1.3), Figure("peak_mb", "peak memory", "MB", at_least=1.0)),
    full={"n_samples": 1_000_000},
    quick={"n_samples": 20_000},
    ours_runs=1,
)

COMPARISONS = (
    _BIG_TABLE,
    replace(
        _BIG_TABLE,
        name="big-table-several-steps",
        peer="the same, Keras told to take 16 steps per call",
        figures=(cold(),),
        quick=None,
        peer_settings=({"steps_per_execution": 16},),
    ),
)

"""A grid search over values that change no shape: learning rate, dropout rate and seed of a network by itself."""

from itertools import product

from ._comparison import Comparison, cold, warm
from ._flops import training_flop
from ._job import Job
from ._problems import build_mlp, make_table
from ._settings import PLAIN_BRANCH, PLAIN_NETWORK

HIDDEN, BATCH_SIZE = (64, 32), 64

_LEARNING_RATES, _DROPOUT, _SEEDS = (3e-4, 1e-3, 3e-3), (0.05, 0.2), (0, 1)


def _grid(n_candidates):
    """Return twelve candidates, or the first few of them, as GridSearchCV takes them."""
    names = ("random_state", "dropout", "optimizer__learning_rate")
    candidates = [dict(zip(names, values, strict=True)) for values in product(_SEEDS, _DROPOUT, _LEARNING_RATES)]
    return [{name: [value] for name, value in candidate.items()} for candidate in candidates[:n_candidates]]


def _search_job(network, n_samples, epochs, n_folds, n_candidates):
    from sklearn.model_selection import GridSearchCV, KFold

    X, y, X_held_out, y_held_out = make_table(n_samples)
    folds = KFold(n_folds, shuffle=True, random_state=0)
    search = GridSearchCV(network, _grid(n_candidates), cv=folds, error_score="raise")

    def describe(fitted):
        trained = epochs * n_samples * (n_candidates * (n_folds - 1) + 1)
        return {
            "best_score": fitted.best_score_,
            "held_out_r2": fitted.score(X_held_out, y_held_out),
            "flop": training_flop(build_mlp(X.shape[1], HIDDEN), trained),
        }

    return Job(lambda: search.fit(X, y), describe)


def our_network(epochs):
    """Return our network, with all of its layers in the head."""
    from skstack import MultimodalNetworkRegressor
    from skstack.branches import NumericBranch

    return MultimodalNetworkRegressor(
        [("numeric", NumericBranch(hidden=(), **PLAIN_BRANCH))],
        head=HIDDEN,
        epochs=epochs,
        batch_size=BATCH_SIZE,
        **PLAIN_NETWORK,
    )


def ours(epochs, **sizes):
    return _search_job(our_network(epochs), epochs=epochs, **sizes)


def scikeras(epochs, **sizes):
    from skstack import KerasRegressor

    network = KerasRegressor(
        build_mlp,
        n_features=20,
        hidden=HIDDEN,
        dropout=0.1,
        loss="mse",
        optimizer="adam",
        epochs=epochs,
        batch_size=BATCH_SIZE,
        predict__batch_size=1024,
        verbose=0,
    )
    return _search_job(network, epochs=epochs, **sizes)


COMPARISONS = (
    Comparison(
        name="search",
        work="GridSearchCV, {n_candidates} value candidates x {n_folds} folds, {n_samples:,} x 20, {epochs} epochs",
        peer="GridSearchCV over KerasRegressor",
        ours_job="bench_search:ours",
        peer_job="bench_search:scikeras",
        figures=(cold(at_least=15), warm()),
        full={"n_samples": 5000, "epochs": 20, "n_folds": 5, "n_candidates": 12},
        quick={"n_samples": 300, "epochs": 1, "n_folds": 2, "n_candidates": 2},
        # One run of the peer takes more than three minutes.
        n_repeats=2,
    ),
)

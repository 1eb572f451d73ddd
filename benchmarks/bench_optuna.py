"""A search by Optuna with a pruner: how long it takes, and what each candidate leaves behind in the process."""

from ._comparison import Comparison, Figure
from ._job import Job
from ._machine import memory_mb
from ._problems import make_table
from ._settings import PLAIN_BRANCH, PLAIN_NETWORK
from .bench_memory import slope

#: Candidates during which caches and pools may still grow.
N_FIRST = 5


def _job(make_search, n_samples, n_trials, n_folds, epochs):
    from scipy.stats import loguniform

    from skstack import MultimodalNetworkRegressor
    from skstack.branches import NumericBranch

    X, y, X_held_out, y_held_out = make_table(n_samples)
    readings = []

    def score(network, X, y):
        readings.append(memory_mb()["now"])
        return network.score(X, y)

    branches = [("numeric", NumericBranch(hidden=(32,), **PLAIN_BRANCH))]
    network = MultimodalNetworkRegressor(branches, head=(), epochs=epochs, batch_size=64, **PLAIN_NETWORK)
    search = make_search(network, {"optimizer__learning_rate": loguniform(1e-5, 1e-1)}, n_trials)
    search.set_params(scoring=score, cv=n_folds, random_state=0, error_score="raise")

    def describe(fitted):
        return {
            "mb_per_score": slope(readings[N_FIRST * n_folds :]),
            "n_scored": len(readings),
            "best_score": fitted.best_score_,
            "held_out_r2": fitted.best_estimator_.score(X_held_out, y_held_out),
        }

    return Job(lambda: search.fit(X, y), describe)


def ours(**sizes):
    import optuna

    from skstack.model_selection import OptunaSearchCV

    def search(network, space, n_trials):
        return OptunaSearchCV(network, space, n_trials=n_trials, pruner=optuna.pruners.MedianPruner())

    return _job(search, **sizes)


def random(**sizes):
    from sklearn.model_selection import RandomizedSearchCV

    return _job(lambda network, space, n_trials: RandomizedSearchCV(network, space, n_iter=n_trials), **sizes)


COMPARISONS = (
    Comparison(
        name="optuna",
        work="OptunaSearchCV, {n_trials} candidates x {n_folds} folds of a network, with a median pruner",
        peer="RandomizedSearchCV of scikit-learn, over the same network",
        ours_job="bench_optuna:ours",
        peer_job="bench_optuna:random",
        figures=(
            Figure("cold_s", "the search"),
            Figure("mb_per_score", "memory left per score", "MB", at_most=0.1),
        ),
        full={"n_samples": 500, "n_trials": 50, "n_folds": 3, "epochs": 10},
        quick={"n_samples": 64, "n_trials": 6, "n_folds": 2, "epochs": 1},
        ours_runs=1,
        n_repeats=1,
        needs=("optuna",),
    ),
)

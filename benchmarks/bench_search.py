"""Grid searches: over values of a network by itself that change no shape, and over parts of a stack.

The first is a search over learning rate, dropout rate and seed. In the second, most candidates have most of their base
models in common.
"""

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


def _search_job(kind, network, n_samples, epochs, n_folds, n_candidates):
    from sklearn.model_selection import KFold

    X, y, X_held_out, y_held_out = make_table(n_samples)
    folds = KFold(n_folds, shuffle=True, random_state=0)
    search = kind(network, _grid(n_candidates), cv=folds, error_score="raise")

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
    from skstack.model_selection import GridSearchCV

    return _search_job(GridSearchCV, our_network(epochs), epochs=epochs, **sizes)


def one_by_one(epochs, **sizes):
    from sklearn.model_selection import GridSearchCV

    return _search_job(GridSearchCV, our_network(epochs), epochs=epochs, **sizes)


def scikeras(epochs, **sizes):
    from sklearn.model_selection import GridSearchCV

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
    return _search_job(GridSearchCV, network, epochs=epochs, **sizes)


# --- a stack ----------------------------------------------------------------------------------------------------------


def _learners():
    from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingRegressor

    boosting = HistGradientBoostingRegressor(max_iter=50, random_state=0)
    return boosting, ExtraTreesRegressor(50, min_samples_leaf=3, random_state=0)


def _stack_grid(n_candidates):
    """Return 24 candidates, or the first few of them: of a learner, a network and the final estimator."""
    names = ("wide__hidden", "boosting__max_depth", "final_estimator__alpha")
    values = product(((64,), (32,)), (2, 4, None), (0.1, 1.0, 10.0, 100.0))
    return [dict(zip(names, candidate, strict=True)) for candidate in list(values)[:n_candidates]]


def _stack_job(kind, stack, grid, n_samples, n_folds):
    from sklearn.model_selection import KFold

    X, y, X_held_out, y_held_out = make_table(n_samples)
    folds = KFold(n_folds, shuffle=True, random_state=1)
    search = kind(stack, [{name: [value] for name, value in one.items()} for one in grid], cv=folds)

    def describe(fitted):
        return {"best_score": fitted.best_score_, "held_out_r2": fitted.score(X_held_out, y_held_out)}

    return Job(lambda: search.fit(X, y), describe)


def _our_stack(epochs):
    from sklearn.linear_model import Ridge

    from skstack import MultimodalNetworkRegressor, MultimodalStackingRegressor
    from skstack.branches import NumericBranch

    network = MultimodalNetworkRegressor(head=(), epochs=epochs, batch_size=BATCH_SIZE, **PLAIN_NETWORK)
    boosting, trees = _learners()
    parts = [
        ("wide", NumericBranch(hidden=(64,), **PLAIN_BRANCH), list(range(20))),
        ("deep", NumericBranch(hidden=HIDDEN, **PLAIN_BRANCH), list(range(20))),
        ("boosting", boosting, list(range(20))),
        ("trees", trees, list(range(20))),
    ]
    return MultimodalStackingRegressor(parts, Ridge(), network=network, training="individual", random_state=0)


def our_grid_stack(epochs, n_candidates, **sizes):
    from skstack.model_selection import GridSearchCV

    return _stack_job(GridSearchCV, _our_stack(epochs), _stack_grid(n_candidates), **sizes)


def grid_stack_without_cache(epochs, n_candidates, **sizes):
    from sklearn.model_selection import GridSearchCV

    return _stack_job(GridSearchCV, _our_stack(epochs), _stack_grid(n_candidates), **sizes)


def scikeras_grid_stack(epochs, n_candidates, **sizes):
    from sklearn.ensemble import StackingRegressor
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import GridSearchCV

    from skstack import KerasRegressor

    def network(hidden):
        return KerasRegressor(
            build_mlp,
            n_features=20,
            hidden=hidden,
            loss="mse",
            optimizer="adam",
            epochs=epochs,
            batch_size=BATCH_SIZE,
            predict__batch_size=1024,
            random_state=0,
            verbose=0,
        )

    boosting, trees = _learners()
    members = [("wide", network((64,))), ("deep", network(HIDDEN)), ("boosting", boosting), ("trees", trees)]
    return _stack_job(GridSearchCV, StackingRegressor(members, Ridge()), _stack_grid(n_candidates), **sizes)


_OF_STACK = {
    "work": "GridSearchCV over a stack, {n_candidates} candidates x {n_folds} folds, {n_samples:,} rows",
    "ours_job": "bench_search:our_grid_stack",
    "full": {"n_samples": 1000, "epochs": 10, "n_folds": 3, "n_candidates": 24},
    "quick": {"n_samples": 200, "epochs": 1, "n_folds": 2, "n_candidates": 2},
}

COMPARISONS = (
    Comparison(
        name="search",
        work="GridSearchCV, {n_candidates} value candidates x {n_folds} folds, {n_samples:,} x 20, {epochs} epochs",
        peer="GridSearchCV over KerasRegressor",
        ours_job="bench_search:ours",
        peer_job="bench_search:scikeras",
        figures=(cold(at_least=40), warm()),
        full={"n_samples": 5000, "epochs": 20, "n_folds": 5, "n_candidates": 12},
        quick={"n_samples": 300, "epochs": 1, "n_folds": 2, "n_candidates": 2},
        # One run of the peer takes more than three minutes.
        n_repeats=2,
    ),
    Comparison(
        name="search-one-by-one",
        work="GridSearchCV, {n_candidates} value candidates x {n_folds} folds, {n_samples:,} x 20, {epochs} epochs",
        peer="scikit-learn's GridSearchCV over our network",
        ours_job="bench_search:ours",
        peer_job="bench_search:one_by_one",
        figures=(cold(at_least=2.5), warm()),
        full={"n_samples": 5000, "epochs": 20, "n_folds": 5, "n_candidates": 12},
        quick={"n_samples": 300, "epochs": 1, "n_folds": 2, "n_candidates": 2},
        peer_runs=2,
    ),
    Comparison(
        name="grid-stack",
        peer="the same by scikit-learn's GridSearchCV, which keeps nothing",
        peer_job="bench_search:grid_stack_without_cache",
        figures=(cold(at_least=5),),
        ours_runs=1,
        **_OF_STACK,
    ),
    Comparison(
        name="grid-stack-scikeras",
        peer="GridSearchCV over StackingRegressor with KerasRegressor",
        peer_job="bench_search:scikeras_grid_stack",
        figures=(cold(at_least=30),),
        ours_runs=1,
        # One run of the peer takes many minutes.
        n_repeats=1,
        **_OF_STACK,
    ),
)

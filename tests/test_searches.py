"""Searches over the parameters of branches, networks, learners, final estimator and training."""

import numpy as np
import pytest
from _small import TRAINING, branches, make_labels, make_table, network_regressor, stack_classifier, stack_regressor
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 - makes the halving searches importable
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, HalvingRandomSearchCV, RandomizedSearchCV, ShuffleSplit
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeRegressor

from skstack import MultimodalNetworkRegressor, MultimodalStackingRegressor

FOLD = ShuffleSplit(1, test_size=0.5, random_state=0)


@pytest.fixture(scope="module")
def table():
    return make_table()


def _plain_stack(**params):
    """Return a stack without a template for its networks."""
    parts = [*branches(), ("tree", DecisionTreeRegressor(max_depth=3, random_state=0), ["area", "rooms"])]
    return MultimodalStackingRegressor(parts, Ridge(), cv=2, random_state=0, **params)


CANDIDATES = {
    "nothing": {},
    "branch": {"numbers__hidden": (3,)},
    "network": {"network__epochs": 2},
    "routed": {"network__optimizer__learning_rate": 0.1},
    "learner": {"tree__max_depth": 1},
    "final": {"final_estimator__alpha": 100.0},
    "training": {"training": "individual"},
    "part": {"place": "drop"},
}


@pytest.fixture(scope="module")
def search(table):
    """A search over every kind of parameter, one at a time, though the stack has no template."""
    fast = {f"network__{name}": value for name, value in TRAINING.items()}
    candidates = [{**fast, **candidate} for candidate in CANDIDATES.values()]
    grid = [{name: [value] for name, value in candidate.items()} for candidate in candidates]
    return GridSearchCV(_plain_stack(network=None), grid, cv=FOLD).fit(*table)


def test_grid_search_reaches_every_kind_of_parameter(search):
    scores = dict(zip(CANDIDATES, search.cv_results_["mean_test_score"], strict=True))
    assert np.isfinite(list(scores.values())).all()
    # Each parameter matters, so that no two candidates are alike.
    assert len(set(scores.values())) == len(CANDIDATES)


@pytest.mark.parametrize("kind", ["network", "training"])
def test_a_candidate_scores_as_the_same_stack_made_by_hand(table, search, kind):
    X, y = table
    position = list(CANDIDATES).index(kind)
    training, test = next(FOLD.split(X))
    by_hand = _plain_stack(network=MultimodalNetworkRegressor(**TRAINING))
    by_hand.set_params(**CANDIDATES[kind]).fit(X.iloc[training], y[training])
    expected = by_hand.score(X.iloc[test], y[test])
    assert search.cv_results_["mean_test_score"][position] == pytest.approx(expected, rel=1e-4)


def test_the_best_candidate_is_fitted_to_all_rows(table, search):
    X, y = table
    best = search.best_estimator_
    for name, value in search.best_params_.items():
        assert best.get_params()[name] == value
    again = clone(best).fit(X, y)
    np.testing.assert_allclose(search.predict(X), again.predict(X), rtol=1e-5)


def test_a_search_leaves_the_stack_it_was_given_as_it_was(search):
    assert search.estimator.network is None
    assert search.estimator.training == "joint"
    assert dict(search.estimator._named_parts)["numbers"].hidden == (4,)


def test_grid_search_over_whole_parts(table):
    X, y = table
    grid = {"ridge": [Ridge(alpha=1.0), SVR(), "drop"]}
    search = GridSearchCV(stack_regressor(), grid, cv=FOLD, refit=False).fit(X, y)
    assert len(set(search.cv_results_["mean_test_score"])) == 3


def test_grid_search_of_a_classifier_by_a_score_of_probabilities(table):
    X, y = table
    grid = {"stack_method": ["predict", "predict_proba"]}
    search = GridSearchCV(
        stack_classifier(), grid, cv=FOLD, scoring={"auc": "roc_auc", "loss": "neg_log_loss"}, refit="loss"
    )
    search.fit(X, make_labels(y))
    assert len(set(search.cv_results_["mean_test_loss"])) == 2
    assert search.best_estimator_.stack_method_ == [search.best_params_["stack_method"]] * 2
    assert search.best_score_ == search.cv_results_["mean_test_loss"].max()


def test_randomized_search_draws_a_routed_parameter(table):
    X, y = table
    drawn = {"network__optimizer__learning_rate": loguniform(1e-4, 1e-1), "place__dim": [1, 2, 3]}
    search = RandomizedSearchCV(stack_regressor(), drawn, n_iter=2, cv=FOLD, random_state=0).fit(X, y)
    rates = search.cv_results_["param_network__optimizer__learning_rate"]
    assert len(set(rates)) == 2
    joint = search.best_estimator_.named_estimators_["network"].get_params()
    assert joint["optimizer__learning_rate"] == search.best_params_["network__optimizer__learning_rate"]
    assert joint["place__dim"] == search.best_params_["place__dim"]


def test_halving_search_spends_rows(table):
    X, y = table
    search = HalvingRandomSearchCV(
        network_regressor(), {"numbers__hidden": [(2,), (4,)]}, n_candidates=2, factor=2, cv=2, random_state=0,
        min_resources=24,
    ).fit(X, y)  # fmt: skip
    assert search.n_resources_ == [24, 48]
    assert search.best_params_["numbers__hidden"] in [(2,), (4,)]
    assert search.best_estimator_.branches[0][1].hidden == search.best_params_["numbers__hidden"]


def test_halving_search_spends_epochs_of_a_stack(table):
    X, y = table
    search = HalvingRandomSearchCV(
        stack_regressor(), {"ridge__alpha": [0.1, 1e4]}, resource="network__epochs", max_resources=4, min_resources=2,
        n_candidates=2, factor=2, cv=FOLD, random_state=0,
    )  # fmt: skip
    assert search.fit(X, y).n_resources_ == [2, 4]
    joint = search.best_estimator_.named_estimators_["network"]
    assert joint.epochs == len(joint.history_["loss"]) == 4
    assert TRAINING["epochs"] == 1  # what the given stack had

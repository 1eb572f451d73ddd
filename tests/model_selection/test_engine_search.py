"""What the searches of both engines have in common with those of scikit-learn."""

import pickle

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import get_scorer, max_error, r2_score
from sklearn.model_selection import GroupKFold, ShuffleSplit
from sklearn.utils.estimator_checks import parametrize_with_checks

from skstack.model_selection import OptunaSearchCV

pytest.importorskip("optuna")


@pytest.fixture(scope="module")
def table():
    X, y = load_diabetes(return_X_y=True)
    return X[:60], y[:60]


def _search(space=None, estimator=None, **params):
    space = {"alpha": [0.1, 10.0]} if space is None else space
    return OptunaSearchCV(estimator or Ridge(), space, **{"n_trials": 2, "cv": 2, "random_state": 0, **params})


def _expected_failures(search):
    if isinstance(search.estimator, LogisticRegression):
        return {}
    return {"check_supervised_y_2d": "As those of scikit-learn, a search does not say that its estimator takes tables."}


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
@parametrize_with_checks(
    [_search(error_score="raise"), _search({"C": [0.1, 1.0]}, LogisticRegression(), error_score="raise")],
    expected_failed_checks=_expected_failures,
)
def test_scikit_learn_accepts_it(estimator, check):
    check(estimator)


def test_groups_and_weights_reach_their_parts(table):
    X, y = table
    groups = np.repeat(np.arange(6), 10)
    with config_context(enable_metadata_routing=True):
        ridge = Ridge().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        search = _search(estimator=ridge, cv=GroupKFold(3))
        search.fit(X, y, sample_weight=np.r_[np.zeros(30), np.ones(30)], groups=groups)
        expected = clone(search).set_params(cv=list(GroupKFold(3).split(X, y, groups)))
        expected.fit(X, y, sample_weight=np.r_[np.zeros(30), np.ones(30)])
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"])
    alone = Ridge(**search.best_params_).fit(X[30:], y[30:])
    np.testing.assert_allclose(search.predict(X), alone.predict(X))


def test_a_scorer_may_be_a_function_with_several_scores(table):
    def scores(estimator, X, y):
        predicted = estimator.predict(X)
        return {"r2": r2_score(y, predicted), "error": -max_error(y, predicted)}

    search = _search(scoring=scores, refit="error").fit(*table)
    assert search.multimetric_
    assert search.best_score_ == search.cv_results_["mean_test_error"].max() == search.study_.best_value
    with pytest.raises(ValueError, match="parameter refit must be set"):
        _search(scoring=scores).fit(*table)


def test_refit_may_choose(table):
    search = _search(refit=lambda results: int(results["mean_test_score"].argmin())).fit(*table)
    assert search.best_index_ == search.cv_results_["mean_test_score"].argmin()
    assert not hasattr(search, "best_score_")
    not_fitted = _search(refit=False).fit(*table)
    assert not_fitted.best_score_ == not_fitted.cv_results_["mean_test_score"].max()
    assert not hasattr(not_fitted, "best_estimator_")


def test_failed_fits_have_the_error_score(table):
    space = lambda trial: {"alpha": [1.0, -1.0][trial.number]}  # noqa: E731
    with pytest.warns(FitFailedWarning, match="2 fits failed out of a total of 4"):
        search = _search(space, error_score=-7.0).fit(*table)
    assert search.cv_results_["mean_test_score"][1] == -7.0
    with pytest.raises(ValueError, match="must be a float"):
        _search(space, error_score="raise").fit(*table)


def test_a_failed_fit_leaves_what_an_earlier_one_found(table):
    search = _search().fit(*table)
    before = dict(vars(search))
    with pytest.raises(ValueError, match="All the 2 fits failed"):
        search.set_params(param_distributions={"alpha": [-1.0]}, n_trials=1).fit(*table)
    search.set_params(param_distributions=before["param_distributions"], n_trials=2)
    assert vars(search) == before


def test_folds_are_the_same_for_all_candidates(table):
    search = _search({"alpha": [1.0]}, cv=ShuffleSplit(2, test_size=0.5)).fit(*table)
    assert len(set(search.cv_results_["mean_test_score"])) == 1


def test_a_fitted_search_can_be_pickled(table):
    search = _search().fit(*table)
    again = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(again.predict(table[0]), search.predict(table[0]))
    assert len(again.study_.trials) == 2


def test_the_scorer_is_kept(table):
    search = _search(scoring="neg_max_error").fit(*table)
    assert search.score(*table) == get_scorer("neg_max_error")(search.best_estimator_, *table)

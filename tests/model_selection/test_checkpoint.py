"""What a search has finished is kept in a folder, found again and can be read while it runs."""

import pickle
from functools import partial

import numpy as np
import pytest
from _noted import Fits, Noted, Stop, limits
from numpy.testing import assert_array_equal
from sklearn.exceptions import FitFailedWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, KFold
from sklearn.model_selection import _search as sklearn_search

from skstack import MultimodalStackingRegressor
from skstack.model_selection import read_cv_results
from skstack.model_selection._checkpoint import Checkpoint

X = np.random.default_rng(0).normal(size=(60, 3))
Y = X[:, 0] + 0.1 * X[:, 1]


@pytest.fixture
def fits(tmp_path):
    return Fits(tmp_path / "fits.txt")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "checkpoint"


@pytest.fixture
def kept(monkeypatch, folder):
    """Let scikit-learn's searches run their fits by a checkpoint; return a function that runs a search."""
    fit_and_score = sklearn_search._fit_and_score

    def run(search):
        checkpoint = pickle.loads(pickle.dumps(Checkpoint(folder).begin(search.estimator, X, Y)))
        by_checkpoint = lambda *args, **kwargs: checkpoint.run(fit_and_score, args, kwargs)  # noqa: E731
        monkeypatch.setattr(sklearn_search, "_fit_and_score", by_checkpoint)
        try:
            return search.fit(X, Y)
        finally:
            monkeypatch.setattr(sklearn_search, "_fit_and_score", fit_and_score)

    return run


def _search(fits, alphas=(1.0, 2.0, 3.0), **params):
    return GridSearchCV(Noted(path=fits.path), {"alpha": list(alphas)}, cv=KFold(3), refit=False, **params)


def _assert_same(results, expected):
    assert list(results) == list(expected)
    for name, values in expected.items():
        if not name.endswith("_time"):
            assert_array_equal(results[name], values)


def test_a_stopped_search_goes_on_where_it_was(kept, fits, folder, monkeypatch):
    expected = _search(fits, return_train_score=True).fit(X, Y).cv_results_
    fits.pop()
    monkeypatch.setitem(limits, "fits", 4)
    with pytest.raises(Stop):
        kept(_search(fits, return_train_score=True, error_score="raise"))
    monkeypatch.setitem(limits, "fits", None)
    assert len(fits.pop()) == 4
    results = kept(_search(fits, return_train_score=True, error_score="raise")).cv_results_
    assert len(fits.pop()) == 9 - 4
    _assert_same(results, expected)
    found = kept(_search(fits, return_train_score=True, error_score="raise")).cv_results_
    assert fits.pop() == []
    assert_array_equal(found["mean_fit_time"], results["mean_fit_time"])


def test_results_can_be_read_before_the_end(kept, fits, folder, monkeypatch):
    expected = _search(fits, [1.0, 2.0]).fit(X, Y).cv_results_
    fits.pop()
    monkeypatch.setitem(limits, "fits", 2)
    with pytest.raises(Stop):
        kept(_search(fits, error_score="raise"))
    assert read_cv_results(folder) == {}
    monkeypatch.setitem(limits, "fits", 7)
    with pytest.raises(Stop):
        kept(_search(fits, error_score="raise"))
    _assert_same(read_cv_results(str(folder)), expected)


def test_more_candidates_find_those_that_are_done(kept, fits, folder):
    kept(_search(fits, [1.0, 2.0]))
    fits.pop()
    kept(_search(fits, [0.5, 1.0, 2.0]))
    assert {alpha for alpha, *_ in fits.pop()} == {0.5}
    assert len(read_cv_results(folder)["params"]) == 3


def test_a_candidate_with_more_rows_is_another_one(kept, fits, folder):
    search = HalvingGridSearchCV(
        Noted(path=fits.path), {"alpha": [1.0, 2.0, 3.0, 4.0]}, cv=KFold(2), factor=2, random_state=0, refit=False
    )
    expected = kept(search).cv_results_
    results = read_cv_results(folder)
    assert len(results["params"]) == len(expected["params"]) > 4
    assert_array_equal(results["mean_test_score"], expected["mean_test_score"])


def test_another_way_of_scoring_is_fitted_again(kept, fits):
    kept(_search(fits, [1.0]))
    fits.pop()
    kept(_search(fits, [1.0], scoring="neg_mean_absolute_error"))
    assert len(fits.pop()) == 3
    kept(_search(fits, [1.0], scoring=["r2", "neg_mean_absolute_error"]))
    assert len(fits.pop()) == 3


def test_fits_that_failed_are_done_again(kept, fits, monkeypatch):
    monkeypatch.setitem(limits, "fits", 3)
    with pytest.warns(FitFailedWarning, match="3 fits failed"), pytest.warns(UserWarning, match="non-finite"):
        kept(_search(fits, [1.0, 2.0]))
    monkeypatch.setitem(limits, "fits", None)
    fits.pop()
    assert np.isfinite(kept(_search(fits, [1.0, 2.0])).cv_results_["mean_test_score"]).all()
    assert {alpha for alpha, *_ in fits.pop()} == {2.0}


def test_base_models_of_candidates_are_shared(kept, fits):
    learners = [("one", Noted(path=fits.path), [0]), ("two", Noted(path=fits.path), [1, 2])]
    stack = MultimodalStackingRegressor(learners, cv=KFold(2), random_state=0)
    kept(GridSearchCV(stack, {"two__alpha": [1.0, 2.0]}, cv=KFold(2), refit=False))
    by_columns = [n_columns for _, n_columns, _ in fits.pop()]
    assert (by_columns.count(1), by_columns.count(2)) == (2 * 3, 2 * 2 * 3)


@pytest.mark.parametrize(
    ("begin", "message"),
    [
        (partial(Checkpoint.begin, estimator=Ridge(alpha=2.0), X=X, y=Y), "alpha=1.0, not alpha=2.0"),
        (
            partial(Checkpoint.begin, estimator=MultimodalStackingRegressor(), X=X, y=Y),
            "a search over Ridge, not a search over MultimodalStackingRegressor",
        ),
        (partial(Checkpoint.begin, estimator=Ridge(), X=X, y=-Y), "other data: y differs"),
        (partial(Checkpoint.begin, estimator=Ridge(), X=X, y=Y, sample_weight=Y), "sample_weight differs"),
    ],
)
def test_other_searches_are_refused(folder, begin, message):
    Checkpoint(folder).begin(Ridge(), X, Y)
    with pytest.raises(ValueError, match=message):
        begin(Checkpoint(folder))


def test_a_folder_of_nothing_has_no_results(tmp_path):
    with pytest.raises(FileNotFoundError, match="no checkpoint folder of a search"):
        read_cv_results(tmp_path)

"""scikit-learn's searches, with networks trained together."""

import numpy as np
import pytest
import sklearn
from _sklearn_tests import verdicts
from _small import make_table, network_regressor, stack_regressor
from run_sklearn_search_tests import TESTS
from scipy.stats import loguniform
from sklearn import model_selection
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.fixes import parse_version

from skstack.branches import CategoricalBranch, NumericBranch
from skstack.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    RandomizedSearchCV,
    read_cv_results,
)
from skstack.training import _fit

#: Of scikit-learn's tests, those of n_jobs=2, which import Keras in two processes, and the longest ones.
SLOW = ("2d_array", "grid_search_failing", "nested_and_unnested", "searchcv_raise_warning", "random_search_cv_results")

FOLDS = KFold(2, shuffle=True, random_state=0)


@pytest.fixture(scope="module")
def table():
    return make_table()


@pytest.fixture
def trained(monkeypatch, short_trainings_go_together):
    """Record how many networks are trained, and how many at once."""
    made = []
    for kind in (_fit.Engine, _fit.VectorizedEngine):
        monkeypatch.setattr(_fit, kind.__name__, _recording(kind, made))
    return made


def _recording(kind, made):
    class Recording(kind):
        def __init__(self, program, *args):
            made.append(1 if kind.__name__ == "Engine" else len(args[0]))
            super().__init__(program, *args)

    return Recording


GRID = {"optimizer__learning_rate": [0.01, 0.1], "dropout": [0.1, 0.3], "random_state": [0, 1], "epochs": [2, 3]}


def test_results_are_those_of_scikit_learn(table, trained):
    X, y = table
    ours = GridSearchCV(network_regressor(), GRID, cv=FOLDS, return_train_score=True).fit(X, y)
    assert trained == [32, 1]
    theirs = model_selection.GridSearchCV(network_regressor(), GRID, cv=FOLDS, return_train_score=True).fit(X, y)
    assert trained == [32, 1, *[1] * 33]
    assert ours.cv_results_.keys() == theirs.cv_results_.keys()
    assert ours.best_params_ == theirs.best_params_
    assert ours.best_score_ == pytest.approx(theirs.best_score_, rel=1e-5)
    for name, column in ours.cv_results_.items():
        if "score" in name and "time" not in name and "rank" not in name:
            np.testing.assert_allclose(column, theirs.cv_results_[name], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-5)
    assert ours.best_estimator_.model_ is not None


def test_class_weights_are_values_too(trained):
    from _small import make_labels, network_classifier

    X, y = make_table()
    grid = {"class_weight": [None, "balanced", {"cheap": 3.0, "fair": 1.0}]}
    labels = make_labels(y)
    search = GridSearchCV(network_classifier(), grid, cv=2).fit(X, labels)
    assert sorted(trained) == [1, 2, 4]  # without weights, and with some
    theirs = model_selection.GridSearchCV(network_classifier(), grid, cv=2).fit(X, labels)
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"])


def test_networks_inside_of_stacks_are_trained_together(table, trained):
    X, y = table
    grid = {"network__optimizer__learning_rate": [0.01, 0.1]}
    search = GridSearchCV(stack_regressor(), grid, cv=FOLDS, refit=False).fit(X, y)
    assert sum(trained) == 2 * 2 * 3
    assert max(trained) > 3
    theirs = model_selection.GridSearchCV(stack_regressor(), grid, cv=FOLDS, refit=False).fit(X, y)
    scores, expected = (s.cv_results_["mean_test_score"] for s in (search, theirs))
    np.testing.assert_allclose(scores, expected, rtol=1e-4)


def test_networks_inside_of_pipelines_are_trained_together(table, trained):
    X, y = table
    pipeline = make_pipeline(FunctionTransformer(), network_regressor())
    grid = {"multimodalnetworkregressor__optimizer__learning_rate": [0.01, 0.1]}
    GridSearchCV(pipeline, grid, cv=FOLDS, refit=False).fit(X, y)
    assert trained == [4]


def test_a_fit_that_fails_scores_as_told_and_others_go_on(table):
    X, y = table
    network = network_regressor(optimizer="sgd")
    grid = {"optimizer__learning_rate": [1e30, 0.01]}
    with pytest.warns(model_selection._validation.FitFailedWarning, match="2 fits failed out of a total of 4"):
        search = GridSearchCV(network, grid, cv=FOLDS, error_score=-7.0).fit(X, y)
    assert search.cv_results_["mean_test_score"][0] == -7
    assert np.isfinite(search.best_score_)
    assert search.best_params_ == {"optimizer__learning_rate": 0.01}
    with pytest.raises(ValueError, match="became"):
        GridSearchCV(network, grid, cv=FOLDS, error_score="raise").fit(X, y)


def test_candidates_drawn_at_random(table, trained):
    X, y = table
    rates = {"optimizer__learning_rate": loguniform(1e-3, 1e-1)}
    ours, theirs = (
        kind(network_regressor(), rates, n_iter=3, cv=FOLDS, random_state=0).fit(X, y)
        for kind in (RandomizedSearchCV, model_selection.RandomizedSearchCV)
    )
    assert trained[:2] == [6, 1]
    assert ours.cv_results_["params"] == theirs.cv_results_["params"]
    np.testing.assert_allclose(ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"], rtol=1e-4)


@pytest.mark.parametrize("kind", [HalvingGridSearchCV, HalvingRandomSearchCV])
def test_halving(table, trained, kind):
    X, y = table
    rates = {"optimizer__learning_rate": [0.001, 0.01, 0.1]}
    params = {
        "resource": "epochs",
        "max_resources": 6,
        "min_resources": 2,
        "cv": FOLDS,
        "random_state": 0,
        "refit": False,
    }
    ours, theirs = (
        of(network_regressor(), rates, **params).fit(X, y) for of in (kind, getattr(model_selection, kind.__name__))
    )
    assert trained[: ours.n_iterations_] == [2 * n for n in ours.n_candidates_]
    np.testing.assert_allclose(ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"], rtol=1e-4)


def test_a_search_of_other_estimators_is_that_of_scikit_learn(monkeypatch, table):
    def refuse(*args):
        raise AssertionError

    monkeypatch.setattr("skstack.model_selection._searches.together", refuse)
    X, y = table
    search = GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=2).fit(X[["area", "rooms"]], y)
    assert search.best_params_["alpha"] in (0.1, 1.0)


def test_a_search_inside_of_a_search(table, trained):
    X, y = table
    inner = GridSearchCV(network_regressor(), {"optimizer__learning_rate": [0.01, 0.1]}, cv=FOLDS)
    outer = GridSearchCV(inner, {"estimator__random_state": [0, 1]}, cv=FOLDS, refit=False).fit(X, y)
    # Inside, candidates and folds go together; then the fits of the best of each.
    assert sum(trained) == 4 * (4 + 1)
    assert np.isfinite(outer.cv_results_["mean_test_score"]).all()


def test_processes_share_the_fits(table):
    X, y = table
    grid = {"optimizer__learning_rate": [0.01, 0.1]}
    two, one = (GridSearchCV(network_regressor(), grid, cv=FOLDS, refit=False, n_jobs=n).fit(X, y) for n in (2, 1))
    np.testing.assert_allclose(two.cv_results_["mean_test_score"], one.cv_results_["mean_test_score"], rtol=1e-4)


class _Counting(Ridge):
    """Notes each fit in a file, by its penalty and its number of rows."""

    def __init__(self, alpha=1.0, path=None):
        super().__init__(alpha)
        self.path = path

    def fit(self, X, y):
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(f"{self.alpha} {len(X)}\n")
        return super().fit(X, y)


def _counted_stack(path, **params):
    parts = [
        ("numbers", NumericBranch((4,), scale="standard", embedding=None, dropout=0.0), ["area", "rooms"]),
        ("place", CategoricalBranch(dim=2), ["city"]),
        ("first", _Counting(path=str(path)), ["area", "rooms"]),
        ("second", _Counting(path=str(path)), ["rooms"]),
    ]
    return stack_regressor(parts, final_estimator=Ridge(), training="individual", **params)


@pytest.mark.parametrize(
    ("grid", "n_learners", "n_networks"),
    [
        # Of each outer fold: two learners, two networks, each for two inner folds and all rows.
        ({"final_estimator__alpha": [0.1, 1.0, 10.0]}, 2 * 6, 2 * 6),
        ({"first__alpha": [0.1, 1.0, 10.0]}, 2 * (3 * 3 + 3), 2 * 6),
        ({"place__dim": [2, 3]}, 2 * 6, 2 * (3 + 2 * 3)),
    ],
    ids=["final estimator", "learner", "branch"],
)
def test_what_did_not_change_is_not_fitted_again(table, trained, tmp_path, grid, n_learners, n_networks):
    X, y = table
    path = tmp_path / "fits.txt"
    search = GridSearchCV(_counted_stack(path), grid, cv=FOLDS, refit=False).fit(X, y)
    theirs = model_selection.GridSearchCV(_counted_stack(tmp_path / "theirs.txt"), grid, cv=FOLDS, refit=False)
    assert len(path.read_text().splitlines()) == n_learners
    assert sum(trained) == n_networks
    scores = search.cv_results_["mean_test_score"]
    np.testing.assert_allclose(scores, theirs.fit(X, y).cv_results_["mean_test_score"], rtol=1e-4)


def test_processes_find_what_others_have_fitted(table, tmp_path):
    X, y = table
    path = tmp_path / "fits.txt"
    parts = [(name, _Counting(path=str(path)), [name]) for name in ("area", "rooms")]
    stack = stack_regressor(parts, final_estimator=Ridge())
    GridSearchCV(stack, {"final_estimator__alpha": [0.1, 1.0]}, cv=FOLDS, refit=False, n_jobs=2).fit(X, y)
    assert len(path.read_text().splitlines()) == 2 * 6


def test_a_search_that_was_stopped_goes_on(table, trained, tmp_path):
    X, y = table
    grid = {"optimizer__learning_rate": [0.01, 0.1]}
    params = {"cv": FOLDS, "refit": False, "checkpoint": tmp_path / "search"}
    first = GridSearchCV(network_regressor(), grid, **params).fit(X, y)
    assert trained == [4]
    results = read_cv_results(tmp_path / "search")
    np.testing.assert_array_equal(results["mean_test_score"], first.cv_results_["mean_test_score"])
    more = {"optimizer__learning_rate": [0.01, 0.1, 0.05]}
    second = GridSearchCV(network_regressor(), more, **params).fit(X, y)
    assert trained == [4, 2]
    scores = second.cv_results_["mean_test_score"]
    np.testing.assert_array_equal(scores[:2], first.cv_results_["mean_test_score"])
    with pytest.raises(ValueError, match="other data"):
        GridSearchCV(network_regressor(), grid, **params).fit(X, y + 1)
    other = network_regressor(head=(3,))
    with pytest.raises(ValueError, match="head"):
        GridSearchCV(other, grid, **params).fit(X, y)


def test_a_search_of_learners_keeps_what_is_finished(table, tmp_path):
    X, y = table
    path = tmp_path / "fits.txt"
    for _ in range(2):
        search = GridSearchCV(
            _Counting(path=str(path)), {"alpha": [0.1, 1.0]}, cv=FOLDS, checkpoint=tmp_path / "search"
        )
        search.fit(X[["area", "rooms"]], y)
    assert len(path.read_text().splitlines()) == 4 + 2  # each search fits its best candidate to all rows


def test_parameters_are_those_of_scikit_learn():
    for ours in (GridSearchCV, RandomizedSearchCV, HalvingGridSearchCV, HalvingRandomSearchCV):
        theirs = getattr(model_selection, ours.__name__)
        space = [network_regressor(), {"dropout": [0.1]}]
        assert clone(ours(*space)).get_params().keys() >= theirs(*space).get_params().keys()


@pytest.mark.skipif(
    parse_version(sklearn.__version__) < parse_version("1.9"),
    reason="the table of differences is that of scikit-learn 1.9",
)
def test_tests_of_scikit_learn():
    ours = TESTS.outcomes(["-k", " and ".join(f"not {name}" for name in SLOW)])
    assert not verdicts(ours, TESTS.expected)
    assert sum(how is None for how in ours.values()) > 100

"""Base models that were fitted before are found again: in a folder for any fit, in a checkpoint for one."""

import os

import joblib
import numpy as np
import pytest
from _noted import Fits, Noted, Stop, limits
from _small import make_labels, make_table, stack_classifier, stack_regressor
from numpy.testing import assert_array_equal
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold, ShuffleSplit

from skstack import MultimodalNetworkRegressor, MultimodalStackingMultitask, MultimodalStackingRegressor
from skstack.branches import NumericBranch
from skstack.caching._keeping import keeping
from skstack.caching._results import MemoryResults
from skstack.stacking._keeping import Keeping
from skstack.tasks._regression import RegressionTask


@pytest.fixture(scope="module")
def table():
    X, y = make_table()
    return X[["area", "rooms"]], y


@pytest.fixture
def fits(tmp_path):
    return Fits(tmp_path / "fits.txt")


def _stack(fits, **params):
    """Return a stack of a learner of one column and one of two."""
    learners = [("one", Noted(path=fits.path), ["area"]), ("two", Noted(path=fits.path), ["area", "rooms"])]
    return MultimodalStackingRegressor(learners, **{"cv": KFold(3), "random_state": 0, **params})


# --- a folder for any fit ---------------------------------------------------------------------------------------------


def test_each_fold_of_a_learner_is_fitted_once(table, fits, tmp_path):
    first = _stack(fits, memory=tmp_path / "memory").fit(*table)
    assert fits.pop() == [(1, n, rows) for n in (1, 2) for rows in (32, 32, 32, 48)]
    again = _stack(fits, memory=str(tmp_path / "memory"), final_estimator=LinearRegression(), n_jobs=2).fit(*table)
    assert fits.pop() == []
    assert_array_equal(again.oof_predictions_, first.oof_predictions_)
    other = _stack(fits, memory=tmp_path / "memory").set_params(two__alpha=2.0).fit(*table)
    assert fits.pop() == [(2, 2, rows) for rows in (32, 32, 32, 48)]
    assert_array_equal(other.oof_predictions_[:, 0], first.oof_predictions_[:, 0])
    assert_array_equal(first.fit(*table).predict(table[0]), again.estimators_ and first.predict(table[0]))


def test_models_of_folds_are_other_results_and_lost_folds_are_fitted_again(table, fits, tmp_path):
    stack = _stack(fits, memory=tmp_path / "memory")
    stack.fit(*table)
    fits.pop()
    stack.set_params(refit="folds").fit(*table)
    assert len(fits.pop()) == 6
    lost = sorted((tmp_path / "memory").glob("*.kept"))[:2]
    for path in lost:
        path.write_bytes(path.read_bytes()[:-1])
    stack.fit(*table)
    stack.set_params(refit=True).fit(*table)
    assert len(fits.pop()) == len(lost)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_search_over_one_learner_fits_only_that(table, fits, tmp_path, n_jobs):
    stack = _stack(fits, memory=tmp_path / "memory")
    search = GridSearchCV(stack, {"two__alpha": [1.0, 2.0, 3.0]}, cv=KFold(2), refit=False, n_jobs=n_jobs)
    scores = search.fit(*table).cv_results_["mean_test_score"]
    once = [rows for _ in range(2) for rows in (16, 16, 16, 24)]
    assert fits.pop() == sorted((alpha, n, rows) for alpha, n in ((1, 1), (1, 2), (2, 2), (3, 2)) for rows in once)
    search.set_params(estimator__memory=None, n_jobs=1).fit(*table)
    assert_array_equal(search.cv_results_["mean_test_score"], scores)
    assert len(fits.pop()) == 3 * 2 * 2 * 4


def test_a_search_over_the_final_estimator_fits_no_base_model_twice(table, fits, tmp_path):
    stack = _stack(fits, final_estimator=Ridge())
    search = GridSearchCV(stack, {"final_estimator__alpha": [1.0, 2.0, 3.0]}, cv=KFold(2), refit=False)
    with keeping(MemoryResults()):
        search.fit(*table)
    assert len(fits.pop()) == 2 * 2 * 4


def test_a_search_over_one_branch_trains_only_that(table, monkeypatch):
    trained = []
    cross_fit = MultimodalNetworkRegressor.cross_fit

    def noting(network, *args, **kwargs):
        trained.append(network.branches[0][0])
        return cross_fit(network, *args, **kwargs)

    monkeypatch.setattr(MultimodalNetworkRegressor, "cross_fit", noting)
    branches = [
        (name, NumericBranch((4,), scale="standard", embedding=None, dropout=0.1), [name]) for name in ("area", "rooms")
    ]
    stack = stack_regressor(branches, training="individual")
    search = GridSearchCV(stack, {"rooms__dropout": [0.1, 0.2]}, cv=[(np.arange(40), np.arange(40, 48))], refit=False)
    with keeping(MemoryResults()):
        search.fit(*table)
    assert sorted(trained) == ["area", "rooms", "rooms"]


def test_what_is_found_is_nobody_elses(table, fits, tmp_path):
    first, second = (_stack(fits, memory=tmp_path / "memory").fit(*table) for _ in range(2))
    expected = second.predict(table[0])
    first.estimators_[0].coef_[:] = 0.0
    assert_array_equal(second.predict(table[0]), expected)
    assert_array_equal(_stack(fits, memory=tmp_path / "memory").fit(*table).predict(table[0]), expected)


def test_an_object_with_a_cache_is_honoured(table, fits, tmp_path):
    memory = joblib.Memory(tmp_path / "joblib", verbose=0)
    expected, found = (_stack(fits, memory=memory).fit(*table).predict(table[0]) for _ in range(2))
    assert len(fits.pop()) == 8
    assert_array_equal(found, expected)


def test_a_stack_in_a_stack_keeps_its_base_models_too(table, fits, tmp_path):
    def nested(alpha):
        inner = _stack(fits, final_estimator=Ridge(alpha))
        return MultimodalStackingRegressor(
            [("inner", inner)], cv=KFold(2), memory=tmp_path / "memory", random_state=0
        ).fit(*table)

    nested(1.0)
    assert len(fits.pop()) == 3 * 8
    nested(2.0)
    assert fits.pop() == []


def test_a_folder_that_cannot_be_used_is_told_of_and_the_stack_is_fitted(table, fits, tmp_path):
    (tmp_path / "file").touch()
    with pytest.warns(UserWarning, match=r"folder of results .* cannot be"):
        _stack(fits, memory=tmp_path / "file").fit(*table)
    assert len(fits.pop()) == 8


# --- a checkpoint of one fit ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("random_state", [0, None])
def test_a_stopped_fit_goes_on_where_it_was(table, fits, tmp_path, monkeypatch, random_state):
    params = {"random_state": random_state, "cv": ShuffleSplit(3, test_size=0.4)}  # other rows at each call
    stack = _stack(fits, checkpoint=tmp_path / "checkpoint", **params)
    monkeypatch.setitem(limits, "fits", 5)
    with pytest.raises(Stop):
        stack.fit(*table)
    monkeypatch.undo()
    done = fits.pop()
    assert len(done) == 5
    predicted = stack.fit(*table).predict(table[0])
    assert len(fits.pop()) == 8 - 5
    again = _stack(fits, checkpoint=str(tmp_path / "checkpoint"), n_jobs=2, verbose=0, **params).fit(*table)
    assert fits.pop() == []
    assert_array_equal(again.predict(table[0]), predicted)
    for (one, two), (three, four) in zip(stack.splits_, again.splits_, strict=True):
        assert_array_equal(one, three)
        assert_array_equal(two, four)


def test_the_drawn_seed_is_used_again(table, fits, tmp_path):
    X, y = table
    task = RegressionTask().fit(y)
    stacks = [_stack(fits, random_state=None, checkpoint=tmp_path / name) for name in ("a", "a", "b")]
    seeds = [Keeping(stack, X, y, task, {}).seed for stack in stacks]
    assert seeds[0] == seeds[1] != seeds[2]


def test_a_network_goes_on_as_a_whole(table, tmp_path):
    expected, kept, found = (
        stack_regressor(checkpoint=checkpoint).fit(*make_table())
        for checkpoint in (None, tmp_path / "checkpoint", tmp_path / "checkpoint")
    )
    X = make_table()[0]
    assert_array_equal(kept.predict(X), expected.predict(X))
    assert_array_equal(found.predict(X), expected.predict(X))
    assert_array_equal(found.oof_predictions_, expected.oof_predictions_)
    assert found.fold_histories_ == expected.fold_histories_


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda stack, X, y: stack.set_params(training="individual").fit(X, y), "training='joint', not training='ind"),
        (lambda stack, X, y: stack.set_params(two__alpha=2.0).fit(X, y), r"two__alpha=1.0, not two__alpha=2.0"),
        (lambda stack, X, y: stack.fit(X, y + 1.0), "belongs to other data: y differs"),
        (lambda stack, X, y: stack.fit(X.iloc[::-1], y), "belongs to other data: X differs"),
        (lambda stack, X, y: stack.fit(X, y, groups=np.arange(48)), "groups differs; it was groups .nothing."),
        (lambda stack, X, y: stack.set_params(memory="folder").fit(X, y), "'checkpoint' and 'memory' both keep"),
    ],
)
def test_other_fits_are_refused_before_any_training(table, fits, tmp_path, change, message):
    stack = _stack(fits, checkpoint=tmp_path / "checkpoint").fit(*table)
    fits.pop()
    with pytest.raises(ValueError, match=message):
        change(stack, *table)
    assert fits.pop() == []


def test_classes_belong_to_the_data(tmp_path):
    X, y = make_table()
    labels = make_labels(y)
    parts = stack_classifier().estimators[2:]
    stack_classifier(parts, checkpoint=tmp_path).fit(X, labels)
    with pytest.raises(ValueError, match="belongs to other data: y differs"):
        stack_classifier(parts, checkpoint=tmp_path).fit(X, np.where(labels == "cheap", "a", "b"))
    with pytest.raises(
        ValueError, match="fit of MultimodalStackingClassifier, not a fit of MultimodalStackingRegressor"
    ):
        stack_regressor(stack_regressor().estimators[2:], checkpoint=tmp_path).fit(X, y)


def test_several_tasks_go_on_too(fits, tmp_path):
    X, y = make_table()
    y = np.column_stack([y, 2.0 * y])
    stack = MultimodalStackingMultitask([("one", Noted(path=fits.path), ["area"])], cv=KFold(2), checkpoint=tmp_path)
    first = stack.fit(X, y).predict(X)
    assert fits.pop() != []
    assert_array_equal(stack.fit(X, y).predict(X), first)
    assert fits.pop() == []


def test_an_unusable_folder_is_an_error_before_any_training(table, fits, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"checkpoint folder .*file' cannot be used"):
        _stack(fits, checkpoint=tmp_path / "file").fit(*table)
    assert fits.pop() == []


def test_a_disk_that_gets_full_is_told_once_and_the_fit_ends_well(table, fits, tmp_path, monkeypatch):
    replace = os.replace

    def full(source, target):
        if len(list(tmp_path.glob("*.kept"))) > 4:
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    stack = _stack(fits, checkpoint=tmp_path)
    with pytest.warns(UserWarning, match="cannot be written: .*No space left on device") as told:
        stack.fit(*table)
    assert len(told) == 1
    assert len(fits.pop()) == 8
    monkeypatch.undo()
    stack.fit(*table)
    assert len(fits.pop()) == 8 - (5 - 2)
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("parameter", ["memory", "checkpoint"])
def test_folders_are_texts_or_paths(table, fits, parameter):
    with pytest.raises(ValueError, match=f"The '{parameter}' parameter of MultimodalStackingRegressor must be"):
        _stack(fits, **{parameter: 3}).fit(*table)

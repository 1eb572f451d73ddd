"""Out-of-fold predictions, fold models, and notes that say where an error came from."""

import numpy as np
import pytest
from _difficult import Picky
from _small import Recorder, make_table, stack_regressor
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, TimeSeriesSplit, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeRegressor

from skstack import MultimodalStackingRegressor
from skstack._protocols import CrossFitter
from skstack.stacking._cross_fit import average_of_folds, cross_fit, training_history
from skstack.stacking._splits import check_splits
from skstack.tasks._regression import RegressionTask

NUMBERS = ["area", "rooms"]


@pytest.fixture(scope="module")
def table():
    return make_table()


def test_learners_in_several_processes_give_the_same(table):
    X, y = table
    learners = [("tree", DecisionTreeRegressor(splitter="random"), NUMBERS), ("svm", SVR(), NUMBERS)]
    one, two = (
        MultimodalStackingRegressor(learners, Recorder(), cv=3, n_jobs=n_jobs, random_state=0).fit(X, y)
        for n_jobs in (None, 2)
    )
    assert_array_equal(two.final_estimator_.seen_X_, one.final_estimator_.seen_X_)
    assert_array_equal(two.predict(X), one.predict(X))


@pytest.mark.parametrize("training", ["joint", "individual"])
def test_stack_of_networks_is_repeatable_with_several_processes(table, training):
    X, y = table
    one, two = (stack_regressor(training=training, n_jobs=n_jobs).fit(X, y).transform(X) for n_jobs in (None, 2))
    assert_allclose(two, one, rtol=1e-5)


# --- what cross-fitting makes -----------------------------------------------------------------------------------------


class Doubtful(CrossFitter, Ridge):
    """Fits itself for all folds, and keeps what it was asked."""

    def cross_fit(
        self, X, y, splits, *, sample_weight=None, groups=None, bar=None, deadline=None, validation=None, refit=True
    ):
        self.validation_ = validation
        if refit:
            yield self.fit(X, y)
        for rows in splits:
            yield Ridge().fit(X.iloc[rows], y[rows])

    def split_validation(self, y, splits, sample_weight=None, groups=None):
        return [(rows, rows[:0]) for rows in (np.arange(len(y)), *splits)]

    def check_data(self, X):
        """Nothing to check."""

    def missing_rows(self, X):
        return {}


def _cross_fit(table, estimator, cv=None, **options):
    X, y = table[0][NUMBERS], table[1]
    task = RegressionTask().fit(y)
    splits = check_splits((cv or KFold(3)).split(X), len(y))
    return cross_fit(estimator, X, y, splits, method="predict", task=task, name="mine", **options), splits


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("kind", [Ridge, Doubtful])
def test_fold_models_are_kept_on_request(table, kind, n_jobs):
    X, y = table[0][NUMBERS], table[1]
    made, splits = _cross_fit(table, kind(), keep_fold_models=True, n_jobs=n_jobs)
    assert_allclose(made.estimator.predict(X), Ridge().fit(X, y).predict(X))
    assert len(made.fold_models) == 3
    for model, (_, test) in zip(made.fold_models, splits, strict=True):
        assert_array_equal(model.predict(X.iloc[test]), made.predictions[test, 0])
    assert_allclose(made.predictions[:, 0], cross_val_predict(Ridge(), X, y, cv=3))
    assert _cross_fit(table, kind(), n_jobs=n_jobs)[0].fold_models is None
    alone, _ = _cross_fit(table, kind(), keep_fold_models=True, refit=False, n_jobs=n_jobs)
    assert alone.estimator is None and len(alone.fold_models) == 3
    assert_array_equal(alone.predictions, made.predictions)


def test_rows_that_no_split_predicts_are_nan(table):
    made, splits = _cross_fit(table, Ridge(), TimeSeriesSplit(3))
    first = splits[0][1][0]
    assert_array_equal(np.isnan(made.predictions[:, 0]), np.arange(48) < first)


def test_an_inner_validation_split_is_handed_on(table):
    validation = [(np.arange(24), np.arange(24, 48))]
    assert _cross_fit(table, Doubtful(), validation=validation)[0].estimator.validation_ is validation
    assert _cross_fit(table, Doubtful())[0].estimator.validation_ is None


# --- where an error came from -----------------------------------------------------------------------------------------


class PickyTogether(Doubtful):
    """Fits itself for all folds, of which the second fails, or the first one's predictions."""

    def cross_fit(self, X, y, splits, **options):
        made = super().cross_fit(X, y, splits, **options)
        yield next(made)
        yield Picky(refuses=38) if self.alpha == 0 else next(made)
        raise LookupError("no")


SIZES = [(np.arange(10), np.arange(10, 48)), (np.arange(20), np.arange(20, 48))]


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize(
    ("learner", "note"),
    [
        (Picky(refuses=48), "in base model 'picky', fitted on all rows"),
        (Picky(refuses=10), "in base model 'picky', fold 1 of 2"),
        (Picky(refuses=20), "in base model 'picky', fold 2 of 2"),
        (Picky(refuses=28), "in base model 'picky', fold 2 of 2"),
        (PickyTogether(), "in base model 'picky'"),
        (PickyTogether(alpha=0), "fold 1 of 2"),
    ],
)
def test_an_error_says_which_base_model_and_which_fold_it_came_from(table, learner, note, n_jobs):
    X, y = table
    stack = MultimodalStackingRegressor([("ridge", Ridge()), ("picky", learner)], cv=SIZES, n_jobs=n_jobs)
    with pytest.raises(LookupError, match="no") as caught:
        stack.fit(X[NUMBERS], y)
    assert type(caught.value) is LookupError
    assert caught.value.__notes__ == [note] + ["in base model 'picky'"] * note.startswith("fold")


def test_an_error_of_a_nested_stack_names_both(table):
    X, y = table
    inner = MultimodalStackingRegressor([("picky", Picky(refuses=10))], cv=[(np.arange(10), np.arange(10, 20))])
    stack = MultimodalStackingRegressor([("inner", inner)], cv=SIZES)
    with pytest.raises(LookupError) as caught:
        stack.fit(X[NUMBERS], y)
    assert caught.value.__notes__ == ["in base model 'picky', fold 1 of 1", "in base model 'inner', fitted on all rows"]


# --- averages over folds ----------------------------------------------------------------------------------------------


def test_classes_of_several_folds_are_voted_on():
    folds = [np.array([[0], [2], [1]]), np.array([[2], [2], [0]]), np.array([[2], [0], [2]])]
    assert_array_equal(average_of_folds(folds, votes=True)[:, 0], [2, 2, 0])
    assert_allclose(average_of_folds(folds, votes=False)[:, 0], [4 / 3, 4 / 3, 1])


def test_folds_that_know_a_class_decide_about_its_score():
    unknown = np.finfo("float64").min
    folds = [np.array([[1.0, unknown], [3.0, unknown]]), np.array([[2.0, 4.0], [5.0, unknown]])]
    assert_array_equal(average_of_folds(folds, votes=False), [[1.5, 4.0], [4.0, unknown]])


# --- how the training went --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("refit", [True, "folds"])
def test_histories_of_folds_are_those_of_fits_to_their_rows(table, refit):
    X, y = table
    stack = stack_regressor(refit=refit).set_params(network__epochs=3).fit(X, y)
    assert list(stack.fold_histories_) == ["network"]  # the ridge has no epochs
    for (training, _), history in zip(stack.splits_, stack.fold_histories_["network"], strict=True):
        network = stack.fold_estimators_["network"][0] if refit == "folds" else stack.named_estimators_["network"]
        alone = clone(network).fit(X.iloc[training], y[training])
        assert history.keys() == alone.history_.keys()
        assert_allclose(history["loss"], alone.history_["loss"], rtol=1e-4)


def test_histories_of_a_fold_know_nothing_of_the_rows_held_out(table):
    X, y = table
    stack = stack_regressor().set_params(network__epochs=2)
    before, held_out = stack.fit(X, y).fold_histories_["network"][0], stack.splits_[0][1]
    changed_X, changed_y = X.copy(), y.copy()
    changed_X.iloc[held_out, 0] += 5.0
    changed_y[held_out] -= 9.0
    after = stack.fit(changed_X, changed_y).fold_histories_["network"]
    assert after[0] == before
    assert after[1] != before


def test_networks_of_single_branches_have_the_history_of_their_stage(table):
    X, y = table
    stack = stack_regressor(training="individual+joint", individual_predictions=True).set_params(network__epochs=2)
    histories = stack.fit(X, y).fold_histories_
    assert list(histories) == ["network", "numbers", "place"]
    assert {len(history["loss"]) for folds in histories.values() for history in folds} == {2}
    assert histories["numbers"] != histories["place"]
    stages = stack.named_estimators_["network"].stages_
    for name in ("numbers", "place"):
        (of_branch,) = [stage.history for stage in stages if stage.branches == [name]]
        assert stack.named_estimators_[name].history_ == of_branch


def test_history_of_the_last_step_of_a_pipeline_or_none(table):
    network = stack_regressor().set_params(network__epochs=2).fit(*table).named_estimators_["network"]
    assert training_history(make_pipeline("passthrough", network)) == network.history_
    assert training_history(Ridge()) is None

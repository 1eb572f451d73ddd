"""Fitting a stack, what it keeps, and predicting with it."""

import inspect
import pickle

import numpy as np
import pytest
from _small import Recorder, branches, make_labels, make_table, stack_regressor
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, TimeSeriesSplit, cross_val_predict
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skstack import MultimodalStackingClassifier, MultimodalStackingMultitask, MultimodalStackingRegressor
from skstack.network import _staged as network_staged
from skstack.training._fit import fit as training_fit

NUMBERS = ["area", "rooms"]


@pytest.fixture(scope="module")
def table():
    X, y = make_table()
    return X[NUMBERS], y


# --- out-of-fold predictions and splits -------------------------------------------------------------------------------


def test_out_of_fold_predictions_are_what_the_final_estimator_was_fitted_to(table):
    X, y = table
    learners = [("ridge", Ridge()), ("tree", DecisionTreeRegressor(random_state=0), ["area"])]
    stack = MultimodalStackingRegressor(learners, Recorder(), cv=KFold(3), passthrough=["rooms"]).fit(X, y)
    assert_array_equal(stack.oof_predictions_, stack.final_estimator_.seen_X_.iloc[:, :2])
    expected = [cross_val_predict(Ridge(), X, y, cv=3), cross_val_predict(learners[1][1], X[["area"]], y, cv=3)]
    assert_allclose(stack.oof_predictions_, np.column_stack(expected))
    for kept, split in zip(stack.splits_, KFold(3).split(X), strict=True):
        assert all(map(np.array_equal, kept, split))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_out_of_fold_probabilities(table, n_classes):
    X, y = table
    y = make_labels(y, n_classes)
    learners = [("logistic", LogisticRegression()), ("tree", DecisionTreeClassifier(max_depth=2, random_state=0))]
    stack = MultimodalStackingClassifier(learners, cv=3).fit(X, y)
    expected = [cross_val_predict(learner, X, y, cv=3, method="predict_proba") for _, learner in learners]
    if n_classes == 2:
        expected = [probabilities[:, 1:] for probabilities in expected]
    assert_allclose(stack.oof_predictions_, np.hstack(expected))


def test_out_of_fold_predictions_are_nan_in_rows_that_no_fold_predicts(table):
    X, y = table
    stack = MultimodalStackingRegressor([("ridge", Ridge())], Recorder(), cv=TimeSeriesSplit(3)).fit(X, y)
    first = stack.splits_[0][1][0]
    assert stack.oof_predictions_.shape == (len(y), 1)
    assert np.isnan(stack.oof_predictions_[:first]).all() and first > 0
    assert_array_equal(stack.oof_predictions_[first:], stack.final_estimator_.seen_X_)


def test_fitted_learners_have_no_out_of_fold_predictions(table):
    X, y = table
    stack = MultimodalStackingRegressor([("ridge", Ridge().fit(X, y))], cv=3).fit(X, y)
    assert len(stack.splits_) == 3
    stack.set_params(cv="prefit").fit(X, y)
    assert stack.splits_ is None and stack.oof_predictions_ is None


def test_out_of_fold_predictions_of_networks_come_in_the_order_of_the_base_models(table):
    X, y = make_table()
    stack = stack_regressor(training="individual", final_estimator=Recorder()).fit(X, y)
    assert_array_equal(stack.oof_predictions_, stack.final_estimator_.seen_X_)
    assert_allclose(stack.oof_predictions_[:, 2], cross_val_predict(Ridge(), X[NUMBERS], y, cv=2))


# --- models of the folds in the place of one of all rows --------------------------------------------------------------


@pytest.mark.parametrize("training", ["joint", "individual"])
def test_the_models_of_the_folds_are_averaged(training):
    X, y = make_table()
    stack = stack_regressor(training=training, refit="folds", cv=KFold(3)).fit(X, y)
    plain = stack_regressor(training=training, cv=KFold(3)).fit(X, y)
    assert_allclose(stack.oof_predictions_, plain.oof_predictions_, rtol=1e-5)
    assert list(stack.fold_estimators_) == list(plain.named_estimators_)
    for models, column in zip(stack.fold_estimators_.values(), range(len(stack.fold_estimators_)), strict=True):
        columns = X[NUMBERS] if isinstance(models[0], Ridge) else X
        each = [model.predict(columns) for model in models]
        assert len(each) == 3
        assert_allclose(stack.transform(X)[:, column], np.mean(each, axis=0), rtol=1e-6)
        for (_, held_out), of_fold in zip(stack.splits_, each, strict=True):
            assert_allclose(stack.oof_predictions_[held_out, column], of_fold[held_out], rtol=1e-5)
    assert_array_equal(stack.get_feature_names_out(), plain.get_feature_names_out())
    assert np.abs(stack.predict(X) - plain.predict(X)).max() > 0


def test_no_model_is_fitted_to_all_rows_where_those_of_the_folds_are_averaged(table, monkeypatch):
    X, y = table
    sizes = []

    class Counting(Ridge):
        def fit(self, X, y):
            sizes.append(len(X))
            return super().fit(X, y)

    MultimodalStackingRegressor([("ridge", Counting())], cv=KFold(3), refit="folds").fit(X, y)
    assert sizes == [32, 32, 32]
    jobs = []
    monkeypatch.setattr(network_staged, "fit", lambda *a: jobs.extend(a[3]) or training_fit(*a))
    stack_regressor(branches(), cv=KFold(3), refit="folds").fit(*make_table())
    assert [job.index for job in jobs] == [1, 2, 3]


def test_attributes_of_models_of_all_rows_are_there_only_if_there_are_such_models(table):
    X, y = table
    stack = MultimodalStackingRegressor([("ridge", Ridge()), ("tree", "drop")], cv=3, refit="folds").fit(X, y)
    assert not hasattr(stack, "estimators_") and not hasattr(stack, "named_estimators_")
    assert len(stack.fold_estimators_["ridge"]) == 3 and stack.n_features_in_ == 2
    stack.set_params(refit=True).fit(X, y)
    assert not hasattr(stack, "fold_estimators_") and stack.named_estimators_["tree"] == "drop"
    assert_allclose(stack.transform(X)[:, 0], Ridge().fit(X, y).predict(X))


def test_models_of_the_folds_in_several_processes_from_a_cache_and_from_a_pickle(tmp_path):
    X, y = make_table()
    expected = stack_regressor(refit="folds", cv=KFold(3)).fit(X, y)
    parallel = stack_regressor(refit="folds", cv=KFold(3), n_jobs=2).fit(X, y)
    assert_allclose(parallel.predict(X), expected.predict(X), rtol=1e-6)
    for _ in range(2):
        cached = stack_regressor(refit="folds", cv=KFold(3), memory=str(tmp_path)).fit(X, y)
        assert_allclose(cached.predict(X), expected.predict(X), rtol=1e-6)
    refitted = stack_regressor(cv=KFold(3), memory=str(tmp_path)).fit(X, y)  # the cache holds something else
    assert len(refitted.estimators_) == 2
    assert_allclose(pickle.loads(pickle.dumps(expected)).predict(X), expected.predict(X), rtol=1e-6)


def test_missing_indicators_with_models_of_the_folds():
    X, y = make_table()
    X = X.assign(area=X["area"].where(np.arange(len(X)) % 4 > 0), rooms=X["rooms"].where(np.arange(len(X)) % 4 > 0))
    stack = stack_regressor(branches(), refit="folds", add_missing_indicator=True).fit(X, y)
    assert stack.get_feature_names_out().tolist()[1:] == ["missingindicator_numbers"]
    assert_array_equal(stack.transform(X)[:, 1], np.arange(len(X)) % 4 == 0)


def test_classes_that_folds_lack(table):
    X, y = table
    labels = np.array(["a", "b", "c"])[np.arange(len(y)) * 3 // len(y)]
    folds = [(np.arange(32), np.arange(32, 48)), (np.arange(48), np.arange(16))]
    learners = [("logistic", LogisticRegression())]
    for stack_method in ("auto", "predict"):
        stack = MultimodalStackingClassifier(learners, cv=folds, refit="folds", stack_method=stack_method)
        columns = stack.fit(X, labels).transform(X)
        few, all_three = stack.fold_estimators_["logistic"]
        if stack_method == "predict":
            votes = np.column_stack([few.predict(X), all_three.predict(X)])
            assert_array_equal(columns[:, 0], votes.min(axis=1))  # of two votes that differ, the first class
            continue
        assert_array_equal(few.classes_, [0, 1])
        expected = (np.column_stack([few.predict_proba(X), np.zeros(48)]) + all_three.predict_proba(X)) / 2
        assert_allclose(columns, expected)


def test_models_of_folds_need_folds(table):
    fitted = [("ridge", Ridge().fit(*table))]
    with pytest.raises(ValueError, match=r"refit='folds' averages the models of folds.*cv='prefit'"):
        MultimodalStackingRegressor(fitted, cv="prefit", refit="folds").fit(*table)


# --- parameters -------------------------------------------------------------------------------------------------------

#: What a stack has beside the parameters that all share.
OWN = {
    MultimodalStackingRegressor: {"quantile"},
    MultimodalStackingClassifier: {"class_weight", "stack_method"},
    MultimodalStackingMultitask: {"tasks", "share_predictions"},
}


def test_every_stack_has_the_parameters_that_all_share():
    signatures = [
        [(name, of.kind, of.default) for name, of in inspect.signature(kind).parameters.items() if name not in own]
        for kind, own in OWN.items()
    ]
    assert signatures[0] == signatures[1] == signatures[2]


def test_every_stack_keeps_and_constrains_its_parameters():
    for kind, own in OWN.items():
        values = {name: object() for name in inspect.signature(kind).parameters}
        assert vars(kind(**values)) == values
        assert set(kind._parameter_constraints) >= set(values) - {"estimators"}
        assert own <= set(values)

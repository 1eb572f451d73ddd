"""What the final estimator of a stack is fitted to."""

import numpy as np
import pytest
from _small import Recorder, make_table, network_regressor, stack_regressor
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import TimeSeriesSplit, cross_val_predict

from skstack import MultimodalStackingRegressor

NUMBERS = ["area", "rooms"]


@pytest.fixture(scope="module")
def table():
    return make_table()


def _out_of_fold(table, cv, **params):
    """Return the final estimator of a stack of one learner, which knows what it was fitted to."""
    X, y = table
    stack = MultimodalStackingRegressor([("ridge", Ridge(), NUMBERS)], Recorder(), cv=cv, **params).fit(X, y)
    return stack.final_estimator_


def test_rows_that_no_fold_predicts_are_left_out_of_the_final_estimator(table):
    X, y = table
    folds = list(TimeSeriesSplit(3).split(X))
    first = folds[0][1][0]
    final = _out_of_fold(table, TimeSeriesSplit(3), passthrough=["area"])
    assert_array_equal(final.seen_y_, y[first:])
    by_hand = [Ridge().fit(X[NUMBERS].iloc[past], y[past]).predict(X[NUMBERS].iloc[next_]) for past, next_ in folds]
    assert_allclose(final.seen_X_.iloc[:, 0], np.concatenate(by_hand))
    assert_array_equal(final.seen_X_["area"], X["area"].iloc[first:])


def test_weights_of_rows_that_no_fold_predicts_are_left_out_too(table):
    X, y = table
    weight = np.arange(1.0, len(y) + 1)
    stack = MultimodalStackingRegressor([("ridge", Ridge(), NUMBERS)], Recorder(), cv=TimeSeriesSplit(3))
    final = stack.fit(X, y, sample_weight=weight).final_estimator_
    assert_array_equal(final.seen_weight_, weight[-len(final.seen_y_) :])
    assert len(final.seen_y_) < len(y)


def test_passed_columns_follow_the_predictions(table):
    X, y = table
    learners = [("ridge", Ridge(), NUMBERS)]
    expected = np.column_stack([cross_val_predict(Ridge(), X[NUMBERS], y, cv=3), X["area"]])
    for passthrough in (["area"], "area", [0], [True, False, False], lambda X: ["area"], slice(0, 1)):
        stack = MultimodalStackingRegressor(learners, Recorder(), cv=3, passthrough=passthrough).fit(X, y)
        assert_allclose(stack.final_estimator_.seen_X_, expected)
        assert stack.get_feature_names_out().tolist() == ["multimodalstackingregressor_ridge", "area"]
        assert_allclose(
            stack.transform(X), np.column_stack([stack.named_estimators_["ridge"].predict(X[NUMBERS]), X["area"]])
        )


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")  # it cannot predict, so has no score
def test_all_columns_passed_through_keep_their_types_for_the_final_estimator(table):
    X, y = table

    class Keeps(LinearRegression):
        def fit(self, X, y):
            self.dtypes_ = X.dtypes
            return super().fit(X.drop(columns="city"), y)

    stack = MultimodalStackingRegressor([("ridge", Ridge(), NUMBERS)], Keeps(), cv=2, passthrough=True).fit(X, y)
    assert stack.final_estimator_.dtypes_["city"] == X["city"].dtype
    assert stack.final_estimator_.dtypes_["area"] == "float64"


def test_dense_layers_as_final_estimator(table):
    X, y = table
    dense = network_regressor().set_params(branches=None, head=(3, 2))
    stack = stack_regressor(final_estimator=dense).fit(X, y)
    final = stack.final_estimator_
    assert [
        layer.units for layer in final.model_.layers if layer.name.startswith("head") and hasattr(layer, "units")
    ] == [3, 2]
    assert_allclose(stack.predict(X), final.predict(stack.transform(X)), rtol=1e-6)

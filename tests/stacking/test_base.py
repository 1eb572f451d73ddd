"""Fitting a stack, what it keeps, and predicting with it."""

import numpy as np
import pytest
from _small import Recorder, branches, make_labels, make_table, stack_regressor
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, TimeSeriesSplit, cross_val_predict
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skstack import MultimodalStackingClassifier, MultimodalStackingRegressor

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


# --- errors ----------------------------------------------------------------------------------------------------------


class Unwilling(RegressorMixin, BaseEstimator):
    """Refuses to be fitted, or to predict."""

    def __init__(self, refuses="fit"):
        self.refuses = refuses

    def fit(self, X, y):
        """Refuse, or learn nothing."""
        if self.refuses == "fit":
            raise ArithmeticError("no")
        self.fitted_ = True
        return self

    def predict(self, X):
        """Refuse, or predict 1 for the rows of a fold."""
        if len(X) == 48:
            raise ArithmeticError("no")
        return np.ones(len(X))


def test_an_error_of_the_final_estimator_says_so(table):
    X, y = table
    with pytest.raises(ArithmeticError) as caught:
        MultimodalStackingRegressor([("ridge", Ridge())], Unwilling(), cv=2).fit(X, y)
    assert caught.value.__notes__ == ["in the final estimator"]
    stack = MultimodalStackingRegressor([("ridge", Ridge())], Unwilling("predict"), cv=2).fit(X, y)
    with pytest.raises(ArithmeticError) as caught:
        stack.predict(X)
    assert caught.value.__notes__ == ["in the final estimator"]


def test_an_error_of_a_base_model_that_predicts_names_it(table):
    X, y = table
    stack = MultimodalStackingRegressor([("mine", Unwilling("predict"))], cv=2).fit(X, y)
    with pytest.raises(ArithmeticError) as caught:
        stack.predict(X)
    assert caught.value.__notes__ == ["in base model 'mine'"]


# --- columns of X ----------------------------------------------------------------------------------------------------


class Countless(Ridge):
    """A learner that does not know how many columns it was fitted to."""

    def fit(self, X, y):
        """Fit and forget."""
        super().fit(X, y)
        del self.n_features_in_
        return self


def test_number_of_columns_is_that_of_the_table(table):
    X, y = table
    stack = MultimodalStackingRegressor([("ridge", Ridge(), ["area"])], cv=2)
    assert not hasattr(stack, "n_features_in_")
    assert stack.fit(X, y).n_features_in_ == 2
    assert MultimodalStackingRegressor([("countless", Countless(), ["area"])], cv=2).fit(X, y).n_features_in_ == 2


def test_columns_are_counted_where_the_learner_does_not(table):
    X, y = table[0].to_numpy(), table[1]
    stack = MultimodalStackingRegressor([("countless", Countless())], cv=2).fit(X, y)
    assert not hasattr(stack, "n_features_in_")
    with pytest.raises(ValueError, match="X has 3 features, but MultimodalStackingRegressor is expecting 2"):
        stack.predict(np.column_stack([X, y]))


def test_a_stack_of_branches_counts_columns():
    X, y = make_table()
    assert stack_regressor(branches()).fit(X, y).n_features_in_ == 3

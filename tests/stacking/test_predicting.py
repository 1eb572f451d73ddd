"""Predicting with a stack: where an error came from, and how many columns it expects."""

import numpy as np
import pytest
from _small import branches, make_table, stack_regressor
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Ridge

from skstack import MultimodalStackingRegressor

NUMBERS = ["area", "rooms"]


@pytest.fixture(scope="module")
def table():
    X, y = make_table()
    return X[NUMBERS], y


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

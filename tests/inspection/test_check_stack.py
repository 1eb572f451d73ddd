"""Checks of a fitted stack: clean data give no finding, bad input is refused."""

import numpy as np
import pytest
from _checked import clean_table, fitted_stack
from _inspected import fitted_network
from sklearn.linear_model import Ridge

from skstack.inspection import check_stack


def test_clean_data_give_no_finding():
    X, y = clean_table()
    groups = np.repeat(np.arange(60), 2)  # never torn apart by folds of 40 rows in order
    assert check_stack(fitted_stack(X, y), X, y, groups=groups) == []


def test_bad_input_is_refused():
    X, y = clean_table()
    stack = fitted_stack(X, y)
    with pytest.raises(ValueError, match="Did you mean 'duplicates'"):
        check_stack(stack, X, y, checks=["duplicate"])
    with pytest.raises(ValueError, match="the stack was fitted to 120"):
        check_stack(stack, X[:50], y[:50])
    with pytest.raises(ValueError, match="groups has 3 values"):
        check_stack(stack, X, y, groups=[1, 2, 3])
    with pytest.raises(TypeError, match="expected a fitted stack"):
        check_stack(fitted_network(), X, y)


def test_what_does_not_apply_finds_nothing():
    X, y = clean_table()
    fitted = [("one", Ridge().fit(X[["area"]], y), ["area"]), ("other", Ridge().fit(X[["age"]], y), ["age"])]
    assert check_stack(fitted_stack(X, y, fitted, cv="prefit"), X, y) == []

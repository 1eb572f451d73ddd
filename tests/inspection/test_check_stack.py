"""Checks of a fitted stack: clean data give no finding, bad input is refused."""

import numpy as np
import polars
import pyarrow
import pytest
from _checked import clean_table, fitted_stack, names
from _inspected import around, fitted_network
from scipy.sparse import csr_array
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

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


def test_a_check_may_be_given_by_its_name_alone():
    X, y = clean_table()
    X.loc[119] = X.loc[0]
    y = np.append(y[:119], y[0])
    stack = fitted_stack(X, y)
    assert names(check_stack(stack, X, y, checks="duplicates")) == ["duplicates"]
    with pytest.raises(ValueError, match="there is no check 'duplicate'"):
        check_stack(stack, X, y, checks="duplicate")


def test_tables_of_others_lists_and_sparse_matrices():
    X, y = clean_table()
    stack = fitted_stack(X, y)
    for table in (pyarrow.Table.from_pandas(X), polars.from_pandas(X)):
        assert check_stack(stack, table, y) == []
    learners = [("one", Ridge()), ("other", make_pipeline(Ridge(10.0)))]
    for rows in (X.to_numpy().tolist(), csr_array(X.to_numpy())):
        assert check_stack(fitted_stack(rows, y, learners), rows, y, checks=["dead_modality", "duplicates"]) == []


def test_the_best_one_of_a_search():
    X, y = clean_table()
    for estimator in around(fitted_stack(X, y)):
        assert check_stack(estimator, X, y) == []

"""Reading cells."""

import datetime

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from skstack.preprocessing import tensor_column
from skstack.reading._cells import (
    array_cells,
    check_sparse_numbers,
    find_number,
    is_date,
    named_columns,
    numbers,
    row_name,
    shown,
    tensor_cells,
)


def _column(*cells, **kwargs):
    column = np.empty(len(cells), dtype=object)
    for position, cell in enumerate(cells):
        column[position] = cell
    return pd.DataFrame({"a": pd.Series(column, **kwargs)})


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        ([0, 1], "row 1"),
        ([7, 8], "row 1 (index 8)"),
        (["p", "q"], "row 1 (index 'q')"),
        ([0.0, 2.5], "row 1 (index 2.5)"),
        ([(0, 1), (0, 2)], "row 1 (index (0, 2))"),
        ([0, pd.NA], "row 1 (index <NA>)"),
        ([0, np.nan], "row 1 (index nan)"),
    ],
)
def test_rows_are_named_by_position_and_label(index, expected):
    assert row_name(pd.DataFrame({"a": [1, 2]}, index=index), 1) == expected
    assert row_name(pd.Series([1, 2], index=index), 1) == expected


def test_rows_of_arrays_are_named_by_position():
    assert row_name(np.zeros((3, 2)), 2) == "row 2"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (np.float64(0.5), "0.5"),
        (np.str_("a"), "'a'"),
        (pd.Timestamp("2020-01-01"), "Timestamp('2020-01-01 00:00:00')"),
        (None, "None"),
    ],
)
def test_cells_are_shown_as_pythons_types(cell, expected):
    assert shown(cell) == expected


def test_long_cells_are_shortened():
    assert len(shown("a" * 999)) == len(shown(10**400)) == 60


DATES = [
    pd.Timestamp("2020-01-01"),
    pd.Timedelta(days=1),
    pd.Period("2020-01"),
    datetime.date(2020, 1, 1),
    datetime.time(12),
    np.datetime64("2020-01-01"),
    np.timedelta64(1, "D"),
]


@pytest.mark.parametrize("cell", DATES)
def test_dates_are_no_numbers(cell):
    assert is_date(cell)
    for column in (pd.Series([cell]), pd.Series([1, cell], dtype=object)):
        with pytest.raises(TypeError, match=r"column 'a' holds dates or times .*not numbers. Give dates a DateBranch"):
            numbers(pd.DataFrame({"a": column}))


def test_anything_else_is_no_date():
    assert not any(map(is_date, [1, "2020-01-01", None, pd.NA, 2020.5]))


def test_numbers_beyond_float64_are_named():
    X = _column("1", 10**400, index=["p", "q"])
    with pytest.raises(ValueError, match=r"column 'a' holds 1000.* in row 1 \(index 'q'\): too large for float64"):
        numbers(X)
    np.testing.assert_array_equal(numbers(_column(2**70, 1.0)), [[2.0**70], [1.0]])


def test_columns_are_named():
    table = pd.DataFrame({"a": [1], 2: [3]})
    assert [(name, list(values)) for name, values in named_columns(table)] == [("'a'", [1]), ("2", [3])]
    assert [(name, list(values)) for name, values in named_columns(np.array([[5, 6]]))] == [("0", [5]), ("1", [6])]


def test_columns_of_one_name_are_kept_apart():
    table = pd.DataFrame([[1, "x"]], columns=["a", "a"])
    with pytest.raises(ValueError, match="column 'a' holds the text 'x'"):
        numbers(table)
    assert [list(values) for _, values in named_columns(table)] == [[1], ["x"]]


def test_numbers_of_no_column_are_an_empty_table():
    assert numbers(pd.DataFrame(index=range(3))).shape == (3, 0)


CELLS = np.array([[0.0, 1.0, 0.0], [0.0, 9.0, 8.0], [9.5, 0.0, 0.0]])


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_matrix, sparse.csc_array, sparse.coo_array])
def test_the_first_number_is_found_row_by_row(make):
    assert find_number(make(CELLS), lambda values: values > 5) == ("1", "row 1", 9.0)
    assert find_number(make(CELLS), lambda values: values == 9.5) == ("0", "row 2", 9.5)


def test_a_number_is_found_in_a_table_by_its_names():
    X = pd.DataFrame(CELLS, columns=["a", "b", "c"], index=[5, 6, 7])
    assert find_number(X, lambda values: values == 8) == ("'c'", "row 1 (index 6)", 8.0)


def test_sparse_numbers_are_finite_or_missing():
    X = sparse.csc_array(CELLS)
    check_sparse_numbers(X)
    X[1, 2] = np.nan
    check_sparse_numbers(X)
    X[2, 0] = -np.inf
    with pytest.raises(ValueError, match="contains infinity: column 0 in row 2"):
        check_sparse_numbers(X)
    with pytest.raises(ValueError, match="numbers, got one of dtype complex128"):
        check_sparse_numbers(sparse.csr_array(CELLS * 1j))


def test_tensor_cells_are_taken_as_they_are():
    tensors = np.arange(24.0).reshape(2, 3, 4)
    assert tensor_cells(tensors) is tensors
    np.testing.assert_array_equal(tensor_cells(pd.DataFrame({"a": tensor_column(tensors)})), tensors)


def test_anything_else_is_no_tensor_cell():
    assert tensor_cells(np.zeros((2, 3))) is None
    assert tensor_cells(pd.DataFrame({"a": [1.0]})) is None
    assert tensor_cells(_column(np.zeros(2), np.zeros(2))) is None
    two = pd.DataFrame({name: tensor_column(np.zeros((2, 3))) for name in "ab"})
    assert tensor_cells(two) is None


def test_arrays_in_cells_are_stacked():
    stacked = array_cells(_column(np.array([1, 2]), np.array([3, 4])))
    np.testing.assert_array_equal(stacked, [[1, 2], [3, 4]])
    assert array_cells(_column("text", np.zeros(2))) is None
    assert array_cells(pd.DataFrame({"a": [1.0], "b": [2.0]})) is None


@pytest.mark.parametrize(
    ("odd", "given"), [(np.zeros(3), r"\(3,\)"), (np.zeros((2, 1)), r"\(2, 1\)"), (None, "None"), ("x", "'x'")]
)
def test_arrays_of_unequal_shapes_are_named(odd, given):
    X = _column(np.zeros(2), np.zeros(2), odd, index=[4, 5, 6])
    message = (
        rf"column 'a' should be arrays of one shape, got \(2,\) in row 0 \(index 4\) and {given} in row 2 \(index 6"
    )
    with pytest.raises(ValueError, match=message):
        array_cells(X)

"""Tables with cells of other rows."""

import numpy as np
import pandas as pd
import pyarrow
import pytest
from scipy.sparse import csr_array

from skstack.inspection._tables import as_rows, missing_row, mixed, mixed_predictions, rows_of_predictions, with_columns
from skstack.preprocessing import tensor_column


def _table():
    X = pd.DataFrame(
        {"number": [1.5, 2.5, 3.5], "count": [1, 2, 3], "word": ["a", "b", "c"], "is": [True, False, True]}
    )
    X["kind"] = pd.Categorical(["x", "y", "x"])
    X["day"] = pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03"])
    X["photo"] = tensor_column(np.arange(12.0).reshape(3, 2, 2))
    return X.set_index(pd.Index([7, 8, 9]))


def test_every_cell_of_a_missing_row_is_missing_whatever_the_kind_of_column():
    X = _table()
    row = missing_row(X)
    assert row.shape == (1, 7) and row.isna().all(axis=None)
    assert list(row.columns) == list(X.columns)
    assert row["kind"].dtype == X["kind"].dtype


def test_cells_are_those_of_the_chosen_rows_and_others_stay():
    X = _table()
    result = mixed(X, X, np.array([2, 2, 0]), [1, 2])
    assert result["count"].tolist() == [3, 3, 1] and result["word"].tolist() == ["c", "c", "a"]
    unchanged = ["number", "is", "kind", "day"]
    pd.testing.assert_frame_equal(result[unchanged], X[unchanged])
    # What pandas 2 has to assert with cannot take tensors.
    assert result["photo"].dtype == X["photo"].dtype and result["photo"].equals(X["photo"])
    assert X["count"].tolist() == [1, 2, 3]  # the table of the user stays as it is


def test_columns_may_have_names_that_are_no_strings():
    X = pd.DataFrame([[1, 2], [3, 4]], columns=[5, 6])
    assert mixed(X, X, np.array([1, 0]), [1]).to_numpy().tolist() == [[1, 4], [3, 2]]
    changed = with_columns(X, [0], [pd.Series(["a", "b"])])
    assert changed.to_numpy().tolist() == [["a", 2], ["b", 4]] and X.to_numpy().tolist() == [[1, 2], [3, 4]]


def test_cells_of_a_missing_row_are_missing():
    X = _table()
    result = mixed(X, missing_row(X), np.zeros(3, dtype=int), [0, 1, 6])
    assert result[["number", "count", "photo"]].isna().all(axis=None)
    assert result["word"].tolist() == ["a", "b", "c"]


@pytest.mark.parametrize("dtype", ["float64", "int64", "<U1"])
def test_arrays(dtype):
    X = np.array([["1", "2"], ["3", "4"]]).astype(dtype)
    result = mixed(X, X, np.array([1, 1]), [0])
    assert result[:, 0].tolist() == X[[1, 1], 0].tolist() and result[:, 1].tolist() == X[:, 1].tolist()
    lacking = mixed(X, missing_row(X), np.zeros(2, dtype=int), [1])
    assert pd.isna(lacking[:, 1]).all() and lacking[:, 0].tolist() == X[:, 0].tolist()


def test_polars():
    polars = pytest.importorskip("polars")
    X = polars.DataFrame({"number": [1.5, 2.5, 3.5], "word": ["a", "b", "c"]})
    assert mixed(X, X, np.array([2, 2, 0]), [1])["word"].to_list() == ["c", "c", "a"]
    lacking = mixed(X, missing_row(X), np.zeros(3, dtype=int), [0])
    assert lacking["number"].to_list() == [None] * 3 and lacking["word"].to_list() == ["a", "b", "c"]


def test_predictions_of_every_form_are_cut_and_mixed():
    first, second = np.array([1.0, 2.0, 3.0]), np.array([-1.0, -2.0, -3.0])
    some = np.array([False, True, False])
    assert rows_of_predictions({"a": [first]}, [0, 0])["a"][0].tolist() == [1, 1]
    assert rows_of_predictions(pd.DataFrame({"a": first}), [2])["a"].tolist() == [3]
    assert mixed_predictions(first, second, some).tolist() == [1, -2, 3]
    assert mixed_predictions({"a": [first]}, {"a": [second]}, some)["a"][0].tolist() == [1, -2, 3]
    assert mixed_predictions(np.c_[first, first], np.c_[second, second], some)[:, 1].tolist() == [1, -2, 3]
    frames = pd.DataFrame({"a": first}), pd.DataFrame({"a": second})
    assert mixed_predictions(*frames, some)["a"].tolist() == [1, -2, 3]


def test_rows_are_a_table_an_array_or_sparse():
    X, sparse = pd.DataFrame({"a": [1.0]}), csr_array([[1.0]])
    assert as_rows(X) is X and as_rows(sparse) is sparse
    assert as_rows(pyarrow.table({"a": [1.0]})).equals(X)
    assert as_rows([[1.0, 2.0]]).shape == (1, 2)

"""Which rows count as missing, in every container."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import sparse

from skstack.preprocessing import tensor_column
from skstack.reading._missing import blanked, missing_rows, rearranged, single_columns, stacked_columns

NAN = np.nan
TENSORS = np.array([[[1.0], [NAN]], [[NAN], [NAN]], [[NAN], [2.0]]])

COLUMNS = {
    "numbers": (pd.Series([1.0, NAN, 0.0]), [1]),
    "nullable": (pd.Series([1, None, 3], dtype="Int64"), [1]),
    "text": (pd.Series(["a", "", "  "], dtype="str"), [1, 2]),
    "arrow text": (pd.Series(["a", None, "\n"], dtype=pd.ArrowDtype(pa.string())), [1, 2]),
    "categories": (pd.Series(["a", " ", None], dtype="category"), [1, 2]),
    "dates": (pd.Series([pd.Timestamp(0), pd.NaT, pd.Timestamp(1)]), [1]),
    "objects": (pd.Series([0, None, pd.NA], dtype=object), [1, 2]),
    "bytes": (pd.Series([b"\x00", b"", b"x"], dtype=object), [1]),
    "arrays": (pd.Series([np.zeros(2), np.empty(0), np.full((2, 2), NAN)]), [1, 2]),
    "arrays with gaps": (pd.Series([np.array([NAN, 1.0]), np.array([1.0, NAN]), None]), [2]),
    "lists": (pd.Series([[1.0, NAN], [], [NAN, None]], dtype=object), [1, 2]),
    "arrow lists": (pd.Series([[1.0], None, []], dtype=pd.ArrowDtype(pa.list_(pa.float64()))), [1, 2]),
    "tensors": (tensor_column(TENSORS), [1]),
    "tensors, one gone": (tensor_column(TENSORS).reindex([0, 9, 1]).reset_index(drop=True), [1, 2]),
    "images": (tensor_column(np.zeros((3, 2, 2), "uint8")), []),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_missing_cells_of_a_column(kind):
    column, expected = COLUMNS[kind]
    assert np.flatnonzero(missing_rows(column.to_frame("x"))).tolist() == expected


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (np.array([[1, 2], [3, 4]]), []),
        (np.array([[NAN, 2.0], [NAN, NAN]]), [1]),
        (np.array([["", None], ["a", ""]], dtype=object), [0]),
        (np.array([["2026-01-01", "NaT"], ["NaT", "NaT"]], dtype="datetime64[s]"), [1]),
        (TENSORS, [1]),
        (np.zeros((2, 3, 3), "uint8"), []),
        (sparse.csr_matrix(np.eye(2)), []),
        (pd.DataFrame({"a": [NAN, NAN, 1.0], "b": ["", "x", ""]}), [0]),
    ],
    ids=["whole numbers", "numbers", "objects", "dates", "tensors", "images", "sparse", "columns"],
)
def test_a_row_is_missing_where_all_of_its_cells_are(X, expected):
    assert np.flatnonzero(missing_rows(X)).tolist() == expected


def test_columns_are_taken_one_by_one():
    table = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}, index=[7, 8])
    assert [list(part.columns) for part in single_columns(table)] == [["a"], ["b"]]
    assert [part.shape for part in single_columns(np.zeros((5, 2)))] == [(5, 1)] * 2
    assert [part.shape for part in single_columns(np.zeros((5, 2, 4, 3)))] == [(5, 4, 3)] * 2


def test_columns_are_stacked_with_their_labels():
    table = pd.DataFrame({"a": ["u", "v"], "b": ["x", "y"]}, index=[7, 8])
    stacked = stacked_columns(single_columns(table))
    assert stacked["a"].tolist() == ["u", "v", "x", "y"]
    assert stacked.index.tolist() == [7, 8, 7, 8]
    for X in (np.array([[1, 2], [3, 4]]), sparse.csr_matrix([[1, 2], [3, 4]])):
        stacked = stacked_columns(single_columns(X))
        assert sparse.issparse(stacked) == sparse.issparse(X)
        assert np.ravel(stacked.toarray() if sparse.issparse(X) else stacked).tolist() == [1, 3, 2, 4]


def test_blank_rows_leave_the_encoded_array_alone():
    encoded = np.ones((3, 2), "int32")
    np.testing.assert_array_equal(blanked(encoded, np.array([False, True, False])), [[1, 1], [0, 0], [1, 1]])
    assert encoded.all()


def test_rows_are_put_into_other_places():
    encoded = np.array([[1, 2], [3, 4]], dtype="uint8")
    places = np.array([[1, 0, 1], [-1, -1, -1]])
    np.testing.assert_array_equal(rearranged(encoded, places), [[[3, 4], [1, 2], [3, 4]], np.zeros((3, 2))])
    nothing = rearranged(encoded[:0], np.full((2, 3), -1))
    assert nothing.shape == (2, 3, 2)
    assert nothing.dtype == "uint8"
    assert not nothing.any()

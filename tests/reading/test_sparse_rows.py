"""Rows of sparse matrices that are made dense one by one."""

import pickle
import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from skstack.reading._sparse_rows import SparseRows

DENSE = np.array([[0, 1.5, 0], [0, 0, 0], [2, 0, np.nan], [0, -3, 4]], dtype="float32")


@pytest.fixture
def rows():
    return SparseRows(sparse.csr_array(DENSE))


INDICES = {
    "index": 2,
    "from the end": -1,
    "slice": slice(1, 3),
    "beyond the end": slice(2, 9),
    "steps": slice(None, None, -2),
    "nothing": slice(0, 0),
    "unordered, repeated": np.array([3, 0, 0, 2, -2]),
    "int32": np.array([3, 1], dtype="int32"),
    "list": [3, 1],
    "empty": np.array([], dtype="int64"),
    "mask": np.array([True, False, True, False]),
    "table": np.array([[0, 1], [3, 2]]),
}


@pytest.mark.parametrize("chosen", INDICES.values(), ids=list(INDICES))
def test_rows_are_chosen_as_from_an_array(rows, chosen):
    result = rows[chosen]
    np.testing.assert_array_equal(result, DENSE[chosen])
    assert type(result) is np.ndarray
    assert result.dtype == "float32"


def test_it_describes_itself_as_the_dense_array_would(rows):
    for name in ("shape", "dtype", "ndim", "size", "nbytes"):
        assert getattr(rows, name) == getattr(DENSE, name)
    assert len(rows) == 4
    assert repr(rows) == "<SparseRows of shape (4, 3) and dtype float32 with 5 stored elements>"


def test_it_becomes_an_array(rows):
    np.testing.assert_array_equal(np.asarray(rows), DENSE)
    assert np.asarray(rows, dtype="float64").dtype == "float64"
    with pytest.raises(ValueError, match="without a copy"):
        rows.__array__(copy=False)


@pytest.mark.parametrize("make", [sparse.csc_matrix, sparse.coo_array, sparse.lil_matrix, sparse.csr_matrix])
def test_every_format_is_read(make):
    np.testing.assert_array_equal(SparseRows(make(DENSE))[:], DENSE)


@pytest.mark.parametrize("dtype", ["float64", "int64", "bool"])
def test_numbers_come_in_the_dtype_asked_for(dtype):
    matrix = sparse.csr_array(np.nan_to_num(DENSE).astype(dtype))
    assert SparseRows(matrix)[[0]].dtype == "float32"
    np.testing.assert_array_equal(SparseRows(matrix, "float64")[:], matrix.toarray().astype("float64"))


def test_elements_stored_twice_are_added_and_the_matrix_stays():
    matrix = sparse.csr_array((np.float32([1, 2, 4]), [0, 0, 1], [0, 2, 3]), shape=(2, 2))
    np.testing.assert_array_equal(SparseRows(matrix)[[1, 0]], [[0, 4], [3, 0]])
    assert matrix.nnz == 3


def test_it_can_be_pickled(rows):
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(rows))[:], DENSE)


def test_only_the_chosen_rows_are_made_dense():
    n_rows, n_columns = 1_000_000, 10_000
    matrix = sparse.coo_array(([7.0, 8.0], ([3, n_rows - 1], [5, n_columns - 1])), shape=(n_rows, n_columns)).tocsr()
    tracemalloc.start()
    rows = SparseRows(matrix)
    chosen = rows[np.array([n_rows - 1, 3, 4])]
    part = rows[2:5]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows.nbytes == 40 * 10**9
    assert chosen[0, -1] == 8.0
    assert chosen[1, 5] == part[1, 5] == 7.0
    assert chosen.sum() == 15.0
    assert peak < 32e6

"""Tensors as cells of a DataFrame."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from skstack.preprocessing import tensor_column
from skstack.reading._tensors import tensors_of

ARRAY = np.arange(2 * 3 * 4 * 5, dtype="float32").reshape(10, 3, 4)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "float64"])
def test_tensors_come_back_as_they_went_in(dtype):
    tensors = tensors_of(tensor_column(ARRAY.astype(dtype)))
    assert tensors.dtype == dtype
    np.testing.assert_array_equal(tensors, ARRAY.astype(dtype))


def test_nothing_is_copied():
    assert np.shares_memory(tensors_of(tensor_column(ARRAY)), ARRAY)


def test_arrays_in_another_order_of_memory_are_taken():
    transposed = ARRAY.transpose(0, 2, 1)
    np.testing.assert_array_equal(tensors_of(tensor_column(transposed)), transposed)


def test_name_and_index_are_set():
    column = tensor_column(ARRAY, index=range(5, 15), name="image")
    assert column.name == "image"
    assert column.index.tolist() == list(range(5, 15))


@pytest.mark.parametrize("array", [np.zeros(3), 1.0, [1, 2]])
def test_fewer_than_two_dimensions_are_refused(array):
    with pytest.raises(ValueError, match="tensor_column expects an array of two or more dimensions, got shape"):
        tensor_column(array)


ROWS = [7, 2, 2, 0]


@pytest.mark.parametrize(
    "select",
    [
        lambda table: table.iloc[ROWS],
        lambda table: table.take(ROWS),
        lambda table: table.loc[ROWS],
        lambda table: pd.concat([table.iloc[[7, 2]], table.iloc[[2, 0]]]),
        lambda table: pickle.loads(pickle.dumps(table.iloc[ROWS])),
        lambda table: table.iloc[ROWS].reset_index(drop=True).copy(),
    ],
    ids=["iloc", "take", "loc", "concat", "pickle", "copy"],
)
def test_rows_are_selected_like_those_of_any_column(select):
    chosen = select(pd.DataFrame({"id": range(10), "image": tensor_column(ARRAY)}))
    assert chosen["id"].tolist() == ROWS
    np.testing.assert_array_equal(tensors_of(chosen["image"]), ARRAY[ROWS])


def test_slices_and_masks_keep_tensors_whole():
    column = tensor_column(ARRAY)
    np.testing.assert_array_equal(tensors_of(column.iloc[3:6]), ARRAY[3:6])
    np.testing.assert_array_equal(tensors_of(column[column.index > 7]), ARRAY[8:])
    assert tensors_of(column.iloc[:0]).shape == (0, 3, 4)


def test_train_test_split_takes_rows():
    table = pd.DataFrame({"id": range(10), "image": tensor_column(ARRAY)})
    for part in train_test_split(table, random_state=0):
        np.testing.assert_array_equal(tensors_of(part["image"]), ARRAY[part["id"]])


@pytest.mark.skipif(
    int(pd.__version__.partition(".")[0]) < 3, reason="pandas 2 cannot read back the name that it writes for the type"
)
def test_parquet_keeps_tensors(tmp_path):
    table = pd.DataFrame({"image": tensor_column(ARRAY)})
    table.to_parquet(tmp_path / "table.parquet")
    again = pd.read_parquet(tmp_path / "table.parquet", dtype_backend="pyarrow")
    np.testing.assert_array_equal(tensors_of(again["image"]), ARRAY)


@pytest.mark.parametrize("column", [pd.Series([1.0]), pd.Series(["a"]), pd.Series([1], dtype="int64[pyarrow]")])
def test_other_columns_hold_no_tensors(column):
    assert tensors_of(column) is None


def test_a_missing_tensor_is_named():
    column = tensor_column(ARRAY, name="image").reindex([0, 1, 99])
    with pytest.raises(ValueError, match="column 'image' has no tensor in row 2"):
        tensors_of(column)

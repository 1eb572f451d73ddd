"""Means of looked-up rows, without the rows."""

import numpy as np
import pytest

from skstack._backend import keras

if keras.backend.backend() != "tensorflow":
    pytest.skip("elsewhere, the rows are looked up", allow_module_level=True)

from skstack.training import _tensorflow
from skstack.training._lookups import mean_of_rows

TABLE = np.array([[99, 99], [1, 2], [3, 6], [5, 10]], dtype="float32")
IDS = np.array([[1, 3, 1, 0], [0, 0, 0, 0], [2, 0, 0, 0]], dtype="int32")
EXPECTED = [[7 / 3, 14 / 3], [0, 0], [3, 6]]


def means(table=TABLE, ids=IDS):
    return mean_of_rows(keras.ops.convert_to_tensor(table), keras.ops.convert_to_tensor(ids))


@pytest.mark.parametrize("by_row", [True, False])
def test_0_names_no_row(monkeypatch, by_row):
    monkeypatch.setattr(_tensorflow, "can_look_up_rows", lambda: by_row)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(means()), EXPECTED, rtol=1e-6)


@pytest.mark.parametrize("by_row", [True, False])
def test_gradients_count_how_often_a_row_is_named(monkeypatch, by_row):
    monkeypatch.setattr(_tensorflow, "can_look_up_rows", lambda: by_row)
    slope = np.array([[1, 0], [7, 7], [0, 2]], dtype="float32")
    _, (gradient,) = _tensorflow.value_and_gradients(
        lambda values: (keras.ops.sum(means(values[0]) * slope), None), [keras.ops.convert_to_tensor(TABLE)]
    )
    np.testing.assert_allclose(gradient, [[0, 0], [2 / 3, 0], [0, 2], [1 / 3, 0]], rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_gradients_equal_those_of_looked_up_rows(monkeypatch, dtype):
    rng = np.random.RandomState(0)
    ids = rng.randint(0, 20, (30, 12)).astype("int32")  # most of them several times, in a row as well
    slope = keras.ops.convert_to_tensor(rng.normal(size=(30, 5)), dtype)
    table = keras.ops.convert_to_tensor(rng.normal(size=(25, 5)), dtype)

    def gradient(by_row):
        monkeypatch.setattr(_tensorflow, "can_look_up_rows", lambda: by_row)
        _, (of_table,) = _tensorflow.value_and_gradients(
            lambda values: (keras.ops.sum(means(values[0], ids) * slope), None), [table]
        )
        assert of_table.dtype == table.dtype
        return keras.ops.convert_to_numpy(keras.ops.cast(of_table, "float64"))

    tolerance = {"float16": 5e-3, "bfloat16": 5e-2}.get(dtype, 1e-6)
    np.testing.assert_allclose(gradient(True), gradient(False), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("n_columns", [1, 2])
def test_gradients_by_row_name_each_row_once_in_how_many_columns_ever_it_is_looked_up(n_columns):
    def loss(values):
        return keras.ops.sum(means(values[0])) + (n_columns - 1) * keras.ops.sum(means(values[0], IDS[:, ::2])), None

    table = keras.ops.convert_to_tensor(TABLE)
    _, (by_row,) = _tensorflow.value_and_gradients(loss, [table], by_row=[0])
    _, (whole,) = _tensorflow.value_and_gradients(loss, [table])
    assert sorted(keras.ops.convert_to_numpy(by_row.rows)) == [1, 2, 3]
    np.testing.assert_allclose(keras.ops.take(whole, by_row.rows, axis=0), by_row.values, rtol=1e-6)

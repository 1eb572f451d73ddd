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


def means(table=TABLE):
    return mean_of_rows(keras.ops.convert_to_tensor(table), keras.ops.convert_to_tensor(IDS))


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

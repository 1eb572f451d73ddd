"""How many digits numbers need."""

import numpy as np
import pytest

from skstack._precision import needed_dtype


@pytest.mark.parametrize(
    ("center", "scale", "expected"),
    [([0.0], [1.0], "float32"), ([1.7e9], [100.0], "float64"), ([1e6, 0.0], [1e4, 1.0], "float32")],
)
def test_float64_where_float32_cannot_tell_values_apart(center, scale, expected):
    assert needed_dtype(np.array(center), np.array(scale)) == expected


def test_one_such_column_is_enough():
    assert needed_dtype(np.array([0.0, 1.7e9]), np.array([1.0, 100.0])) == "float64"

"""Random numbers in a step."""

import numpy as np

from skstack._backend import keras
from skstack.training._random import uniform


def test_they_are_those_of_keras():
    ours, of_keras = (keras.random.SeedGenerator(3) for _ in range(2))
    for _ in range(2):
        numbers = uniform((4, 3), ours)
        np.testing.assert_array_equal(numbers, keras.random.uniform((4, 3), seed=of_keras))
    assert keras.backend.standardize_dtype(numbers.dtype) == "float32"

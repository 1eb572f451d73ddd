"""Copies that share Keras models, and nothing else."""

import numpy as np
from numpy.testing import assert_array_equal

from skstack._backend import keras
from skstack.caching._sharing_pickle import SharingPickle


def test_models_are_shared_and_arrays_are_copies():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    thing = {"model": model, "again": model, "array": np.arange(3.0)}
    kept = SharingPickle(thing)
    first, second = kept.load(), kept.load()
    assert first["model"] is first["again"] is second["model"] is model
    first["array"][0] = 9.0
    assert_array_equal(second["array"], np.arange(3.0))


def test_values_of_models_count_once():
    model = keras.Sequential([keras.Input((100,)), keras.layers.Dense(10)])
    sizes = [SharingPickle([model] * n_times).n_bytes for n_times in (1, 2)]
    assert 4 * 1010 <= sizes[0] <= sizes[1] < 4 * 1010 + 1000

"""The layers of dates."""

import numpy as np

from skstack._backend import keras
from skstack.branches._date_layers import Cycles, SinceOrigin


def call(layer, inputs):
    return keras.ops.convert_to_numpy(layer(np.asarray(inputs, dtype="float32")))


def test_a_place_in_a_cycle_becomes_sines_and_cosines():
    turns = np.array([0.0, 0.25, 0.5, 0.9])
    waves = call(Cycles(2), turns[:, None, None])
    angles = 2 * np.pi * turns[:, None] * [1, 2]
    np.testing.assert_allclose(waves, np.concatenate([np.sin(angles), np.cos(angles)], axis=1), atol=1e-6)


def test_the_end_of_a_cycle_lies_by_its_beginning():
    waves = call(Cycles(3), [[[0.001]], [[0.999]], [[0.5]]])
    assert np.linalg.norm(waves[0] - waves[1]) < 0.1 < np.linalg.norm(waves[0] - waves[2])


def test_gaps_and_cycles_without_a_difference_are_0():
    layer = Cycles(1)
    layer.build((None, 2, 1))
    layer.seen.assign([[1.0], [0.0]])
    waves = call(layer, [[[0.25], [0.25]], [[np.nan], [0.5]]])
    np.testing.assert_allclose(waves, [[1, 0, 0, 0], [0, 0, 0, 0]], atol=1e-6)
    assert layer.constants == [layer.seen]
    assert not layer.trainable_variables


def test_columns_and_cycles_stand_side_by_side():
    layer = Cycles(3)
    assert layer(keras.Input((2, 4))).shape == (None, 48)
    places = np.random.default_rng(0).random((5, 2, 4))
    np.testing.assert_allclose(call(layer, places)[:, 6:12], call(Cycles(3), places[:, :1, 1:2]), rtol=1e-4, atol=1e-6)


def test_seconds_are_told_apart_after_centuries():
    layer = SinceOrigin()
    layer.build((None, 1, 2))
    layer.origin.assign([[100_000.0]])
    layer.span.assign([[10_000.0]])
    second = 1 / 86400
    since = call(layer, [[[100_001, 0.5]], [[100_001, 0.5 + second]], [[np.nan, np.nan]]])
    np.testing.assert_allclose(since[:2, 0], [1.5, 1.5 + second], rtol=1e-7)
    assert since[1, 0] > since[0, 0]
    assert np.isnan(since[2, 0])


def test_each_number_of_each_column_has_its_origin():
    layer = SinceOrigin()
    assert layer(keras.Input((3, 4))).shape == (None, 6)
    layer.origin.assign(np.arange(6.0).reshape(3, 2))
    layer.span.assign([[1.0, 1.0], [5.0, 5.0], [9.0, 9.0]])
    inputs = np.zeros((1, 3, 4))
    inputs[0, 1:] = [[2.5, 20, 0.25, 0.5], [10, 20, 0.25, 0.5]]
    np.testing.assert_array_equal(call(layer, inputs), [[0, 0, 0.75, 5, 6.25, 9]])
    assert layer.constants == [layer.origin, layer.span]

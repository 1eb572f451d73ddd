"""Layers for sequences that are padded at their ends."""

import numpy as np
import pytest

from skstack._backend import keras
from skstack.branches._sequence_layers import Blank, HalveSteps, PoolSteps, StepMask

NAN = np.nan


def test_step_mask_ends_where_numbers_end():
    steps = np.array([[1, NAN, 3, NAN], [NAN] * 4, [1, 2, 3, 4]], dtype="float32")[..., np.newaxis]
    mask = keras.ops.convert_to_numpy(StepMask()(steps))
    np.testing.assert_array_equal(mask, [[1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 1, 1]])


@pytest.mark.parametrize(("pooling", "expected"), [("avg", [-2, -3]), ("max", [-1, -3]), ("last", [-3, -3])])
def test_pooling_looks_at_steps_under_the_mask(pooling, expected):
    steps = np.array([[-1, -2, -3, 9], [-3, 9, 9, 9]], dtype="float32")[..., np.newaxis]
    mask = np.array([[1, 1, 1, 0], [1, 0, 0, 0]], dtype=bool)
    pooled = keras.ops.convert_to_numpy(PoolSteps(pooling)(steps, mask))
    np.testing.assert_allclose(pooled[:, 0], expected)


def test_halving_takes_the_larger_of_two_steps_that_are_there():
    steps = np.array([[-1, -2, -3, 9, 9]], dtype="float32")[..., np.newaxis]
    halved, mask = HalveSteps()(steps, np.array([[1, 1, 1, 0, 0]], dtype=bool))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(halved)[0, :, 0], [-1, -3, 0])
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(mask)[0], [1, 1, 0])


def test_what_lies_behind_the_end_is_blank():
    steps = np.array([[1, 2, 9], [3, 9, 9]], dtype="float32")[..., np.newaxis]
    blank = Blank()(steps, np.array([[1, 1, 0], [1, 0, 0]], dtype=bool))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(blank)[..., 0], [[1, 2, 0], [3, 0, 0]])


@pytest.mark.parametrize("layer", [Blank(), HalveSteps(), PoolSteps("avg")])
def test_no_mask_is_passed_on_behind_the_back(layer):
    """A mask that Keras hands on by itself would make recurrent layers take a slower way."""
    steps, mask = keras.Input((5, 2)), keras.Input((5,), dtype="bool")
    assert layer.supports_masking
    assert layer.compute_mask(steps, mask) is None


def test_shapes_are_announced():
    steps = keras.Input((5, 2))
    mask = StepMask()(steps)
    assert (mask.shape, mask.dtype) == ((None, 5), "bool")
    assert Blank()(steps, mask).shape == (None, 5, 2)
    halved, halved_mask = HalveSteps()(steps, mask)
    assert (halved.shape, halved_mask.shape) == ((None, 3, 2), (None, 3))
    assert PoolSteps("max")(steps, mask).shape == (None, 2)

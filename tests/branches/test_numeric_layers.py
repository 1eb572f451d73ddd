"""Layers that make vectors of scaled numbers."""

import numpy as np
import pytest

from skstack._backend import keras
from skstack.branches._numeric_layers import Periodic, PiecewiseLinear, SmoothClip, clipped

to_numpy = keras.ops.convert_to_numpy

# Two numbers and a flag.
ROWS = np.array([[0.0, 3.0, 1.0], [-3.0, 1e30, 0.0]], dtype="float32")


def test_numbers_far_out_are_bent_and_flags_pass():
    bent = to_numpy(SmoothClip(2)(ROWS))
    np.testing.assert_allclose(bent, [[0, 3 / np.sqrt(2), 1], [-3 / np.sqrt(2), 3, 0]], rtol=1e-5)
    np.testing.assert_allclose(to_numpy(clipped(np.float32([0.01, 4.0]), 2.0)), [0.01, 4 / np.sqrt(5)], rtol=1e-4)


def _filled(layer):
    """Return a layer whose dense layers take the sum of what a number was expanded to, one of them with its sign."""
    layer.build((None, 3))
    kernel = np.ones(layer.kernel.shape)
    kernel[:, :, 1] = -1.0
    layer.kernel.assign(kernel)
    layer.bias.assign(np.zeros(layer.bias.shape))
    return layer


def test_piecewise_says_how_full_each_bin_is():
    layer = _filled(PiecewiseLinear(2, 2, 2))
    layer.begin.assign([[0.0, 2.0], [0.0, 4.0]])
    layer.slope.assign([[0.5, 0.25], [0.25, 0.0]])
    rows = np.array([[3.0, 2.0, 1.0], [-5.0, 9.0, 0.0]], dtype="float32")
    expanded = to_numpy(layer.expand(rows[:, :2]))
    np.testing.assert_allclose(expanded, [[[1, 0.25], [0.5, 0]], [[0, 0], [1, 0]]])
    np.testing.assert_allclose(to_numpy(layer(rows)), [[1.25, 0, 0.5, 0, 1], [0, 0, 1, 0, 0]])
    assert {id(v) for v in layer.constants} == {id(v) for v in layer.non_trainable_variables}


def test_the_outermost_bins_may_go_on():
    layer = _filled(PiecewiseLinear(1, 2, 2))
    layer.begin.assign([[0.0, 1.0]])
    layer.slope.assign([[1.0, 1.0]])
    layer.lowest.assign([[-np.inf, 0.0]])
    layer.highest.assign([[1.0, np.inf]])
    expanded = to_numpy(layer.expand(np.array([[-2.0], [4.0]], dtype="float32")))
    np.testing.assert_allclose(expanded[:, 0], [[-2, 0], [1, 3]])


def test_periodic_takes_sines_and_cosines():
    layer = _filled(Periodic(2, 2, 1, 0.5))
    layer.frequencies.assign([[0.25], [0.5]])
    rows = np.array([[1.0, 1.0, 7.0]], dtype="float32")
    np.testing.assert_allclose(to_numpy(layer.expand(rows[:, :2]))[0], [[1, 0], [0, -1]], atol=1e-6)
    np.testing.assert_allclose(to_numpy(layer(rows)), [[1, 0, 0, 1, 7]], atol=1e-6)
    assert len(layer.trainable_variables) == 3
    assert layer.constants == []


@pytest.mark.parametrize(
    ("layer", "width"), [(SmoothClip(2), 3), (PiecewiseLinear(2, 4, 3), 9), (Periodic(2, 5, 3, 0.1), 11)]
)
def test_the_shape_is_announced(layer, width):
    assert layer.compute_output_shape((None, 3)) == (None, width)
    assert layer(keras.Input((3,))).shape == (None, width)
    assert layer(ROWS).shape == (2, width)

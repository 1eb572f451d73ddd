"""Layers of members that share weights: each member sees rows of its own, beside those of the others."""

import numpy as np
import pytest

from skstack._backend import keras
from skstack.branches._member_layers import DenseOfMembers, MeanOfMembers, RepeatRows, ScaleOfMembers
from skstack.training._seeds import seeded

X = np.array([[1, 2], [3, 4]], dtype="float32")
ROWS = np.repeat(X, 3, axis=0)  # of three members


def called(layer, x, **params):
    return keras.ops.convert_to_numpy(layer(x, **params))


def test_each_row_is_repeated_for_the_members_side_by_side():
    np.testing.assert_array_equal(called(RepeatRows(3), X), ROWS)
    assert RepeatRows(3)(keras.Input((2,))).shape == (None, 2)


def test_factors_are_those_of_the_member_and_begin_as_signs():
    layer = ScaleOfMembers(3)
    with seeded(0):
        layer.build((None, 2))
    assert set(np.unique(layer.scale)) == {-1, 1}
    layer.scale.assign([[1, 0], [2, 2], [0, -1]])
    np.testing.assert_array_equal(called(layer, ROWS), [[1, 0], [2, 4], [0, -2], [3, 0], [6, 8], [0, -4]])


def test_a_dense_layer_scales_what_goes_in_and_what_comes_out():
    layer = DenseOfMembers(1, 3)
    layer.build((None, 2))
    assert np.all(np.array(layer.scale_in) == 1)
    layer.kernel.assign([[1], [10]])
    layer.scale_in.assign([[1, 1], [1, 0], [1, 1]])
    layer.scale_out.assign([[1], [1], [-1]])
    layer.bias.assign([[0], [0.5], [0]])
    np.testing.assert_allclose(called(layer, ROWS)[:, 0], [21, 1.5, -21, 43, 3.5, -43])


@pytest.mark.parametrize("signs", [True, False])
def test_members_differ_from_the_beginning_where_signs_are_drawn(signs):
    layer = DenseOfMembers(4, 8, signs)
    with seeded(0):
        layer.build((None, 6))
    by_member = called(layer, np.ones((8, 6), dtype="float32"))
    assert (len(np.unique(by_member.round(5), axis=0)) > 4) is signs


def test_members_are_averaged_but_in_training():
    rows = np.arange(6, dtype="float32")[:, np.newaxis]
    np.testing.assert_array_equal(called(MeanOfMembers(3), rows), [[1], [4]])
    np.testing.assert_array_equal(called(MeanOfMembers(3), rows, training=True)[:, :, 0], [[0, 1, 2], [3, 4, 5]])
    assert MeanOfMembers(3)(keras.Input((1,))).shape == (None, 1)

"""The Keras layers that keep what branches learned."""

import numpy as np
import pytest

from skstack._backend import keras
from skstack.branches._layers import SeenMask, Standardize, Unstandardize

ROWS = np.array([[1.0, np.nan], [3.0, 4.0]], dtype="float32")


def _standardize(**kwargs):
    layer = Standardize(**kwargs)
    layer.build((None, 2))
    layer.fill.assign([5.0, 6.0])
    layer.center.assign([1.0, 2.0])
    layer.scale.assign([2.0, 4.0])
    layer.seen.assign([1.0, 1.0])
    return layer


def test_standardize_fills_scales_and_flags():
    expected = [[0.0, 1.0, 0.0, 1.0], [1.0, 0.5, 0.0, 0.0]]
    np.testing.assert_allclose(keras.ops.convert_to_numpy(_standardize()(ROWS)), expected)
    without = keras.ops.convert_to_numpy(_standardize(flags=False)(ROWS))
    np.testing.assert_allclose(without, np.array(expected)[:, :2])


def test_standardize_in_double_precision_returns_single():
    scaled = _standardize(dtype="float64")(ROWS.astype("float64"))
    assert keras.backend.standardize_dtype(scaled.dtype) == "float32"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("flags", [True, False])
def test_standardize_announces_what_it_returns(flags, dtype):
    layer = _standardize(flags=flags, dtype=dtype)
    announced, returned = layer(keras.Input((2,), dtype=dtype)), layer(ROWS.astype(dtype))
    assert announced.shape[1:] == tuple(returned.shape)[1:]
    assert announced.dtype == keras.backend.standardize_dtype(returned.dtype)


def test_seen_mask_silences_features():
    layer = SeenMask()
    layer.build((None, 2))
    layer.mask.assign([0.0, 1.0])
    rows = np.array([[2.0, 3.0]], dtype="float32")
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(layer(rows)), [[0.0, 3.0]])


def test_unstandardize_returns_to_the_units_of_the_target():
    layer = Unstandardize()
    layer.build((None, 2))
    layer.center.assign([10.0, 20.0])
    layer.scale.assign([2.0, 3.0])
    rows = np.array([[1.0, -1.0]], dtype="float32")
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(layer(rows)), [[12.0, 17.0]])


@pytest.mark.parametrize("layer", [Standardize(flags=False, name="s"), SeenMask(name="m"), Unstandardize(name="u")])
def test_layers_are_rebuilt_from_their_config(layer):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()


@pytest.mark.parametrize("layer", [Standardize(), SeenMask(), Unstandardize()])
def test_nothing_in_them_is_trained(layer):
    layer.build((None, 3))
    assert layer.weights
    assert not layer.trainable_variables

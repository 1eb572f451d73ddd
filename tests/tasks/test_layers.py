"""The layer that returns to the units of the target."""

import numpy as np

from skstack._backend import keras
from skstack.tasks._layers import Unstandardize


def _layer():
    layer = Unstandardize()
    layer.build((None, 2))
    layer.center.assign([10.0, 20.0])
    layer.scale.assign([2.0, 3.0])
    return layer


def test_unstandardize_returns_to_the_units_of_the_target():
    rows = np.array([[1.0, -1.0]], dtype="float32")
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(_layer()(rows)), [[12.0, 17.0]])


def test_training_leaves_the_units_alone():
    layer = _layer()
    assert not layer.trainable_variables
    assert {id(variable) for variable in layer.constants} == {id(variable) for variable in layer.weights}

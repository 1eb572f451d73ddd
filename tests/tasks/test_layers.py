"""The layer that returns to the units of the target."""

import numpy as np

from skstack._backend import keras
from skstack.tasks._layers import ExpUnstandardize, IncreasingQuantiles, Unstandardize


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


def test_exp_unstandardize_returns_from_logarithms():
    layer = ExpUnstandardize()
    layer.build((None, 1))
    layer.center.assign([np.log(10.0)])
    layer.scale.assign([np.log(2.0)])
    outputs = keras.ops.convert_to_numpy(layer(np.array([[0.0], [1.0], [-1.0]], dtype="float32")))
    np.testing.assert_allclose(outputs[:, 0], [10.0, 20.0, 5.0], rtol=1e-6)


def test_quantiles_of_zeros_are_those_of_a_normal_distribution():
    levels = [0.025, 0.5, 0.9, 0.975]
    outputs = keras.ops.convert_to_numpy(IncreasingQuantiles(levels)(np.zeros((2, 4), dtype="float32")))
    np.testing.assert_allclose(outputs, [[-1.96, 0.0, 1.2816, 1.96]] * 2, atol=1e-3)


def test_a_quantile_goes_up_from_the_one_before():
    inputs = np.array([[0.0, 0.0, 0.0], [5.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, -200.0, -200.0]], dtype="float32")
    outputs = keras.ops.convert_to_numpy(IncreasingQuantiles([0.1, 0.5, 0.9])(inputs))
    np.testing.assert_allclose(outputs[1] - outputs[0], 5.0, rtol=1e-6)
    assert outputs[2, 0] == outputs[0, 0] and outputs[2, 1] > outputs[0, 1]
    np.testing.assert_allclose(np.diff(outputs[2])[1], np.diff(outputs[0])[1], rtol=1e-6)
    np.testing.assert_array_equal(outputs[3], outputs[3, 0])

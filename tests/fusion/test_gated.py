"""Gated fusion with known weights."""

import numpy as np
from numpy.testing import assert_allclose

from skstack._backend import keras
from skstack.fusion._base import fuse

ONE, TWO = np.array([[0.3, -0.7], [1.0, 2.0]]), np.array([[0.5], [-1.0]])


def _model():
    inputs = [keras.Input((2,)), keras.Input((1,))]
    model = keras.Model(inputs, fuse("gated", inputs, "fused"))
    unit = model.get_layer("fused")
    unit.get_layer("project_0").set_weights([np.eye(2), np.zeros(2)])
    unit.get_layer("project_1").set_weights([np.array([[1.0, 2.0]]), np.array([0.0, 0.1])])
    return model, unit


def _hidden():
    return np.tanh(ONE), np.tanh(TWO * [1.0, 2.0] + [0.0, 0.1])


def test_two_branches_are_weighed_as_in_the_paper():
    """``z * h_1 + (1 - z) * h_2`` with a sigmoid z of all features, one for each feature."""
    model, unit = _model()
    kernel, bias = np.array([[0.2, 0.4], [-0.6, 0.8], [1.0, -1.2]]), np.array([0.1, -0.2])
    unit.get_layer("gate_0").set_weights([kernel, bias])
    unit.get_layer("gate_1").set_weights([np.zeros((3, 2)), np.zeros(2)])
    z = 1 / (1 + np.exp(-(np.hstack([ONE, TWO]) @ kernel + bias)))
    first, second = _hidden()
    assert_allclose(model.predict([ONE, TWO], verbose=0), z * first + (1 - z) * second, rtol=1e-5)


def test_open_and_closed_gates():
    model, unit = _model()
    for gate, bias in (("gate_0", [50.0, 0.0]), ("gate_1", [0.0, 50.0])):
        unit.get_layer(gate).set_weights([np.zeros((3, 2)), np.array(bias)])
    first, second = _hidden()
    assert_allclose(model.predict([ONE, TWO], verbose=0), np.stack([first[:, 0], second[:, 1]], axis=1), rtol=1e-5)

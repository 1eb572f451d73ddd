"""Blocks of layers, and checks of their settings."""

import numpy as np
import pytest

from skstack._backend import keras
from skstack.branches._blocks import (
    activation_layer,
    check_activation,
    check_units,
    convolution_blocks,
    dense_layers,
)


@pytest.mark.parametrize(("units", "expected"), [(4, (4,)), ([4, 2], (4, 2)), (np.array([3]), (3,)), ((), ())])
def test_units_are_a_tuple(units, expected):
    checked = check_units(units, "hidden")
    assert checked == expected
    assert all(type(n) is int for n in checked)


@pytest.mark.parametrize("units", [0, (4, -1), (2.5,), "ab", (4, None), True, (True,), (4, False)])
def test_units_that_no_layer_can_have_are_refused(units):
    with pytest.raises(ValueError, match="'head' should be a tuple of positive integers"):
        check_units(units, "head")


@pytest.mark.parametrize("name", ["relu", "linear", "gelu", "tanh", "prelu", "leaky_relu"])
def test_known_activations_pass(name):
    check_activation(name)


def test_unknown_activation_says_which_are_known():
    message = r"unknown activation 'rellu'. Did you mean 'relu'\? Known are \[.*'prelu', 'relu'"
    with pytest.raises(ValueError, match=message):
        check_activation("rellu")


def test_activation_that_learns_is_a_layer_of_its_own():
    assert isinstance(activation_layer("prelu", "a"), keras.layers.PReLU)
    assert isinstance(activation_layer("tanh", "a"), keras.layers.Activation)


def test_dense_layers_stand_in_order():
    inputs = keras.Input((3,))
    model = keras.Model(inputs, dense_layers(inputs, (4, 2), "relu", 0.5, True, prefix="head"))
    expected = [f"head_{number}{part}" for number in (1, 2) for part in ("", "_norm", "_relu", "_dropout")]
    assert [layer.name for layer in model.layers[1:]] == expected
    assert model.get_layer("head_2_dropout").rate == 0.5


def test_no_dense_layers_leave_the_features_as_they_are():
    inputs = keras.Input((3,))
    assert dense_layers(inputs, (), "relu", 0.5, True, prefix="head") is inputs


def test_names_of_dense_layers_may_be_changed():
    inputs = keras.Input((3,))
    outputs = dense_layers(inputs, (4,), "prelu", 0.5, True, prefix="head", rename=lambda name: f"{name}_of_mine")
    names = [layer.name for layer in keras.Model(inputs, outputs).layers[1:]]
    assert names == [f"head_1{part}_of_mine" for part in ("", "_norm", "_prelu", "_dropout")]


@pytest.mark.parametrize(("padding", "sides"), [("valid", (1, 2)), ("same", (2, 3))])
def test_blocks_of_convolutions_halve_both_sides(padding, sides):
    inputs = keras.Input((7, 9, 3))
    outputs = convolution_blocks(inputs, (4, 5), "relu", True, padding=padding)
    names = [layer.name for layer in keras.Model(inputs, outputs).layers[1:]]
    assert names == [
        f"{part.format(index)}" for index in (1, 2) for part in ("conv_{}", "conv_{}_norm", "conv_{}_relu", "halve_{}")
    ]
    assert outputs.shape == (None, *sides, 5)

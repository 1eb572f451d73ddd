"""The dense layers that branches end with, and a branch of a user's own."""

import numpy as np
import pytest

from skstack import MultimodalNetworkRegressor
from skstack._backend import keras
from skstack.branches import Branch
from skstack.branches._base import activation_layer, check_activation, check_units, dense_layers


@pytest.mark.parametrize(("units", "expected"), [(4, (4,)), ([4, 2], (4, 2)), (np.array([3]), (3,)), ((), ())])
def test_units_are_a_tuple(units, expected):
    assert check_units(units, "hidden") == expected


@pytest.mark.parametrize("units", [0, (4, -1), (2.5,), "ab", (4, None)])
def test_units_that_no_layer_can_have_are_refused(units):
    with pytest.raises(ValueError, match="'head' should be a tuple of positive integers"):
        check_units(units, "head")


@pytest.mark.parametrize("name", ["relu", "linear", "gelu", "tanh", "prelu", "leaky_relu"])
def test_known_activations_pass(name):
    check_activation(name)


def test_unknown_activation_says_which_are_known():
    with pytest.raises(ValueError, match=r"unknown activation 'rellu'; known are \[.*'relu'.*\] and 'prelu'"):
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


class TwiceBranch(Branch):
    """The smallest branch that a user can write."""

    def __init__(self, hidden=(), activation="relu", dropout=0.0, batch_norm=False):
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.batch_norm = batch_norm

    def fit(self, X, y=None):
        self.check_parameters()
        self.input_shape_, self.input_dtype_ = (X.shape[1],), "float32"
        return self

    def encode(self, X):
        return np.asarray(X, dtype="float32")

    def features(self, inputs):
        return 2.0 * inputs


def test_a_branch_of_ones_own_needs_three_methods():
    X = np.random.default_rng(0).normal(size=(12, 2))
    model = TwiceBranch().fit(X).build("twice")
    np.testing.assert_allclose(model.predict(X, verbose=0), 2 * X, rtol=1e-6)
    network = MultimodalNetworkRegressor([("mine", TwiceBranch(hidden=(3,)))], head=(), epochs=1)
    assert network.fit(X, X[:, 0]).predict(X).shape == (12,)


def test_an_incomplete_branch_cannot_be_made():
    class Incomplete(Branch):
        def fit(self, X, y=None):
            return self

    with pytest.raises(TypeError, match="abstract"):
        Incomplete()

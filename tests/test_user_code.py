"""Keras objects that hold code of the user's own."""

import pytest

from skstack._backend import keras
from skstack._user_code import config_holds_user_code, has_user_code, is_known, layers_hold_user_code
from skstack.branches._layers import Dropout

layers = keras.layers


def double(x):
    return 2 * x


class Doubled(layers.Layer):
    """A layer of the user's."""

    def call(self, inputs):
        return 2 * inputs


def _model(layer):
    return keras.Sequential([keras.Input((3,)), layer])


@pytest.mark.parametrize("layer", [layers.Dense(2), layers.Dense(2, activation="relu"), Dropout(0.1)], ids=repr)
def test_code_of_keras_and_ours_is_known(layer):
    assert not has_user_code(_model(layer))
    assert is_known(layer)


@pytest.mark.parametrize(
    "layer",
    [Doubled(), layers.Lambda(double), layers.Dense(2, activation=double), _model(Doubled())],
    ids=["layer", "lambda", "activation", "inside another model"],
)
def test_code_of_the_users_is_found(layer):
    model = _model(layer)
    assert has_user_code(model)
    assert layers_hold_user_code(model) or config_holds_user_code(model.get_config())


def test_functions_are_told_by_their_module():
    assert is_known(keras.activations.relu)
    assert not is_known(double)

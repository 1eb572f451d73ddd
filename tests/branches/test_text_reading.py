"""What the ways of a text branch to read texts have in common."""

from types import SimpleNamespace

import pytest

from skstack._backend import keras
from skstack.branches._text_reading import TextReading


class Reading(TextReading):
    """Has a layer that is pretrained."""

    fit = encode = features = is_encoded_like = is_built_like = assign_statistics = None

    def pretrained_layer(self, model):
        return model.layers[-1]


class Plain(Reading):
    """Has none."""

    pretrained_layer = TextReading.pretrained_layer


@pytest.mark.parametrize(("trainable", "n_trained"), [(None, 2), (True, 2), (False, 0), (1, 2), ("dense*", 2)])
def test_what_is_pretrained_is_trained_if_wished(trainable, n_trained):
    for kind, expected in ((Reading, n_trained), (Plain, 2)):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, name="dense")])
        kind(SimpleNamespace(trainable=trainable)).freeze(model)
        assert len(model.trainable_variables) == expected


def test_nothing_public_is_learned_unless_said():
    assert Reading(None).learned() == {}

"""Digests that tell backbones apart by what they compute."""

import numpy as np
import pytest
from _backbones import TINY, tiny_backbone

from skstack._backend import keras
from skstack.backbones._fingerprint import fingerprint, scaling_config

layers = keras.layers


def _fingerprint(model=TINY, scaling="tf", pooling="avg", shape=(8, 8, 3)):
    return fingerprint(model, scaling, pooling, shape)


def test_names_of_layers_do_not_count():
    assert _fingerprint(tiny_backbone(prefix="another_")) == _fingerprint()
    assert _fingerprint(scaling=layers.Rescaling(2.0)) == _fingerprint(scaling=layers.Rescaling(2.0, name="another"))


@pytest.mark.parametrize(
    "other",
    [
        {"model": tiny_backbone(seed=1)},
        {"scaling": "torch"},
        {"scaling": layers.Rescaling(2.0)},
        {"scaling": layers.Rescaling(3.0)},
        {"scaling": layers.Normalization(mean=2.0, variance=1.0)},
        {"scaling": None},
        {"pooling": "max"},
        {"shape": (8, 9, 3)},
    ],
    ids=str,
)
def test_what_changes_features_counts(other):
    assert _fingerprint(**other) != _fingerprint()
    if "scaling" in other:
        assert _fingerprint(**other) != _fingerprint(scaling=layers.Rescaling(2.5))


def test_another_architecture_with_the_same_weights_is_another_model():
    def model(activation):
        return keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(4, 3, activation=activation)])

    first, second = model("relu"), model("tanh")
    second.set_weights(first.get_weights())
    assert _fingerprint(first) != _fingerprint(second)


def test_a_changed_weight_counts():
    model = tiny_backbone(seed=2)
    before = _fingerprint(model)
    model.get_layer("block1_conv").bias.assign_add([1.0, 0.0, 0.0, 0.0])
    assert _fingerprint(model) != before


@pytest.mark.parametrize("scaling", [np.sqrt, 3])
def test_what_is_no_scaling_is_refused(scaling):
    with pytest.raises(TypeError, match=r"'preprocess' should be 'auto', .* or a Keras layer without weights"):
        scaling_config(scaling)

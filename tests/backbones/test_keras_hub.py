"""Backbones of KerasHub, by the names of their presets."""

import sys
import types
from importlib.util import find_spec

import numpy as np
import pytest
from _backbones import IMAGES, TINY, expected_features, features_folder, features_of, passed

from skstack._backend import keras
from skstack.backbones._keras_hub import hub_model, hub_scaling
from skstack.backbones._scaling import SCALINGS

__all__ = ["features_folder", "passed"]  # fixtures: an empty cache, and what has passed through a backbone

NAME = "keras_hub:tiny"


@pytest.fixture
def hub(monkeypatch):
    """A fake of the package with one preset, of which a converter scales pixels; None takes the converter away."""
    scale, offset, _ = SCALINGS["torch"]
    converters = {"tiny": types.SimpleNamespace(scale=scale, offset=offset)}

    def backbone(preset):
        if preset != "tiny":
            raise ValueError("Unknown preset identifier.")
        return TINY

    def converter(preset):
        if converters[preset] is None:
            raise FileNotFoundError("image_converter.json")
        return converters[preset]

    module = types.SimpleNamespace(
        models=types.SimpleNamespace(Backbone=types.SimpleNamespace(from_preset=backbone)),
        layers=types.SimpleNamespace(ImageConverter=types.SimpleNamespace(from_preset=converter)),
    )
    monkeypatch.setitem(sys.modules, "keras_hub", module)
    return converters


def test_a_preset_says_how_it_wants_its_pixels(hub, passed):
    features = features_of(backbone=NAME, preprocess="auto")
    np.testing.assert_allclose(features, expected_features(scaling="torch"), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(features_of(backbone=NAME, preprocess="auto"), features)
    assert len(passed) == len(IMAGES)


def test_what_the_user_says_counts(hub):
    features = features_of(backbone=NAME, preprocess="tf")
    np.testing.assert_allclose(features, expected_features(scaling="tf"), rtol=1e-4, atol=1e-5)


def test_a_preset_that_says_nothing_asks_how(hub):
    hub["tiny"] = None
    assert hub_scaling(NAME) is None
    with pytest.raises(ValueError, match="does not say how it wants its pixels"):
        features_of(backbone=NAME, preprocess="auto")
    hub["tiny"] = types.SimpleNamespace(scale=2.0, offset=None)
    assert np.asarray(hub_scaling(NAME)(np.ones((1, 1)))).item() == 2.0


def test_presets_that_cannot_be_had_are_named(hub, monkeypatch):
    with pytest.raises(OSError, match="'keras_hub:other' could not be loaded by KerasHub: Unknown preset"):
        hub_model("keras_hub:other")
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(ImportError, match=r"needs the package keras-hub: pip install 'skstack\[images\]'"):
        hub_model(NAME)


@pytest.mark.skipif(find_spec("keras_hub") is None, reason="keras-hub is not installed")
def test_a_real_preset_is_read_from_a_folder(tmp_path):
    import keras_hub

    stages = {"stackwise_num_filters": [64], "stackwise_num_blocks": [1], "stackwise_num_strides": [1]}
    kinds = {"block_type": "basic_block", "use_pre_activation": False, "image_shape": (None, None, 3)}
    backbone = keras_hub.models.ResNetBackbone([64], [3], **stages, **kinds)
    backbone.save_to_preset(str(tmp_path))
    keras_hub.layers.ResNetImageConverter(image_size=(8, 8), scale=1 / 127.5, offset=-1.0).save_to_preset(str(tmp_path))
    features = features_of(
        backbone=f"keras_hub:{tmp_path}", preprocess="auto", feature_layer=None, size=(8, 8), channels=3
    )
    maps = keras.ops.convert_to_numpy(backbone(IMAGES / np.float32(127.5) - 1, training=False))
    np.testing.assert_allclose(features, maps.mean(axis=(1, 2)), rtol=1e-3, atol=1e-4)

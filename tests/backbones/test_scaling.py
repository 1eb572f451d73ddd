"""How a backbone wants its pixels."""

import numpy as np
import pytest
from _backbones import IMAGES, expected_features, features_of, wish

from skstack._backend import keras
from skstack.backbones._applications import application, applications, trained_size
from skstack.backbones._loading import load_backbone
from skstack.backbones._scaling import ScalePixels, application_scaling, find_scaling, scale, scaled

layers = keras.layers


@pytest.mark.parametrize("scaling", ["tf", "torch", "caffe", None])
def test_pixels_are_scaled_as_keras_does(scaling):
    expected = IMAGES.astype("float32")
    if scaling:
        expected = keras.applications.imagenet_utils.preprocess_input(expected, mode=scaling)
    np.testing.assert_allclose(scale(IMAGES, scaling), expected, atol=1e-4)
    np.testing.assert_allclose(ScalePixels(scaling)(IMAGES), expected, atol=1e-4)


@pytest.mark.parametrize("scaling", ["tf", "torch", "caffe", None])
def test_features_are_those_of_scaled_pixels(scaling):
    expected = expected_features(scaling=scaling)
    np.testing.assert_allclose(features_of(preprocess=scaling), expected, rtol=1e-4, atol=1e-4)


def test_a_layer_that_scales_is_copied_into_each_model():
    scaling = layers.Rescaling(1 / 127.5, offset=-1.0)
    for _ in range(2):
        inputs = keras.Input((8, 8, 3), dtype="uint8")
        model = keras.Model(inputs, scaled(inputs, scaling))
        np.testing.assert_allclose(model(IMAGES), scale(IMAGES, "tf"), atol=1e-5)
        assert scaling not in model.layers
    np.testing.assert_allclose(features_of(preprocess=scaling), expected_features(), rtol=1e-4, atol=1e-5)


def test_the_layer_can_be_saved(tmp_path):
    model = keras.Sequential([keras.Input((8, 8, 3)), ScalePixels("caffe")])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(IMAGES), model(IMAGES))


EXPECTED_SCALINGS = {
    "VGG16": "caffe",
    "ResNet50": "caffe",
    "ResNet50V2": "tf",
    "DenseNet121": "torch",
    "MobileNetV2": "tf",
    "EfficientNetB0": None,
    "ConvNeXtTiny": None,
}


@pytest.mark.parametrize("name", sorted(applications()))
def test_every_application_has_its_scaling_and_size(name):
    scaling = application_scaling(application(name))
    assert scaling == EXPECTED_SCALINGS.get(name, scaling)
    height, width = trained_size(name)
    assert height == width >= 224


def _normalization():
    return layers.Normalization(mean=[0.0] * 3, variance=[1.0] * 3)


@pytest.mark.parametrize(
    "first",
    [
        [layers.Rescaling(2.0)],
        [_normalization()],
        [ScalePixels("tf")],
        [layers.ReLU(), layers.Rescaling(2.0)],
        [layers.RandomFlip(seed=0), keras.Sequential([keras.Input((8, 8, 3)), layers.ReLU(), layers.Rescaling(2.0)])],
    ],
    ids=["Rescaling", "Normalization", "ScalePixels", "behind a layer", "in a model"],
)
def test_a_model_that_scales_its_pixels_gets_them_as_they_are(first, tmp_path):
    model = keras.Sequential([keras.Input((8, 8, 3)), *first, layers.Conv2D(2, 3)])
    asked = wish(backbone=model, feature_layer=None, preprocess="auto")
    assert find_scaling(asked, model) is None
    model.save(tmp_path / "model.keras")
    asked = wish(backbone=tmp_path / "model.keras", feature_layer=None, preprocess="auto")
    assert load_backbone(asked).scaling is None


@pytest.mark.parametrize("last", [[], [layers.Rescaling(2.0)]], ids=["none", "behind weights"])
def test_a_model_that_does_not_scale_its_pixels_asks_how(last):
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(3, 3), *last])
    message = "does not say how it wants its pixels.* Set 'preprocess' to .*'tf'.*'torch' or 'caffe'.*None for pixels"
    with pytest.raises(ValueError, match=message):
        find_scaling(wish(backbone=model, preprocess="auto"), model)
    assert find_scaling(wish(backbone=model, preprocess="torch"), model) == "torch"

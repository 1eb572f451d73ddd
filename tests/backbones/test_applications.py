"""The backbones of keras.applications."""

import numpy as np
import pytest

from skstack._backend import keras
from skstack.backbones._applications import application, preprocess_input, trained_size


def test_backbones_are_known_by_name_in_any_case():
    assert application("vgg16") is keras.applications.VGG16
    assert application("EFFICIENTNETV2b0") is keras.applications.EfficientNetV2B0
    with pytest.raises(ValueError, match=r"no backbone 'VGG17'.*\.keras.*ConvNeXtBase, .*DenseNet121, .*ResNet50, "):
        application("VGG17")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("VGG17", "'VGG19' or 'VGG16'"),
        ("resnet5", "'ResNet50'"),
        ("EfficentNetB0", "'EfficientNetB0'"),
        ("folder/tiny.kears", "'folder/tiny.keras'"),
        ("tiny.KERAS", "'tiny.keras'"),
        ("tiny.hd5", "'tiny.h5'"),
    ],
)
def test_what_may_be_meant_by_a_wrong_name_comes_first(name, meant):
    with pytest.raises(ValueError, match=f"no backbone {name!r}. Did you mean {meant}.*Give a path that ends with"):
        application(name)


@pytest.mark.parametrize(("name", "side"), [("xception", 299), ("EfficientNetB3", 300), ("VGG16", 224)])
def test_the_size_of_the_training_is_known(name, side):
    assert trained_size(name) == (side, side)


def test_the_function_that_scales_pixels_stands_beside():
    pixels = np.full((1, 1, 1, 3), 255.0)
    np.testing.assert_allclose(preprocess_input(keras.applications.MobileNetV2)(pixels.copy()), 1.0)
    assert np.max(preprocess_input(keras.applications.VGG16)(pixels.copy())) > 100

"""Random changes of images, and backbones inside of a network."""

import numpy as np
import pytest

from skstack._backend import keras
from skstack.branches._image_layers import RandomAffine, RandomContrast

GRADIENT = np.float32(np.add.outer(np.arange(6) * 30, np.arange(6) * 3))[np.newaxis, :, :, np.newaxis]


@pytest.fixture
def draws(monkeypatch):
    """Set what the layers draw: one number for all, or a row of them."""

    def set_to(value):
        def uniform(shape, low=-1.0, high=1.0, **_):
            drawn = np.broadcast_to(np.asarray(value, "float32"), [int(n) for n in shape])
            return keras.ops.convert_to_tensor((drawn + 1) / 2 * (high - low) + low)

        monkeypatch.setattr(keras.random, "uniform", uniform)

    return set_to


def _changed(layer, images=GRADIENT):
    return keras.ops.convert_to_numpy(layer(images, training=True))


@pytest.mark.parametrize(
    ("flip", "drawn", "expected"),
    [
        ("horizontal", -1, GRADIENT[:, :, ::-1]),
        ("vertical", -1, GRADIENT[:, ::-1]),
        ("both", -1, GRADIENT[:, ::-1, ::-1]),
        ("both", 1, GRADIENT),
        ("horizontal", [1, -1, 0, 0, 0, 0], GRADIENT),
        (None, -1, GRADIENT),
    ],
)
def test_images_are_flipped(draws, flip, drawn, expected):
    draws(drawn)
    np.testing.assert_allclose(_changed(RandomAffine(flip=flip)), expected, atol=1e-3)


@pytest.mark.parametrize("draw", [1, -1])
def test_images_are_turned_about_their_centre(draws, draw):
    draws(draw)
    expected = np.rot90(GRADIENT, k=draw, axes=(1, 2))
    np.testing.assert_allclose(_changed(RandomAffine(rotation=0.25)), expected, atol=1e-2)


def test_images_are_moved_by_a_part_of_their_size(draws):
    draws([0, 0, 0, 0, 1, 0.5])
    moved = _changed(RandomAffine(translation=1 / 3))
    np.testing.assert_allclose(moved[:, :5, :4], GRADIENT[:, 1:, 2:], atol=1e-3)
    np.testing.assert_allclose(moved[:, :5, 4:], GRADIENT[:, 1:, :3:-1], atol=1e-3)  # the reflection


@pytest.mark.parametrize(("draw", "scale"), [(1, 1.5), (-1, 0.5)])
def test_images_are_zoomed_about_their_centre(draws, draw, scale):
    draws([0, 0, 0, draw, 0, 0])
    zoomed = _changed(RandomAffine(zoom=0.5))[0, 2:4, 2:4, 0]
    np.testing.assert_allclose(zoomed - zoomed.mean(), scale * (GRADIENT - GRADIENT.mean())[0, 2:4, 2:4, 0], atol=1e-3)
    assert zoomed.mean() == pytest.approx(GRADIENT.mean())


@pytest.mark.parametrize(("draw", "factor"), [(1, 1.4), (-1, 0.6)])
def test_contrast_is_changed_about_the_mean_of_a_channel(draws, draw, factor):
    draws(draw)
    images = np.concatenate([GRADIENT / 2 + 80, GRADIENT / 2 + 20], axis=3)
    mean = images.mean(axis=(1, 2), keepdims=True)
    expected = np.clip(mean + factor * (images - mean), 0, 255)
    np.testing.assert_allclose(_changed(RandomContrast(0.4), images), expected, atol=1e-3)
    white = np.concatenate([np.zeros((1, 2, 2, 1)), np.full((1, 2, 2, 1), 255.0)], axis=1)
    assert 0 <= _changed(RandomContrast(0.4), white).min() <= _changed(RandomContrast(0.4), white).max() <= 255


@pytest.mark.parametrize("layer", [RandomAffine(flip="both", rotation=0.2), RandomContrast(0.5)])
def test_prediction_changes_nothing_but_the_dtype(layer):
    images = GRADIENT.astype("uint8")
    kept = keras.ops.convert_to_numpy(layer(images, training=False))
    np.testing.assert_array_equal(kept, images)
    assert kept.dtype == "float32"
    announced = layer(keras.Input(images.shape[1:], dtype="uint8"))
    assert (announced.shape, announced.dtype) == ((None, *images.shape[1:]), "float32")

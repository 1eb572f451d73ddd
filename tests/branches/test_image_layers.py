"""Random changes of images, and backbones inside of a network."""

import numpy as np
import pytest

from skstack._backend import keras
from skstack.branches._backbone_layers import TrainedFurther
from skstack.branches._image_layers import RandomAffine, RandomContrast
from skstack.training._trainable import set_trainable

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


# --- a backbone -------------------------------------------------------------------------------------------------------


def _backbone():
    layers = [keras.Input((4,)), keras.layers.Dense(3, name="first"), keras.layers.BatchNormalization(name="second")]
    model = keras.Sequential([*layers, keras.layers.Dropout(0.5)])
    model.get_layer("second").moving_mean.assign([1.0, 2.0, 3.0])
    return model


ROWS = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")


def test_what_is_pretrained_works_in_training_as_in_prediction():
    model = _backbone()
    layer = TrainedFurther(model)
    expected = keras.ops.convert_to_numpy(model(ROWS, training=False))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(layer(ROWS, training=True)), expected)
    assert {id(v) for v in layer.constants} == {id(v) for v in model.non_trainable_variables}


def test_what_begins_at_random_learns_its_averages():
    layer = TrainedFurther(_backbone(), pretrained=False)
    before = layer.model.get_layer("second").get_weights()
    layer(ROWS, training=True)
    assert not np.allclose(layer.model.get_layer("second").get_weights()[2], before[2])
    assert layer.constants == []


def test_the_learning_rate_and_what_is_trained_survive_the_config():
    layer = TrainedFurther(_backbone(), learning_rate=0.25, name="backbone")
    set_trainable(layer.model, "first")
    again = TrainedFurther.from_config(layer.get_config())
    for part in (layer, again):
        assert [variable.learning_rate_multiplier for variable in part.trainable_variables] == [0.25, 0.25]
        assert {variable.path.split("/")[-2] for variable in part.trainable_variables} == {"first"}
    assert (again.learning_rate, again.pretrained, again.name) == (0.25, True, "backbone")
    assert layer(keras.Input((4,))).shape == (None, 3)

"""Which backbone is loaded, and how often."""

import numpy as np
import pytest
from _backbones import IMAGES, TINY, expected_features, features_of, own_backbone, tiny_backbone, wish

from skstack._backend import keras
from skstack.backbones import _loading
from skstack.backbones._loading import backbone_shape, check_backbone, copied, fresh_backbone, load_backbone
from skstack.training._seeds import seeded

layers = keras.layers


def test_without_a_layer_the_output_of_the_model_counts():
    features = features_of(feature_layer=None)
    np.testing.assert_allclose(features, expected_features(layer="logits"), rtol=1e-4, atol=1e-5)


def test_a_backbone_is_loaded_once(tmp_path, monkeypatch):
    path = tmp_path / "tiny.keras"
    TINY.save(path)
    loads, load = [], keras.saving.load_model
    monkeypatch.setattr(keras.saving, "load_model", lambda *args, **kwargs: loads.append(1) or load(*args, **kwargs))
    first, second = (load_backbone(wish(backbone=path)) for _ in range(2))
    assert first is second
    assert len(loads) == 1
    tiny_backbone(seed=1).save(path)
    assert not np.allclose(features_of(backbone=path), expected_features(), atol=1e-3)
    assert len(loads) == 2


def test_models_of_the_same_weights_are_one_backbone():
    assert load_backbone(wish(backbone=tiny_backbone(seed=1))) is load_backbone(wish(backbone=tiny_backbone(seed=1)))


def test_backbones_in_use_are_few():
    first, *_ = (load_backbone(wish(backbone=tiny_backbone(seed))) for seed in range(4))
    assert len(_loading._loaded) == 3
    assert load_backbone(wish(backbone=tiny_backbone(0))) is not first


def test_code_of_the_users_for_a_file_is_looked_up_again(passed, features_folder, tmp_path):
    path = tmp_path / "own.keras"
    means = IMAGES.mean(axis=(1, 2), dtype="float32")
    for factor in (2, 3):

        @keras.saving.register_keras_serializable("tests")
        class Own(layers.Layer):
            def call(self, inputs, factor=factor):
                return factor * inputs

        if factor == 2:
            own_backbone(Own(name="own")).save(path)
        for _ in range(2):
            features = features_of(backbone=path, feature_layer=None, preprocess=None)
            np.testing.assert_allclose(features, factor * means, rtol=1e-4)
    assert len(passed) == 2 * len(IMAGES)
    assert not (features_folder / "features.sqlite").exists()


# --- weights ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mobile_net(tmp_path_factory):
    """A model of keras.applications, with random weights, and the file of these."""
    with seeded(0):
        model = keras.applications.MobileNet(include_top=False, weights=None, input_shape=(32, 32, 3))
    path = tmp_path_factory.mktemp("weights") / "mobile_net.weights.h5"
    model.save_weights(path)
    return model, path


@pytest.fixture(scope="module")
def mobile_features(mobile_net):
    images = np.random.default_rng(1).integers(0, 256, size=(3, 32, 32, 3), dtype="uint8")
    scaled = keras.applications.mobilenet.preprocess_input(images.astype("float32"))
    return images, np.asarray(mobile_net[0](scaled, training=False)).mean(axis=(1, 2))


MOBILE = {"size": (32, 32), "feature_layer": None, "preprocess": "auto"}


def test_weights_come_from_a_file(mobile_net, mobile_features):
    images, expected = mobile_features
    features = features_of(images, backbone="mobilenet", weights=mobile_net[1], **MOBILE)
    np.testing.assert_allclose(features, expected, rtol=1e-3, atol=1e-5)


def test_imagenet_weights_are_left_to_keras(mobile_net, mobile_features, monkeypatch):
    asked = []

    def MobileNet(**kwargs):
        asked.append(kwargs)
        return mobile_net[0]

    MobileNet.__module__ = keras.applications.MobileNet.__module__
    monkeypatch.setattr(keras.applications, "MobileNet", MobileNet)
    images, expected = mobile_features
    features = features_of(images, backbone="MobileNet", **MOBILE)
    np.testing.assert_allclose(features, expected, rtol=1e-3, atol=1e-5)
    assert asked == [{"weights": "imagenet", "include_top": False, "input_shape": (32, 32, 3)}]


def test_weights_that_cannot_be_fetched_say_what_to_do(monkeypatch):
    def fail(**kwargs):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(_loading, "application", lambda name: fail)
    with pytest.raises(OSError, match=r"'imagenet' of fail could not be loaded: URL fetch failure.*path of a file"):
        load_backbone(wish(backbone="VGG16", feature_layer=None))


def test_random_weights_differ_by_seed():
    weights = []
    for seed in (0, 0, 1):
        with seeded(seed):
            weights.append(fresh_backbone(wish(backbone="MobileNet", weights=None, **MOBILE)).trunk.get_weights()[0])
    np.testing.assert_array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])


def test_weights_of_a_file_replace_those_of_a_model(tmp_path):
    other = tiny_backbone(seed=1)
    other.save_weights(tmp_path / "other.weights.h5")
    features = features_of(weights=tmp_path / "other.weights.h5")
    np.testing.assert_allclose(features, expected_features(other), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(features_of(), expected_features(), rtol=1e-4, atol=1e-6)  # the model is left alone


@pytest.mark.filterwarnings("ignore:Skipping nested container:UserWarning")
def test_weights_of_another_model_are_refused(tmp_path):
    keras.Sequential([keras.Input((2,)), layers.Dense(1)]).save_weights(tmp_path / "other.weights.h5")
    with pytest.raises(ValueError, match=r"other\.weights\.h5' are not those of the backbone"):
        load_backbone(wish(weights=tmp_path / "other.weights.h5"))


def test_a_copy_has_weights_of_its_own():
    model = copied(TINY)
    for mine, theirs in zip(model.get_weights(), TINY.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    model.get_layer("block1_conv").bias.assign_add([1.0] * 4)
    assert not np.array_equal(model.get_layer("block1_conv").bias, TINY.get_layer("block1_conv").bias)


# --- what is asked for before it is loaded ----------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "side"), [("Xception", 299), ("VGG16", 224)])
def test_images_come_in_the_size_of_the_training_unless_another_is_wished_for(name, side, monkeypatch):
    monkeypatch.setattr(_loading, "_make", lambda _: pytest.fail("a backbone by name was loaded"))
    assert backbone_shape(wish(backbone=name)) == (side, side, 3)
    assert backbone_shape(wish(backbone=name, size=(64, 32), channels=1)) == (64, 32, 1)
    check_backbone(wish(backbone=name))


def test_a_model_says_its_size_itself():
    assert backbone_shape(wish()) == (8, 8, 3)
    free = keras.Sequential([keras.Input((None, 16, 3)), layers.Conv2D(2, 3)])
    assert backbone_shape(wish(backbone=free, feature_layer=None)) == (224, 16, 3)
    assert backbone_shape(wish(backbone=free, feature_layer=None, size=(20, 16))) == (20, 16, 3)


def test_a_backbone_by_name_is_refused_while_keras_puts_channels_first():
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(ValueError, match=r"MobileNetV2 would be .*set_image_data_format\('channels_last'\)"):
            fresh_backbone(wish(backbone="MobileNetV2", weights=None, **MOBILE))
    finally:
        keras.config.set_image_data_format("channels_last")


TWO_OUTPUTS = keras.Model(TINY.input, [TINY.get_layer("pool").output, TINY.output])
VECTORS = keras.Sequential([keras.Input((2,)), layers.Dense(1)])


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"backbone": "nowhere.keras"}, FileNotFoundError, "no file 'nowhere.keras'"),
        ({"weights": "nowhere.h5"}, FileNotFoundError, "no file 'nowhere.h5'"),
        ({"backbone": 3}, TypeError, "expected a backbone by its name .* got 3"),
        ({"backbone": keras.Sequential([layers.Flatten()])}, TypeError, "expected a backbone .* knows its inputs"),
        ({"backbone": VECTORS}, ValueError, "should have one input of images"),
        ({"backbone": TWO_OUTPUTS, "feature_layer": None}, ValueError, "has 2 outputs; name one by `feature_layer`"),
        ({"feature_layer": "head"}, ValueError, "no layer 'head'; its last ones are .*pool, logits"),
        ({"size": (9, 8)}, ValueError, r"takes images of size \(8, 8\), got size=\(9, 8\)"),
        ({"channels": 1}, ValueError, "takes images of 3 channels, got channels=1"),
        ({"backbone": "VGG16", "channels": 1}, ValueError, "'imagenet' are for images of 3 channels"),
        ({"preprocess": np.sqrt}, TypeError, "or a Keras layer without weights"),
    ],
)
def test_bad_wishes_are_named(parameters, error, message):
    with pytest.raises(error, match=message):
        load_backbone(wish(**parameters))


def test_scalings_of_three_channels_are_for_images_of_three():
    grey = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(2, 3)])
    with pytest.raises(ValueError, match="preprocess='caffe' is for images of 3 channels, got channels=1"):
        load_backbone(wish(backbone=grey, feature_layer=None, preprocess="caffe", channels=1))


@pytest.mark.parametrize("where", ["model", "file"])
def test_it_is_checked_how_a_backbone_wants_its_pixels(where, tmp_path):
    backbone = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(3, 3)])
    if where == "file":
        backbone.save(tmp_path / "model.keras")
        backbone = tmp_path / "model.keras"
    with pytest.raises(ValueError, match="does not say how it wants its pixels"):
        check_backbone(wish(backbone=backbone, feature_layer=None, preprocess="auto"))
    check_backbone(wish(backbone=backbone, feature_layer=None, preprocess="tf"))

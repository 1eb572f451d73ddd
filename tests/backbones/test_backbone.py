"""Features that a backbone gives."""

import numpy as np
import pytest
from _backbones import IMAGES, TINY, expected_features, own_backbone, tiny_backbone, wish

from skstack._backend import keras
from skstack.backbones._backbone import BATCH, Backbone, pooled
from skstack.backbones._loading import load_backbone

layers = keras.layers


@pytest.mark.parametrize(
    ("pooling", "reduce"),
    [
        ("avg", lambda maps: maps.mean(axis=(1, 2))),
        ("max", lambda maps: maps.max(axis=(1, 2))),
        ("flatten", lambda maps: maps.reshape(len(maps), -1)),
    ],
)
def test_feature_maps_are_pooled(pooling, reduce):
    backbone = load_backbone(wish(feature_layer="block2_relu", pooling=pooling))
    expected = reduce(expected_features(layer="block2_relu"))
    assert backbone.n_features == expected.shape[1]
    np.testing.assert_allclose(backbone.features(IMAGES), expected, rtol=1e-4, atol=1e-6)


def test_vectors_are_not_pooled():
    vectors = keras.Input((5,))
    assert pooled(vectors, "avg") is vectors
    np.testing.assert_allclose(load_backbone(wish()).features(IMAGES), expected_features(), rtol=1e-4, atol=1e-6)


def test_features_do_not_depend_on_the_images_beside():
    backbone = load_backbone(wish())
    together = backbone.features(IMAGES)
    for index in (0, BATCH + 1, len(IMAGES) - 1):
        np.testing.assert_array_equal(backbone.features(IMAGES[[index]])[0], together[index])


def test_images_pass_in_batches_of_one_size(passed):
    features = load_backbone(wish()).features(iter(IMAGES))
    assert features.shape == (len(IMAGES), 5)
    assert features.dtype == "float32"
    assert passed == [image.tobytes() for image in IMAGES]
    assert load_backbone(wish()).features(iter([])).shape == (0, 5)


def test_what_is_computed_by_known_code_has_a_key_of_its_content():
    first, second = (Backbone(tiny_backbone(prefix=prefix), "tf", "avg", (8, 8, 3)) for prefix in ("", "another_"))
    assert not first.has_user_code
    assert first.features_key == first.fingerprint == second.features_key
    assert Backbone(TINY, "torch", "avg", (8, 8, 3)).features_key != first.features_key


class Own(layers.Layer):
    """Code of the user's."""

    def call(self, inputs):
        return 2 * inputs


@pytest.mark.parametrize(
    "backbone",
    [
        Backbone(own_backbone(Own()), None, "avg", (8, 8, 3)),
        Backbone(own_backbone(layers.ReLU()), Own(), "avg", (8, 8, 3)),
    ],
    ids=["model", "scaling"],
)
def test_what_is_computed_by_code_of_the_users_has_a_key_of_its_own(backbone):
    assert backbone.has_user_code
    assert backbone.features_key == backbone.features_key != backbone.fingerprint

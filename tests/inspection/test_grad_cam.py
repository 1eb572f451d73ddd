"""Grad-CAM over images, of networks and stacks, through frozen backbones too."""

import numpy as np
import pytest
from _insides import (
    PLACES,
    SIZE,
    image_branch,
    is_in_patch,
    patch_classifier,
    patch_images,
    patch_regressor,
    set_convolution,
    table_of,
)

from skstack import MultimodalNetworkClassifier, MultimodalStackingClassifier
from skstack._backend import keras
from skstack.branches import ImageBranch, NumericBranch
from skstack.inspection import grad_cam
from skstack.training import _gradients


@pytest.fixture(scope="module")
def images():
    return patch_images()


def test_the_map_is_where_the_patch_is(images):
    result = grad_cam(patch_classifier(), table_of(images), branch="photo")
    assert result.maps.shape == (len(images), SIZE, SIZE)
    assert result.layer == "conv_1_relu"
    assert result.outputs.tolist() == ["patch"] * len(images)
    np.testing.assert_array_equal(result.images, images)
    np.testing.assert_array_equal(result.maps > 0, images[..., 0] > 0)


def test_the_map_is_the_sum_of_feature_maps_weighted_by_mean_gradients(images):
    result = grad_cam(patch_classifier(slope=3.0), table_of(images), branch="photo", output="patch")
    # The logit is 3 times the mean of the maxima of 16 cells: a place of each has a gradient of 3 / 16, the mean over
    # the map is 3 / 64, and the first filter returns 1 in the patch.
    weight = 3.0 / SIZE**2
    np.testing.assert_allclose(result.maps.max(axis=(1, 2)), weight, rtol=1e-5)


def test_what_speaks_against_a_class_is_not_shown_for_it(images):
    result = grad_cam(patch_classifier(), table_of(images), branch="photo", output="none")
    assert result.maps.max() == 0
    assert result.outputs.tolist() == ["none"] * len(images)


def test_a_saturated_probability_has_a_map_none_the_less(images):
    network = patch_classifier(slope=500.0)
    assert network.predict_proba(table_of(images))[:, 1].min() == 1
    result = grad_cam(network, table_of(images), branch="photo")
    np.testing.assert_array_equal(result.maps > 0, images[..., 0] > 0)


def test_maps_of_a_smaller_layer_are_brought_to_the_size_of_the_image(images):
    result = grad_cam(patch_classifier(), table_of(images), branch="photo", layer="halve_1")
    places = [np.unravel_index(map_.argmax(), map_.shape) for map_ in result.maps]
    assert result.maps.shape == images.shape[:3]
    assert all(
        abs(row - top - 1.5) <= 2 and abs(column - left - 1.5) <= 2
        for (row, column), (top, left) in zip(places, PLACES, strict=True)
    )


def test_a_regressor_is_explained_in_units_of_its_target(images):
    result = grad_cam(patch_regressor(), table_of(images), branch="photo")
    np.testing.assert_array_equal(result.maps > 0, images[..., 0] > 0)
    np.testing.assert_allclose(result.maps.max(axis=(1, 2)), 100.0 / SIZE**2, rtol=1e-5)


def test_many_rows_go_through_in_parts(images, monkeypatch):
    network, X = patch_classifier(), table_of(images)
    whole = grad_cam(network, X, branch="photo").maps
    monkeypatch.setattr(_gradients, "_CHUNK_ROWS", 3)
    np.testing.assert_allclose(grad_cam(network, X, branch="photo").maps, whole, rtol=1e-6)


def test_the_network_stays_as_it_is(images):
    network, X = patch_classifier(), table_of(images)
    before = network.predict_proba(X)
    weights = [np.array(weight) for weight in network.model_.weights]
    grad_cam(network, X, branch="photo")
    np.testing.assert_array_equal(network.predict_proba(X), before)
    assert all((np.array(now) == then).all() for now, then in zip(network.model_.weights, weights, strict=True))


def bright_backbone():
    """A backbone that returns how bright the pixels are, a 2 x 2 cell at a time, and the same of their negative."""
    inputs = keras.Input((SIZE, SIZE, 1), name="mine_input")
    x = keras.layers.Conv2D(2, 2, strides=2, activation="relu", data_format="channels_last", name="mine_conv")(inputs)
    model = keras.Model(inputs, x, name="mine")
    kernel = np.full((2, 2, 1, 2), 0.25, dtype="float32")
    kernel[..., 1] = -0.25
    model.get_layer("mine_conv").set_weights([kernel, np.zeros(2, dtype="float32")])
    return model


def test_a_frozen_backbone_is_looked_through(images):
    branch = ImageBranch(channels=1, backbone=bright_backbone(), preprocess="tf", hidden=())
    network = MultimodalNetworkClassifier([("photo", branch, ["photo"])], head=(), random_state=0)
    X = table_of(images)
    network.initialize(X, ["none", "patch"] * 2)
    network.model_.get_layer("output").set_weights([np.array([[20.0], [0.0]]), np.array([-1.0])])
    assert network.encode(X)["photo"].shape == (4, 2)  # features: the network has never seen a pixel
    result = grad_cam(network, X, branch="photo")
    assert result.layer == "backbone/mine_conv"
    assert result.maps.shape == (4, SIZE, SIZE)
    inside = is_in_patch()
    for map_, patch in zip(result.maps, inside, strict=True):
        assert patch[np.unravel_index(map_.argmax(), map_.shape)]
        assert map_[patch].mean() > 5 * map_[~patch].mean()


def test_each_of_several_images_in_a_row_has_a_map(images):
    X = table_of(images)
    X["other"] = [*images[::-1]]
    network = MultimodalNetworkClassifier(
        [("photo", image_branch(shared=True), ["photo", "other"])], head=(), random_state=0
    )
    network.initialize(X, ["none", "patch"] * 2)
    set_convolution(network.model_)
    network.model_.get_layer("output").set_weights([np.array([[20.0], [0.0], [20.0], [0.0]]), np.array([-1.0])])
    result = grad_cam(network, X, branch="photo")
    assert result.maps.shape == (4, 2, SIZE, SIZE)
    np.testing.assert_array_equal(result.maps > 0, result.images[..., 0] > 0)
    np.testing.assert_array_equal(result.images[:, 1], images[::-1])


def test_a_missing_image_has_no_map(images):
    X = table_of(images)
    X.at[1, "photo"] = None
    result = grad_cam(patch_classifier(), X, branch="photo")
    assert result.maps[1].max() == 0
    assert result.maps[0].max() > 0


def test_a_stack_is_looked_into_by_the_network_of_the_branch(images):
    X, y = table_of(np.concatenate([images] * 3)), np.array([0, 1, 1] * 4)
    template = MultimodalNetworkClassifier(epochs=1, early_stopping=False, batch_size=64)
    parts = [("numbers", NumericBranch((2,), embedding=None), ["area"]), ("photo", image_branch(), ["photo"])]
    stack = MultimodalStackingClassifier(parts, network=template, training="individual", cv=2, random_state=0)
    maps = grad_cam(stack.fit(X, y), X, branch="photo", output=1).maps
    np.testing.assert_array_equal(maps, grad_cam(stack.named_estimators_["photo"], X, branch="photo", output=1).maps)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"branch": "foto"}, "there is no branch 'foto'. Did you mean 'photo'?"),
        ({"branch": "photo", "layer": "conv_2"}, "has no layer 'conv_2'. Did you mean 'conv_1'?"),
        ({"branch": "photo", "layer": "pool"}, "layer 'pool' returns no feature maps"),
        ({"branch": "photo", "output": "patsch"}, "no class 'patsch'. Did you mean 'patch'?"),
    ],
)
def test_what_is_not_there_is_refused(images, params, message):
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        grad_cam(patch_classifier(), table_of(images), **params)


def test_other_branches_have_no_pixels(images):
    network = MultimodalNetworkClassifier([("numbers", NumericBranch(), ["area"])], random_state=0)
    network.initialize(table_of(images), [0, 1] * 2)
    with pytest.raises(ValueError, match="branch 'numbers' is a NumericBranch: only images"):
        grad_cam(network, table_of(images), branch="numbers")

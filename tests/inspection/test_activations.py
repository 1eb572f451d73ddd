"""What layers return, and the rows that excite filters most."""

import numpy as np
import pytest
from _insides import image_branch, patch_classifier, patch_images, set_convolution, table_of

from skstack import MultimodalNetworkClassifier, MultimodalStackingClassifier
from skstack.branches import NumericBranch
from skstack.inspection import activations, top_examples


def test_a_convolution_returns_what_it_was_made_to():
    images = patch_images()
    maps = activations(patch_classifier(), table_of(images), "conv_1", branch="photo")
    brightness = images[..., 0] / 127.5 - 1
    np.testing.assert_allclose(maps, np.stack([brightness, -brightness], axis=-1), atol=1e-6)


def test_a_layer_is_found_by_its_path_in_the_whole_network():
    network, X = patch_classifier(), table_of(patch_images())
    by_path = activations(network, X, "photo_branch/conv_1_relu")
    np.testing.assert_array_equal(by_path, activations(network, X, "conv_1_relu", branch="photo"))
    np.testing.assert_allclose(activations(network, X, "output")[:, 0], network.predict_proba(X)[:, 1], rtol=1e-6)


def test_each_of_several_columns_has_its_own():
    images = patch_images()
    X = table_of(images).assign(other=[*images[::-1]])
    branches = [("photo", image_branch(shared=True), ["photo", "other"])]
    network = MultimodalNetworkClassifier(branches, head=(), random_state=0).initialize(X, [0, 1] * 2)
    set_convolution(network.model_)
    maps = activations(network, X, "conv_1", branch="photo")
    np.testing.assert_allclose(maps[:, 1], maps[::-1, 0], atol=1e-6)
    np.testing.assert_array_equal(activations(network, X, "photo_branch/encoder/conv_1"), maps)


def test_the_brightest_images_excite_the_filter_of_brightness_and_the_darkest_the_other():
    images = np.stack([np.full((8, 8, 1), value, dtype="uint8") for value in (10, 250, 130, 200, 90)])
    network = patch_classifier(np.concatenate([images, images[:1]]))
    result = top_examples(network, table_of(images), "conv_1", branch="photo", n_examples=3)
    assert result.indices.tolist() == [[1, 3, 2], [0, 4, 2]]
    assert result.filters.tolist() == [0, 1]
    np.testing.assert_allclose(result.activations[0], np.array([250, 200, 130]) / 127.5 - 1, atol=1e-6)
    np.testing.assert_array_equal(result.images[1, 0], images[0])
    only = top_examples(network, table_of(images), "conv_1", branch="photo", filters=[1], n_examples=9)
    assert only.indices.tolist() == [[0, 4, 2, 3, 1]]


def test_rows_of_numbers_have_no_images():
    X = table_of(patch_images())
    branches = [("numbers", NumericBranch((3,), embedding=None), ["area"])]
    network = MultimodalNetworkClassifier(branches, head=(), random_state=0).initialize(X, [0, 1] * 2)
    result = top_examples(network, X, "dense_1", branch="numbers", n_examples=2)
    assert result.images is None
    np.testing.assert_allclose(
        result.activations, -np.sort(-activations(network, X, "dense_1", branch="numbers"), axis=0)[:2].T
    )


def test_networks_of_members_and_folds_have_features_of_their_own():
    X, y = table_of(np.concatenate([patch_images()] * 2)), [0, 1] * 4
    branches = [("numbers", NumericBranch((2,), embedding=None), ["area"])]
    network = MultimodalNetworkClassifier(branches, epochs=1, n_members=2, early_stopping=False, random_state=0)
    with pytest.raises(ValueError, match="has 2 members, each with features of its own"):
        activations(network.fit(X, y), X, "dense_1", branch="numbers")
    assert activations(network.members_[1], X, "dense_1", branch="numbers").shape == (8, 2)
    template = MultimodalNetworkClassifier(epochs=1, early_stopping=False)
    stack = MultimodalStackingClassifier(branches, network=template, cv=2, refit="folds", random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="has 2 networks, each with features of its own"):
        activations(stack, X, "dense_1", branch="numbers")


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"filters": [2]}, ValueError, "has 2 filters"),
        ({"filters": "all"}, TypeError, "'filters' should be a list of positions"),
        ({"n_examples": 0}, ValueError, "n_examples == 0"),
    ],
)
def test_filters_that_are_not_there_are_refused(params, error, message):
    with pytest.raises(error, match=message):
        top_examples(patch_classifier(), table_of(patch_images()), "conv_1", branch="photo", **params)

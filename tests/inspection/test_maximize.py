"""Images that excite filters most, by gradient ascent."""

import numpy as np
import pytest
from _insides import patch_classifier, patch_images, table_of

from skstack import MultimodalNetworkClassifier
from skstack.branches import NumericBranch
from skstack.inspection import activations, maximize_activation


def test_the_filter_of_brightness_asks_for_white_and_the_other_for_black():
    result = maximize_activation(patch_classifier(), "conv_1", branch="photo", n_steps=40, l2=0.0, random_state=0)
    assert result.images.shape == (2, 8, 8, 1)
    assert result.images[0].min() > 240
    assert result.images[1].max() < 15
    np.testing.assert_allclose(result.activations, 1, atol=0.1)


def test_a_filter_of_edges_asks_for_stripes():
    network = patch_classifier()
    kernel = np.zeros((3, 3, 1, 2), dtype="float32")
    kernel[:, :, 0, 0] = [[-1, 2, -1]] * 3  # bright columns between dark ones
    network.model_.get_layer("photo_branch").get_layer("conv_1").set_weights([kernel, np.zeros(2, dtype="float32")])
    params = {"branch": "photo", "filters": [0], "n_steps": 60, "total_variation": 0.0}
    image = maximize_activation(network, "conv_1_relu", **params, jitter=0, random_state=0).images[0, ..., 0]
    inner = image[1:-1].astype(float)
    across, down = np.abs(np.diff(inner, axis=1)).mean(), np.abs(np.diff(inner, axis=0)).mean()
    assert across > 5 * down


def test_what_is_made_excites_more_than_what_there_is():
    network, images = patch_classifier(), patch_images()
    made = maximize_activation(network, "halve_1", branch="photo", filters=[0], n_steps=30, random_state=0)
    there = activations(network, table_of(images), "halve_1", branch="photo")[..., 0].mean(axis=(1, 2))
    assert made.activations[0] > there.max()
    again = activations(network, table_of(made.images), "halve_1", branch="photo")[..., 0].mean()
    np.testing.assert_allclose(again, made.activations[0], rtol=1e-5)


def test_smoothing_leaves_smaller_differences_and_seeds_repeat():
    network = patch_classifier()
    made = {
        strength: maximize_activation(
            network, "conv_1", branch="photo", filters=[0], n_steps=3, total_variation=strength, random_state=0
        ).images
        for strength in (0.0, 0.8)
    }
    rough, smooth = (np.abs(np.diff(made[strength].astype(float), axis=1)).mean() for strength in (0.0, 0.8))
    assert smooth < rough / 2
    again = maximize_activation(
        network, "conv_1", branch="photo", filters=[0], n_steps=3, total_variation=0.0, random_state=0
    )
    np.testing.assert_array_equal(again.images, made[0.0])


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"n_steps": 0}, ValueError, "n_steps == 0"),
        ({"learning_rate": 0.0}, ValueError, "learning_rate == 0"),
        ({"jitter": -1}, ValueError, "jitter == -1"),
        ({"l2": 2.0}, ValueError, "l2 == 2"),
        ({"total_variation": "much"}, TypeError, "total_variation must be an instance"),
        ({"filters": [7]}, ValueError, "has 2 filters"),
    ],
)
def test_bad_numbers_are_refused(params, error, message):
    with pytest.raises(error, match=message):
        maximize_activation(patch_classifier(), "conv_1", branch="photo", **params)


def test_only_images_can_be_made():
    X = table_of(patch_images())
    network = MultimodalNetworkClassifier([("numbers", NumericBranch(), ["area"])], random_state=0)
    network.initialize(X, [0, 1] * 2)
    with pytest.raises(ValueError, match="only images"):
        maximize_activation(network, "dense_1", branch="numbers")

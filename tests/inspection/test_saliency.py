"""Saliency: gradients with respect to pixels."""

import numpy as np
import pytest
from _insides import SIZE, patch_classifier, patch_images, patch_regressor, table_of

from skstack.inspection import saliency


def test_the_gradient_of_a_brightness_is_that_of_its_pixels():
    images = patch_images()
    result = saliency(patch_regressor(), table_of(images), branch="photo")
    assert result.maps.shape == images.shape[:3]
    # 100 times the mean over 16 cells of the greatest of 4 pixels, which are scaled to -1 to 1.
    steepest = 100.0 / 16 / 127.5
    assert np.all((result.maps == 0) | (result.maps <= steepest * (1 + 1e-5)))
    np.testing.assert_allclose(result.maps.sum(axis=(1, 2)), steepest * 4, rtol=1e-4)  # each patch lies in 4 cells
    assert (result.maps[images[..., 0] == 0] == 0).all()


def test_a_sure_class_is_explained_before_the_sigmoid():
    network, X = patch_classifier(slope=500.0), table_of(patch_images())
    result = saliency(network, X, branch="photo")
    assert result.outputs.tolist() == ["patch"] * 4
    np.testing.assert_allclose(result.maps.sum(axis=(1, 2)), 500.0 / 16 / 127.5 * 4, rtol=1e-4)


def test_smoothing_averages_gradients_of_noisy_copies_as_the_seed_says():
    network, X = patch_regressor(), table_of(patch_images())
    plain = saliency(network, X, branch="photo").maps
    smooth = [saliency(network, X, branch="photo", n_samples=20, random_state=seed).maps for seed in (0, 0, 1)]
    np.testing.assert_array_equal(smooth[0], smooth[1])
    assert (smooth[0] != smooth[2]).any()
    in_patch = patch_images()[..., 0] > 0
    # Without noise the first of equal pixels takes all of the gradient of a cell; with it, they share.
    assert np.count_nonzero(smooth[0][in_patch]) > np.count_nonzero(plain[in_patch])
    assert smooth[0][in_patch].mean() > 3 * smooth[0][~in_patch].mean()
    assert smooth[0].shape == (4, SIZE, SIZE)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [({"n_samples": 0}, ValueError, "n_samples == 0"), ({"noise": "loud"}, TypeError, "noise must be an instance")],
)
def test_bad_numbers_are_refused(params, error, message):
    with pytest.raises(error, match=message):
        saliency(patch_regressor(), table_of(patch_images()), branch="photo", **params)

"""Images with maps over them."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from _insides import patch_classifier, patch_images, table_of

from skstack.inspection import ImageMapDisplay


@pytest.mark.parametrize("method", ["grad_cam", "saliency"])
def test_images_and_maps_lie_over_each_other(method):
    X = table_of(patch_images())
    display = ImageMapDisplay.from_estimator(patch_classifier(), X, branch="photo", method=method, n_columns=3)
    assert display.maps.shape == (4, 8, 8)
    assert display.titles == ["patch"] * 4
    pictures = display.ax_.get_images()
    assert [tuple(picture.get_extent()) for picture in pictures[::2]] == [
        tuple(picture.get_extent()) for picture in pictures[1::2]
    ]
    drawn = np.asarray(pictures[1].get_array())
    assert (drawn.min(), drawn.max()) == (0, 1)
    assert display.figure_ is display.ax_.figure
    plt.close(display.figure_)


def test_a_map_of_nothing_leaves_the_image_as_it_is():
    figure, ax = plt.subplots()
    display = ImageMapDisplay(np.zeros((1, 4, 4, 3), "uint8"), np.zeros((1, 4, 4)), titles=["empty"]).plot(ax)
    assert display.ax_ is ax
    assert np.asarray(ax.get_images()[1].get_alpha()).max() == 0
    assert [text.get_text() for text in ax.texts] == ["empty"]
    plt.close(figure)


def test_methods_that_are_not_there_are_refused():
    with pytest.raises(ValueError, match="'method' should be one of"):
        ImageMapDisplay.from_estimator(patch_classifier(), table_of(patch_images()), branch="photo", method="lime")

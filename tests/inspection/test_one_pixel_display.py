"""Pictures of one-pixel attacks."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from _insides import patch_classifier, patch_images, table_of
from sklearn.utils import Bunch

from skstack.inspection import OnePixelAttackDisplay, one_pixel_attack

ATTACK = {"branch": "photo", "population": 10, "max_iter": 2, "random_state": 0}


def rings(display):
    """Return where the middle of each ring is."""
    return [[float(line.get_xdata()[0]), float(line.get_ydata()[0])] for line in display.ax_.lines]


def test_rings_lie_around_the_changed_pixels():
    X = table_of(patch_images())
    display = OnePixelAttackDisplay.from_estimator(patch_classifier(), X, n_columns=3, **ATTACK)
    result = one_pixel_attack(patch_classifier(), X, **ATTACK)
    np.testing.assert_array_equal(display.pixels, result.pixels)
    for place, (image, picture, (x, y)) in enumerate(
        zip(result.images, display.ax_.get_images(), rings(display), strict=True)
    ):
        left, right, bottom, top = picture.get_extent()
        row, column = result.pixels[place, 0, :2]
        assert (x - left) / (right - left) * image.shape[1] == pytest.approx(column + 0.5)
        assert (y - top) / (bottom - top) * image.shape[0] == pytest.approx(row + 0.5)
    titles = [
        f"{before:.3g} to {after:.3g}" for before, after in zip(result.scores, result.attacked_scores, strict=True)
    ]
    assert [text.get_text() for text in display.ax_.texts] == titles
    plt.close(display.figure_)


def test_what_was_not_attacked_has_no_ring_and_what_succeeded_is_bold():
    result = Bunch(
        images=np.zeros((3, 4, 4, 1), "uint8"),
        pixels=np.array([[[0, 3, 9], [1, 1, 9]], [[2, 2, 9], [3, 0, 9]], [[0, 0, 0], [0, 0, 0]]]),
        success=np.array([True, False, False]),
        correct=np.array([True, True, False]),
        scores=np.array([0.75, 0.5, 0.25]),
        attacked_scores=np.array([0.25, 0.5, 0.25]),
    )
    figure, ax = plt.subplots()
    display = OnePixelAttackDisplay.from_predictions(result, ax=ax)
    assert display.ax_ is ax and display.figure_ is figure
    assert rings(display)[:2] == [[0.875, 0.125], [0.375, 0.375]]
    assert len(rings(display)) == 4
    assert [text.get_text() for text in ax.texts] == ["0.75 to 0.25", "0.5 to 0.5", "not attacked"]
    assert [text.get_weight() for text in ax.texts] == ["bold", "normal", "normal"]
    plt.close(figure)

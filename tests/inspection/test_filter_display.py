"""The sheet of filters."""

import matplotlib.pyplot as plt
import numpy as np
from _insides import patch_classifier, patch_images, table_of

from skstack.inspection import FilterDisplay


def test_a_line_for_each_filter_has_what_was_made_and_what_was_found():
    images = patch_images()
    display = FilterDisplay.from_estimator(
        patch_classifier(), table_of(images), "conv_1", branch="photo", filters=[1], n_examples=2, n_steps=3,
        random_state=0,
    )  # fmt: skip
    assert display.maximized.shape == (1, 8, 8, 1)
    np.testing.assert_array_equal(display.examples[0], images[:2])
    pictures = display.ax_.get_images()
    assert len(pictures) == 3
    np.testing.assert_array_equal(np.asarray(pictures[0].get_array()), display.maximized[0, ..., 0])
    assert "1" in [text.get_text() for text in display.ax_.texts]
    plt.close(display.figure_)

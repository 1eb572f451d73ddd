"""The matrix of what modalities add together."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from _modalities import stack, table
from numpy.testing import assert_allclose

from skstack.inspection import ModalityInteractionDisplay, modality_importance


def test_the_matrix_is_that_of_the_interactions():
    X, y = table()
    display = ModalityInteractionDisplay.from_estimator(stack(), X, y, scoring="r2")
    expected = modality_importance(stack(), X, y, method="shapley", scoring="r2").interactions
    assert_allclose(display.image_.get_array(), expected)
    low, high = display.image_.get_clim()
    assert low == -high  # the middle of the colours is 0
    assert [label.get_text() for label in display.ax_.get_xticklabels()] == ["numbers", "place", "noise"]
    plt.close("all")


@pytest.mark.parametrize(
    "largest, small, written",
    [(0.68, -0.0011, ("0.68", "0.00")), (1234.5, 70.4, ("1234", "70")), (0.0512, 0.002, ("0.051", "0.002"))],
)
def test_small_numbers_are_written_no_longer_than_large_ones(largest, small, written):
    display = ModalityInteractionDisplay(interactions=[[largest, small], [small, largest]], modalities=["a", "b"])
    texts = display.plot().text_
    assert (texts[0, 0].get_text(), texts[0, 1].get_text()) == written
    assert display.plot(values_format=".1e").text_[0, 0].get_text() == f"{largest:.1e}"
    plt.close("all")


def test_nothing_at_all_can_be_drawn_too():
    figure, ax = plt.subplots()
    display = ModalityInteractionDisplay.from_interactions(np.zeros((2, 2)), ["a", "b"], value_name="r2", ax=ax)
    assert display.image_.get_clim() == (-1, 1) and display.figure_ is figure
    plt.close(figure)

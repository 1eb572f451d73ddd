"""Bars of what modalities add."""

import matplotlib.pyplot as plt
import pytest
from _modalities import stack, table
from numpy.testing import assert_allclose

from skstack.inspection import ModalityImportanceDisplay, modality_importance


@pytest.mark.parametrize("method", ["permutation", "shapley"])
def test_bars_are_the_importances_the_longest_on_top(method):
    X, y = table()
    result = modality_importance(stack(), X, y, method=method, scoring="r2", random_state=0)
    params = {"method": method, "scoring": "r2", "random_state": 0}
    display = ModalityImportanceDisplay.from_estimator(stack(), X, y, **params)
    widths = [bar.get_width() for bar in display.bars_]
    assert_allclose(widths, sorted(result.importances_mean))
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == ["noise", "place", "numbers"]
    assert (display.bars_.errorbar is None) == (method == "shapley")
    assert display.ax_.get_xlabel() == "Importance (r2)"
    plt.close("all")


def test_it_is_drawn_where_it_is_told():
    figure, ax = plt.subplots()
    display = ModalityImportanceDisplay(importances_mean=[1.0, 2.0], modalities=["a", "b"]).plot(ax=ax)
    assert display.ax_ is ax and display.figure_ is figure
    plt.close(figure)

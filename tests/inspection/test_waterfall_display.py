"""Bars from the base value to one prediction."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from _modalities import classifier, stack, table
from numpy.testing import assert_allclose
from sklearn.utils import Bunch

from skstack.inspection import WaterfallDisplay, shapley_values


def test_bars_lead_from_the_base_value_to_the_prediction():
    X, _ = table()
    result = shapley_values(stack(), X)
    display = WaterfallDisplay.from_estimator(stack(), X, row=5)
    bars = sorted(display.bars_, key=lambda bar: bar.get_y())
    at = result.base_values[5]
    for bar in bars:
        assert_allclose(bar.get_x(), at)
        at = bar.get_x() + bar.get_width()
    assert_allclose(at, stack().predict(X)[5])
    lengths = [abs(bar.get_width()) for bar in bars]
    assert lengths == sorted(lengths)
    assert_allclose([bar.get_width() for bar in display.bars_], result.shapley_values[5])
    ticks = dict(zip(display.ax_.get_yticks(), [t.get_text() for t in display.ax_.get_yticklabels()], strict=True))
    assert ticks[2] == list(result.modalities)[np.abs(result.shapley_values[5]).argmax()]
    plt.close("all")


def test_a_class_of_two_needs_no_target_and_one_of_several_outputs_does():
    X, _ = table()
    result = shapley_values(classifier(), X)
    assert WaterfallDisplay.from_shapley_values(result).ax_.get_xlabel() == "prediction for class fair"
    with pytest.raises(ValueError, match="there is one output"):
        WaterfallDisplay.from_shapley_values(result, target="cheap")
    several = Bunch(
        shapley_values=np.arange(12.0).reshape(2, 2, 3),
        base_values=np.zeros((2, 3)),
        predictions=np.zeros((2, 3)),
        modalities={"a": [0], "b": [1]},
        classes=np.array(["x", "y", "z"]),
    )
    display = WaterfallDisplay.from_shapley_values(several, row=1, target="y")
    assert [bar.get_width() for bar in display.bars_] == [7, 10]
    with pytest.raises(ValueError, match=r"'target' should be one of \['x', 'y', 'z'\], got None"):
        WaterfallDisplay.from_shapley_values(several)
    several.classes = None
    assert [bar.get_width() for bar in WaterfallDisplay.from_shapley_values(several, target=2).bars_] == [2, 5]
    plt.close("all")


@pytest.mark.parametrize("down", [1, -1])
@pytest.mark.parametrize("values", [[3.0, -8.0], [0.05529, -6.451e-05, 5.1e-05], [0.0, 0.0]])
def test_labels_have_room_on_either_side(down, values):
    values = down * np.array(values)
    display = WaterfallDisplay(shapley_values=values, base_value=0.2917, modalities=list("abc")[: len(values)]).plot()
    display.figure_.canvas.draw()
    inside = display.ax_.get_window_extent()
    for text in display.ax_.texts:
        label = text.get_window_extent()
        assert inside.x0 < label.x0 and label.x1 < inside.x1
    plt.close("all")


def test_names_are_drawn_as_they_are():
    names, value = ["US$ and \\x$", "_b"], "prediction for class $\\x$"
    display = WaterfallDisplay(shapley_values=[1.0, 2.0], base_value=0.0, modalities=names, value_name=value).plot()
    display.figure_.canvas.draw()
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == names
    assert display.ax_.get_xlabel() == value
    plt.close("all")


def test_a_row_that_is_not_there_is_refused():
    X, _ = table()
    with pytest.raises(ValueError, match=f"'row' should be a position from 0 to {len(X) - 1}, got {len(X)}"):
        WaterfallDisplay.from_estimator(stack(), X, row=len(X))
    with pytest.raises(ValueError, match="'row' should be a position from 0 to 1, got 99"):
        WaterfallDisplay.from_shapley_values(shapley_values(stack(), X.head(2)), row=99)

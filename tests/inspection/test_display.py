"""What displays have in common."""

import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from skstack.inspection import (
    AttributionDisplay,
    DroppedModalityDisplay,
    ImageMapDisplay,
    MemberImportanceDisplay,
    MemberPredictionsDisplay,
    ModalityImportanceDisplay,
    ModalityInteractionDisplay,
    NoiseCurveDisplay,
    TextAttributionDisplay,
)
from skstack.inspection._display import axes_for, legend_of, pyplot

NAMES = ["US$ and \\x$", "_b"]
IMPORTANCE = pd.DataFrame({"importance": [0.1, 0.2], "standard_error": 0.1, "weight": [0.5, np.nan], "scoring": "r2"})
DISPLAYS = {
    "columns": lambda: AttributionDisplay([0.5, 0.2], NAMES).plot(),
    "channels": lambda: AttributionDisplay(np.ones((3, 2)), NAMES).plot(),
    "shares": lambda: DroppedModalityDisplay(
        shares=np.array([0, 1]), scores=np.ones((2, 2, 1)), modalities=NAMES, score_name="r2"
    ).plot(),
    "images": lambda: ImageMapDisplay(np.zeros((2, 4, 4, 1), dtype="uint8"), np.zeros((2, 4, 4)), titles=NAMES).plot(),
    "base models": lambda: MemberImportanceDisplay(importance=IMPORTANCE.set_index(pd.Index(NAMES))).plot(),
    "classes": lambda: MemberPredictionsDisplay.from_predictions(NAMES * 2, {"network": np.array(NAMES * 2)}),
    "modalities": lambda: ModalityImportanceDisplay(importances_mean=[0.2, 0.6], modalities=NAMES).plot(),
    "pairs": lambda: ModalityInteractionDisplay(interactions=np.eye(2), modalities=NAMES).plot(),
    "noise": lambda: NoiseCurveDisplay(np.array([0, 1]), np.ones((2, 1))).plot(name=NAMES[0]),
    "words": lambda: TextAttributionDisplay(np.array([NAMES]), np.ones((1, 2)), titles=NAMES[:1]).plot(),
}


@pytest.fixture(autouse=True)
def no_figures_left():
    yield
    plt.close("all")


@pytest.mark.parametrize("name", DISPLAYS)
def test_names_hold_no_formulas(name):
    figure = DISPLAYS[name]().figure_
    figure.canvas.draw()  # what is no formula would raise
    assert any(NAMES[0] in text.get_text() for text in figure.findobj(plt.Text))


def test_a_legend_has_every_line_whatever_it_is_called():
    ax = axes_for(None, "Display")
    lines = [ax.plot([0, 1], label=name)[0] for name in NAMES]
    legend_of(ax, lines, title="modality")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == NAMES
    for name in ("_b", "_c"):
        display = NoiseCurveDisplay(np.array([0, 1]), np.ones((2, 1))).plot(ax, name=name)
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == [*NAMES, "_b", "_c"]


def test_axes_are_the_given_ones_or_those_of_a_new_figure():
    _, ax = plt.subplots()
    assert axes_for(ax, "Display") is ax
    assert axes_for(None, "Display", figsize=(2, 1)).figure.get_size_inches().tolist() == [2, 1]
    plt.close("all")


def test_who_has_no_matplotlib_is_told_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r'WaterfallDisplay needs matplotlib: pip install "skstack\[plot\]"'):
        pyplot("WaterfallDisplay")

"""What displays have in common."""

import sys

import matplotlib.pyplot as plt
import pytest

from skstack.inspection._display import axes_for, pyplot


def test_axes_are_the_given_ones_or_those_of_a_new_figure():
    _, ax = plt.subplots()
    assert axes_for(ax, "Display") is ax
    assert axes_for(None, "Display", figsize=(2, 1)).figure.get_size_inches().tolist() == [2, 1]
    plt.close("all")


def test_who_has_no_matplotlib_is_told_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r'WaterfallDisplay needs matplotlib: pip install "skstack\[plot\]"'):
        pyplot("WaterfallDisplay")

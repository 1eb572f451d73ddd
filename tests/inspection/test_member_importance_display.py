"""Bars of what base models add."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from _modalities import stack, table
from numpy.testing import assert_allclose

from skstack.inspection import MemberImportanceDisplay, member_importance


def test_bars_are_the_importances_with_weights_behind_the_names():
    X, y = table()
    display = MemberImportanceDisplay.from_estimator(stack(), X, y)
    expected = member_importance(stack(), X, y).sort_values("importance")
    assert_allclose([bar.get_width() for bar in display.bars_], expected["importance"])
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert labels[-1] == f"network\nweight {expected['weight'].iloc[-1]:.2g}"
    plt.close("all")


def test_one_of_several_targets_is_chosen():
    index = pd.MultiIndex.from_product([["price", "area"], ["line", "near"]], names=["task", "name"])
    columns = {"importance": [1.0, 2.0, 3.0, 4.0], "standard_error": 0.1, "scoring": "r2", "weight": np.nan}
    table = pd.DataFrame(columns, index=index)
    display = MemberImportanceDisplay.from_importance(table, task="area")
    assert [bar.get_width() for bar in display.bars_] == [3, 4]
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == ["line", "near"]
    with pytest.raises(ValueError, match="'task' should be one of"):
        MemberImportanceDisplay.from_importance(table)
    plt.close("all")

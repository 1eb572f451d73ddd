"""Bars of columns and curves of steps."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from _insides import patch_classifier, patch_images, table_of

from skstack import MultimodalNetworkRegressor
from skstack.branches import NumericBranch, SequenceBranch, TextBranch
from skstack.inspection import AttributionDisplay, integrated_gradients


@pytest.fixture(scope="module")
def table():
    X = pd.DataFrame({"area": np.arange(8.0), "age": np.arange(8.0) ** 2, "note": ["the park", "loud street"] * 4})
    return X.assign(series=[*np.random.default_rng(0).normal(size=(8, 5, 2))])


@pytest.fixture(scope="module")
def network(table):
    parts = [
        ("numbers", NumericBranch((2,), embedding=None), ["area", "age"]),
        ("series", SequenceBranch("cnn", (2,)), ["series"]),
        ("note", TextBranch(dim=2), ["note"]),
    ]
    return MultimodalNetworkRegressor(parts, head=(), random_state=0).initialize(table, np.arange(8.0))


def bars(display):
    return {
        label.get_text(): bar.get_width()
        for label, bar in zip(display.ax_.get_yticklabels(), display.ax_.patches, strict=True)
    }


def test_bars_are_of_a_row_and_signed_or_of_many_and_absolute(table, network):
    expected = integrated_gradients(network, table, branch="numbers").attributions["numbers"]
    one = AttributionDisplay.from_estimator(network, table.iloc[[7]], branch="numbers")
    assert bars(one) == pytest.approx(dict(zip(["area", "age"], expected[7], strict=True)), rel=1e-4)
    many = AttributionDisplay.from_estimator(network, table, branch="numbers")
    means = np.abs(expected).mean(axis=0)
    assert bars(many) == pytest.approx(dict(zip(["area", "age"], means, strict=True)), rel=1e-4)
    assert many.ax_.get_xlabel() == "mean absolute attribution"
    plt.close("all")


def test_what_is_beyond_the_largest_bars_is_summed():
    display = AttributionDisplay([0.5, -2.0, 0.25, 0.125], list("abcd")).plot(max_display=2)
    assert bars(display) == {"b": -2.0, "a": 0.5, "2 others": 0.375}
    plt.close(display.figure_)


def test_steps_have_a_curve_for_each_channel(table, network):
    figure, ax = plt.subplots()
    display = AttributionDisplay.from_estimator(network, table.head(1), branch="series", ax=ax)
    n_steps = network.branches_[1].branch.cell_shape_[0]
    assert display.ax_ is ax
    assert [len(line.get_ydata()) for line in ax.get_lines()[:2]] == [n_steps, n_steps]
    plt.close(figure)


def test_words_have_a_display_of_their_own(table, network):
    with pytest.raises(ValueError, match="see TextAttributionDisplay"):
        AttributionDisplay.from_estimator(network, table, branch="note")


def test_images_have_a_display_of_their_own():
    with pytest.raises(ValueError, match="branch 'photo' has no columns or steps: see"):
        AttributionDisplay.from_estimator(patch_classifier(), table_of(patch_images()), branch="photo")

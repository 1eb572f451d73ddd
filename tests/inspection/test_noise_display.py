"""Noise curves, drawn."""

import matplotlib.pyplot as plt
import numpy as np
from _small import make_table, network_regressor

from skstack.inspection import NoiseCurveDisplay


def test_the_curve_is_the_mean_of_the_repeats_at_each_level():
    X, y = make_table()
    network = network_regressor().fit(X, y)
    figure, ax = plt.subplots()
    params = {"levels": [0.0, 1.0], "n_repeats": 2, "scoring": "r2", "random_state": 0}
    display = NoiseCurveDisplay.from_estimator(network, X, y, branch="numbers", ax=ax, **params)
    assert display.ax_ is ax
    assert display.line_.get_xdata().tolist() == [0, 1]
    np.testing.assert_allclose(display.line_.get_ydata(), display.scores.mean(axis=1))
    np.testing.assert_allclose(display.line_.get_ydata()[0], network.score(X, y))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("noise in standard deviations", "r2")
    NoiseCurveDisplay.from_estimator(network, X, y, branch="place", ax=ax, name="cities", **params)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["numbers", "cities"]
    plt.close(figure)

"""How the score falls as more rows lack a modality."""

import numpy as np
import pandas as pd
import pytest
from _modalities import classifier, stack, table
from _small import branches, make_labels, make_table
from numpy.testing import assert_allclose
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from skstack import MultitaskNetwork
from skstack.inspection import DroppedModalityDisplay, dropped_modality_curve
from skstack.tasks import make_task_scorer

pytest.importorskip("matplotlib")


def test_curves_begin_with_the_score_and_end_without_the_modality():
    X, y = table()
    result = dropped_modality_curve(stack(), X, y, shares=[0, 0.5, 1], n_repeats=3, random_state=0)
    assert list(result.modalities) == ["numbers", "place", "noise"]
    assert result.scores.shape == (3, 3, 3)
    assert_allclose(result.scores[:, 0], stack().score(X, y))
    assert_allclose(result.scores[1, 2], stack().score(X.assign(city=None), y))
    assert_allclose(result.scores_std[:, [0, 2]], 0, atol=1e-12)
    numbers, place, noise = result.scores_mean
    assert numbers[0] > numbers[1] > numbers[2] and place[0] > place[1] > place[2]
    assert noise[0] - noise[2] < 0.05


def test_rows_that_lack_it_lack_it_whatever_stands_beside():
    X, y = table()
    result = dropped_modality_curve(stack(), X, y, shares=[0.25], n_repeats=1, random_state=3)
    lacking = np.argsort(np.random.RandomState(3).permutation(len(X))) < 24
    assert lacking.sum() == 24
    expected = stack().score(X.assign(city=X["city"].where(~lacking)), y)
    assert_allclose(result.scores[1, 0, 0], expected)


def test_classes_scores_and_tasks():
    X, y = table()
    result = dropped_modality_curve(classifier(), X, make_labels(y), scoring="neg_log_loss", shares=[0, 1], n_repeats=1)
    assert result.scores[0, 0] > result.scores[0, 1]
    X, y = make_table()
    target = pd.DataFrame({"price": y, "dear": make_labels(y)})
    network = MultitaskNetwork(branches(), epochs=1, batch_size=64, early_stopping=False, random_state=0).fit(X, target)
    scorer = make_task_scorer("price", "r2")
    result = dropped_modality_curve(network, X, target, scoring=scorer, shares=[0.0, 1.0], n_repeats=1)
    assert_allclose(result.scores[0, 0], scorer(network, X, target))
    assert_allclose(result.scores[0, 1], scorer(network, X.assign(area=np.nan, rooms=np.nan), target))
    price = pd.DataFrame({"price": y})
    network = MultitaskNetwork(branches(), epochs=1, batch_size=64, early_stopping=False, random_state=0).fit(X, price)
    params = {"background": X.iloc[:2], "scoring": scorer, "shares": [1.0], "n_repeats": 1}
    result = dropped_modality_curve(network, X, price, **params)
    each = [network.predict(X.assign(city=city))["price"] for city in X["city"].iloc[:2]]
    assert_allclose(result.scores[1, 0], r2_score(y, (each[0] + each[1]) / 2))


def test_background_rows_stand_in_for_learners_that_cannot_do_without():
    X, y = table()
    X = X[["area", "rooms"]]
    model = LinearRegression().fit(X, y)
    params = {"modalities": {"area": ["area"]}, "shares": [1], "n_repeats": 1}
    result = dropped_modality_curve(model, X, y, background=X.iloc[:9], **params)
    assert_allclose(result.scores.ravel(), model.score(X.assign(area=X["area"].iloc[:9].mean()), y))
    with pytest.raises(ValueError, match="background"):
        dropped_modality_curve(model, X, y, **params)


@pytest.mark.parametrize("shares", [[], 0.5, [0.5, 1.1], [-0.1]])
def test_shares_are_parts_of_the_rows(shares):
    X, y = table()
    with pytest.raises(ValueError, match="'shares' should be one or more numbers from 0 to 1"):
        dropped_modality_curve(stack(), X, y, shares=shares)


def test_display():
    import matplotlib.pyplot as plt

    X, y = table()
    display = DroppedModalityDisplay.from_estimator(stack(), X, y, shares=[0, 1], scoring="r2", random_state=0)
    assert [line.get_label() for line in display.lines_] == ["numbers", "place", "noise"]
    assert_allclose(display.lines_[1].get_ydata(), display.scores[1].mean(axis=1))
    assert display.lines_[0].get_xdata().tolist() == [0, 100]
    assert display.ax_.get_ylabel() == "r2"
    figure, ax = plt.subplots()
    assert display.plot(ax=ax).ax_ is ax and display.figure_ is figure
    plt.close("all")

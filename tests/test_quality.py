"""What `quality` decides about, and what it does not."""

import numpy as np
import pytest
from _small import branches, make_labels, make_table, network_regressor
from sklearn.linear_model import LogisticRegression, Ridge

from skstack import MultimodalNetworkRegressor, MultimodalStackingClassifier, MultimodalStackingRegressor, _quality
from skstack._quality import QUALITIES
from skstack.stacking._running import Running
from skstack.suggestion import _suggest

NUMBERS = ["area", "rooms"]


def _stack(**params):
    return MultimodalStackingRegressor([("ridge", Ridge(), NUMBERS)], random_state=0, **params)


@pytest.mark.parametrize(("quality", "n_folds"), [("fast", 3), ("good", 5), ("best", 10)])
def test_folds_where_none_are_asked_for(quality, n_folds):
    X, y = make_table()
    stack = _stack(quality=quality).fit(X, y)
    expected = _stack(cv=n_folds).fit(X, y)
    np.testing.assert_array_equal(stack.oof_predictions_, expected.oof_predictions_)
    assert len(_stack(quality=quality).fit(X, y, groups=np.arange(len(y)) // 4).splits_) == n_folds
    assert len(_stack(quality=quality).fit(X, y, groups=np.arange(len(y)) % 4).splits_) == min(n_folds, 4)


def test_good_is_the_default():
    assert _stack().quality == "good"


@pytest.mark.parametrize("quality", QUALITIES)
def test_folds_that_are_asked_for_count(quality):
    X, y = make_table()
    assert len(_stack(quality=quality, cv=2).fit(X, y).splits_) == 2


@pytest.mark.parametrize(("n_rare", "n_folds"), [(12, 10), (7, 7), (5, 5)])
def test_no_more_folds_than_a_class_has_members_but_five_at_least(n_rare, n_folds):
    X, y = make_table()
    labels = np.where(np.arange(48) < n_rare, "rare", make_labels(y))
    stack = MultimodalStackingClassifier([("logistic", LogisticRegression(), NUMBERS)], quality="best")
    assert len(stack.fit(X, labels).splits_) == n_folds
    labels = np.where(np.arange(48) < 4, "rare", make_labels(y))
    with pytest.warns(UserWarning, match="class 'rare' has 4 of 48 rows, fewer than the 5 folds"):
        assert len(stack.fit(X, labels).splits_) == 5


@pytest.mark.parametrize("quality", QUALITIES)
def test_what_is_suggested_depends_on_it(monkeypatch, quality):
    asked = []

    def suggest(X, y, **params):
        asked.append(params["quality"])
        return [("ridge", Ridge(), NUMBERS)]

    monkeypatch.setattr(_suggest, "suggest_estimators", suggest)
    X, y = make_table()
    stack = MultimodalStackingRegressor(quality=quality, random_state=0).fit(X, y)
    assert asked == [quality]
    assert len(stack.splits_) == QUALITIES[quality].n_folds


@pytest.mark.parametrize(("quality", "n_members"), [("fast", 1), ("good", 4), ("best", 8)])
def test_members_of_networks_that_nothing_is_said_of(monkeypatch, quality, n_members):
    X, y = make_table()
    monkeypatch.setattr(Running, "run", _stop)
    default = MultimodalNetworkRegressor().n_members
    for network, expected in ((None, n_members), (network_regressor([]), default)):
        network = None if network is None else network.set_params(branches=None)
        stack = MultimodalStackingRegressor(branches(), network=network, quality=quality)
        with pytest.raises(Stopped) as caught:
            stack.fit(X, y)
        assert caught.value.args[0].estimator.n_members == expected


def test_there_are_half_as_many_members_for_many_rows(monkeypatch):
    X, y = make_table()
    monkeypatch.setattr(Running, "run", _stop)
    monkeypatch.setattr(_quality, "_MANY_ROWS", len(X) - 1)
    for quality, n_members in (("fast", 1), ("good", 2), ("best", 4)):
        with pytest.raises(Stopped) as caught:
            MultimodalStackingRegressor(branches(), quality=quality).fit(X, y)
        assert caught.value.args[0].estimator.n_members == n_members


class Stopped(Exception):
    """Ends a fit before training."""


def _stop(running):
    raise Stopped(running._models[0])


def test_other_words_are_refused():
    X, y = make_table()
    with pytest.raises(ValueError, match="'quality' parameter of MultimodalStackingRegressor"):
        _stack(quality="better").fit(X, y)

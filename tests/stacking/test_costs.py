"""How long fits take, estimated from fits to few rows."""

import numpy as np
import pytest
from _clocks import FakeClock, Slow
from sklearn.linear_model import LogisticRegression

from skstack.stacking._costs import cost_of_fit
from skstack.stacking._cross_fit import BaseModel
from skstack.tasks._regression import RegressionTask

N_ROWS = 6400


@pytest.fixture
def clock(monkeypatch):
    return FakeClock(monkeypatch)


def _cost(learner, y=None, positions=None, fit_params=None, remaining=1e4):
    y = np.arange(float(N_ROWS)) if y is None else y
    X = np.column_stack([np.arange(len(y)), np.ones(len(y))])
    model = BaseModel("slow", learner, positions, "predict", RegressionTask())
    return cost_of_fit(model, X, y, fit_params or {}, remaining)


class Quadratic(Slow):
    """Takes twice as many rows four times as long."""

    def fit(self, X, y, sample_weight=None):
        """Take time."""
        self.clock.sleep((len(y) / 1000) ** 2)
        return self


@pytest.mark.parametrize(
    ("learner", "expected"),
    [
        (Slow(1.0), 64.0),
        (Slow(0.5, at_least=10.0), 42.0),  # most of the time of small fits is no matter of rows
        (Slow(0.0, at_least=3.0), 3.0),
        (Quadratic(), 6.4**2),
    ],
)
def test_times_are_continued_to_all_rows(clock, learner, expected):
    assert _cost(learner) == pytest.approx((expected, expected))
    assert clock.seconds < (0.2 * expected if learner.at_least == 0 else 3.1 * expected)


class Importing(Slow):
    """Takes longer the first time."""

    n_fits = 0

    def fit(self, X, y, sample_weight=None):
        """Take time."""
        type(self).n_fits += 1
        self.clock.sleep(2.0 if type(self).n_fits == 1 else 0.0)
        return super().fit(X, y)


def test_what_happens_only_once_does_not_count(clock):
    Importing.n_fits = 0
    assert _cost(Importing(1.0)).likely == pytest.approx(64.0)
    assert Importing.n_fits == 3


def test_one_try_is_enough_where_it_takes_long(clock):
    assert _cost(Slow(0.0, at_least=10.0), remaining=100.0) == pytest.approx((80.0, 640.0))
    assert clock.seconds == 10.0


class Seeing(Slow):
    """Keeps what it was fitted to."""

    seen = None

    def fit(self, X, y, sample_weight=None):
        """Keep."""
        type(self).seen = X, y, sample_weight
        return self


def test_rows_are_chosen_over_the_sorted_target_with_their_columns_and_weights(clock):
    y = np.random.default_rng(0).permutation(np.repeat([0.0, 1.0], [6300, 100]))
    weight = np.arange(float(N_ROWS))
    learner = Seeing()
    _cost(learner, y, [0], {"sample_weight": weight})
    X, seen, of_seen = Seeing.seen
    assert X.shape == (800, 1)
    np.testing.assert_array_equal(seen, y[X[:, 0].astype(int)])
    np.testing.assert_array_equal(of_seen, X[:, 0])
    assert seen.sum() in (12, 13)
    assert not hasattr(learner, "coef_")


def test_few_rows_are_all_tried(clock):
    y = np.arange(60.0)
    _cost(Seeing(), y)
    assert len(Seeing.seen[1]) == 60
    assert _cost(Slow(1.0), y).likely == pytest.approx(0.6)


def test_what_few_rows_are_too_few_for_has_no_cost_yet(clock):
    y = np.zeros(N_ROWS)
    assert _cost(LogisticRegression(), y) == (0.0, 0.0)  # it needs two classes

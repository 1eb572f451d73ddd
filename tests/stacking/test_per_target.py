"""Estimators that are fitted to each of several targets by itself."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skstack import (
    MultimodalNetworkRegressor,
    MultimodalStackingRegressor,
    SeedEnsembleClassifier,
    SeedEnsembleRegressor,
)
from skstack.stacking._per_target import PerTarget, for_targets
from skstack.tasks._classification import ClassificationTask
from skstack.tasks._multilabel import MultilabelTask
from skstack.tasks._regression import RegressionTask
from skstack.tasks._several import SeveralTasks

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = np.column_stack([X[:, 0] + X[:, 1], X[:, 2] > 0, 10 * X[:, 1]])
GAPS = Y.copy()
GAPS[::5, 0], GAPS[1::4, 1] = np.nan, np.nan


def test_each_estimator_sees_the_rows_that_have_its_target():
    weight = np.linspace(1, 2, 40)
    fitted = PerTarget({"a": Ridge(), "b": LogisticRegression()}, [0, 1]).fit(X, GAPS, sample_weight=weight)
    rows = ~np.isnan(GAPS)
    ridge = Ridge().fit(X[rows[:, 0]], Y[rows[:, 0], 0], weight[rows[:, 0]])
    logistic = LogisticRegression().fit(X[rows[:, 1]], Y[rows[:, 1], 1].astype(int), weight[rows[:, 1]])
    np.testing.assert_allclose(fitted.predict(X), np.column_stack([ridge.predict(X), logistic.predict(X)]))
    responses = fitted.predict_tasks(X)
    np.testing.assert_allclose(responses["a"], ridge.predict(X))
    np.testing.assert_allclose(responses["b"], logistic.predict_proba(X))
    assert fitted.for_task("b").classes_.tolist() == [0, 1]
    assert fitted.n_features_in_ == 3


def test_each_estimator_sees_the_features_that_it_is_given():
    fitted = PerTarget({0: Ridge(), 2: Ridge()}, [0, 2], features=[[0], [1, 2]]).fit(X, Y)
    assert [part.n_features_in_ for part in fitted.estimators_.values()] == [1, 2]
    np.testing.assert_allclose(fitted.predict(X)[:, 1], Ridge().fit(X[:, 1:], Y[:, 2]).predict(X[:, 1:]))


def test_classes_come_as_lists():
    y = np.column_stack([X[:, 0] > 0, X[:, 1] > 0]).astype(int)
    fitted = PerTarget(dict.fromkeys(range(2), LogisticRegression()), [0, 1]).fit(X, y)
    assert [classes.tolist() for classes in fitted.classes_] == [[0, 1], [0, 1]]
    assert [table.shape for table in fitted.predict_proba(X)] == [(40, 2), (40, 2)]
    assert [scores.shape for scores in fitted.decision_function(X)] == [(40,), (40,)]


class Stopping(LinearRegression):
    """Keeps the rows that it is to stop on."""

    def fit(self, X, y, X_val=None, y_val=None):
        """Fit and remember."""
        self.seen_ = X_val, y_val
        return super().fit(X, y)


def test_each_estimator_stops_on_the_rows_that_have_its_target():
    fitted = PerTarget({0: Stopping(), 2: Stopping()}, [0, 2], features=[[0], [1, 2]])
    fitted.fit(X, GAPS, X_val=X[:7], y_val=GAPS[:7])
    rows = [1, 2, 3, 4, 6]  # 0 and 5 lack the first target
    X_val, y_val = fitted.for_task(0).seen_
    np.testing.assert_array_equal(X_val, X[rows, :1])
    np.testing.assert_array_equal(y_val, Y[rows, 0])
    np.testing.assert_array_equal(fitted.for_task(2).seen_[0], X[:7, 1:])


def test_a_target_that_no_row_has_is_an_error():
    with pytest.raises(ValueError, match="none of the 40 rows to learn from has a value of target 'b'"):
        PerTarget({"a": Ridge(), "b": Ridge()}, [0, 1]).fit(X, np.column_stack([X[:, 0], np.full(40, np.nan)]))


class Single(RegressorMixin, BaseEstimator):
    """A regressor whose tags say that it takes one target."""


@pytest.mark.parametrize(
    ("estimator", "gaps", "is_divided"),
    [
        (Ridge(), False, False),
        (Ridge(), True, True),
        (RandomForestRegressor(), True, True),
        (HistGradientBoostingRegressor(), False, True),
        (Single(), False, True),
        (SeedEnsembleRegressor(RandomForestRegressor()), False, False),
        (SeedEnsembleRegressor(RandomForestRegressor()), True, True),
        (SeedEnsembleRegressor(HistGradientBoostingRegressor()), False, True),
        (make_pipeline(StandardScaler(), SeedEnsembleRegressor(HistGradientBoostingRegressor())), False, True),
        (SeedEnsembleRegressor(make_pipeline(StandardScaler(), LinearRegression())), False, False),
        (make_pipeline(StandardScaler(), LinearRegression()), False, False),
        (make_pipeline(StandardScaler(), LinearRegression()), True, True),
        (FrozenEstimator(Ridge()), True, False),
        (FrozenEstimator(HistGradientBoostingRegressor()), True, True),
        (MultimodalNetworkRegressor(), True, False),
        (MultimodalStackingRegressor([("ridge", Ridge())]), True, False),
    ],
)
def test_what_takes_gaps_or_several_targets_is_left_whole(estimator, gaps, is_divided):
    task = RegressionTask()
    labels = task.check(GAPS if gaps else Y)
    assert isinstance(for_targets(estimator, task, labels), PerTarget) == is_divided
    assert for_targets(estimator, RegressionTask(), labels[:, 2]) is estimator


def test_several_labels_are_taken_whole_by_what_takes_them():
    labels = np.zeros((4, 2), dtype=int)
    assert not isinstance(for_targets(RidgeClassifier(), MultilabelTask(), labels), PerTarget)
    assert isinstance(for_targets(LogisticRegression(), MultilabelTask(), labels), PerTarget)
    for trees in (RandomForestClassifier(), make_pipeline(StandardScaler(), RandomForestClassifier())):
        ensemble = SeedEnsembleClassifier(trees)  # whose mean is of one target
        assert isinstance(for_targets(ensemble, MultilabelTask(), labels), PerTarget)
    classes = SeveralTasks({"a": ClassificationTask("Stack"), "b": ClassificationTask("Stack")})
    assert isinstance(for_targets(RidgeClassifier(), classes, labels), PerTarget)


def test_targets_are_called_like_their_tasks():
    task = SeveralTasks({"a": ClassificationTask("Stack"), "b": ClassificationTask("Stack")})
    labels = np.zeros((4, 2))
    assert list(for_targets(LogisticRegression(), task, labels).estimators) == ["a", "b"]
    assert not isinstance(for_targets(RandomForestClassifier(), task, labels), PerTarget)

"""A stack as a base model of a stack: cross-fitted at every level, and reached by weights and groups."""

import numpy as np
import pytest
from _small import TRAINING, branches, make_labels, make_table
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold, KFold, cross_val_predict
from sklearn.tree import DecisionTreeRegressor

from skstack import (
    MultimodalNetworkRegressor,
    MultimodalStackingClassifier,
    MultimodalStackingRegressor,
    WeightedAverageRegressor,
)
from skstack.stacking import _keeping
from skstack.stacking._cross_fit import cross_fit

NUMBERS = ["area", "rooms"]
HELD_OUT = np.arange(16)  # the first of three folds of 48 rows


@pytest.fixture(scope="module")
def table():
    return make_table()


def _three_levels(**innermost):
    """Return a stack in a stack in a stack, with networks and learners at the lowest level, and learners at each."""
    network = MultimodalNetworkRegressor(**TRAINING, random_state=0)
    lowest = MultimodalStackingRegressor(
        [*branches(), ("tree", DecisionTreeRegressor(max_depth=2), NUMBERS)], network=network, cv=2, **innermost
    )
    middle = MultimodalStackingRegressor([("lowest", lowest), ("ridge", Ridge(), NUMBERS)], cv=KFold(2))
    return MultimodalStackingRegressor(
        [("middle", middle), ("ridge", Ridge(1.0), NUMBERS)], cv=KFold(3), random_state=0
    )


def _fold_model(monkeypatch, stack, X, y):
    """Return the model of the first fold that the outermost stack made of its first base model."""
    kept = []

    def keeping(estimator, *args, **options):
        made = cross_fit(estimator, *args, **{**options, "keep_fold_models": True})
        kept.append((options["name"], made.fold_models))
        return made

    with monkeypatch.context() as patch:
        patch.setattr(_keeping, "cross_fit", keeping)
        stack.fit(X, y)
    return next(models for name, models in reversed(kept) if name == "middle")[0]


def _learned(stack):
    """Return what a stack of two levels learned, as arrays."""
    lowest = stack.named_estimators_["lowest"]
    weights = lowest.named_estimators_["network"].model_.get_weights()
    tree = lowest.named_estimators_["tree"].tree_
    ridge = stack.named_estimators_["ridge"]
    finals = [model.final_estimator_.weights_ for model in (stack, lowest)]
    oof = [model.oof_predictions_ for model in (stack, lowest)]
    return [*weights, tree.value, tree.threshold, ridge.coef_, *finals, *oof]


def test_changing_held_out_rows_changes_not_a_bit_two_levels_below(monkeypatch, table):
    X, y = table
    changed_X, changed_y = X.copy(), y.copy()
    changed_X.iloc[HELD_OUT, :2], changed_X.iloc[HELD_OUT, 2], changed_y[HELD_OUT] = 1e3, "Zwickau", 1e4
    before = _fold_model(monkeypatch, _three_levels(), X, y)
    after = _fold_model(monkeypatch, _three_levels(), changed_X, changed_y)
    for old, new in zip(_learned(before), _learned(after), strict=True):
        assert_array_equal(old, new)
    # Rows that the fold was fitted to do make a difference.
    other = y.copy()
    other[-1] += 100.0
    moved = _fold_model(monkeypatch, _three_levels(), X, other)
    assert any(not np.array_equal(old, new) for old, new in zip(_learned(before), _learned(moved), strict=True))


def test_out_of_fold_predictions_of_a_stack_are_those_of_cross_validation(table):
    X, y = table
    inner = MultimodalStackingRegressor([("ridge", Ridge()), ("tree", DecisionTreeRegressor(max_depth=2))], cv=KFold(3))
    outer = MultimodalStackingRegressor([("inner", inner), ("ridge", Ridge())], cv=KFold(4), random_state=0)
    outer.fit(X[NUMBERS], y)
    fitted = clone(outer.named_estimators_["inner"])  # with the seeds that it was given
    assert_allclose(outer.oof_predictions_[:, 0], cross_val_predict(fitted, X[NUMBERS], y, cv=KFold(4)))
    assert outer.stack_report_.loc["base model"].index.tolist() == ["inner", "ridge"]


def test_a_stack_of_stacks_of_classes(table):
    X, y = table[0][NUMBERS], make_labels(table[1], 3)
    inner = MultimodalStackingClassifier([("logistic", LogisticRegression())], cv=3)
    parts = [("inner", inner), ("logistic", LogisticRegression())]
    outer = MultimodalStackingClassifier(parts, cv=3).fit(X, y)
    assert outer.transform(X).shape == (48, 6)
    assert outer.stack_method_ == ["predict_proba", "predict_proba"]
    codes = np.unique(y, return_inverse=True)[1]
    expected = cross_val_predict(inner, X, codes, cv=outer.splits_, method="predict_proba")
    assert_allclose(outer.oof_predictions_[:, :3], expected)


class Watching(Ridge):
    """Keeps what it was fitted to."""

    def fit(self, X, y, sample_weight=None, groups=None):
        """Fit and remember."""
        self.weight_, self.groups_ = sample_weight, groups
        return super().fit(X, y, sample_weight)


def test_weights_and_groups_reach_two_levels_below(table):
    X, y = table[0][NUMBERS], table[1]
    weight, groups = np.linspace(0.5, 2.0, 48), np.arange(48) // 4
    stack = ("lowest", MultimodalStackingRegressor([("watching", Watching())], cv=GroupKFold(2)))
    stack = MultimodalStackingRegressor([stack], cv=GroupKFold(2))
    stack = MultimodalStackingRegressor([("middle", stack)], cv=GroupKFold(3), refit="folds")
    stack.fit(X, y, sample_weight=weight, groups=groups)
    for middle, (training, _) in zip(stack.fold_estimators_["middle"], stack.splits_, strict=True):
        lowest = middle.named_estimators_["lowest"]
        assert_array_equal(lowest.named_estimators_["watching"].weight_, weight[training])
        assert_array_equal(lowest.named_estimators_["watching"].groups_, groups[training])
        for nested in (middle, lowest):
            for fitting, held_out in nested.splits_:
                assert not set(groups[training][fitting]) & set(groups[training][held_out])
            average = WeightedAverageRegressor().fit(nested.oof_predictions_, y[training], weight[training])
            assert_allclose(nested.final_estimator_.weights_, average.weights_)

"""Stacks of rows in the order of time."""

import numpy as np
import pytest
from _small import TRAINING, Recorder, make_table, network_regressor, stack_regressor
from sklearn.base import clone
from sklearn.ensemble import BaggingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, PredefinedSplit, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skstack import MultimodalNetworkRegressor
from skstack.branches import NumericBranch
from skstack.stacking import _keeping
from skstack.stacking._cross_fit import cross_fit
from skstack.stacking._splits import check_splits
from skstack.stacking._time_order import in_time_order, stop_on_latest

N_ROWS = 40
FRACTION = 0.25
STOPPING = {**TRAINING, "early_stopping": True, "validation_fraction": FRACTION, "random_state": 0}
TIME = [("time", NumericBranch(hidden=(2,)), ["time"])]


@pytest.fixture(scope="module")
def table():
    X, y = make_table(N_ROWS)
    return X.assign(time=np.arange(N_ROWS, dtype="float64")), y


@pytest.mark.parametrize(
    ("cv", "ordered"),
    [
        (TimeSeriesSplit(3), True),
        (TimeSeriesSplit(3, gap=2, max_train_size=5), True),
        ([(range(10), range(10, 20)), (range(5, 20), range(20, 30))], True),
        (PredefinedSplit([-1] * 30 + [0] * 10), True),
        (KFold(2), False),
        (KFold(2, shuffle=True, random_state=0), False),
        ([(range(10), range(10, 20)), (range(20), range(19, 30))], False),
        ([([3, 2, 1], [5])], False),  # whatever order this is, it is not that of the table
    ],
)
def test_the_order_of_time_is_told_by_the_splits(cv, ordered):
    splits = cv.split(np.zeros(N_ROWS)) if hasattr(cv, "split") else cv
    assert in_time_order(check_splits(splits, N_ROWS)) == ordered


def test_networks_are_found_wherever_they_are():
    alone, decided = network_regressor(), network_regressor(validation_part="random")
    bagging, piped = BaggingRegressor(network_regressor()), make_pipeline(StandardScaler(), network_regressor())
    frozen = FrozenEstimator(network_regressor())
    stack = stack_regressor([("mine", network_regressor())])
    stop_on_latest([alone, decided, bagging, piped, make_pipeline("passthrough", frozen), stack, Ridge()])
    changed = [alone, bagging.estimator, piped[-1], stack.estimators[0][1], stack.network]
    assert [network.validation_part for network in changed] == ["latest"] * 5
    assert [network.validation_part for network in (decided, frozen.estimator)] == ["random", "auto"]


def _is_first(network, n_rows):
    """Tell whether a network has learned from the first rows of so many, and stopped on the others."""
    n_training = n_rows - round(FRACTION * n_rows)
    return network.branches_[0].branch.center_[0] == pytest.approx((n_training - 1) / 2)


def _fold_models(monkeypatch, stack, X, y):
    models = []

    def keeping(*args, **options):
        made = cross_fit(*args, **{**options, "keep_fold_models": True})
        models.append(made.fold_models)
        return made

    with monkeypatch.context() as patch:
        patch.setattr(_keeping, "cross_fit", keeping)
        stack.fit(X, y)
    return models


@pytest.mark.parametrize("training", ["joint", "individual"])
def test_networks_stop_on_the_latest_rows_of_each_fold(monkeypatch, table, training):
    X, y = table
    network = MultimodalNetworkRegressor(**STOPPING)
    alone = network_regressor(TIME, **STOPPING)
    parts = [*TIME, ("alone", alone), ("piped", make_pipeline("passthrough", clone(alone)))]
    final = network_regressor([("numbers", NumericBranch(scale="standard"))], **STOPPING)
    stack = stack_regressor(parts, network=network, training=training, cv=TimeSeriesSplit(3), final_estimator=final)
    folds = _fold_models(monkeypatch, stack, X, y)
    for fitted, of_folds in zip(stack.estimators_, folds, strict=True):
        last = [model[-1] if hasattr(model, "steps") else model for model in (fitted, *of_folds)]
        for one, n_rows in zip(last, [N_ROWS, 10, 20, 30], strict=True):
            assert _is_first(one, n_rows)
    n_training = 30 - round(FRACTION * 30)
    seen = stack.oof_predictions_[10 : 10 + n_training]
    np.testing.assert_allclose(stack.final_estimator_.branches_[0].branch.center_, seen.mean(axis=0), rtol=1e-4)
    # What the user gave stays as it was.
    assert {network.validation_part, final.validation_part, alone.validation_part} == {"auto"}


@pytest.mark.parametrize(("cv", "part"), [(KFold(2), "auto"), (TimeSeriesSplit(2), "random")])
def test_rows_are_drawn_at_random_otherwise(table, cv, part):
    X, y = table
    network = MultimodalNetworkRegressor(**STOPPING, validation_part=part)
    stack = stack_regressor(TIME, network=network, cv=cv, final_estimator=Recorder()).fit(X, y)
    assert not _is_first(stack.estimators_[0], N_ROWS)

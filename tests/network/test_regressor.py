"""Networks for numbers."""

import pickle

import numpy as np
import pytest
from _data import mixed_frame
from _networks import BRANCHES, FAST

from skstack import MultimodalNetworkRegressor
from skstack.branches import ImageBranch


@pytest.fixture(scope="module")
def data():
    return mixed_frame()


def test_regressor_learns_from_every_branch():
    X, y = mixed_frame(200)
    photo = ("photo", ImageBranch(size=(8, 8), filters=(4,), hidden=(4,)), ["photo"])
    settings = {**FAST, "epochs": 40, "optimizer__learning_rate": 0.02}
    score = MultimodalNetworkRegressor([*BRANCHES, photo], **settings).fit(X, y).score(X, y)
    assert score > 0.9
    for missing in range(3):
        branches = [part for position, part in enumerate([*BRANCHES, photo]) if position != missing]
        assert MultimodalNetworkRegressor(branches, **settings).fit(X, y).score(X, y) < score - 0.02


@pytest.mark.parametrize("loss", ["mae", "huber", "log_cosh", "msle", "mape", "poisson"])
def test_regression_losses_learn_in_the_units_of_the_target(data, loss):
    X, y = data
    network = MultimodalNetworkRegressor(BRANCHES, loss=loss, optimizer__learning_rate=0.05, **{**FAST, "epochs": 30})
    assert network.fit(X, 1000 * y).score(X, 1000 * y) > 0.4


def test_several_targets_and_routed_parameters(data):
    X, y = data
    network = MultimodalNetworkRegressor(
        BRANCHES,
        loss="huber",
        loss__delta=0.5,
        metrics=["mae"],
        optimizer="sgd",
        optimizer__momentum=0.9,
        **{**FAST, "epochs": 20},
    )
    both = np.column_stack([y, -100 * y])
    predictions = network.fit(X, both).predict(X)
    assert predictions.shape == both.shape
    assert network.score(X, both) > 0
    # Metrics are in the units of the targets: the mean over both of them.
    first_guess = np.abs(both - both.mean(axis=0)).mean()
    assert 0.05 * first_guess < network.history_["mean_absolute_error"][-1] < 2 * first_guess


def test_target_with_a_large_offset(data):
    X, y = data
    seconds = 1.7e9 + y
    network = MultimodalNetworkRegressor(BRANCHES, optimizer__learning_rate=0.05, **{**FAST, "epochs": 20})
    assert network.fit(X, seconds).score(X, seconds) > 0.3
    assert pickle.loads(pickle.dumps(network)).score(X, seconds) == network.score(X, seconds)

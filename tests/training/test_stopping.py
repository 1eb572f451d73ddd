"""Early stopping."""

import numpy as np
import pytest
from _problems import assert_same, both_ways, make_data, train_one

from skstack.training._stopping import Stopping


def after(losses, patience):
    """Return a Stopping after epochs with such losses; the state of an epoch is its number."""
    stopping = Stopping(patience)
    for epoch, loss in enumerate(losses):
        stopping.after(epoch, loss, epoch)
    return stopping


@pytest.mark.parametrize(
    ("losses", "patience", "best", "is_over"),
    [
        ([3, 2, 1], 1, 2, False),
        ([3, 2, 2], 1, 1, True),  # as good is not better
        ([3, 2, 4], 1, 1, True),
        ([3, 2, 4], 2, 1, False),
        ([3, 2, 4, 5], 2, 1, True),
        ([3, 4, 2, 5], 2, 2, False),  # a better one starts the count anew
        ([3, 2, 4], 0, 1, True),
        ([3], 0, 0, False),
        ([np.nan], 0, None, False),  # not after the first epoch
        ([np.inf, 5], 1, 1, False),
        ([3, np.nan], 1, 0, True),
        ([np.nan, np.nan], 2, None, True),
        ([3, 4, 5, 6], None, None, False),  # all epochs, and the last weights
    ],
)
def test_the_best_state_and_when_it_is_over(losses, patience, best, is_over):
    stopping = after(losses, patience)
    assert stopping.best == best
    assert stopping.is_over is is_over


@pytest.mark.parametrize("patience", [0, 1, 2])
def test_early_stopping_is_that_of_keras(patience):
    fast, plain = both_ways(
        make_data(), job={"n_validation": 20}, schedule={"epochs": 30, "patience": patience}, learning_rate=0.3
    )
    assert_same(fast, plain)
    n_epochs, best = len(fast.history["val_loss"]), int(np.argmin(fast.history["val_loss"]))
    assert n_epochs < 30
    assert n_epochs == max(best + max(patience, 1) + 1, 2)


def test_best_weights_come_back():
    job = {"n_validation": 20, "seed": 3}
    stopped = train_one(make_data(), job=job, schedule={"epochs": 30, "patience": 2}, learning_rate=0.3)
    n_best = int(np.argmin(stopped.history["val_loss"])) + 1
    short = train_one(make_data(), job=job, schedule={"epochs": n_best, "patience": 30}, learning_rate=0.3)
    for one, other in zip(stopped.values.values(), short.values.values(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_without_patience_validation_rows_are_scored_and_decide_nothing():
    schedule, job = {"patience": None, "epochs": 6}, {"n_validation": 20}
    loops, keras_fit = both_ways(make_data(), learning_rate=0.5, job=job, schedule=schedule)
    assert len(loops.history["val_loss"]) == 6
    assert_same(loops, keras_fit, rtol=2e-3)
    stopping = train_one(make_data(), learning_rate=0.5, job=job, schedule=schedule | {"patience": 6})
    assert np.argmin(stopping.history["val_loss"]) < 5
    assert not np.allclose(loops.values["last/kernel"], stopping.values["last/kernel"])

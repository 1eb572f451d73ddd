"""Losses and metrics of members that share weights."""

import numpy as np
import pytest

from skstack._backend import keras
from skstack.tasks._members import LossOfMembers, of_mean

Y = np.array([[1.0], [0.0]], dtype="float32")
BY_MEMBER = np.array([[[1.0], [3.0]], [[0.0], [2.0]]], dtype="float32")  # rows, members, outputs
WEIGHT = np.array([3.0, 1.0], dtype="float32")


@pytest.mark.parametrize(
    "loss", ["mse", keras.losses.MeanSquaredError(), keras.losses.mean_squared_error], ids=["name", "loss", "function"]
)
def test_the_loss_is_the_mean_of_those_of_the_members(loss):
    of_members = LossOfMembers(keras.losses.get(loss))
    assert float(of_members(Y, BY_MEMBER)) == pytest.approx((0 + 4 + 0 + 4) / 4)
    assert float(of_members(Y, BY_MEMBER.mean(axis=1))) == pytest.approx(1)  # of their mean, to validate


def test_rows_have_weights():
    of_members = LossOfMembers(keras.losses.MeanAbsoluteError())
    by_member = np.array([[[1.0], [3.0]], [[0.0], [6.0]]], dtype="float32")
    assert float(of_members(Y, by_member, sample_weight=WEIGHT)) == pytest.approx((3 * 1 + 1 * 3) / 2)


def test_losses_of_classes():
    probabilities = np.array([[[0.5, 0.25, 0.25], [0.125, 0.75, 0.125]]], dtype="float32")
    of_members = LossOfMembers(keras.losses.SparseCategoricalCrossentropy())
    positions = np.array([[1]], dtype="int32")
    assert float(of_members(positions, probabilities)) == pytest.approx(-np.log([0.25, 0.75]).mean(), rel=1e-5)


def test_reduction_and_precision_are_those_of_the_loss():
    of_members = LossOfMembers(keras.losses.MeanSquaredError(reduction="sum", dtype="float64"))
    assert float(of_members(Y, BY_MEMBER)) == pytest.approx(4)
    assert of_members.dtype == "float64"


def test_metrics_are_those_of_the_mean():
    (metric,) = of_mean(["mae"])
    metric.update_state(Y, BY_MEMBER)
    assert float(metric.result()) == pytest.approx(1)
    metric.update_state(Y, BY_MEMBER.mean(axis=1) + 2)
    assert float(metric.result()) == pytest.approx(2)
    metric.reset_state()
    metric.update_state(Y, BY_MEMBER, sample_weight=np.array([1.0, 0.0], dtype="float32"))
    assert float(metric.result()) == pytest.approx(1)

"""Metrics of targets that are there."""

import numpy as np
import pytest

from skstack._backend import keras
from skstack.tasks._metrics import OfPresent, of_classes, of_present

TRUTH = np.array([[1.0, 2.0], [3.0, 99.0], [5.0, 6.0]], dtype="float32")
OUTPUT = np.array([[1.5, 2.0], [3.0, 0.0], [5.0, 7.0]], dtype="float32")
WEIGHT = np.array([[1.0, 1.0], [2.0, 0.0], [1.0, 5.0]], dtype="float32")


@pytest.mark.parametrize("metric", ["mae", keras.metrics.MeanAbsoluteError(), keras.losses.mean_absolute_error])
def test_missing_targets_are_left_out_and_the_others_count_alike(metric):
    (found,) = of_present([metric])
    found.update_state(TRUTH, OUTPUT, WEIGHT)
    assert float(found.result()) == pytest.approx(1.5 / 5)
    found.reset_state()
    found.update_state(TRUTH[:1], OUTPUT[:1])
    assert float(found.result()) == pytest.approx(0.25)


def test_rows_without_their_only_target_are_left_out():
    metric = OfPresent(keras.metrics.SparseCategoricalAccuracy())
    outputs = np.eye(3, dtype="float32")
    metric.update_state(np.array([[0], [1], [0]]), outputs, np.array([1.0, 0.5, 0.0]))
    assert float(metric.result()) == 1


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("Binary", "BinaryAccuracy"), ("Categorical", "CategoricalAccuracy")],
)
def test_metrics_that_keras_chooses_by_shape_are_chosen_by_the_task(kind, expected):
    metric = of_classes("accuracy", kind)
    assert type(metric).__name__ == expected
    assert metric.name == "accuracy"
    assert of_classes("auc", kind) == "auc"

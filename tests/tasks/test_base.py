"""What every task does."""

import numpy as np
import pytest

from skstack._backend import keras
from skstack.tasks._base import Task
from skstack.tasks._classification import ClassificationTask
from skstack.tasks._losses import resolve_loss
from skstack.tasks._multilabel import MultilabelTask
from skstack.tasks._quantiles import QuantileTask
from skstack.tasks._regression import RegressionTask


class PositiveTask(RegressionTask):
    """A task of numbers for a loss that takes positive ones only."""

    default_loss = "poisson"

    def fit(self, y, rows=None, sample_weight=None, loss=None):
        return super().fit(y, rows, sample_weight, resolve_loss("poisson"))


# A task, a target for it, and whether it has classes; a new task is one more line.
TASKS = {
    "regression": (RegressionTask, np.array([1.0, 2.5, 4.0, 2.0]), False),
    "positive numbers": (PositiveTask, np.array([1.0, 2.5, 4.0, 0.0]), False),
    "a quantile": (QuantileTask, np.array([1.0, 2.5, 4.0, 2.0]), False),
    "several numbers": (RegressionTask, np.array([[1.0, 10.0], [2.0, 30.0], [3.0, 20.0], [2.0, 0.0]]), False),
    "two classes": (lambda: ClassificationTask("Network"), np.array(["a", "b", "a", "b"]), True),
    "classes": (lambda: ClassificationTask("Network"), np.array([5, 7, 9, 7]), True),
    "numbers with gaps": (RegressionTask, np.array([[1.0, np.nan], [2.0, 30.0], [np.nan, 20.0], [2.0, 0.0]]), False),
    "a number with gaps": (lambda: RegressionTask(True), np.array([1.0, np.nan, 4.0, 2.0]), False),
    "classes with gaps": (
        lambda: ClassificationTask("Network", allow_missing=True),
        np.array(["a", None, "b", "c"], dtype=object),
        True,
    ),
    "multilabel": (MultilabelTask, np.array([[0, 1], [1, 1], [0, 0], [1, 0]]), True),
}


@pytest.fixture(params=TASKS)
def case(request):
    make, y, has_classes = TASKS[request.param]
    task = make()
    return task.fit(task.check(y)), y, has_classes


def test_labels_come_back(case):
    task, y, has_classes = case
    labels, present = task.encode_labels(task.check(y)), task.present(task.check(y))
    if present is not None and has_classes:
        assert np.isnan(labels[~present]).all()
        labels, y = labels[present].astype(int), y[present]
    np.testing.assert_array_equal(task.decode_labels(labels), y)


def test_missing_targets_have_no_weight(case):
    task, y, _ = case
    y = task.check(y)
    present, weight = task.present(y), np.array([1.0, 2.0, 3.0, 4.0])
    assert task.has_gaps_ == (present is not None)
    if present is None:
        assert task.row_weight(y, None) is None
        assert task.row_weight(y, weight) is weight
        return
    assert present.shape == y.shape
    np.testing.assert_array_equal(task.row_weight(y, None), present)
    np.testing.assert_array_equal(task.row_weight(y, weight).T, present.T * weight)


def test_the_score_is_1_at_best_and_does_not_see_missing_targets(case):
    task, y, has_classes = case
    y = task.check(y)
    present = task.present(y)
    truth = y if present is None else np.where(present, y, y[1] if has_classes else 7.0)
    assert task.score(y, truth) == 1
    assert task.score(y, truth, sample_weight=np.array([1.0, 2.0, 3.0, 4.0])) == 1
    assert task.score(y, truth[::-1]) < 1


def test_an_output_has_a_unit_for_each_column_and_is_decoded_by_row(case):
    task, y, has_classes = case
    inputs = keras.Input((3,), name="x")
    model = keras.Model(inputs, task.build_output(inputs, "output"))
    task.assign_statistics(model.get_layer("output"))
    outputs = np.asarray(model(np.ones((4, 3))))
    assert outputs.shape == (4, task.n_units_)
    decoded = task.decode(outputs)
    assert len(decoded) == 4
    assert decoded.dtype == "float64"
    if has_classes:
        assert decoded.min() >= 0 and decoded.max() <= 1
        assert task.predict(decoded).shape == y.shape
    else:
        assert decoded.shape == y.shape


def test_the_default_loss_takes_what_is_encoded_and_is_least_at_the_truth(case):
    task, y, has_classes = case
    inputs = keras.Input((3,), name="x")
    model = keras.Model(inputs, task.build_output(inputs, "output"))
    task.assign_statistics(model.get_layer("output"))
    loss = task.resolve_loss(resolve_loss(task.default_loss)(), model.get_layer("output"))
    encoded = task.encode(task.check(y))
    truth = encoded
    if has_classes and task.n_units_ == 3:  # positions of classes: the truth is their indicators
        truth = np.eye(3)[encoded[:, 0]]
    truth = np.asarray(truth, dtype="float32")
    values = [float(np.mean(loss(encoded, outputs))) for outputs in (truth, 0.5 * truth + 0.2)]
    assert values[0] < values[1]


def test_a_task_is_built_like_one_of_the_same_target(case):
    task, _, _ = case
    assert task.is_built_like(task)


def test_defaults_of_the_base_class():
    class Plain(RegressionTask):
        encode_labels, decode_labels = Task.encode_labels, Task.decode_labels

    y = np.array([1.0, 2.0])
    assert Plain().encode_labels(y) is y
    assert Plain().row_weight(y, None) is None
    assert Plain().default_metrics == ()
    assert Plain().network_params({"loss": "mae"}) == {}
    assert Plain().prediction_columns(None, np.ones((2, 3)), "predict").shape == (2, 3)
    assert Plain().prediction_names("stack_ridge", 1) == ["stack_ridge"]
    assert Plain().prediction_names("stack_ridge", 2) == ["stack_ridge0", "stack_ridge1"]

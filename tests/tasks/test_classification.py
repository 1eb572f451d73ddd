"""Targets that are classes."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.metrics import accuracy_score, log_loss
from sklearn.utils.class_weight import compute_sample_weight

from skstack.tasks._classification import ClassificationTask, check_class_target, check_classes
from skstack.tasks._losses import resolve_loss


def _task(y, loss=None, **params):
    return ClassificationTask("Network", **params).fit(y, loss=None if loss is None else resolve_loss(loss))


@pytest.mark.parametrize("y", [["a", "b"], [0, 1], pd.Series([True, False]), pd.Categorical(["a", "b"])])
def test_classes_are_targets(y):
    assert check_class_target(y).shape == (2,)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0.5, 1.7], "Unknown label type: continuous"),
        ([0.0, np.nan], "Input y contains NaN: nan in row 1"),
        (["a", None], "Input y contains NaN: None in row 1"),
        (["a", 1], "y holds classes of several types, 'a' in row 0 and 1 in row 1"),
        (np.array([0, 1], dtype=object), "Unknown label type: y holds numbers as Python's objects, such as 0 in row 0"),
        (np.array([["a", "b"], ["b", "a"]]), "y should be a 1d array"),
    ],
)
def test_targets_that_are_no_classes_are_an_error(y, message):
    with pytest.raises(ValueError, match=message):
        check_class_target(y)


def test_one_class_is_an_error_that_names_it():
    with pytest.raises(ValueError, match=r"Stack needs samples of at least 2 classes in y, got one class: \['a'\]"):
        check_classes(np.array(["a", "a"]), "Stack")
    assert check_classes(np.array(["b", "a", "b"]), "Stack").tolist() == ["a", "b"]


LABELS = np.array(["cat", "dog", "cat", "ant"])


def test_two_classes_are_one_unit():
    target = _task(LABELS[:3])
    assert target.n_units_ == 1
    assert target.encode(LABELS[:3]).tolist() == [[0.0], [1.0], [0.0]]
    np.testing.assert_allclose(target.decode(np.array([[0.25], [1.0]], dtype="float32")), [[0.75, 0.25], [0.0, 1.0]])


def test_several_classes_are_indicators():
    target = _task(LABELS, "categorical_crossentropy")
    assert target.classes_.tolist() == ["ant", "cat", "dog"]
    assert target.n_units_ == 3
    assert target.encode(LABELS).tolist() == [[0, 1, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0]]


def test_sparse_losses_take_numbers():
    encoded = _task(LABELS, "sparse_categorical_crossentropy").encode(LABELS)
    assert encoded.dtype == "int32"
    assert encoded.tolist() == [[1], [2], [1], [0]]


def test_categorical_losses_have_a_unit_for_each_of_two_classes():
    target = _task(LABELS[:3], "categorical_crossentropy")
    assert target.n_units_ == 2
    assert target.encode(LABELS[:2]).tolist() == [[1, 0], [0, 1]]


def test_probabilities_sum_to_one_in_double_precision():
    outputs = np.array([[0.3333333, 0.3333333, 0.3333333]], dtype="float32")
    assert _task(LABELS).decode(outputs).sum() == pytest.approx(1.0, abs=1e-15)


def test_unknown_class_is_an_error():
    with pytest.raises(ValueError, match="previously unseen labels"):
        _task(LABELS).encode(np.array(["cow"]))


def test_loss_by_default_depends_on_the_number_of_classes():
    assert _task(LABELS[:3]).default_loss == "binary_crossentropy"
    several = _task(LABELS)
    assert several.default_loss == "sparse_categorical_crossentropy"
    assert several.encode(LABELS).tolist() == [[1], [2], [1], [0]]


def test_classes_that_are_told_beforehand_count():
    assert _task(LABELS[:1], classes=np.array(["dog", "cat"])).classes_.tolist() == ["cat", "dog"]


@pytest.mark.parametrize("class_weight", [{"cat": 2.0, "dog": 0.5, "ant": 1.0}, "balanced"])
def test_weights_of_classes(class_weight):
    weight = _task(LABELS, class_weight=class_weight).row_weight(LABELS, None)
    np.testing.assert_allclose(weight, compute_sample_weight(class_weight, LABELS), rtol=1e-6)
    assert _task(LABELS).row_weight(LABELS, None) is None


def test_balanced_classes_share_the_weight_that_rows_have():
    weight = _task(LABELS, class_weight="balanced").row_weight(LABELS, np.array([1.0, 4.0, 3.0, 0.0]))
    assert weight[[0, 2]].sum() == pytest.approx(weight[1])
    assert weight[3] == 0


def test_labels_of_learners_are_positions():
    task = _task(LABELS)
    assert task.encode_labels(LABELS).tolist() == [1, 2, 1, 0]
    assert task.decode_labels(np.array([2, 0])).tolist() == ["dog", "ant"]


class Fitted(BaseEstimator):
    """An estimator that knows some classes."""

    def __init__(self, classes):
        self.classes_ = np.array(classes)


def test_columns_of_predictions():
    two, three = _task(LABELS[:3]), _task(LABELS)
    probabilities = np.array([[0.25, 0.75]])
    assert two.prediction_columns(Fitted([0, 1]), probabilities, "predict_proba").tolist() == [[0.75]]
    assert two.prediction_columns(Fitted([0, 1]), np.array([2.0]), "decision_function").tolist() == [[2.0]]
    assert three.prediction_columns(Fitted([0, 2]), probabilities, "predict_proba").tolist() == [[0.25, 0.0, 0.75]]
    assert three.prediction_columns(Fitted([0, 1, 2]), np.array([2]), "predict").tolist() == [[2]]
    scores = three.prediction_columns(Fitted([0, 2]), np.array([3.0]), "decision_function")
    assert scores[0, [0, 2]].tolist() == [-3.0, 3.0]
    assert scores[0, 1] == np.finfo(float).min


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_mean_of_row_scores_is_log_loss_or_accuracy(n_classes):
    y = np.arange(12) % n_classes
    task = _task(y)
    scores = np.random.default_rng(0).normal(size=(12, n_classes))
    table = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    table[0] = np.eye(n_classes)[1]  # sure, and wrong
    columns = table[:, 1:] if n_classes == 2 else table
    assert task.row_scores("neg_log_loss", y, columns, "predict_proba").mean() == pytest.approx(-log_loss(y, table))
    expected = pytest.approx(accuracy_score(y, table.argmax(axis=1)))
    margins = scores[:, 1:] - scores[:, :1] if n_classes == 2 else scores
    assert task.row_scores("accuracy", y, columns, "predict_proba").mean() == expected
    labels = table.argmax(axis=1)[:, np.newaxis] + 0.2
    assert task.row_scores("accuracy", y, labels, "predict").mean() == expected
    by_margin = accuracy_score(y, scores.argmax(axis=1))
    assert task.row_scores("accuracy", y, margins, "decision_function").mean() == pytest.approx(by_margin)
    assert task.can_average("predict_proba") and not task.can_average("decision_function")


@pytest.mark.parametrize(
    "y", [["a", None, "b"], [1.0, np.nan, 0.0], pd.Series([True, None, False]), pd.Series([1, pd.NA, 2], dtype="Int64")]
)
def test_classes_may_be_missing_where_that_is_allowed(y):
    task = ClassificationTask("Network", allow_missing=True)
    checked = task.check(y)
    assert task.present(checked).tolist() == [True, False, True]
    assert len(task.fit(checked).classes_) == 2
    assert task.encode(checked).shape == (3, 1)
    with pytest.raises(ValueError, match=r"Input y contains NaN: .* in row 1"):
        check_class_target(y)


def test_weights_of_classes_where_some_are_missing():
    task = ClassificationTask("Network", class_weight="balanced", allow_missing=True)
    y = task.check(["a", None, "a", "b"])
    np.testing.assert_allclose(task.row_weight(y, None), [0.75, 0, 0.75, 1.5])
    np.testing.assert_allclose(task.row_weight(y, np.array([1.0, 5.0, 2.0, 1.0])), [2 / 3, 0, 4 / 3, 2])
    with pytest.raises(ValueError, match=r"several types, 'a' in row 1 and 2.0 in row 2, which"):
        task.check([None, "a", 2.0])

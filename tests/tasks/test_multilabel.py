"""Targets of several labels per row."""

import numpy as np
import pytest
from sklearn.datasets import make_multilabel_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score
from sklearn.neural_network import MLPClassifier

from skstack import MultimodalNetworkClassifier
from skstack.branches import NumericBranch
from skstack.tasks._multilabel import MultilabelTask, is_multilabel

Y = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0]])


@pytest.mark.parametrize(
    ("y", "expected"),
    [(Y, True), (Y.tolist(), True), (np.array([0, 1, 1]), False), (["a", "b"], False), (Y[:, :1], False)],
)
def test_tables_of_two_values_are_multilabel(y, expected):
    assert is_multilabel(y) is expected


def test_labels_are_encoded_and_decoded_column_by_column():
    y = np.where(Y == 1, 7, -7)
    task = MultilabelTask().fit(y)
    assert task.n_units_ == 3
    assert [classes.tolist() for classes in task.classes_] == [[-7, 7]] * 3
    assert task.encode(y).tolist() == Y.tolist()
    assert task.decode_labels(task.encode_labels(y)).tolist() == y.tolist()
    assert task.predict(np.array([[0.9, 0.1, 0.5]])).tolist() == [[7, -7, -7]]


def test_a_label_that_no_row_or_every_row_has_is_one():
    task = MultilabelTask().fit(np.array([[1, 0], [1, 0]]))
    assert task.encode(np.array([[1, 0]])).tolist() == [[1.0, 0.0]]


def test_columns_of_predictions_of_both_forms():
    task = MultilabelTask().fit(Y)
    tables = [np.array([[0.25, 0.75]]), np.array([[1.0]]), np.array([[0.5, 0.5]])]
    forest = RandomForestClassifier(2, random_state=0).fit(Y[:, :1], np.where(Y == 1, 1, 0))
    assert [classes.tolist() for classes in forest.classes_] == [[0, 1], [0, 1], [0]]
    forest.classes_[1] = np.array([0])  # as if no row had the second label
    assert task.prediction_columns(forest, tables, "predict_proba").tolist() == [[0.75, 0.0, 0.5]]
    assert task.prediction_columns(None, np.array([[0.75, 0.0, 0.5]]), "predict_proba").tolist() == [[0.75, 0.0, 0.5]]


@pytest.fixture(scope="module")
def rows():
    X, y = make_multilabel_classification(300, 12, n_classes=4, random_state=0)
    return X[:200], y[:200], X[200:], y[200:]


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer.*:sklearn.exceptions.ConvergenceWarning")
def test_a_network_learns_several_labels(rows):
    X, y, X_test, y_test = rows
    network = MultimodalNetworkClassifier(
        [("numbers", NumericBranch(hidden=(16,)))], epochs=40, optimizer__learning_rate=0.01, random_state=0
    )
    network.fit(X, y)
    predicted = network.predict(X_test)
    assert predicted.shape == y_test.shape
    assert set(np.unique(predicted)) == {0, 1}
    probabilities = network.predict_proba(X_test)
    np.testing.assert_array_equal(predicted, probabilities > 0.5)
    peer = MLPClassifier((16,), max_iter=400, random_state=0).fit(X, y)
    assert f1_score(y_test, predicted, average="micro") > f1_score(y_test, peer.predict(X_test), average="micro") - 0.1


def test_folds_of_a_network_are_those_of_a_fit(rows):
    X, y, _, _ = rows
    network = MultimodalNetworkClassifier(epochs=3, random_state=0)
    part = np.arange(120)
    _, fold = network.cross_fit(X, y, [part])
    alone = MultimodalNetworkClassifier(epochs=3, random_state=0).fit(X[part], y[part])
    np.testing.assert_allclose(fold.predict_proba(X), alone.predict_proba(X), rtol=1e-4, atol=1e-5)


def test_row_scores_are_of_all_labels_of_a_row():
    task, probabilities = MultilabelTask().fit(Y), np.array([[0.8, 0.1, 0.5], [0.2, 0.9, 0.4], [0.4, 0.7, 0.1]])
    true = np.array([[0.8, 0.9, 0.5], [0.8, 0.9, 0.6], [0.4, 0.7, 0.9]])
    np.testing.assert_allclose(
        task.row_scores("neg_log_loss", Y, probabilities, "predict_proba"), np.log(true).mean(axis=1)
    )
    np.testing.assert_array_equal(task.row_scores("accuracy", Y, probabilities, "predict_proba"), [1, 1, 0])
    np.testing.assert_array_equal(task.row_scores("accuracy", Y, probabilities - 0.5, "decision_function"), [1, 1, 0])

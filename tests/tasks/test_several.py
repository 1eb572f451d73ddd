"""Several tasks as one."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from skstack.tasks._classification import ClassificationTask
from skstack.tasks._regression import RegressionTask
from skstack.tasks._several import SeveralTasks

Y = pd.DataFrame({"price": [1.0, np.nan, 3.0, 2.0], "kind": ["a", "b", None, "c"], "sold": [True, False, True, True]})


@pytest.fixture
def tasks():
    made = {
        "price": RegressionTask(allow_missing=True),
        "kind": ClassificationTask("Stack", allow_missing=True),
        "sold": ClassificationTask("Stack"),
    }
    several = SeveralTasks(made)
    return several.fit(several.check(Y))


def test_labels_are_columns_with_gaps_and_come_back(tasks):
    labels = tasks.encode_labels(tasks.check(Y))
    np.testing.assert_array_equal(labels, [[1, 0, 1], [np.nan, 1, 0], [3, np.nan, 1], [2, 2, 1]])
    assert tasks.has_gaps_
    decoded = tasks.decode_labels(np.nan_to_num(labels))
    assert decoded["kind"].tolist() == ["a", "b", "a", "c"]
    assert decoded["sold"].tolist() == Y["sold"].tolist()


def test_an_error_names_the_target():
    several = SeveralTasks({"price": RegressionTask(), "sold": ClassificationTask("Stack")})
    with pytest.raises(ValueError, match=r"target 'price': Input y contains NaN: nan in row 1\."):
        several.check(Y[["price", "sold"]])
    with pytest.raises(ValueError, match="target 'kind': Stack needs samples of at least 2 classes"):
        one = SeveralTasks({"kind": ClassificationTask("Stack")})
        one.fit(one.check(Y.assign(kind="a")))


def test_predictions_become_the_columns_of_their_tasks(tasks):
    probabilities = {"price": np.array([5.0, 6.0]), "kind": np.full((2, 2), 0.5), "sold": np.array([[0.2, 0.8]] * 2)}
    known = {"price": (), "kind": [0.0, 2.0], "sold": [0, 1]}
    estimator = SimpleNamespace(for_task=lambda name: SimpleNamespace(classes_=known[name]))
    columns = tasks.prediction_columns(estimator, probabilities, "predict_tasks")
    # The estimator has not seen the second of the three kinds.
    np.testing.assert_allclose(columns, [[5, 0.5, 0, 0.5, 0.8], [6, 0.5, 0, 0.5, 0.8]])
    assert tasks.prediction_names("net", 5) == ["net_price", "net_kind0", "net_kind1", "net_kind2", "net_sold"]
    assert tasks.column_tasks(5) == ["price", "kind", "kind", "kind", "sold"]
    assert tasks.prediction_names("net", 3) == ["net_price", "net_kind", "net_sold"]


def test_probabilities_of_several_columns_come_as_lists_or_as_those_of_second_classes():
    several = SeveralTasks({"a": ClassificationTask("Stack"), "b": ClassificationTask("Stack")})
    y = np.array([["x", "p"], ["y", "q"], ["y", "p"]])
    several.fit(several.check(y))
    tables = [np.array([[0.25, 0.75]]), np.array([[1.0]])]
    listing = SimpleNamespace(classes_=[np.array([0, 1]), np.array([1])])
    a, b = several.probabilities(listing, tables)
    assert (a.tolist(), b.tolist()) == ([[0.25, 0.75]], [[0.0, 1.0]])
    np.testing.assert_allclose(several.prediction_columns(listing, tables, "predict_proba"), [[0.75, 1.0]])
    second = np.array([[0.75, 0.5]])
    np.testing.assert_allclose(several.prediction_columns(None, second, "predict_proba"), second)
    scores = np.array([[3.0, -2.0]])
    np.testing.assert_allclose(several.prediction_columns(None, scores, "decision_function"), scores)
    np.testing.assert_allclose(several.prediction_columns(None, scores, "predict"), scores)


def test_weights_of_classes_are_those_of_their_positions(tasks):
    assert tasks.encode_class_weight("balanced") == "balanced"
    assert tasks.encode_class_weight([None, {"c": 3.0}, {True: 2.0}]) == [None, {2: 3.0}, {1: 2.0}]


def test_the_score_is_the_mean_of_those_of_the_tasks(tasks):
    predictions = np.array([[1.0, "a", True], [9.0, "b", True], [3.0, "a", True], [2.0, "a", True]], dtype=object)
    assert tasks.score(tasks.check(Y), predictions) == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)

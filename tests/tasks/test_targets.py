"""Targets of several tasks at once."""

import numpy as np
import pytest

from skstack.tasks._classification import ClassificationTask
from skstack.tasks._regression import RegressionTask
from skstack.tasks._targets import Targets

Y = {"price": [1.0, 2.0, 3.0, 4.0], "kind": ["a", "b", "a", "b"]}


def _targets(sample_weight=None, class_weight=None, y=Y):
    return Targets({"price": RegressionTask(), "kind": ClassificationTask("Network", class_weight)}, y, sample_weight)


def test_targets_are_checked_and_encoded_by_task():
    targets = _targets()
    targets.fit(np.arange(4), {})
    encoded = targets.encode()
    assert encoded.keys() == {"targets"}
    assert encoded["targets"]["price"].tolist() == [[1.0], [2.0], [3.0], [4.0]]
    assert encoded["targets"]["kind"].tolist() == [[0.0], [1.0], [0.0], [1.0]]
    assert len(targets) == 4


def test_a_bad_target_is_named():
    with pytest.raises(ValueError, match="target 'price': Input y contains NaN"):
        _targets(y={**Y, "price": [1.0, np.nan, 3.0, 4.0]})


def test_every_task_has_weights_where_one_has_some():
    targets = _targets(class_weight={"a": 1.0, "b": 3.0})
    targets.fit(np.arange(4), {})
    weights = targets.encode()["weights"]
    assert weights["price"].tolist() == [1.0] * 4
    assert weights["kind"].tolist() == [1.0, 3.0, 1.0, 3.0]
    assert targets.row_weight.tolist() == [1.0, 2.0, 1.0, 2.0]


def test_rows_of_weight_0_are_left_out():
    targets = _targets(np.array([1.0, 0.0, 1.0, 1.0]))
    assert targets.weighted_rows().tolist() == [0, 2, 3]
    targets.fit(targets.weighted_rows(), {})
    assert targets.tasks["price"].center_ == pytest.approx(8 / 3)
    with pytest.raises(ValueError, match="every row has weight 0"):
        _targets(np.zeros(4)).weighted_rows()


def test_labels_to_stratify_by_are_those_of_the_classes():
    assert _targets().stratify_labels().tolist() == Y["kind"]
    assert Targets({"price": RegressionTask()}, {"price": Y["price"]}).stratify_labels() is None

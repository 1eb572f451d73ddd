"""Targets of several tasks at once."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skstack.tasks._classification import ClassificationTask
from skstack.tasks._regression import RegressionTask
from skstack.tasks._targets import Targets, by_name, n_columns, side_by_side, target_names

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


def _with_gaps(sample_weight=None):
    tasks = {
        "price": RegressionTask(allow_missing=True),
        "sizes": RegressionTask(),
        "kind": ClassificationTask("Network", allow_missing=True),
    }
    sizes = [[1.0, 2.0], [np.nan, 4.0], [3.0, 6.0], [np.nan, np.nan]]
    y = {"price": [1.0, np.nan, 3.0, np.nan], "sizes": sizes, "kind": ["a", "b", None, None]}
    return Targets(tasks, y, sample_weight)


def test_missing_targets_have_no_weight_and_something_finite_in_their_place():
    targets = _with_gaps(np.array([1.0, 2.0, 3.0, 4.0], dtype="float32"))
    targets.fit(np.arange(3), {})
    encoded = targets.encode()
    assert encoded["weights"]["price"].tolist() == [1, 0, 3, 0]
    assert encoded["weights"]["sizes"].tolist() == [[1, 1], [0, 2], [3, 3], [0, 0]]
    assert encoded["weights"]["kind"].tolist() == [1, 2, 0, 0]
    assert all(np.isfinite(target).all() for target in encoded["targets"].values())
    assert targets.tasks["price"].center_ == pytest.approx((1 + 3 * 3) / 4)
    np.testing.assert_allclose(targets.tasks["sizes"].center_, [(1 + 3 * 3) / 4, (2 + 2 * 4 + 3 * 6) / 6])


def test_a_row_that_lacks_some_targets_counts_whole_and_one_that_lacks_all_is_left_out():
    assert _with_gaps().row_weight.tolist() == [1, 1, 1, 0]
    assert _with_gaps(np.array([1.0, 2.0, 3.0, 4.0])).row_weight.tolist() == [1, 2, 3, 0]
    assert _with_gaps().weighted_rows().tolist() == [0, 1, 2]
    assert _with_gaps().stratify_labels().tolist() == [0, 1, -1, -1]


def test_a_target_that_no_row_to_learn_from_has_is_named():
    with pytest.raises(ValueError, match="target 'price': Input y has no value in any of the 1 rows to learn from"):
        _with_gaps().fit(np.array([1]), {})
    with pytest.raises(ValueError, match="target 'sizes': Input y has no value in column 0 in any of the 1 rows"):
        targets = _with_gaps()
        targets.y["price"][:] = 1.0
        targets.weights["price"][:] = 1.0
        targets.fit(np.array([1]), {})
    with pytest.raises(ValueError, match="target 'kind': Input y has no value in any of the 1 rows"):
        _with_gaps().fit(np.array([2]), {})


def test_columns_of_a_table_are_found_by_name_and_those_of_an_array_by_order():
    table = pd.DataFrame({"b": [1.0, 2.0], 3: ["x", "y"]})
    assert target_names(table) == ["b", "3"]
    assert by_name(table, ["3", "b"])["3"].tolist() == ["x", "y"]
    assert by_name(pl.DataFrame({"a": [1], "b": [2]}), ["b"])["b"].to_list() == [2]
    assert target_names(np.ones((2, 2))) == ["output_0", "output_1"]
    assert target_names(pd.Series([1, 2], name="price")) == ["price"]
    assert target_names([1, 2]) == ["output"]
    assert [n_columns(y) for y in (table, [1, 2], np.ones((2, 1)))] == [2, 1, 1]
    rows = by_name([[1, "a"], [2, "b"]], ["number", "kind"])
    assert rows["number"].dtype.kind == "i"
    assert rows["kind"].tolist() == ["a", "b"]
    with pytest.raises(ValueError, match=r"y has no column 'bb'\. Did you mean 'b'"):
        by_name(table, ["bb"])
    with pytest.raises(ValueError, match="y has 2 columns, but there are 1 tasks"):
        by_name(np.ones((3, 2)), ["a"])


def test_columns_of_classes_stand_side_by_side_in_their_own_types():
    assert side_by_side([np.array(["a", "b"]), np.array([1, 2])]).tolist() == [["a", 1], ["b", 2]]
    assert side_by_side([np.array([3, 4]), np.array([1, 2])]).dtype.kind == "i"

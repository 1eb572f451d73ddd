"""What a user says of tasks."""

import numpy as np
import pandas as pd
import pytest

from skstack.tasks import Classification, Regression
from skstack.tasks._classification import ClassificationTask
from skstack.tasks._regression import RegressionTask
from skstack.tasks._specs import as_spec, find_specs, in_order, inferred, make_tasks

COLUMNS = {"diff": np.array([1.5, -2.0, np.nan, 3.0]), "won": np.array([1, 0, 1, 1])}


def _make(**specs):
    return make_tasks(find_specs(specs, COLUMNS, "Network"), "Network")


def test_tasks_come_by_a_short_name_by_an_object_or_from_the_column():
    tasks = _make(won=Classification(loss="hinge", weight=3, inputs="diff", class_weight="balanced"))
    assert list(tasks) == ["diff", "won"]
    assert isinstance(tasks["diff"], RegressionTask) and isinstance(tasks["won"], ClassificationTask)
    won = tasks["won"]
    assert (won.loss, won.loss_weight, won.inputs, won.class_weight) == ("hinge", 3.0, ("diff",), "balanced")
    assert isinstance(_make(won="regression")["won"], RegressionTask)
    assert (tasks["diff"].loss_weight, tasks["diff"].inputs) == (1.0, ())


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (["a", "b", None], Classification),
        ([True, False, True], Classification),
        ([0, 1, 1], Classification),
        ([0.0, np.nan, 1.0], Classification),
        ([1.0, 2.5, 3.0], Regression),
        ([1, 2, 3], Regression),
        (pd.Series([1, 2, 3], dtype="category"), Classification),
        (pd.Series([1.0, None, 2.0, 3.0], dtype=object), Regression),
    ],
)
def test_the_kind_is_inferred_from_the_values(column, kind):
    assert type(inferred(column)) is kind


@pytest.mark.parametrize(
    ("specs", "error", "message"),
    [
        ({"win": "classification"}, ValueError, "'tasks' of Network name 'win', .*Did you mean 'won'"),
        (
            {"won": "classify"},
            ValueError,
            "Network: unknown task 'classify'. Did you mean 'classification'",
        ),
        ({"won": Classification}, TypeError, "did you forget the parentheses"),
        ({"won": 3}, TypeError, "task 'won' of Network: should be one of"),
        ({"won": Classification(weight=0)}, ValueError, "task 'won' of Network: The 'weight' parameter"),
        ({"won": Classification(class_weight="even")}, ValueError, "The 'class_weight' parameter"),
        ({"won": Classification(metrics="auc")}, ValueError, "The 'metrics' parameter"),
        ({"won": Classification(loss=3)}, ValueError, "The 'loss' parameter"),
        ({"won": Classification(inputs="dif")}, ValueError, "task 'won' of Network: 'inputs' name 'dif'.*mean 'diff'"),
        ({"won": Classification(inputs="won")}, ValueError, "'inputs' name 'won', which is no other task"),
        (
            {"won": Classification(inputs="diff"), "diff": Regression(inputs=["features", "won"])},
            ValueError,
            "in a circle: ",
        ),
    ],
)
def test_tasks_that_cannot_be_are_refused_by_name(specs, error, message):
    with pytest.raises(error, match=message):
        _make(**specs)


def test_a_task_comes_behind_those_it_is_computed_from():
    tasks = _make(diff=Regression(inputs=("won", "features")))
    assert in_order(tasks) == ["won", "diff"]


def test_parameters_of_tasks_are_checked_for_their_names():
    assert as_spec("regression").get_params() == Regression().get_params()
    with pytest.raises(ValueError, match="Did you mean 'weight'"):
        Regression().set_params(wieght=2)
    assert Classification(weight=2).set_params(weight=3.0).weight == 3.0

"""Which output of a network is explained."""

from types import SimpleNamespace

import numpy as np
import pytest

from skstack._backend import keras
from skstack.inspection._targets import Target
from skstack.tasks._classification import ClassificationTask
from skstack.tasks._regression import RegressionTask


def of_tasks(**tasks):
    """Stand in for an assembly of fitted tasks."""
    return SimpleNamespace(tasks=tasks, by_task=lambda outputs: outputs)


def classes(*labels):
    return ClassificationTask("Network").fit(np.array(labels))


NUMBER = RegressionTask().fit(np.arange(3.0))
NUMBERS = RegressionTask().fit(np.arange(6.0).reshape(3, 2))
BINARY, THREE = classes("no", "yes", "no"), classes("a", "b", "c")


def scores(target, name, outputs):
    weights = target.weights(target.positions(outputs))
    return keras.ops.convert_to_numpy(target.score({name: keras.ops.convert_to_tensor(outputs)}, [], weights)).tolist()


def test_a_number_is_itself():
    outputs = np.array([[3.0], [4.0]], dtype="float32")
    assert scores(Target(of_tasks(y=NUMBER), None), "y", outputs) == [3, 4]
    assert scores(Target(of_tasks(y=NUMBERS), 1), "y", np.float32([[1, 2], [3, 4]])) == [2, 4]
    assert scores(Target(of_tasks(y=NUMBERS), -2), "y", np.float32([[1, 2], [3, 4]])) == [1, 3]


def test_a_class_is_its_probability():
    outputs = np.float32([[0.25], [0.75]])
    assert scores(Target(of_tasks(y=BINARY), "no"), "y", outputs) == [0.75, 0.25]
    assert scores(Target(of_tasks(y=BINARY), "yes"), "y", outputs) == [0.25, 0.75]
    assert scores(Target(of_tasks(y=THREE), "c"), "y", np.float32([[0.25, 0.25, 0.5]])) == [0.5]


def test_before_the_sigmoid_one_class_is_minus_the_other():
    outputs = np.float32([[-2.0], [3.0]])
    assert scores(Target(of_tasks(y=BINARY), "no", logits=True), "y", outputs) == [2, -3]
    assert scores(Target(of_tasks(y=BINARY), None, logits=True), "y", outputs) == [2, 3]


def test_each_row_has_the_class_that_is_predicted_for_it():
    target = Target(of_tasks(y=THREE), None)
    positions = target.positions(np.float32([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1]]))
    assert target.names(positions).tolist() == ["b", "a"]
    binary = Target(of_tasks(y=BINARY), None)
    assert binary.names(binary.positions(np.float32([[0.4], [0.6]]))).tolist() == ["no", "yes"]


def test_one_of_several_tasks_is_named():
    tasks = of_tasks(price=NUMBER, kind=THREE)
    assert scores(Target(tasks, "price"), "price", np.float32([[7.0]])) == [7]
    assert scores(Target(tasks, ("kind", "a")), "kind", np.float32([[0.5, 0.25, 0.25]])) == [0.5]


@pytest.mark.parametrize(
    ("tasks", "output", "message"),
    [
        ({"y": NUMBERS}, None, "has 2 outputs"),
        ({"y": NUMBERS}, 2, "has 2 outputs"),
        ({"y": NUMBER}, True, "should be the position of one, got True"),
        ({"y": THREE}, "d", "knows no class 'd'"),
        ({"price": NUMBER, "kind": THREE}, "prise", r"Did you mean 'price'\?"),
        ({"price": NUMBER, "kind": THREE}, None, "has several tasks"),
    ],
)
def test_an_output_that_is_not_there_is_refused(tasks, output, message):
    with pytest.raises(ValueError, match=message):
        Target(of_tasks(**tasks), output)

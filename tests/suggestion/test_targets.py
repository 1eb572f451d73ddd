"""What is predicted, as far as suggestions go by it."""

import numpy as np
import pandas as pd
import pytest

from skstack.suggestion._targets import describe_targets

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("y", "has_classes"),
    [
        (RNG.normal(size=30), False),
        (RNG.integers(0, 3, 30), False),
        (["a", "b"] * 15, True),
        ([0, 1] * 15, True),
        ([True, False] * 15, True),
        (RNG.normal(size=(30, 1)), False),
    ],
)
def test_kinds_of_targets_are_inferred(y, has_classes):
    (target,) = describe_targets(y)
    assert target.has_classes is has_classes and target.name is None and target.values.shape == (30,)


def test_a_task_that_is_said_counts():
    (target,) = describe_targets([0, 1, 2, 1], task="classification")
    assert target.has_classes and target.n_classes == 3
    assert not describe_targets([0, 1] * 9, task="regression")[0].has_classes


def test_several_targets_have_names():
    y = pd.DataFrame({"diff": [1.5, 2.0, 3.0] * 5, "won": [True, False, True] * 5})
    assert [(target.name, target.has_classes) for target in describe_targets(y)] == [("diff", False), ("won", True)]
    said = describe_targets(y.to_numpy(dtype=object), task={"a": "regression", "b": "classification"})
    assert [(target.name, target.has_classes) for target in said] == [("a", False), ("b", True)]


def test_a_heavy_tail_is_one_that_the_logarithm_has_not():
    tail = RNG.lognormal(10, 1, 200)
    assert describe_targets(tail)[0].is_skewed(1)
    assert not describe_targets(tail)[0].is_skewed(100)
    for other in (np.log(tail), -tail, tail - tail.min(), ["a", "b"] * 9):  # 0 has no logarithm
        assert not describe_targets(other)[0].is_skewed(1)


def test_rare_classes_cannot_be_divided():
    assert describe_targets(["a", "b"] * 20)[0].can_be_divided
    assert not describe_targets(["a", "b"] * 20 + ["c"] * 19)[0].can_be_divided
    assert describe_targets(RNG.normal(size=9))[0].can_be_divided

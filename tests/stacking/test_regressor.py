"""Stacks that predict numbers."""

import numpy as np
import pytest
from _small import make_table, stack_regressor
from numpy.testing import assert_allclose


@pytest.fixture(scope="module")
def table():
    return make_table()


@pytest.mark.parametrize("training", ["joint", "individual"])
def test_several_targets(table, training):
    X, y = table
    Y = np.column_stack([y, 10.0 - 3.0 * y])
    stack = stack_regressor(training=training).fit(X, Y)
    assert stack.predict(X).shape == Y.shape
    base = ["network", "ridge"] if training == "joint" else ["numbers", "place", "ridge"]
    assert stack.get_feature_names_out().tolist() == [
        f"multimodalstackingregressor_{name}{target}" for name in base for target in (0, 1)
    ]
    first = stack.named_estimators_[base[0]]
    assert_allclose(stack.transform(X)[:, :2], first.predict(X), rtol=1e-6)
    assert_allclose(first.target_encoder_.center_, Y.mean(axis=0))
    assert stack.score(X, Y) > 0.3

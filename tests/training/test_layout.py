"""How an optimizer is given the weights."""

import numpy as np
import pytest

from skstack._backend import keras
from skstack.training._layout import Layout

SHAPES = {"kernel": (2, 3), "table": (4, 2), "bias": (3,)}
WEIGHTS = [np.arange(6.0).reshape(2, 3), 10 + np.arange(8.0).reshape(4, 2), 20 + np.arange(3.0)]


@pytest.mark.parametrize("xp", [np, keras.ops], ids=["arrays", "tensors"])
@pytest.mark.parametrize("joined", [(), ("bias", "kernel"), tuple(SHAPES)], ids=str)
def test_weights_come_back_in_their_order(joined, xp):
    layout = Layout(SHAPES, joined)
    packed = layout.packed([xp.array(weight) for weight in WEIGHTS], xp)
    assert len(packed) == len(SHAPES) - max(0, len(joined) - 1)
    for weight, again in zip(WEIGHTS, layout.unpacked(packed, xp), strict=True):
        np.testing.assert_array_equal(again, weight)


def test_the_vector_comes_first_in_the_order_of_the_weights():
    vector, table = Layout(SHAPES, ["bias", "kernel"]).packed(WEIGHTS)
    assert vector.tolist() == [0, 1, 2, 3, 4, 5, 20, 21, 22]
    assert table is WEIGHTS[1]


def test_an_optimizer_is_built_for_the_vector_and_the_very_variables_beside_it():
    variables = [keras.Variable(weight, dtype="float32") for weight in WEIGHTS]
    vector, table = Layout(SHAPES, ["bias", "kernel"]).optimized(variables)
    assert vector.shape == (9,)
    assert table is variables[1]
    assert Layout(SHAPES).optimized(variables) == variables


def test_slots_that_some_weights_lack_have_names_all_the_same():
    layout = Layout(SHAPES)
    by_name = layout.slots_by_name([WEIGHTS[0].ravel(), None, np.zeros(1)])
    assert list(by_name) == ["kernel", "bias"]
    assert by_name["kernel"].shape == (2, 3)
    assert by_name["bias"].shape == (1,)  # smaller than its weight, as averages over rows are
    assert [part is None for part in layout.slots(by_name)] == [False, True, False]


def test_slots_of_joined_weights_are_parts_of_one_vector():
    layout = Layout(SHAPES, ["kernel", "bias"])
    by_name = layout.slots_by_name([np.arange(9.0), WEIGHTS[1]])
    assert by_name["bias"].tolist() == [6, 7, 8]
    vector, table = layout.slots(by_name)
    assert vector.tolist() == list(range(9))
    np.testing.assert_array_equal(table, WEIGHTS[1])

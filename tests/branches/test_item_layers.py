"""The layer that pools the items of a cell."""

import numpy as np
import pytest

from skstack._backend import keras
from skstack.branches._item_layers import PoolItems

WAYS = ["avg", "max", "attention"]
FEATURES = np.random.default_rng(0).normal(size=(4, 3, 5)).astype("float32")
EMPTY = np.array([[0, 0, 0], [0, 1, 0], [1, 0, 1], [1, 1, 1]], dtype="float32")


def pool(layer, features, empty):
    return [keras.ops.convert_to_numpy(part) for part in layer([features, empty])]


def test_averages_and_maxima_are_over_the_items_that_are_there():
    there = [FEATURES[0], FEATURES[1, [0, 2]], FEATURES[2, [1]]]
    averages, flags = pool(PoolItems("avg"), FEATURES, EMPTY)
    np.testing.assert_allclose(averages[:3], [items.mean(axis=0) for items in there], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(flags, [[0], [0], [0], [1]])
    maxima, _ = pool(PoolItems("max"), FEATURES - 9, EMPTY)
    np.testing.assert_allclose(maxima[:3], [items.max(axis=0) - 9 for items in there], rtol=1e-5)


def test_attention_weighs_items_by_what_they_are():
    layer = PoolItems("attention", units=2)
    layer.build([(None, 3, 5), (None, 3)])
    query, kernel = np.array([[3.0], [0.0]]), np.zeros((5, 2))
    kernel[0, 0] = 1.0
    layer.set_weights([kernel, np.zeros(2), query])
    scores = np.exp(3 * np.tanh(FEATURES[1, [0, 2], 0]))
    pooled, _ = pool(layer, FEATURES, EMPTY)
    np.testing.assert_allclose(pooled[1], scores @ FEATURES[1, [0, 2]] / scores.sum(), rtol=1e-4)
    np.testing.assert_allclose(pooled[2], FEATURES[2, 1], rtol=1e-5)
    assert len(layer.trainable_variables) == 3


@pytest.mark.parametrize("how", WAYS)
def test_what_stands_in_empty_places_changes_nothing(how):
    layer = PoolItems(how)
    before, _ = pool(layer, FEATURES, EMPTY)
    after, _ = pool(layer, np.where(EMPTY[..., None] > 0, 77.0, FEATURES).astype("float32"), EMPTY)
    np.testing.assert_array_equal(before, after)
    np.testing.assert_array_equal(before[3], np.zeros(5))


@pytest.mark.parametrize("how", WAYS)
def test_the_order_of_items_changes_nothing(how):
    layer = PoolItems(how)
    before, _ = pool(layer, FEATURES, EMPTY)
    after, _ = pool(layer, FEATURES[:, ::-1], EMPTY[:, ::-1])
    np.testing.assert_allclose(before, after, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("how", WAYS)
def test_several_cells_of_a_row_are_pooled_each(how):
    layer = PoolItems(how)
    by_row, _ = pool(layer, FEATURES, EMPTY)
    pooled, flags = pool(layer, FEATURES.reshape(2, 2, 3, 5), EMPTY.reshape(2, 2, 3))
    np.testing.assert_allclose(pooled.reshape(4, 5), by_row, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(flags, [[0, 0], [0, 1]])
    symbolic = layer([keras.Input((2, 3, 5)), keras.Input((2, 3))])
    assert [part.shape for part in symbolic] == [(None, 2, 5), (None, 2)]
    symbolic = layer([keras.Input((3, 5)), keras.Input((3,))])
    assert [part.shape for part in symbolic] == [(None, 5), (None, 1)]


@pytest.mark.parametrize("how", WAYS)
def test_no_gradient_comes_from_empty_places(how):
    layer = PoolItems(how)
    features, empty = keras.Input((3, 5)), keras.Input((3,))
    inner = keras.layers.Dense(2, name="inner")
    model = keras.Model([features, empty], layer([inner(features), empty])[0])
    model.compile("sgd", "mse")
    before = inner.get_weights()
    model.fit([FEATURES[3:], EMPTY[3:]], np.ones((1, 2)), verbose=0)
    for weight, was in zip(inner.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, was)

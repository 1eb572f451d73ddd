"""Layers over tokens, which leave padding out."""

import numpy as np
import pytest

from skstack._backend import keras
from skstack.branches._text_layers import (
    AddPositions,
    AttentionMask,
    BackwardTokens,
    BlankPadding,
    LastToken,
    MaximumOfTokens,
    MeanOfTokens,
    MeanOfTokenVectors,
    TokenVectors,
)

IDS = np.array([[5, 3, 0], [4, 0, 0], [0, 0, 0]], dtype="int32")
# Padding has vectors too, which nothing may depend on.
VECTORS = np.array(
    [[[1, -2], [3, -4], [99, 99]], [[-5, 6], [99, 99], [99, 99]], [[99, 99], [99, 99], [99, 99]]], dtype="float32"
)
REDUCED = {
    MeanOfTokens: [[2, -3], [-5, 6], [0, 0]],
    MaximumOfTokens: [[3, -2], [-5, 6], [0, 0]],
    LastToken: [[3, -4], [-5, 6], [0, 0]],
}


@pytest.mark.parametrize("kind", REDUCED)
def test_tokens_become_one_vector(kind):
    np.testing.assert_allclose(keras.ops.convert_to_numpy(kind()([VECTORS, IDS])), REDUCED[kind])
    inputs = [keras.Input((3, 2)), keras.Input((3,), dtype="int32")]
    assert kind()(inputs).shape == kind().compute_output_shape([(None, 3, 2), (None, 3)]) == (None, 2)


def test_padding_is_blank():
    blank = keras.ops.convert_to_numpy(BlankPadding()([VECTORS, IDS]))
    np.testing.assert_array_equal(blank[0], [[1, -2], [3, -4], [0, 0]])
    np.testing.assert_array_equal(blank[2], np.zeros((3, 2)))


def test_tokens_are_turned_and_padding_stays_behind():
    ids = np.array([[5, 3, 7, 0], [4, 0, 0, 0], [0, 0, 0, 0], [1, 2, 3, 4]], dtype="int32")
    turned = keras.ops.convert_to_numpy(BackwardTokens()(ids))
    np.testing.assert_array_equal(turned, [[7, 3, 5, 0], [4, 0, 0, 0], [0, 0, 0, 0], [4, 3, 2, 1]])
    assert BackwardTokens()(keras.Input((4,), dtype="int32")).shape == (None, 4)


def test_each_place_has_a_vector_of_its_own():
    layer = AddPositions()
    layer.build((None, 3, 2))
    layer.positions.assign([[1, 0], [0, 1], [2, 2]])
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(layer(VECTORS))[0], [[2, -2], [3, -3], [101, 101]])
    assert layer.compute_output_shape((None, 3, 2)) == (None, 3, 2)


def test_tokens_alone_may_be_attended_to():
    mask = keras.ops.convert_to_numpy(AttentionMask()(IDS))
    np.testing.assert_array_equal(mask[:, 0], [[1, 1, 0], [1, 0, 0], [0, 0, 0]])
    announced = AttentionMask()(keras.Input((3,), dtype="int32"))
    assert (announced.shape, announced.dtype) == ((None, 1, 3), "bool")


def test_a_table_that_is_not_trained_is_constant():
    layer = TokenVectors(4, 2)
    layer.build((None, 3))
    assert layer.constants == []
    layer.trainable = False
    assert layer.constants == [layer.embeddings]


def test_the_mean_of_vectors_is_that_of_the_looked_up_ones():
    table, mean = TokenVectors(6, 2), MeanOfTokenVectors(6, 2)
    for layer in (table, mean):
        layer.build((None, 3))
        layer.embeddings.assign(np.arange(12.0).reshape(6, 2) ** 2)
    expected = keras.ops.convert_to_numpy(MeanOfTokens()([table(IDS), IDS]))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(mean(IDS)), expected, rtol=1e-6)
    assert mean(keras.Input((3,), dtype="int32")).shape == (None, 2)

"""The layer that looks up the vectors of entities."""

import numpy as np

from skstack._backend import keras
from skstack.branches._entity_layers import EntityVectors


def _layer():
    layer = EntityVectors(3, 2)
    layer.build((None, 2))
    layer.set_weights([np.array([[9.0, 9.0], [1.0, 2.0], [3.0, 4.0]])])
    return layer


def test_code_0_has_no_vector():
    vectors = keras.ops.convert_to_numpy(_layer()(np.array([[2, 0], [1, 2]], dtype="int32")))
    np.testing.assert_array_equal(vectors, [[[3, 4], [0, 0]], [[1, 2], [3, 4]]])


def test_the_table_is_trained():
    layer = _layer()
    assert layer.trainable_variables == [layer.embeddings]
    assert layer.constants == []
    assert layer(keras.Input((2,), dtype="int32")).shape == (None, 2, 2)

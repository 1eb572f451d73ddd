"""Keras layers of entities."""

from .._backend import keras
from .._layers import Layer

ops = keras.ops


@keras.saving.register_keras_serializable("skstack")
class EntityVectors(Layer, keras.layers.Embedding):
    """Look up a vector for each code; that of code 0 is 0 and never trained."""

    vectorizable = True

    def call(self, inputs):
        vectors = super().call(inputs)
        return vectors * ops.cast(ops.expand_dims(inputs > 0, -1), vectors.dtype)

"""Keras layer that makes one feature vector of those of the items of a cell."""

from .._backend import keras
from .._layers import Layer

ops = keras.ops


@keras.saving.register_keras_serializable("skstack")
class PoolItems(Layer):
    """The average, the maximum or an attention-weighted mean over the items of a cell, whatever stands in empty places.

    It takes features of shape (..., n_items, n_features) beside flags of shape (..., n_items), which are 1 at empty
    places, and returns features of shape (..., n_features) beside flags that are 1 where there is no item at all: a
    flag for each row, or if each row has several cells, of shape (n_rows, n_cells, n_items), for each cell.

    Parameters
    ----------
    how : {"avg", "max", "attention"}
    units : int, default=32
        Units of the attention.

    References
    ----------
    .. [1] Ilse, M., Tomczak, J. M. and Welling, M. (2018). "Attention-based Deep Multiple Instance Learning".
           ICML 2018.
    """

    vectorizable = True

    def __init__(self, how, units=32, **kwargs):
        super().__init__(**kwargs)
        self.how = how
        self.units = units

    def build(self, input_shape):
        if self.how == "attention":
            n_features = input_shape[0][-1]
            self.kernel = self.add_weight(shape=(n_features, self.units), initializer="glorot_uniform", name="kernel")
            self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")
            self.query = self.add_weight(shape=(self.units, 1), initializer="glorot_uniform", name="query")

    def call(self, inputs):
        features, empty = inputs
        there = ops.expand_dims(ops.cast(empty < 0.5, features.dtype), -1)
        if self.how == "max":
            lowest = -1e4  # within the range of half precision
            pooled = ops.max(ops.where(there > 0, features, lowest), axis=-2) * ops.max(there, axis=-2)
        else:
            weight = there if self.how == "avg" else self._attention(features, there)
            pooled = ops.sum(features * weight, axis=-2) / ops.maximum(ops.sum(weight, axis=-2), 1e-3)
        return pooled, ops.min(empty, axis=-1, keepdims=len(empty.shape) == 2)

    def _attention(self, features, there):
        hidden = ops.tanh(ops.matmul(features, self.kernel) + self.bias)
        scores = ops.where(there > 0, ops.matmul(hidden, self.query), -1e4)
        return ops.softmax(scores, axis=-2) * there

    def attention_weights(self, inputs):
        """Return what each item counts, of shape (..., n_items); for ``how="attention"``."""
        features, empty = inputs
        there = ops.expand_dims(ops.cast(empty < 0.5, features.dtype), -1)
        return self._attention(features, there)[..., 0]

    def compute_output_spec(self, inputs):
        features, empty = inputs
        flags = (*empty.shape[:-1], 1) if len(empty.shape) == 2 else empty.shape[:-1]
        return (
            keras.KerasTensor((*features.shape[:-2], features.shape[-1]), dtype=features.dtype),
            keras.KerasTensor(flags, dtype=empty.dtype),
        )

    def get_config(self):
        return {**super().get_config(), "how": self.how, "units": self.units}

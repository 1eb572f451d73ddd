"""Keras layers for sequences of token ids, in which 0 fills up the end of a row.

They take the ids beside the vectors and leave padding out by themselves: a row's result does not depend on how much of
it follows.
"""

from .._backend import keras
from .._layers import Layer
from ..training._lookups import mean_of_rows

ops = keras.ops


class _BesideIds(Layer):
    """A layer over vectors of shape (None, length, n) and the ids of shape (None, length) that they belong to."""

    def _mask(self, vectors, ids):
        """Return 1 where a token is and 0 at padding, of shape (None, length, 1)."""
        return ops.expand_dims(ops.cast(ids != 0, vectors.dtype), -1)


@keras.saving.register_keras_serializable("skstack")
class TokenVectors(Layer, keras.layers.Embedding):
    """The vectors of token ids; a table that is not trained holds what a branch assigns to it."""

    moves_rows = True

    @property
    def constants(self):
        """Variables that training does not change."""
        return [] if self.trainable else [self.embeddings]


@keras.saving.register_keras_serializable("skstack")
class MeanOfTokenVectors(TokenVectors):
    """The mean of the vectors of the tokens of a row; 0 where there is none."""

    def call(self, inputs):
        return ops.cast(mean_of_rows(ops.convert_to_tensor(self.embeddings), inputs), self.compute_dtype)

    def compute_output_spec(self, inputs):
        return keras.KerasTensor((inputs.shape[0], self.output_dim), dtype=self.compute_dtype)


@keras.saving.register_keras_serializable("skstack")
class BlankPadding(_BesideIds):
    """Set the vectors of padding to 0."""

    def call(self, inputs):
        vectors, ids = inputs
        return vectors * self._mask(vectors, ids)

    def compute_output_shape(self, input_shape):
        return input_shape[0]


@keras.saving.register_keras_serializable("skstack")
class MeanOfTokens(_BesideIds):
    """The mean over the tokens of a row; 0 where there is none."""

    def call(self, inputs):
        vectors, ids = inputs
        mask = self._mask(vectors, ids)
        return ops.sum(vectors * mask, axis=1) / ops.maximum(ops.sum(mask, axis=1), 1)

    def compute_output_shape(self, input_shape):
        rows, _, n_features = input_shape[0]
        return rows, n_features


@keras.saving.register_keras_serializable("skstack")
class MaximumOfTokens(_BesideIds):
    """The maximum over the tokens of a row; 0 where there is none."""

    def call(self, inputs):
        vectors, ids = inputs
        mask = self._mask(vectors, ids)
        maximum = ops.max(ops.where(mask > 0, vectors, -1e4), axis=1)  # within the range of half precision
        return maximum * ops.max(mask, axis=1)

    def compute_output_shape(self, input_shape):
        rows, _, n_features = input_shape[0]
        return rows, n_features


@keras.saving.register_keras_serializable("skstack")
class LastToken(_BesideIds):
    """The vector of the last token of a row; 0 where there is none.

    A recurrent layer that runs over all steps, without looking for padding at each of them, has its result there.
    """

    def call(self, inputs):
        vectors, ids = inputs
        tokens = ops.cast(ids != 0, "int32")
        follows = ops.pad(tokens[:, 1:], [(0, 0), (0, 1)])
        return ops.sum(vectors * ops.expand_dims(ops.cast(tokens - follows, vectors.dtype), -1), axis=1)

    def compute_output_shape(self, input_shape):
        rows, _, n_features = input_shape[0]
        return rows, n_features


@keras.saving.register_keras_serializable("skstack")
class BackwardTokens(Layer):
    """The ids of a row from its last token to its first, followed by the padding as before."""

    def call(self, inputs):
        length = inputs.shape[1]
        n_tokens = ops.sum(ops.cast(inputs != 0, "int32"), axis=1, keepdims=True)
        places = ops.mod(n_tokens - 1 - ops.arange(length, dtype="int32"), length)
        return ops.take_along_axis(inputs, places, axis=1)

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(inputs.shape, dtype=inputs.dtype)


@keras.saving.register_keras_serializable("skstack")
class AddPositions(Layer):
    """Add a trained vector for each place in a sequence."""

    def build(self, input_shape):
        self.positions = self.add_weight(shape=input_shape[1:], initializer="uniform", name="positions")

    def call(self, inputs):
        return inputs + self.positions

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.saving.register_keras_serializable("skstack")
class AttentionMask(Layer):
    """Which tokens of a row may be attended to, of shape (None, 1, length)."""

    def call(self, inputs):
        return ops.expand_dims(inputs != 0, 1)

    def compute_output_spec(self, inputs):
        return keras.KerasTensor((inputs.shape[0], 1, inputs.shape[1]), dtype="bool")

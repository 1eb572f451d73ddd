"""Keras layers that make features of where dates are in their cycles, and of the time since the training rows began."""

from .._backend import keras
from .._layers import Layer

ops = keras.ops


@keras.saving.register_keras_serializable("skstack")
class Cycles(Layer):
    """Sines and cosines of parts of a turn, and of multiples of them, so that the end of a cycle lies by its beginning.

    Gaps (NaN) give 0, which no part of a turn does, and so do cycles that all training rows are in the same place of.

    Parameters
    ----------
    n_harmonics : int
        Multiples: 1, 2, ..., `n_harmonics`.
    """

    vectorizable = True

    def __init__(self, n_harmonics, **kwargs):
        super().__init__(**kwargs)
        self.n_harmonics = n_harmonics

    def build(self, input_shape):
        self.seen = self.add_weight(shape=input_shape[1:], initializer="ones", trainable=False, name="seen")

    @property
    def constants(self):
        """Variables that training does not change."""
        return [self.seen]

    def call(self, inputs):
        missing = ops.isnan(inputs)
        turns = ops.expand_dims(ops.where(missing, 0.0, inputs), -1)
        known = ops.expand_dims(ops.where(missing, 0.0, ops.convert_to_tensor(self.seen)), -1)
        angles = 6.283185307179586 * turns * ops.arange(1, self.n_harmonics + 1, dtype=turns.dtype)
        waves = ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1) * known
        return ops.cast(ops.reshape(waves, (-1, *self._n_features(inputs.shape))), "float32")

    def _n_features(self, shape):
        return (shape[1] * shape[2] * 2 * self.n_harmonics,)

    def compute_output_spec(self, inputs):
        return keras.KerasTensor((inputs.shape[0], *self._n_features(inputs.shape)), dtype="float32")

    def get_config(self):
        return {**super().get_config(), "n_harmonics": self.n_harmonics}


@keras.saving.register_keras_serializable("skstack")
class SinceOrigin(Layer):
    """The sum of a whole number, such as a day since 1970, and a part, such as that of the day, less an origin.

    The first half of the inputs are whole numbers, the second half the parts: float32 holds both exactly, where it
    could not tell the seconds of their sum apart. What lies before the origin is at the origin, and what lies further
    from it than a span is at its end: a network is no good at what comes after the time that it knows. Gaps (NaN) stay.
    """

    vectorizable = True

    def build(self, input_shape):
        shape = (input_shape[1], input_shape[2] // 2)
        self.origin = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="origin")
        self.span = self.add_weight(shape=shape, initializer="ones", trainable=False, name="span")

    @property
    def constants(self):
        """Variables that training does not change."""
        return [self.origin, self.span]

    def call(self, inputs):
        n_numbers = inputs.shape[2] // 2
        since = (inputs[:, :, :n_numbers] - self.origin) + inputs[:, :, n_numbers:]
        since = ops.where(since < 0, 0.0, since)
        since = ops.where(since > self.span, ops.convert_to_tensor(self.span), since)
        return ops.reshape(since, (-1, inputs.shape[1] * n_numbers))

    def compute_output_spec(self, inputs):
        return keras.KerasTensor((inputs.shape[0], inputs.shape[1] * (inputs.shape[2] // 2)), dtype=self.compute_dtype)

"""Keras layers that turn scaled numbers into what dense layers learn from more easily."""

from .._backend import keras
from .._layers import Layer

ops = keras.ops


class _OfNumbers(Layer):
    """Transform the first columns; those behind, which are flags of gaps, pass as they are.

    Parameters
    ----------
    n_numbers : int
        Number of columns to transform.
    """

    #: Number of columns that each number becomes.
    length = 1

    def __init__(self, n_numbers, **kwargs):
        super().__init__(**kwargs)
        self.n_numbers = n_numbers

    def transform(self, numbers):
        """Return transformed numbers of shape (n_rows, n_numbers * length)."""
        raise NotImplementedError

    def call(self, inputs):
        numbers, flags = inputs[:, : self.n_numbers], inputs[:, self.n_numbers :]
        return ops.concatenate([self.transform(numbers), flags], axis=-1)

    def compute_output_shape(self, input_shape):
        return input_shape[0], input_shape[-1] + self.n_numbers * (self.length - 1)

    def get_config(self):
        return {**super().get_config(), "n_numbers": self.n_numbers}


@keras.saving.register_keras_serializable("skstack")
class SmoothClip(_OfNumbers):
    """Bend numbers so that none is further from 0 than a limit; those near 0 hardly change."""

    vectorizable = True

    limit = 3.0

    def transform(self, numbers):
        return clipped(numbers, self.limit)


def clipped(numbers, limit=SmoothClip.limit):
    """Return ``x / sqrt(1 + (x / limit) ** 2)`` for each number; see SmoothClip."""
    # The square of a number far out would be infinite in float32, and the quotient 0 rather than the limit.
    numbers = ops.clip(numbers, -1e6, 1e6)
    return numbers / ops.sqrt(1 + ops.square(numbers / limit))


class _Embedding(_OfNumbers):
    """Expand each number, then put it through a dense layer of its own.

    Parameters
    ----------
    n_numbers : int
    length : int
        Units of each number's dense layer.
    """

    def __init__(self, n_numbers, length, **kwargs):
        super().__init__(n_numbers, **kwargs)
        self.length = length

    def build_dense(self, n_expanded):
        """Create the weights of the dense layers, for numbers that became `n_expanded` each."""
        bound = n_expanded**-0.5
        # Under these names further members of a network find how to draw weights of their own.
        self.kernel_initializer = keras.initializers.RandomUniform(-bound, bound)
        self.bias_initializer = keras.initializers.RandomUniform(-bound, bound)
        shape = (self.n_numbers, n_expanded, self.length)
        self.kernel = self.add_weight(shape=shape, initializer=self.kernel_initializer, name="kernel")
        self.bias = self.add_weight(shape=(self.n_numbers, self.length), initializer=self.bias_initializer, name="bias")

    def expand(self, numbers):
        """Return numbers of shape (n_rows, n_numbers) as (n_rows, n_numbers, n_expanded)."""
        raise NotImplementedError

    def transform(self, numbers):
        vectors = ops.relu(ops.einsum("rne,nel->rnl", self.expand(numbers), self.kernel) + self.bias)
        return ops.reshape(vectors, (-1, self.n_numbers * self.length))

    def get_config(self):
        return {**super().get_config(), "length": self.length}


@keras.saving.register_keras_serializable("skstack")
class PiecewiseLinear(_Embedding):
    """Say of each bin of a number's range which part of it lies below the number, then apply a dense layer and ReLU.

    Parameters
    ----------
    n_numbers : int
    length : int
        Units of each number's dense layer.
    n_bins : int
        Bins that are not used, because a number has fewer distinct values, stay 0.
    """

    vectorizable = True

    def __init__(self, n_numbers, length, n_bins, **kwargs):
        super().__init__(n_numbers, length, **kwargs)
        self.n_bins = n_bins

    def build(self, input_shape):
        def add(name, initializer):
            shape = (self.n_numbers, self.n_bins)
            return self.add_weight(shape=shape, initializer=initializer, trainable=False, name=name)

        self.begin = add("begin", "zeros")
        self.slope = add("slope", "zeros")
        self.lowest = add("lowest", "zeros")
        self.highest = add("highest", "ones")
        self.build_dense(self.n_bins)

    @property
    def constants(self):
        """Variables that training does not change."""
        return [self.begin, self.slope, self.lowest, self.highest]

    def expand(self, numbers):
        parts = (ops.expand_dims(numbers, -1) - self.begin) * self.slope
        return ops.minimum(ops.maximum(parts, self.lowest), self.highest)

    def get_config(self):
        return {**super().get_config(), "n_bins": self.n_bins}


@keras.saving.register_keras_serializable("skstack")
class Periodic(_Embedding):
    """Take sines and cosines of multiples of each number, which are trained, then apply a dense layer and ReLU.

    Parameters
    ----------
    n_numbers : int
    length : int
        Units of each number's dense layer.
    n_frequencies : int
    sigma : float
        Standard deviation of the initial frequencies, in periods per unit of the scaled number.
    """

    vectorizable = True

    def __init__(self, n_numbers, length, n_frequencies, sigma, **kwargs):
        super().__init__(n_numbers, length, **kwargs)
        self.n_frequencies = n_frequencies
        self.sigma = sigma

    def build(self, input_shape):
        self.frequencies_initializer = keras.initializers.RandomNormal(stddev=self.sigma)
        shape = (self.n_numbers, self.n_frequencies)
        self.frequencies = self.add_weight(shape=shape, initializer=self.frequencies_initializer, name="frequencies")
        self.build_dense(2 * self.n_frequencies)

    def expand(self, numbers):
        angles = 6.283185307179586 * ops.expand_dims(numbers, -1) * self.frequencies
        return ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)

    def get_config(self):
        return {**super().get_config(), "n_frequencies": self.n_frequencies, "sigma": self.sigma}

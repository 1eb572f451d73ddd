"""Keras layers at the end of networks."""

import math
from itertools import pairwise
from statistics import NormalDist

from .._backend import keras
from .._layers import Layer

#: Where the softplus function is 1.
_SOFTPLUS_IS_1 = math.log(math.e - 1)


@keras.saving.register_keras_serializable("skstack")
class Unstandardize(Layer):
    """Bring the standardised output of a regression network back to the units of the target."""

    vectorizable = True

    def build(self, input_shape):
        shape = (input_shape[-1],)
        self.center = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="center")
        self.scale = self.add_weight(shape=shape, initializer="ones", trainable=False, name="scale")

    @property
    def constants(self):
        """Variables that training does not change."""
        return [self.center, self.scale]

    def call(self, inputs):
        return inputs * self.scale + self.center

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.saving.register_keras_serializable("skstack")
class ExpUnstandardize(Unstandardize):
    """Bring the standardised logarithm of a positive number to the units of the target."""

    def call(self, inputs):
        return keras.ops.exp(super().call(inputs))


@keras.saving.register_keras_serializable("skstack")
class IncreasingQuantiles(Layer):
    """Make any numbers quantiles in increasing order: the first is the lowest, the others say how far to go up from it.

    Where all inputs are 0, these are the quantiles of a normal distribution. A step is a positive multiple of the
    one there, so an input means as much for the wide steps of the tails as for the narrow ones in the middle.

    Parameters
    ----------
    quantile : sequence of float
        Probabilities, in increasing order.
    """

    vectorizable = True

    def __init__(self, quantile, **kwargs):
        super().__init__(**kwargs)
        self.quantile = [float(level) for level in quantile]
        self._normal = [NormalDist().inv_cdf(level) for level in self.quantile]

    def call(self, inputs):
        # Adding one after the other, rather than all at once, keeps the order through every rounding.
        quantiles = [inputs[..., :1] + self._normal[0]]
        for index, (lower, upper) in enumerate(pairwise(self._normal), start=1):
            factor = keras.ops.softplus(inputs[..., index : index + 1] + _SOFTPLUS_IS_1)
            quantiles.append(quantiles[-1] + (upper - lower) * factor)
        return keras.ops.concatenate(quantiles, axis=-1)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "quantile": self.quantile}

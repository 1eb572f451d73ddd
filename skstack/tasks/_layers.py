"""Keras layers at the end of networks."""

from .._backend import keras
from .._layers import Layer


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

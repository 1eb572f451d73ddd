"""Keras layers that keep what a branch learned from its training rows.

The statistics are non-trainable weights, not constants of the graph: one compiled program then serves every fold, with
other values poured in.
"""

from .._backend import keras

ops = keras.ops


@keras.saving.register_keras_serializable("skstack")
class Standardize(keras.layers.Layer):
    """Fill gaps (NaN), centre and scale columns, and optionally append a flag per column that says where a gap was.

    Parameters
    ----------
    flags : bool, default=True
        Whether to append the flags. The flag of a column without a gap in the training rows stays 0, because no weight
        behind it was ever trained.
    """

    def __init__(self, flags=True, **kwargs):
        super().__init__(**kwargs)
        self.flags = flags

    def build(self, input_shape):
        columns = input_shape[-1]

        def add(name, initializer):
            return self.add_weight(shape=(columns,), initializer=initializer, trainable=False, name=name)

        self.fill = add("fill", "zeros")
        self.center = add("center", "zeros")
        self.scale = add("scale", "ones")
        self.seen = add("seen", "zeros")

    def call(self, inputs):
        missing = ops.isnan(inputs)
        filled = ops.where(missing, self.fill, inputs)
        scaled = (filled - self.center) / self.scale
        if self.flags:
            scaled = ops.concatenate([scaled, ops.cast(missing, scaled.dtype) * self.seen], axis=-1)
        return ops.cast(scaled, keras.config.floatx())

    def compute_output_spec(self, inputs):
        columns = inputs.shape[-1] * (2 if self.flags else 1)
        return keras.KerasTensor((*inputs.shape[:-1], columns), dtype=keras.config.floatx())

    def get_config(self):
        return {**super().get_config(), "flags": self.flags}


@keras.saving.register_keras_serializable("skstack")
class SeenMask(keras.layers.Layer):
    """Multiply each feature by a fixed 0 or 1: features that no training row had stay 0."""

    def build(self, input_shape):
        self.mask = self.add_weight(shape=(input_shape[-1],), initializer="ones", trainable=False, name="mask")

    def call(self, inputs):
        return inputs * self.mask

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.saving.register_keras_serializable("skstack")
class Unstandardize(keras.layers.Layer):
    """Bring the standardised output of a regression network back to the units of the target."""

    def build(self, input_shape):
        shape = (input_shape[-1],)
        self.center = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="center")
        self.scale = self.add_weight(shape=shape, initializer="ones", trainable=False, name="scale")

    def call(self, inputs):
        return inputs * self.scale + self.center

    def compute_output_shape(self, input_shape):
        return input_shape

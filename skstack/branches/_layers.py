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

    @property
    def constants(self):
        """Variables that training does not change."""
        return [self.fill, self.center, self.scale, self.seen]

    def call(self, inputs):
        missing = ops.isnan(inputs)
        filled = ops.where(missing, ops.convert_to_tensor(self.fill), inputs)
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

    @property
    def constants(self):
        """Variables that training does not change."""
        return [self.mask]

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

    @property
    def constants(self):
        """Variables that training does not change."""
        return [self.center, self.scale]

    def call(self, inputs):
        return inputs * self.scale + self.center

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.saving.register_keras_serializable("skstack")
class Dropout(keras.layers.Layer):
    """Set entries to 0 at random in training, as Keras's layer of this name does, with the rate as a weight.

    Networks that differ in their rates only are then trained by one compiled program.

    Parameters
    ----------
    rate : float
        Part of the entries that is set to 0; the others are scaled up so that their expected sum stays.
    """

    def __init__(self, rate, **kwargs):
        super().__init__(**kwargs)
        self.initial_rate = rate
        self.seed_generator = keras.random.SeedGenerator()
        self.supports_masking = True

    def build(self, input_shape):
        initializer = keras.initializers.Constant(self.initial_rate)
        self.rate = self.add_weight(shape=(), initializer=initializer, trainable=False, name="rate")

    @property
    def constants(self):
        """Variables that training does not change."""
        return [self.rate]

    def call(self, inputs, training=False):
        if not training:
            return inputs
        rate = ops.cast(self.rate, "float32")
        kept = keras.random.uniform(ops.shape(inputs), dtype="float32", seed=self.seed_generator) >= rate
        return ops.where(kept, inputs / ops.cast(1 - rate, inputs.dtype), 0)

    def compute_output_spec(self, inputs, training=False):
        return keras.KerasTensor(inputs.shape, dtype=inputs.dtype)

    def get_config(self):
        return {**super().get_config(), "rate": self.initial_rate}

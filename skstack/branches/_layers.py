"""Keras layers that keep what a branch learned from its training rows.

The statistics are non-trainable weights, not constants of the graph: one compiled program then serves every fold, with
other values assigned.
"""

from .._backend import keras
from .._layers import Layer
from ..training._random import uniform

ops = keras.ops


@keras.saving.register_keras_serializable("skstack")
class Standardize(Layer):
    """Fill gaps (NaN), centre and scale columns, and optionally append a flag per column that says where a gap was.

    Parameters
    ----------
    flags : bool, default=True
        Whether to append the flags. The flag of a column without a gap in the training rows stays 0, because no weight
        behind it was ever trained.
    """

    vectorizable = True

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

    def assign_statistics(self, *statistics):
        """Write what fills the gaps of each column, its centre, its scale, and whether it had gaps in training."""
        for variable, values in zip(self.constants, statistics, strict=True):
            variable.assign(values)

    def call(self, inputs):
        missing = ops.isnan(inputs)
        filled = ops.where(missing, ops.convert_to_tensor(self.fill), inputs)
        scaled = (filled - self.center) / self.scale
        if self.flags:
            scaled = ops.concatenate([scaled, ops.cast(missing, scaled.dtype) * self.seen], axis=-1)
        return ops.cast(scaled, "float32")

    def compute_output_spec(self, inputs):
        columns = inputs.shape[-1] * (2 if self.flags else 1)
        return keras.KerasTensor((*inputs.shape[:-1], columns), dtype="float32")

    def get_config(self):
        return {**super().get_config(), "flags": self.flags}


@keras.saving.register_keras_serializable("skstack")
class SeenMask(Layer):
    """Multiply each feature by a fixed 0 or 1: features that no training row had stay 0."""

    vectorizable = True

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
class Dropout(Layer):
    """Set entries to 0 at random in training, as Keras's layer of this name does, with the rate as a weight.

    Networks that differ in their rates only are then trained by one compiled program.

    Parameters
    ----------
    rate : float
        Part of the entries that is set to 0; the others are scaled up so that their expected sum stays.
    """

    vectorizable = True
    value_settings = ("rate",)

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
        kept = uniform(ops.shape(inputs), self.seed_generator) >= rate
        return ops.where(kept, inputs / ops.cast(1 - rate, inputs.dtype), 0)

    def compute_output_spec(self, inputs, training=False):
        return keras.KerasTensor(inputs.shape, dtype=inputs.dtype)

    def get_config(self):
        return {**super().get_config(), "rate": self.initial_rate}


@keras.saving.register_keras_serializable("skstack")
class MissingEmbedding(Layer):
    """Put a trained vector in the place of features of missing rows.

    The vector is the mean of the features that training rows have, as a moving average, plus a trained difference:
    a modality that no training row lacks has a sensible vector all the same.

    Parameters
    ----------
    drops : bool, default=False
        Whether rows are treated as missing at random in training, at a rate that is a weight.
    """

    vectorizable = True

    momentum = 0.9

    def __init__(self, drops=False, **kwargs):
        super().__init__(**kwargs)
        self.drops = drops
        self.seed_generator = keras.random.SeedGenerator() if drops else None

    def build(self, input_shape):
        shape = (input_shape[0][-1],)
        self.difference = self.add_weight(shape=shape, initializer="zeros", name="difference")
        self.mean = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="mean")
        # How much of the average is not its initial 0.
        self.share = self.add_weight(shape=(), initializer="zeros", trainable=False, name="share")
        if self.drops:
            self.rate = self.add_weight(shape=(), initializer="zeros", trainable=False, name="rate")

    @property
    def constants(self):
        """Variables that training does not change."""
        return [self.rate] if self.drops else []

    def call(self, inputs, training=False):
        features, missing = inputs
        missing = ops.expand_dims(missing, -1) > 0.5 if len(features.shape) == 3 else missing > 0.5
        if training and self.trainable:
            self._average(ops.stop_gradient(features), missing)
        if training and self.drops:
            shape = (ops.shape(features)[0], *[1] * (len(features.shape) - 1))
            missing = ops.logical_or(missing, uniform(shape, self.seed_generator) < ops.cast(self.rate, "float32"))
        mean = self.mean / ops.maximum(self.share, 1e-6)
        return ops.where(missing, ops.cast(mean + self.difference, features.dtype), features)

    def _average(self, features, missing):
        axes = list(range(len(features.shape) - 1))
        present = ops.cast(ops.logical_not(missing), self.mean.dtype)
        n_present = ops.sum(present)
        mean = ops.sum(ops.cast(features, self.mean.dtype) * present, axis=axes) / ops.maximum(n_present, 1.0)
        step = (1 - self.momentum) * ops.cast(n_present > 0, self.mean.dtype)
        self.mean.assign(self.mean + step * (mean - self.mean))
        self.share.assign(self.share + step * (1 - self.share))

    def compute_output_spec(self, inputs, training=False):
        return keras.KerasTensor(inputs[0].shape, dtype=inputs[0].dtype)

    def get_config(self):
        return {**super().get_config(), "drops": self.drops}


@keras.saving.register_keras_serializable("skstack")
class Merge(Layer):
    """Merge the feature vectors of several columns, which stand along the second axis, into one.

    Parameters
    ----------
    how : {"concatenate", "add", "subtract", "multiply", "dot", "average", "maximum"}
        "dot" is the sum of the products, feature by feature.
    """

    vectorizable = True

    def __init__(self, how, **kwargs):
        super().__init__(**kwargs)
        self.how = how

    def call(self, inputs):
        merges = {
            "concatenate": lambda x: ops.reshape(x, (-1, x.shape[1] * x.shape[2])),
            "add": lambda x: ops.sum(x, axis=1),
            "subtract": lambda x: x[:, 0] - x[:, 1],
            "multiply": lambda x: ops.prod(x, axis=1),
            "dot": lambda x: ops.sum(ops.prod(x, axis=1), axis=-1, keepdims=True),
            "average": lambda x: ops.mean(x, axis=1),
            "maximum": lambda x: ops.max(x, axis=1),
        }
        return merges[self.how](inputs)

    def compute_output_shape(self, input_shape):
        rows, columns, features = input_shape
        return rows, {"concatenate": columns * features, "dot": 1}.get(self.how, features)

    def get_config(self):
        return {**super().get_config(), "how": self.how}

"""Keras layers for sequences of different lengths, which are padded with NaN at their ends."""

from .._backend import keras
from .._layers import Layer

ops = keras.ops

#: Below every feature, and a number in half precision too.
_LOWEST = -6e4


class _Masked(Layer):
    """A layer that is handed the mask of a sequence, and passes on none of its own accord."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_mask(self, inputs, previous_mask=None):
        return None


@keras.saving.register_keras_serializable("skstack")
class StepMask(Layer):
    """Tell the steps of a sequence from those behind its end, where every channel is NaN.

    A sequence without any number keeps its first step: layers behind this one need at least one.
    """

    def call(self, inputs):
        present = ops.any(ops.logical_not(ops.isnan(inputs)), axis=-1)
        indices = ops.arange(inputs.shape[1], dtype="int32")
        last = ops.max(ops.where(present, indices, 0), axis=1, keepdims=True)
        return indices <= last

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(inputs.shape[:2], dtype="bool")


@keras.saving.register_keras_serializable("skstack")
class Blank(_Masked):
    """Set the steps behind the end of a sequence to 0, which is what a convolution finds behind any end."""

    def call(self, inputs, mask):
        return ops.where(mask[..., None], inputs, ops.zeros_like(inputs))

    def compute_output_spec(self, inputs, mask):
        return keras.KerasTensor(inputs.shape, dtype=inputs.dtype)


@keras.saving.register_keras_serializable("skstack")
class HalveSteps(_Masked):
    """Take the maximum of every two steps of a sequence, and the mask that goes with it."""

    def call(self, inputs, mask):
        n_steps, n_channels = inputs.shape[1:]
        odd = n_steps % 2
        inputs = ops.where(mask[..., None], inputs, _LOWEST)
        inputs = ops.pad(inputs, [[0, 0], [0, odd], [0, 0]], constant_values=_LOWEST)
        mask = ops.pad(mask, [[0, 0], [0, odd]], constant_values=False)
        pairs = ops.reshape(inputs, (-1, (n_steps + odd) // 2, 2, n_channels))
        mask = ops.any(ops.reshape(mask, (-1, (n_steps + odd) // 2, 2)), axis=2)
        return ops.where(mask[..., None], ops.max(pairs, axis=2), 0.0), mask

    def compute_output_spec(self, inputs, mask):
        rows, n_steps, n_channels = inputs.shape
        halved = (n_steps + 1) // 2
        return (
            keras.KerasTensor((rows, halved, n_channels), dtype=inputs.dtype),
            keras.KerasTensor((rows, halved), dtype="bool"),
        )


@keras.saving.register_keras_serializable("skstack")
class PoolSteps(_Masked):
    """Turn the steps of a sequence into one vector, leaving out those behind its end.

    Parameters
    ----------
    pooling : {"avg", "max", "last"}
        The average, the maximum or the last one of the steps.
    """

    def __init__(self, pooling, **kwargs):
        super().__init__(**kwargs)
        self.pooling = pooling

    def call(self, inputs, mask):
        mask = mask[..., None]
        if self.pooling == "max":
            return ops.max(ops.where(mask, inputs, _LOWEST), axis=1)
        weight = ops.cast(mask, inputs.dtype)
        if self.pooling == "last":
            weight = weight - ops.pad(weight[:, 1:], [[0, 0], [0, 1], [0, 0]])
        return ops.sum(inputs * weight, axis=1) / ops.sum(weight, axis=1)

    def compute_output_spec(self, inputs, mask):
        return keras.KerasTensor((inputs.shape[0], inputs.shape[2]), dtype=inputs.dtype)

    def get_config(self):
        return {**super().get_config(), "pooling": self.pooling}

"""The Keras layer that scales pixels as a backbone wants them."""

from .._backend import keras
from ._backbones import SCALINGS

ops = keras.ops


def scale(pixels, scaling):
    """Return pixels from 0 to 255 in the scale of a backbone.

    Parameters
    ----------
    pixels : tensor of shape (..., channels)
        Red, green and blue; for "tf" any number of channels.
    scaling : {"tf", "torch", "caffe"} or None
        As in ``keras.applications``: "tf" brings pixels to -1 to 1; "torch" standardises them by the means and
        standard deviations of ImageNet; "caffe" reverses the channels and centres them. None leaves them as they are.

    Returns
    -------
    scaled : tensor of float32 of the same shape
    """
    pixels = ops.cast(pixels, "float32")
    if scaling is None:
        return pixels
    factors, offsets, is_reversed = SCALINGS[scaling]
    if scaling == "tf":
        return pixels * factors[0] + offsets[0]
    pixels = ops.flip(pixels, axis=-1) if is_reversed else pixels
    return pixels * ops.convert_to_tensor(factors, "float32") + ops.convert_to_tensor(offsets, "float32")


@keras.saving.register_keras_serializable("skstack")
class ScalePixels(keras.layers.Layer):
    """Scale pixels as a backbone wants them, see :func:`scale`.

    Parameters
    ----------
    scaling : {"tf", "torch", "caffe"} or None
    """

    def __init__(self, scaling, **kwargs):
        super().__init__(**kwargs)
        self.scaling = scaling

    def call(self, inputs):
        return scale(inputs, self.scaling)

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(inputs.shape, dtype="float32")

    def get_config(self):
        return {**super().get_config(), "scaling": self.scaling}

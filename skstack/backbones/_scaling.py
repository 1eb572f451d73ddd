"""How a backbone wants its pixels: found out by its name or its first layers, and done by a Keras layer."""

import numpy as np

from .._backend import keras
from .._layers import Layer
from ._applications import application, preprocess_input
from ._keras_hub import hub_scaling

ops = keras.ops

#: How pixels from 0 to 255 are scaled: factors and offsets of red, green and blue, and whether these are reversed.
SCALINGS = {
    "tf": ([1 / 127.5] * 3, [-1.0] * 3, False),
    "torch": (
        [1 / (255 * 0.229), 1 / (255 * 0.224), 1 / (255 * 0.225)],
        [-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225],
        False,
    ),
    "caffe": ([1.0] * 3, [-103.939, -116.779, -123.68], True),
}


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
class ScalePixels(Layer):
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


def scaled(x, scaling):
    """Return symbolic pixels from 0 to 255 as a backbone wants them."""
    if scaling is None or isinstance(scaling, str):
        return ScalePixels(scaling, name="scale_pixels")(x)
    # A copy, as a layer belongs to the model that it is used in.
    layer = type(scaling).from_config(scaling.get_config())
    return layer(ops.cast(x, "float32"))


def find_scaling(wish, model):
    """Return how a backbone wants its pixels, as :func:`scaled` takes it.

    Parameters
    ----------
    wish : Wish
    model : keras.Model
        The whole backbone.

    Returns
    -------
    scaling : {"tf", "torch", "caffe"}, keras.layers.Layer or None

    Raises
    ------
    ValueError
        If nothing says it.
    """
    if wish.preprocess != "auto":
        return wish.preprocess
    if wish.is_name():
        return application_scaling(application(wish.backbone))
    if wish.is_hub() and (scaling := hub_scaling(wish.backbone)) is not None:
        return scaling
    if _scales_pixels(model):
        return None
    raise ValueError(
        "the backbone does not say how it wants its pixels, as it begins with no Rescaling or Normalization layer. Set "
        "'preprocess' to what it was trained with: 'tf' for pixels from -1 to 1, 'torch' or 'caffe' as in "
        "keras.applications, a layer such as keras.layers.Rescaling(1 / 255), or None for pixels from 0 to 255."
    )


def _scales_pixels(model):
    """Tell whether a model brings pixels into its own scale: by a layer in front of all that learn."""
    for layer in _innermost(model):
        if isinstance(layer, (keras.layers.Rescaling, keras.layers.Normalization, ScalePixels)):
            return True
        if layer.weights:
            return False
    return False


def _innermost(model):
    """Yield the layers of a model in their order, those of an inner model in its place."""
    for layer in model.layers:
        if getattr(layer, "layers", None):
            yield from _innermost(layer)
        else:
            yield layer


def application_scaling(function):
    """Return which scaling the ``preprocess_input`` beside a function of keras.applications does, by trying it."""
    pixel = np.array([[[[3.0, 90.0, 251.0]]]], dtype="float32")
    expected = np.asarray(preprocess_input(function)(pixel.copy()))
    for scaling in (None, *SCALINGS):
        if np.allclose(np.asarray(scale(pixel, scaling)), expected, atol=1e-3):
            return scaling
    raise ValueError(f"the scaling of {function.__name__} is unknown; give it as `preprocess`.")

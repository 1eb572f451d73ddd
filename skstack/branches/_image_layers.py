"""Keras layers for images: random changes of them while training, and backbones that are trained further."""

import numpy as np

from .._backend import keras
from .._layers import Layer

ops = keras.ops


@keras.saving.register_keras_serializable("skstack")
class RandomAffine(Layer):
    """Flip, turn, zoom and move each image at random while training; one interpolation does it all.

    What comes in from outside of an image is its reflection.

    Parameters
    ----------
    flip : {"horizontal", "vertical", "both"} or None
    rotation : float
        The largest angle, as a part of a full turn.
    zoom : float
        The largest part by which an image grows or shrinks.
    translation : float
        The furthest way, as a part of height and width.
    """

    def __init__(self, flip=None, rotation=0.0, zoom=0.0, translation=0.0, **kwargs):
        super().__init__(**kwargs)
        self.flip = flip
        self.rotation = rotation
        self.zoom = zoom
        self.translation = translation
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, inputs, training=False):
        images = ops.cast(inputs, "float32")
        if not training:
            return images
        transforms = self._transforms(ops.shape(inputs)[0], *inputs.shape[1:3])
        return ops.image.affine_transform(images, transforms, "bilinear", "reflect", data_format="channels_last")

    def _transforms(self, n_images, height, width):
        """Return for each image how a place in the result gives the place in the original."""
        # One draw for all, as each call of the generator adds to the state of the training.
        draws = keras.random.uniform((n_images, 6), -1.0, 1.0, dtype="float32", seed=self.seed_generator)
        draws = [draws[:, index] for index in range(6)]
        mirror_x, mirror_y = (
            ops.where(draw < 0, -1.0, 1.0) if self.flip in (way, "both") else ops.ones_like(draw)
            for way, draw in zip(("horizontal", "vertical"), draws[:2], strict=True)
        )
        angle, scale = 2 * np.pi * self.rotation * draws[2], 1 + self.zoom * draws[3]
        cos, sin = scale * ops.cos(angle), scale * ops.sin(angle)
        (a0, a1), (b0, b1) = (cos * mirror_x, -sin * mirror_y), (sin * mirror_x, cos * mirror_y)
        # About the centre of the image, not its corner.
        x, y = (width - 1) / 2, (height - 1) / 2
        a2 = x - a0 * x - a1 * y + self.translation * width * draws[4]
        b2 = y - b0 * x - b1 * y + self.translation * height * draws[5]
        zeros = ops.zeros_like(a0)
        return ops.stack([a0, a1, a2, b0, b1, b2, zeros, zeros], axis=1)

    def compute_output_spec(self, inputs, training=False):
        return keras.KerasTensor(inputs.shape, dtype="float32")

    def get_config(self):
        settings = {name: getattr(self, name) for name in ("flip", "rotation", "zoom", "translation")}
        return {**super().get_config(), **settings}


@keras.saving.register_keras_serializable("skstack")
class RandomContrast(Layer):
    """Strengthen or weaken the contrast of each image of pixels from 0 to 255 at random while training.

    Parameters
    ----------
    contrast : float
        The largest part by which differences from the mean of a channel grow or shrink.
    """

    def __init__(self, contrast, **kwargs):
        super().__init__(**kwargs)
        self.contrast = contrast
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, inputs, training=False):
        images = ops.cast(inputs, "float32")
        if not training:
            return images
        shape = (ops.shape(inputs)[0], 1, 1, 1)
        factor = 1 + keras.random.uniform(
            shape, -self.contrast, self.contrast, dtype="float32", seed=self.seed_generator
        )
        mean = ops.mean(images, axis=(1, 2), keepdims=True)
        return ops.clip(mean + factor * (images - mean), 0.0, 255.0)

    def compute_output_spec(self, inputs, training=False):
        return keras.KerasTensor(inputs.shape, dtype="float32")

    def get_config(self):
        return {**super().get_config(), "contrast": self.contrast}

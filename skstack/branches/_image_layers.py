"""Keras layers for pictures: random changes of them while training, and backbones that are trained further."""

from fnmatch import fnmatch

import numpy as np

from .._backend import keras

ops = keras.ops


@keras.saving.register_keras_serializable("skstack")
class RandomAffine(keras.layers.Layer):
    """Flip, turn, zoom and move each picture at random while training; one interpolation does it all.

    What comes in from outside of a picture is its reflection.

    Parameters
    ----------
    flip : {"horizontal", "vertical", "both"} or None
    rotation : float
        The largest angle, as a part of a full turn.
    zoom : float
        The largest part by which a picture grows or shrinks.
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
        pictures = ops.cast(inputs, "float32")
        if not training:
            return pictures
        transforms = self._transforms(ops.shape(inputs)[0], *inputs.shape[1:3])
        return ops.image.affine_transform(pictures, transforms, "bilinear", "reflect", data_format="channels_last")

    def _transforms(self, n_pictures, height, width):
        """Return for each picture how a place in the result gives the place in the original."""
        # One draw for all, as each call of the generator adds to the state of the training.
        draws = keras.random.uniform((n_pictures, 6), -1.0, 1.0, dtype="float32", seed=self.seed_generator)
        draws = [draws[:, number] for number in range(6)]
        mirror_x, mirror_y = (
            ops.where(draw < 0, -1.0, 1.0) if self.flip in (way, "both") else ops.ones_like(draw)
            for way, draw in zip(("horizontal", "vertical"), draws[:2], strict=True)
        )
        angle, scale = 2 * np.pi * self.rotation * draws[2], 1 + self.zoom * draws[3]
        cos, sin = scale * ops.cos(angle), scale * ops.sin(angle)
        (a0, a1), (b0, b1) = (cos * mirror_x, -sin * mirror_y), (sin * mirror_x, cos * mirror_y)
        # About the centre of the picture, not its corner.
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
class RandomContrast(keras.layers.Layer):
    """Strengthen or weaken the contrast of each picture of pixels from 0 to 255 at random while training.

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
        pictures = ops.cast(inputs, "float32")
        if not training:
            return pictures
        shape = (ops.shape(inputs)[0], 1, 1, 1)
        factor = 1 + keras.random.uniform(
            shape, -self.contrast, self.contrast, dtype="float32", seed=self.seed_generator
        )
        mean = ops.mean(pictures, axis=(1, 2), keepdims=True)
        return ops.clip(mean + factor * (pictures - mean), 0.0, 255.0)

    def compute_output_spec(self, inputs, training=False):
        return keras.KerasTensor(inputs.shape, dtype="float32")

    def get_config(self):
        return {**super().get_config(), "contrast": self.contrast}


@keras.saving.register_keras_serializable("skstack")
class TrainedFurther(keras.layers.Layer):
    """A backbone inside a network, of which training changes some layers, more slowly than the rest of the network.

    Parameters
    ----------
    model : keras.Model
        With the layers that stay as they are set to be not trainable.
    learning_rate : float, default=1.0
        Factor of the learning rate for its weights: their attribute ``learning_rate_multiplier``.
    pretrained : bool, default=True
        Whether batch normalisation keeps its averages and dropout is off, as is right for a model that has learned
        before.
    """

    def __init__(self, model, learning_rate=1.0, pretrained=True, **kwargs):
        super().__init__(**kwargs)
        self.model = model
        self.learning_rate = learning_rate
        self.pretrained = pretrained
        for variable in model.trainable_variables:
            variable.learning_rate_multiplier = float(learning_rate)
        self.built = True

    @property
    def constants(self):
        """Variables that training does not change."""
        return self.model.non_trainable_variables if self.pretrained else []

    def call(self, inputs, training=False):
        return self.model(inputs, training=False if self.pretrained else training)

    def compute_output_spec(self, inputs, training=False):
        return self.model.compute_output_spec(inputs)

    def get_config(self):
        model = keras.saving.serialize_keras_object(self.model)
        settings = {"model": model, "learning_rate": self.learning_rate, "pretrained": self.pretrained}
        return {**super().get_config(), **settings}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "model": keras.saving.deserialize_keras_object(config["model"])})


def set_trainable(model, trainable):
    """Set which layers of a model are trained.

    Parameters
    ----------
    model : keras.Model
    trainable : bool, int or str
        All, none, the last so many, or those whose name fits a pattern such as ``"block5*"``.

    Raises
    ------
    ValueError
        If no layer with weights is chosen by a number or pattern.
    """
    model.trainable = True
    layers = [layer for layer in model._flatten_layers(include_self=False) if not layer._layers]
    if isinstance(trainable, bool):
        chosen = layers if trainable else []
    elif isinstance(trainable, str):
        chosen = [layer for layer in layers if fnmatch(layer.name, trainable)]
    else:
        chosen = layers[-trainable:]
    if not any(layer.weights for layer in chosen) and trainable is not False:
        names = ", ".join(layer.name for layer in layers[-8:])
        raise ValueError(f"trainable={trainable!r} chooses no layer with weights; the last layers are {names}.")
    kept = set(map(id, chosen))
    for layer in layers:
        layer.trainable = id(layer) in kept

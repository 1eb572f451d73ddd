"""A backbone: a Keras model cut behind its features, which turns images into them."""

import threading
from functools import cached_property
from uuid import uuid4

import numpy as np

from .._forks import refuse_fork
from .._user_code import has_user_code
from ._fingerprint import fingerprint, is_layer

#: Images that go through a backbone at a time. Always as many, as the last digits of the features of an image depend
#: on that number; a larger one was not faster on two cores, and makes a single image wait.
BATCH = 8


class Backbone:
    """A model cut behind its features, and what comes before and after it.

    Parameters
    ----------
    trunk : keras.Model
        From scaled images to features or feature maps.
    scaling : str, keras.layers.Layer or None
        As :func:`~skstack.backbones._scaling.scaled` takes it: its name, a layer, or None for pixels as they are.
    pooling : {"avg", "max", "flatten"}
    shape : tuple of int
        Height, width and channels of the images.
    """

    def __init__(self, trunk, scaling, pooling, shape):
        self.trunk = trunk
        self.scaling = scaling
        self.pooling = pooling
        self.shape = shape
        self._lock = threading.Lock()

    @cached_property
    def fingerprint(self):
        """Bytes that are the same for models that compute the same, whatever their layers are called."""
        return fingerprint(self.trunk, self.scaling, self.pooling, self.shape)

    @cached_property
    def has_user_code(self):
        """Whether its features depend on code of the user's, which can change without the fingerprint changing."""
        return has_user_code(self.trunk) or is_of_user(self.scaling)

    @cached_property
    def features_key(self):
        """Bytes that are the same for backbones whose features are known to be the same."""
        return uuid4().bytes if self.has_user_code else self.fingerprint

    @cached_property
    def n_features(self):
        """Number of features of an image."""
        return int(self._forward.output_shape[-1])

    def features(self, images):
        """Return the features of images.

        Parameters
        ----------
        images : iterable of ndarray of shape `shape`, dtype uint8

        Returns
        -------
        features : ndarray of shape (n, n_features), dtype float32
        """
        parts, batch = [], []
        for image in images:
            batch.append(image)
            if len(batch) == BATCH:
                parts.append(self._of_batch(batch))
                batch = []
        if batch:
            parts.append(self._of_batch(batch))
        return np.concatenate(parts) if parts else np.empty((0, self.n_features), dtype="float32")

    def _of_batch(self, images):
        filled = np.zeros((BATCH, *self.shape), dtype="uint8")
        filled[: len(images)] = images
        refuse_fork()
        with self._lock:
            features = self._forward.predict_on_batch(filled)
        return np.asarray(features, dtype="float32")[: len(images)]

    @cached_property
    def _forward(self):
        from .._backend import keras, names_of_their_own
        from ._scaling import scaled

        with names_of_their_own():
            inputs = keras.Input(self.shape, dtype="uint8", name="images")
            x = pooled(self.trunk(scaled(inputs, self.scaling), training=False), self.pooling)
            return keras.Model(inputs, x, name="features")


def pooled(x, pooling):
    """Return symbolic feature maps as a vector."""
    from .._backend import keras

    n_axes = len(x.shape) - 2
    if n_axes == 0:
        return x
    kinds = {"avg": f"GlobalAveragePooling{n_axes}D", "max": f"GlobalMaxPooling{n_axes}D", "flatten": "Flatten"}
    return getattr(keras.layers, kinds[pooling])(data_format="channels_last", name="pool_features")(x)


def is_of_user(scaling):
    """Tell whether a scaling is a layer that holds code of the user's."""
    return is_layer(scaling) and has_user_code(scaling)

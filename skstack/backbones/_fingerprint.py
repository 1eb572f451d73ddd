"""Digests of models: the same wherever the same features come out, whatever the layers are called."""

import json
from hashlib import blake2b

import numpy as np


def fingerprint(trunk, scaling, pooling, shape):
    """Return bytes that are the same for backbones that compute the same.

    Parameters
    ----------
    trunk : keras.Model
        From scaled images to features or feature maps.
    scaling : str, keras.layers.Layer or None
    pooling : str
    shape : tuple of int
        Height, width and channels of the images.

    Returns
    -------
    digest : bytes
    """
    digest = blake2b(digest_size=16)
    names = {layer.name: f"layer {index}" for index, layer in enumerate(trunk._flatten_layers())}
    parts = [_renamed(trunk.get_config(), names), scaling_config(scaling), pooling, shape]
    digest.update(json.dumps(parts, sort_keys=True, default=str).encode())
    for weight in trunk.get_weights():
        digest.update(f"{weight.shape} {weight.dtype}".encode())
        digest.update(np.ascontiguousarray(weight).data)
    return digest.digest()


def scaling_config(scaling):
    """Return what tells a scaling from others.

    Raises
    ------
    TypeError
        If it is neither the name of one nor a layer.
    """
    if scaling is None or isinstance(scaling, str):
        return scaling
    if not is_layer(scaling):
        raise TypeError(
            "'preprocess' should be 'auto', 'tf', 'torch', 'caffe', None or a Keras layer without weights, such as "
            f"keras.layers.Rescaling(1 / 255), got {scaling!r}."
        )
    return [type(scaling).__module__, type(scaling).__name__, _renamed(scaling.get_config(), {scaling.name: "scaling"})]


def _renamed(config, names):
    if isinstance(config, dict):
        return {key: _renamed(part, names) for key, part in config.items()}
    if isinstance(config, (list, tuple)):
        return [_renamed(part, names) for part in config]
    return names.get(config, config) if isinstance(config, str) else config


def is_layer(scaling):
    """Tell whether a scaling is a Keras layer rather than a name or None."""
    from .._backend import keras

    return isinstance(scaling, keras.layers.Layer)

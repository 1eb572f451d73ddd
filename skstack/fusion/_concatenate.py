"""Fusion by concatenation: feature vectors side by side."""

from ._base import Fusion


class Concatenate(Fusion):
    """Put the feature vectors side by side; nothing is lost, and the head learns what belongs together."""

    def fuse(self, features, name):
        """Return the feature vectors side by side."""
        from .._backend import keras

        return keras.layers.Concatenate(name=name)(features)

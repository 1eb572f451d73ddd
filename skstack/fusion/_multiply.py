"""Fusion by the product of the feature vectors, entry by entry."""

from ._base import ElementwiseFusion


class Multiply(ElementwiseFusion):
    """Take the product of each feature over all branches."""

    layer = "Multiply"

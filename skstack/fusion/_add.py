"""Fusion by the sum of the feature vectors, entry by entry."""

from ._base import ElementwiseFusion


class Add(ElementwiseFusion):
    """Take the sum of each feature over all branches."""

    layer = "Add"

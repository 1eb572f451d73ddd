"""Fusion by the largest value of the feature vectors, entry by entry."""

from ._base import ElementwiseFusion


class Maximum(ElementwiseFusion):
    """Take the largest value of each feature over all branches."""

    layer = "Maximum"

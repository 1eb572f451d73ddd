"""Fusion by the mean of the feature vectors, entry by entry."""

from ._base import ElementwiseFusion


class Average(ElementwiseFusion):
    """Take the mean of each feature over all branches."""

    layer = "Average"

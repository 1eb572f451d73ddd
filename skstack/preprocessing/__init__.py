"""Preparing data outside networks."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, {"tensor_column": "._tensors"})

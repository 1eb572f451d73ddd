"""Preparing data outside networks."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, {"clear_image_cache": "._image_columns", "tensor_column": "._tensors"})

"""The trainer: fitting and applying Keras networks."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, {"clear_cache": "..caching._lru"})

"""Data to try things on: a loader, and a generator that needs no download."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "find_data": "._home",
        "load_houses": "._houses",
        "make_houses": "._make_houses",
    },
)

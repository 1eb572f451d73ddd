"""Model selection: searches by engines of others, and what splits need to know about rows of several kinds of data."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "OptunaSearchCV": "._optuna_search",
        "RayTuneSearchCV": "._ray_search",
        "duplicate_groups": "._duplicates",
    },
)

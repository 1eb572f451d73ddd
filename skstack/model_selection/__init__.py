"""Model selection: searches that train networks together, and what splits need to know about rows of several kinds."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "GridSearchCV": "._searches",
        "HalvingGridSearchCV": "._searches",
        "HalvingRandomSearchCV": "._searches",
        "RandomizedSearchCV": "._searches",
        "OptunaSearchCV": "._optuna_search",
        "RayTuneSearchCV": "._ray_search",
        "duplicate_groups": "._duplicates",
        "read_cv_results": "._checkpoint",
    },
)

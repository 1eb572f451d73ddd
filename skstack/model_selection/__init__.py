"""Model selection: what scikit-learn's splits need to know about rows of several kinds of data."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__, {"duplicate_groups": "._duplicates", "read_cv_results": "._checkpoint"}
)

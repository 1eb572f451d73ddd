"""Many machines: backends for joblib that send data once and lose a worker without losing the work."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, {"DaskBackend": "._dask", "RayBackend": "._ray"})

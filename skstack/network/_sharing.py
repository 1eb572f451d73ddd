"""Where networks of a search share their Keras models: said by a search, which needs no Keras itself."""

from contextlib import contextmanager
from contextvars import ContextVar

_known = ContextVar("models by what they are built from", default=None)


@contextmanager
def sharing_models():
    """Let networks that are fitted in the block share the Keras models that they are built from."""
    token = _known.set({})
    try:
        yield
    finally:
        _known.reset(token)


def known_models():
    """Return the models known so far, a dict, or None outside of such a block."""
    return _known.get()

"""Public names that are loaded when they are asked for.

Keras and its backend take seconds to import. A package whose ``__init__`` re-exports names through
:func:`attach` stays cheap to import: the file behind a name is loaded on the first use of that name.
"""

from importlib import import_module


def attach(package, names):
    """Return ``__getattr__``, ``__dir__`` and ``__all__`` for the ``__init__`` of a package.

    Parameters
    ----------
    package : str
        The ``__name__`` of the package.
    names : dict of str to str
        Each public name and the module, relative to the package, that defines it.

    Returns
    -------
    getter, lister, public : callable, callable, list of str
        To be bound to ``__getattr__``, ``__dir__`` and ``__all__``.
    """
    public = sorted(names)

    def getter(name):
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = import_module(names[name], package)
        return module if names[name] == f".{name}" else getattr(module, name)

    return getter, lambda: public, public

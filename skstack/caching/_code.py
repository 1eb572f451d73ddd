"""What code counts by in a digest: that of packages by its version, that of the user by itself."""

import sys
import sysconfig
from functools import cache
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType

#: Names of classes whose result depends on how Keras is set up.
_ON_KERAS = ("skstack.network", "skstack._scikeras", "scikeras", "keras")


def class_token(cls, digest):
    """Return what a class counts by.

    Parameters
    ----------
    cls : type
    digest : callable
        Of what the code holds.

    Returns
    -------
    token : tuple
    """
    return tuple(_class_part(base, digest) for base in cls.__mro__ if base is cls or not _is_of_package(base))


def function_token(function, digest):
    """Return what a function counts by; what it calls, and the globals that it reads, do not count.

    Parameters
    ----------
    function : function
    digest : callable
        Of what the code holds.

    Returns
    -------
    token : tuple
    """
    name = function.__module__, function.__qualname__
    if _is_of_package(function) and "<" not in function.__qualname__:
        return *name, _version(function)
    # A method that calls super() holds its class, which holds the method.
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    closure = [cell.cell_contents for variable, cell in cells if variable != "__class__"]
    held = function.__defaults__, function.__kwdefaults__, closure
    return *name, digest((_code_token(function.__code__), held))


def _class_part(cls, digest):
    name = cls.__module__, cls.__qualname__
    if _is_of_package(cls):
        return *name, _version(cls)
    functions = [
        (attribute, function_token(function, digest))
        for attribute, value in sorted(vars(cls).items())
        for function in _functions_of(value)
    ]
    return *name, digest(functions)


def _functions_of(attribute):
    """Return the functions of the user's that an attribute of a class stands for."""
    found = [getattr(attribute, name, None) for name in ("__func__", "fget", "fset", "func")]
    return [function for function in (attribute, *found) if isinstance(function, FunctionType)]


def _code_token(code):
    constants = [_code_token(part) if isinstance(part, CodeType) else part for part in code.co_consts]
    return code.co_code, constants, code.co_names, code.co_varnames, code.co_argcount, code.co_kwonlyargcount


def _is_of_package(thing):
    return _is_package((thing.__module__ or "builtins").partition(".")[0])


@cache
def _is_package(root):
    """Tell whether a module is a part of Python, of this package, or installed: it changes with its version alone."""
    if root == "__main__":  # whose file may be that of what runs it
        return False
    if root == "skstack" or root in sys.stdlib_module_names:
        return True
    file = getattr(sys.modules.get(root), "__file__", None)
    folders = {sysconfig.get_path(name) for name in ("purelib", "platlib")}
    return file is not None and any(Path(file).is_relative_to(folder) for folder in folders)


def _version(thing):
    root = sys.modules.get(thing.__module__.partition(".")[0])
    version = str(getattr(root, "__version__", ""))
    return f"{version} {running_keras()}" if thing.__module__.startswith(_ON_KERAS) else version


def running_keras():
    """Return versions of Keras and its backend as text, or None while nobody has imported it."""
    keras = sys.modules.get("keras")
    if not hasattr(keras, "backend"):
        return None
    backend = keras.backend.backend()
    version = getattr(sys.modules.get(backend), "__version__", "")
    return f"Keras {keras.__version__} on {backend} {version}".strip()


@cache
def versions():
    """Return the versions of the packages that every result depends on, by name."""
    names = {"skstack": "skstack", "scikit-learn": "sklearn", "numpy": "numpy", "scipy": "scipy"}
    return {name: import_module(module).__version__ for name, module in names.items()}

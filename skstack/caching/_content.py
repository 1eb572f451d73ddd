"""A digest of what objects hold, the same in every process: the keys of what is kept of a computation.

Objects are pickled into a hash rather than into a file. What a pickle would tell apart although it holds the same is
replaced on the way: where arrays lie in memory, how a table is cut into blocks, in which order a set is walked through,
which of two equal strings is the same object.
"""

import pickle
from hashlib import blake2b

import numpy as np

from ._arrow_content import arrow_content
from ._code import class_token, function_token

#: Objects of these types hold nothing that a pickle does not show as it is; asked first, as they are most of all.
_PLAIN = frozenset({str, int, float, bool, complex, bytes, type(None), tuple, list, dict})


def digest(*things):
    """Return a digest of what some objects hold.

    Parameters
    ----------
    *things : object
        Estimators count by their parameters and whatever they have learned, functions and classes of the user's own
        by their code, those of packages by name and version, tables and arrays by their cells.

    Returns
    -------
    digest : str or None
        Hexadecimal; None where something can neither be pickled nor told apart otherwise.
    """
    try:
        return _digest(things)
    # What a class of somebody else raises where it cannot be pickled is its own matter.
    except Exception:
        return None


def _digest(thing):
    hashing = blake2b(digest_size=20)
    _Digester(_Sink(hashing)).dump(thing)
    return hashing.hexdigest()


class _Sink:
    """A file that only adds to a hash."""

    closed = False

    def __init__(self, hashing):
        self._hashing = hashing

    def write(self, data):
        """Add to the hash."""
        data = memoryview(data)
        self._hashing.update(data)
        return data.nbytes

    def flush(self):
        """Do nothing."""

    def close(self):
        """Do nothing."""


class _Digester(pickle.Pickler):
    """A pickler that takes tokens for what a pickle would show differently each time."""

    def __init__(self, sink):
        super().__init__(sink, protocol=4)
        # Equal strings are to count alike whether or not they are one object: none is said to have been there before.
        self.fast = True

    def persistent_id(self, thing):
        """Return what counts in the place of an object, or None for what a pickle shows of it."""
        kind = type(thing)
        if kind in _PLAIN:
            return None
        if kind in (np.ndarray, np.memmap):
            return _array_token(thing)
        if kind in (set, frozenset):
            return "set", sorted(map(_digest, thing))
        if isinstance(thing, type):
            return class_token(thing, _digest)
        if kind.__name__ == "function":
            return function_token(thing, _digest)
        return self._token_of_package(kind, thing)

    def _token_of_package(self, kind, thing):
        roots = {base.__module__.partition(".")[0] for base in kind.__mro__}
        if "pandas" in roots:
            return _pandas_token(kind, thing)
        if "polars" in roots and hasattr(thing, "to_arrow"):
            return "polars", _digest(arrow_content(thing.to_arrow()))
        if "pyarrow" in roots and (hasattr(thing, "null_count") or hasattr(thing, "column_names")):
            return "arrow", _digest(arrow_content(thing))
        if "keras" in roots and hasattr(thing, "get_config"):
            return _keras_token(kind, thing)
        return None


def _array_token(array):
    if array.dtype.hasobject:
        cells = array.reshape(-1).tolist()
        if all(type(cell) is str for cell in cells):
            lengths = np.array([len(cell) for cell in cells])
            return "strings", array.shape, _bytes_digest(lengths), _text_digest("".join(cells))
        return "objects", str(array.dtype), array.shape, _digest(cells)
    return "array", array.dtype.str, array.dtype.descr, array.shape, _bytes_digest(array)


def _bytes_digest(array):
    flat = np.ascontiguousarray(array).reshape(-1)
    return blake2b(flat.view(np.uint8), digest_size=20).hexdigest()


def _text_digest(text):
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()


def _pandas_token(kind, thing):
    import pandas as pd

    if isinstance(thing, pd.DataFrame):
        columns = [_digest(_cells(thing.iloc[:, position].array)) for position in range(thing.shape[1])]
        return "DataFrame", _digest((thing.columns, thing.index)), columns
    if isinstance(thing, pd.Series):
        return "Series", _digest((thing.name, thing.index, _cells(thing.array)))
    if isinstance(thing, pd.api.extensions.ExtensionArray):
        _, arguments, state, *_ = thing.__reduce_ex__(4)
        return kind.__name__, _digest((arguments, _without_notes(state)))
    return None


def _cells(array):
    """Return the cells of a column of pandas as an array of NumPy, if they lie in one, or as they are."""
    return array.to_numpy() if type(array).__name__ in ("NumpyExtensionArray", "PandasArray") else array


def _without_notes(state):
    """Return the state of an array of pandas without what it has taken down on the way."""
    if isinstance(state, dict):
        return {name: value for name, value in state.items() if name not in ("_cache", "_readonly")}
    if isinstance(state, tuple):
        return [part for part in map(_without_notes, state) if not isinstance(part, dict) or part]
    return state


def _keras_token(kind, thing):
    """Return config and values of an object of Keras, whose pickles bear the time."""
    values = [np.asarray(variable) for variable in getattr(thing, "variables", None) or []]
    return "keras", _digest((kind, thing.get_config(), bool(getattr(thing, "trainable", True)), values))

"""The calls that make a task of a cluster, without the data that several of them share."""

import traceback
import weakref
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

from joblib import parallel_config


@dataclass(frozen=True)
class _Place:
    """Stands for data that is sent by itself."""

    index: int


def without_data(items):
    """Take arrays and tables out of the arguments of calls.

    Those in a dict are taken out too: scikit-learn hands on ``fit_params`` as one.

    Parameters
    ----------
    items : list of (callable, tuple, dict)

    Returns
    -------
    calls : list of (callable, list, dict)
        With places for the data.
    data : list of object
        Each object once, however many calls it is in.
    """
    data, places = [], {}

    def replaced(value):
        if type(value) is dict:
            return {name: replaced(one) for name, one in value.items()}
        if not _is_data(value):
            return value
        if id(value) not in places:
            places[id(value)] = _Place(len(data))
            data.append(value)
        return places[id(value)]

    calls = [(function, [replaced(value) for value in args], replaced(kwargs)) for function, args, kwargs in items]
    return calls, data


def _is_data(value):
    """Tell whether a value is an array or a table, rather than a number or an estimator."""
    return bool(getattr(value, "shape", ())) and type(value).__weakrefoffset__ > 0


class Outcome(NamedTuple):
    """What came of the calls of a task: their results, or the first error, and where it was raised."""

    results: list
    error: Exception | None = None
    where: str = ""


def run(calls, *data):
    """Make calls one after the other, on a worker; what they would run in parallel stays on it.

    Parameters
    ----------
    calls : list of (callable, list, dict)
        See :func:`without_data`.
    *data : object

    Returns
    -------
    outcome : Outcome
    """

    def filled(value):
        if type(value) is dict:
            return {name: filled(one) for name, one in value.items()}
        return data[value.index] if isinstance(value, _Place) else value

    try:
        with parallel_config(backend="sequential"):
            return Outcome([function(*map(filled, args), **filled(kwargs)) for function, args, kwargs in calls])
    except Exception as error:
        # An exception loses its traceback on the way.
        return Outcome([], error, traceback.format_exc())


class RaisedThereError(Exception):
    """The cause of an error that was raised on a worker: where it was raised there."""

    def __str__(self):
        return f'\n"""\n{self.args[0]}"""'


class SentOnce:
    """What has been sent to a cluster, each object once for as long as it lives.

    Parameters
    ----------
    send : callable
        Returns the reference to an object that it has sent.
    is_lost : callable
        Tells whether what a reference stands for is there no more.
    """

    def __init__(self, send, is_lost):
        self._send, self._is_lost = send, is_lost
        self._references = {}
        self._lock = Lock()

    def __len__(self):
        return len(self._references)

    def reference(self, value):
        """Return the reference to an object, after sending it if it has not been sent or was lost."""
        key = id(value)
        # Several tasks may miss the same data at once.
        with self._lock:
            _, reference = self._references.get(key, (None, None))
            if reference is None or self._is_lost(reference):
                reference = self._send(value)
                # Another object may get this number when this one is gone.
                self._references[key] = weakref.ref(value, lambda _: self._references.pop(key, None)), reference
            return reference

"""Where the results of a block of code are kept, and what is kept there: one unit of work at a time.

Whoever trains something does not know who wants it kept: a stack with a folder, a search around the stack, or nobody.
So the one who wants it opens a block, and those who train ask.
"""

import warnings
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from ._code import versions
from ._content import digest
from ._result_files import MISSING
from ._results import Results


class _Place(NamedTuple):
    """Where results are kept, and where parts of the one that is being made are kept until it is there."""

    results: Results | None = None
    unfinished: Results | None = None


_NOWHERE = _Place()
_place = ContextVar("skstack_keeping", default=_NOWHERE)


@contextmanager
def keeping(results, unfinished=None):
    """Let a block keep what is trained in it, and find what was trained before.

    Parameters
    ----------
    results : Results or None
        ``None`` keeps nothing.
    unfinished : Results, default=None
        For parts of a result, which are of no use once it is there.
    """
    token = _place.set(_Place(results, unfinished))
    try:
        yield
    finally:
        _place.reset(token)


def kept_results():
    """Return where results are kept here, or None."""
    return _place.get().results


def unfinished_results():
    """Return where parts of the result are kept that is being made here, or None."""
    return _place.get().unfinished


class Unit:
    """A piece of work whose result may be kept; can be sent to another process and be done there.

    Parameters
    ----------
    results : Results or None
    key : str or None
        Of the result.
    """

    def __init__(self, results, key):
        self._results, self._key = (None, None) if key is None else (results, key)

    @classmethod
    def of(cls, name, *things):
        """Return the unit whose result some things determine, to be kept where this block keeps results.

        Parameters
        ----------
        name : str
            What the work is, for messages.
        *things : object
            See :func:`~skstack.caching._content.digest`, which is asked only where results are kept.
        """
        results = kept_results()
        if results is None:
            return cls(None, None)
        key = digest(versions(), *things)
        if key is None and results.outlives_process:
            warnings.warn(f"{name} is not kept, as its parameters or data cannot be pickled.", stacklevel=2)
        return cls(results, key)

    def part(self, *things):
        """Return a unit that further things determine."""
        return type(self)(self._results, None if self._key is None else digest(self._key, *things))

    def find(self):
        """Return the result if it is there, else MISSING."""
        return MISSING if self._results is None else self._results.find(self._key)

    def get(self, make, keeps=None):
        """Return the result, which `make` makes if it is not there; see Results.get."""
        if self._results is None:
            return make()
        return self._results.get(self._key, lambda: self._made(make), keeps)

    def add(self, result):
        """Keep a result that was made in another process, unless that has kept it."""
        if self._results is not None:
            self._results.add(self._key, result)

    def _made(self, make):
        unfinished = self._results.unfinished(self._key)
        # Also where the block around is that of another thread or process.
        with keeping(self._results, unfinished):
            return make()

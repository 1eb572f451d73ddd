"""Results of computations by what they were computed from: in memory, or in a folder that outlives the process.

Whoever wants a result asks for it with a way to make it. It is made once: others who want it meanwhile, in other
threads or processes, wait until it is there.
"""

import os
import shutil
import threading
import warnings
from abc import ABC, abstractmethod
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from .._turns import wait_until
from ._file_lock import file_lock
from ._lru import LRU
from ._result_files import MISSING, read, write
from ._sharing_pickle import SharingPickle

#: Bytes of the results that are kept in memory.
_MAX_BYTES = 2**30


class Results(ABC):
    """Results by key."""

    def get(self, key, make, keeps=None):
        """Return the result with a key; where there is none, what `make` returns, which is kept.

        Parameters
        ----------
        key : str
        make : callable
        keeps : callable, default=None
            Tells whether a result is worth keeping; all are by default.
        """
        found = self.find(key)
        if found is not MISSING:
            return found
        with self._locked(key):
            found = self.find(key)
            if found is not MISSING:
                return found
            result = make()
            if keeps is None or keeps(result):
                self._keep(key, result)
                self._forget_unfinished(key)
        return result

    def add(self, key, result):
        """Keep a result that was made elsewhere, unless there is one."""
        if self._has(key):
            return
        with self._locked(key):
            if not self._has(key):
                self._keep(key, result)

    @abstractmethod
    def find(self, key):
        """Return the result with a key, or MISSING."""

    @abstractmethod
    def _has(self, key):
        """Tell whether there is a result with a key."""

    @abstractmethod
    def _keep(self, key, result):
        """Keep a result, if that can be done."""

    @abstractmethod
    def _locked(self, key):
        """Return a context manager that keeps others from making the result with a key."""

    #: Whether they are there for a process that begins when this one has ended.
    outlives_process = False

    def unfinished(self, key):
        """Return where parts of a result are kept until it is made, or None where nobody would find them."""
        return None

    def _forget_unfinished(self, key):  # noqa: B027 - there are none, unless a subclass keeps some
        """Remove the parts of a result that is made."""


class MemoryResults(Results):
    """Results in the memory of this process, for estimators that nobody trains further; a copy elsewhere begins empty.

    All that comes back is a copy, but for Keras models, which take longer to copy than to train where they are small:
    they are shared. So these are results for candidates of a search, which are fitted, scored and forgotten.

    Parameters
    ----------
    max_bytes : int, default=2**30
        Results that were not used for longest make room.
    """

    def __init__(self, max_bytes=_MAX_BYTES):
        self._max_bytes = max_bytes
        self._pickles = LRU(max_bytes, size_of=lambda kept: kept.n_bytes)
        self._locks, self._guard = {}, threading.Lock()

    def __reduce__(self):
        return type(self), (self._max_bytes,)

    def find(self, key):
        """See Results."""
        kept = self._pickles.get(key)
        return MISSING if kept is None else kept.load()

    def _has(self, key):
        return self._pickles.get(key) is not None

    def _keep(self, key, result):
        # What somebody else's class raises where it cannot be pickled is its own matter: it is made anew each time.
        with suppress(Exception):
            self._pickles.put(key, SharingPickle(result))

    @contextmanager
    def _locked(self, key):
        with self._guard:
            lock, n_users = self._locks.get(key, (threading.Lock(), 0))
            self._locks[key] = lock, n_users + 1
        try:
            wait_until(lambda: lock.acquire(blocking=False))
            try:
                yield
            finally:
                lock.release()
        finally:
            with self._guard:
                lock, n_users = self._locks[key]
                self._locks[key] = lock, n_users - 1
                if n_users == 1:
                    del self._locks[key]


class FolderResults(Results):
    """Results in files of a folder, shared by all that use it at the same time.

    A result that cannot be written (a full disk, a folder without rights) is used all the same; a warning says so once.

    Parameters
    ----------
    folder : path-like
        Made if needed. What it holds is unpickled: it should not be somebody else's.
    """

    def __init__(self, folder):
        self.folder = Path(os.path.abspath(os.path.expanduser(folder)))
        self._has_warned = False

    outlives_process = True

    def find(self, key):
        """See Results."""
        try:
            return read(self._file(key))
        except OSError as error:
            self._warn(f"cannot be read: {error}")
            return MISSING

    def unfinished(self, key):
        """See Results."""
        return type(self)(self.folder / key)

    def _forget_unfinished(self, key):
        shutil.rmtree(self.folder / key, ignore_errors=True)

    def _has(self, key):
        return self._file(key).exists()

    def _keep(self, key, result):
        try:
            write(self._file(key), result)
        except OSError as error:
            self._warn(f"cannot be written: {error}")
        except Exception as error:
            self._warn(f"cannot hold a result, which will be made anew: {error}")

    @contextmanager
    def _locked(self, key):
        with ExitStack() as stack:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                stack.enter_context(file_lock(self.folder / f"{key}.lock"))
            except OSError as error:
                self._warn(f"cannot be written: {error}")
            yield

    def _file(self, key):
        return self.folder / f"{key}.kept"

    def _warn(self, what):
        if not self._has_warned:
            self._has_warned = True
            warnings.warn(f"the folder of results {str(self.folder)!r} {what}.", stacklevel=2)

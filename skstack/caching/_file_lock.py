"""A lock that processes and threads share by a file. The system takes it from a process that ends, however it ends."""

import os
from contextlib import contextmanager, suppress
from functools import partial

from .._turns import wait_until

try:
    import fcntl
except ImportError:  # Windows
    import msvcrt

    def _lock(descriptor):
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _unlock(descriptor):
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:

    def _lock(descriptor):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor):
        # Not left to closing: a process forked meanwhile has the same descriptor open.
        fcntl.flock(descriptor, fcntl.LOCK_UN)


@contextmanager
def file_lock(path):
    """Hold the lock of a file for a block; wait for whoever has it, of this process or another.

    Parameters
    ----------
    path : path-like
        Made for the block, and removed after it.

    Raises
    ------
    OSError
        If the file cannot be made, or its file system has no locks.
    """
    descriptor = _acquired(path)
    try:
        yield
    finally:
        # While the lock is held: who opened the file meanwhile finds out that it is no more. Windows keeps open files.
        with suppress(OSError):
            os.unlink(path)
        with suppress(OSError):
            _unlock(descriptor)
        os.close(descriptor)


def _acquired(path):
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            wait_until(partial(_is_locked, descriptor))
            if _is_still(path, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_locked(descriptor):
    """Take a lock if nobody has it; tell whether that was done."""
    try:
        _lock(descriptor)
    except (BlockingIOError, PermissionError):  # on Windows the latter
        return False
    return True


def _is_still(path, descriptor):
    """Tell whether an open file is the one that a path names, rather than one that was removed meanwhile."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False

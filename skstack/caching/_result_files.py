"""Objects in files that are whole or not there: written beside their place, checked when they are read."""

import os
import pickle
from contextlib import suppress
from hashlib import blake2b

#: What a file begins with, then the digest of what follows. The number is that of the format.
_KIND, _FORMAT = b"skstack result ", b"1\n"
_MAGIC = _KIND + _FORMAT
_DIGEST_BYTES = 32

#: What `read` returns where there is no whole file.
MISSING = object()


def write(path, thing):
    """Put an object into a file, in the place of one that is there. Only one thread or process may do so at a time.

    Parameters
    ----------
    path : Path
    thing : object

    Raises
    ------
    OSError
        If it cannot be written; what was there is then still there.
    Exception
        Whatever pickling the object raises.
    """
    part = path.with_name(f"{path.name}.part")  # one that a killed process has left is written over
    try:
        with open(part, "wb") as file:
            file.write(bytes(len(_MAGIC) + _DIGEST_BYTES))
            hashed = _Hashed(file)
            pickle.dump(thing, hashed, protocol=5)
            file.seek(0)
            file.write(_MAGIC + hashed.digest())
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
    _sync_folder(path.parent)


def read(path):
    """Return the object in a file, or MISSING; a file that is damaged, or of another format, is removed.

    Parameters
    ----------
    path : Path

    Raises
    ------
    OSError
        If it is there and cannot be read.
    """
    try:
        with open(path, "rb") as file:
            if _is_whole(file):
                return _loaded(file)
    except FileNotFoundError:
        return MISSING
    with suppress(OSError):
        path.unlink()
    return MISSING


def is_of_other_format(path):
    """Tell whether a file was written by a version of this package that has another format."""
    try:
        with open(path, "rb") as file:
            begin = file.read(len(_MAGIC))
    except FileNotFoundError:
        return False
    return begin.startswith(_KIND) and begin != _MAGIC and begin[len(_KIND) :].strip().isdigit()


def _is_whole(file):
    begin, hashing = file.read(len(_MAGIC) + _DIGEST_BYTES), blake2b(digest_size=_DIGEST_BYTES)
    while piece := file.read(2**20):
        hashing.update(piece)
    file.seek(len(_MAGIC) + _DIGEST_BYTES)
    return begin == _MAGIC + hashing.digest()


def _loaded(file):
    try:
        return pickle.load(file)
    # Whole, but of classes that are not there any more, or not as they were.
    except Exception:
        return MISSING


class _Hashed:
    """A file that takes note of what is written."""

    def __init__(self, file):
        self._file, self._hashing = file, blake2b(digest_size=_DIGEST_BYTES)

    def write(self, data):
        """Write, and add to the digest."""
        self._hashing.update(data)
        return self._file.write(data)

    def digest(self):
        """Return the digest of what was written."""
        return self._hashing.digest()


def _sync_folder(folder):
    """Have the name of a new file on the disk too, where the system can be told so."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

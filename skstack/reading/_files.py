"""Files that cells of a table name."""

import os
import stat
import time
from hashlib import blake2b
from os import PathLike
from pathlib import Path, PurePath

#: A file changed this recently (in nanoseconds) could change again without a new time stamp.
_TIME_STAMP_STEP = 2 * 10**9


def path_of(cell, root=None, allow_outside_root=False):
    """Return the path that a cell names, or None for a cell of another kind.

    Parameters
    ----------
    cell : str, path-like or of another kind
    root : str or path-like, default=None
        Folder that relative paths start from.
    allow_outside_root : bool, default=False
        Whether a path may lead out of that folder.

    Raises
    ------
    ValueError
        If no file can have the path, or it leads out of `root`.
    """
    if not isinstance(cell, (str, PathLike)):
        return None
    path = os.path.join("" if root is None else root, cell)
    try:
        os.fsencode(path)
    except UnicodeEncodeError as error:  # which could not be raised again with another message
        raise ValueError(f"no file can have the name {path!r}: {error.reason}.") from error
    if "\0" in path:
        raise ValueError(f"no file can have the name {path!r}: null character.")
    if root is not None and not allow_outside_root and _leads_out(cell, root):
        raise ValueError(f"the path {path!r} leads out of root={os.fspath(root)!r}; allow_outside_root=True allows it.")
    return path


def _leads_out(cell, root):
    cell = PurePath(cell)
    if not cell.anchor and ".." not in cell.parts:
        # Without dots and links the path stays inside; resolving all of it takes as long as reading a small file.
        if not any(os.path.islink(os.path.join(root, step)) for step in (*cell.parents[:-1], cell)):
            return False
    return not Path(os.path.realpath(os.path.join(root, cell))).is_relative_to(os.path.realpath(root))


def read_file(path, kind):
    """Return the content of a file.

    Parameters
    ----------
    path : str
    kind : str
        What the file should hold, for an error message.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no regular file: reading a FIFO, socket or device could wait for ever.
    OSError
        If it cannot be read.
    """
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISREG(mode):
            return Path(path).read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileNotFoundError(f"there is no {kind} file {path!r}.") from error
    if stat.S_ISDIR(mode):
        raise FileNotFoundError(f"there is no {kind} file {path!r}, but a folder.")
    raise ValueError(f"{kind} file {path!r} is not read: it is no regular file, but a FIFO, socket or device.")


def file_key(path):
    """Return bytes that are others once a file has changed, or None if it was changed a moment ago.

    Parameters
    ----------
    path : str

    Raises
    ------
    OSError
        If there is no such file.
    """
    status = os.stat(path)
    # A file can be given an old time of modification, but no old time of status change.
    if max(status.st_mtime_ns, status.st_ctime_ns) > time.time_ns() - _TIME_STAMP_STEP:
        return None
    parts = (os.path.abspath(path), status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()

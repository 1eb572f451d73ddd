"""The folder on disk that caches lie in: where it is, what it may take, and that nobody else can look into it."""

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path


class StoreError(RuntimeError):
    """A cache on disk cannot be used: its folder cannot be written, the disk is full, or its database is broken."""


def store_folder(name):
    """Return a folder by its name in the one that ``SKSTACK_CACHE`` names, or in the user's folder for caches."""
    if os.environ.get("SKSTACK_CACHE"):
        base = Path(os.environ["SKSTACK_CACHE"])
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or "~/AppData/Local", "skstack", "cache")
    elif sys.platform == "darwin":
        base = Path("~/Library/Caches/skstack")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "skstack")
    try:
        return base.expanduser().absolute() / name
    except RuntimeError as error:
        raise StoreError(f"there is no folder for a cache: {error}") from error


def store_bytes():
    """Return what a cache may take on disk, in bytes: ``SKSTACK_CACHE_SIZE``, or 10 GB.

    Raises
    ------
    ValueError
        If the variable holds no number of bytes.
    """
    given = os.environ.get("SKSTACK_CACHE_SIZE") or "10e9"
    try:
        size = int(float(given))
    except (ValueError, OverflowError):
        size = -1
    if size < 0:
        raise ValueError(f"SKSTACK_CACHE_SIZE should be a number of bytes, for example 20e9, got {given!r}.")
    return size


def private_folder(folder):
    """Make a folder, and those that it lies in, that only the user can look into; narrow who can if it is there.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    OSError
        If it cannot be made, or belongs to somebody else.
    """
    for part in (*reversed(folder.parents), folder):
        if not part.exists():
            part.mkdir(mode=0o700, exist_ok=True)
    _make_private(folder)


def private_file(path):
    """Make an empty file that only the user can read; narrow who can if it is there.

    Parameters
    ----------
    path : path-like

    Raises
    ------
    OSError
        If it cannot be made, or belongs to somebody else.
    """
    # One that is there is not opened, as closing it would give up the locks that SQLite holds in this process.
    with suppress(FileExistsError):
        os.close(private_opener(path, os.O_CREAT | os.O_EXCL))
    _make_private(path)


def private_opener(path, flags):
    """Open a file that only the user can read if it is made; an `opener` for :func:`open`."""
    return os.open(path, flags, mode=0o600)


def _make_private(path):
    if not hasattr(os, "getuid"):
        return  # on Windows, what lies in a user's folder is the user's
    status = os.stat(path)
    if status.st_uid != os.getuid():
        raise PermissionError(f"{str(path)!r} belongs to somebody else, who could change what it holds")
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        os.chmod(path, mode & 0o700)

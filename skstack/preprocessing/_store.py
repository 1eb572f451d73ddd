"""Decoded pictures on disk, shared by all processes of a user.

Pixels lie one after another in segment files that only grow; an SQLite database says which slot of which segment
holds which picture. One process writes at a time, and pixels are on the disk before the database names their slots:
whatever happens, no slot that is named is incomplete. Segments are removed whole, the least recently used first.
Whoever has mapped a removed segment can read it on, as names of segments never come again.
"""

import os
import sqlite3
import sys
import time
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from shutil import rmtree
from uuid import uuid4

import numpy as np

from ._rows import StoredRows, map_rows

#: Bytes of a segment at most, and as a share of the whole store: what is removed at a time.
_SEGMENT_BYTES, _SEGMENT_SHARE = 2**28, 8

#: Digests of files remembered at most; an entry takes about 100 bytes.
_MAX_FILES = 1_000_000

#: A file changed this recently (in nanoseconds) could change again without a new time stamp.
_TIME_STAMP_STEP = 2 * 10**9

#: Seconds before a use is noted again, so that reading seldom has to write.
_USE_STEP = 60

_SCHEMA = """
CREATE TABLE IF NOT EXISTS segments (
    name TEXT PRIMARY KEY, options TEXT NOT NULL, slots INTEGER NOT NULL, slot_bytes INTEGER NOT NULL,
    used REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS pictures (
    key BLOB PRIMARY KEY, segment TEXT NOT NULL, slot INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pictures_of_segment ON pictures (segment);
CREATE TABLE IF NOT EXISTS files (number INTEGER PRIMARY KEY, key BLOB UNIQUE NOT NULL, digest BLOB NOT NULL);
"""


class StoreError(RuntimeError):
    """The store cannot be used: its folder cannot be written, its disk is full, or its database is broken."""


def store_folder(name="images-1"):
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
    """Return what the store may take, in bytes: ``SKSTACK_CACHE_SIZE``, or 10 GB.

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


class PixelStore:
    """Pictures of one shape, decoded in one way, in a folder that others may fill at the same time.

    To be used by one thread, as a context manager; other threads open the folder for themselves.

    Parameters
    ----------
    options : str
        The way of decoding; other ways are kept apart.
    shape : tuple of int
        Height, width and channels.
    folder : path-like, default=None
        Made if needed; :func:`store_folder` by default.
    max_bytes : int, default=None
        What all pictures in the folder may take; :func:`store_bytes` by default.

    Raises
    ------
    StoreError
        Also in every method, if the folder or its database cannot be used.
    """

    def __init__(self, options, shape, folder=None, max_bytes=None):
        self.options = f"{options} {shape}"
        self.shape = tuple(shape)
        self.folder = Path(store_folder() if folder is None else folder)
        self.max_bytes = store_bytes() if max_bytes is None else max_bytes
        self._slot_bytes = int(np.prod(shape))
        self._capacity = max(1, min(_SEGMENT_BYTES, self.max_bytes // _SEGMENT_SHARE) // self._slot_bytes)
        self._maps = {}  # the rows mapped of each segment that was met, in the order of their numbers

    def __enter__(self):
        with explained(self.folder):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._database = _connect(self.folder)
        return self

    def __exit__(self, *_):
        self._database.close()

    def digests(self, file_keys):
        """Return what :meth:`add` was told about files.

        Parameters
        ----------
        file_keys : list of bytes or None
            From :func:`file_key`.

        Returns
        -------
        digests : list of bytes or None
        """
        with self._reading():
            found = [self._one("SELECT digest FROM files WHERE key = ?", key) for key in file_keys]
        return [row and row[0] for row in found]

    def find(self, digests):
        """Say where pictures lie.

        Parameters
        ----------
        digests : list of bytes
            Of the contents of the pictures.

        Returns
        -------
        places : ndarray of int of shape (n, 2)
            Number of a segment, as :meth:`rows` takes it, and slot; -1 for a picture that is not there.
        """
        # Inside the transaction nobody can remove a segment between its name being read and its being mapped.
        with self._reading():
            places, lost, old = self._find(digests)
        if lost or old:
            with self._writing():
                self._forget(lost)
                self._note_use(old)
        return places

    def add(self, digests, pictures, files):
        """Put pictures into the store.

        Parameters
        ----------
        digests : list of bytes
            Of the contents of the pictures, each one once.
        pictures : ndarray of shape (n, *shape), dtype uint8
        files : dict of bytes to bytes
            Digests of contents to be remembered, by :func:`file_key`.

        Returns
        -------
        places : ndarray of int of shape (n, 2)
            As from :meth:`find`.
        """
        with self._writing() as removed:
            self._sweep()
            places, lost, _ = self._find(digests)  # another process may have added some
            self._forget(lost)
            # Places found stay as they are: even if their segment has to make room, it is mapped.
            absent = np.flatnonzero(places[:, 0] < 0)
            removed += self._make_room(len(absent) * self._slot_bytes)
            new = [digests[position] for position in absent]
            done = 0
            while done < len(new):
                done += self._append(new[done:], pictures[absent[done:]])
            places[absent], _, _ = self._find(new)
            self._remember(files)
        return places

    def rows(self, places):
        """Return pictures as an array that is read row by row.

        Parameters
        ----------
        places : ndarray of int of shape (n, 2)
            From :meth:`find` or :meth:`add`.

        Returns
        -------
        rows : StoredRows of shape (n, *shape)
        """
        used, files = np.unique(places[:, 0], return_inverse=True)
        names = list(self._maps)
        maps = [(self._path(names[number]), self._maps[names[number]]) for number in used]
        return StoredRows(maps, files, places[:, 1], self.shape)

    def clear(self):
        """Remove all pictures, also those decoded in other ways."""
        with self._writing() as removed:
            removed += [name for (name,) in self._database.execute("SELECT name FROM segments")]
            self._forget(removed)
            self._database.execute("DELETE FROM files")
        with explained(self.folder):
            self._database.execute("VACUUM")

    # --- inside a transaction ---------------------------------------------------------------------------------------

    def _find(self, digests):
        """Return places, the names of segments whose file is damaged, and of those whose use is to be noted."""
        places, lost, old = np.full((len(digests), 2), -1), set(), set()
        segments = {}
        query = "SELECT name, slots, used FROM segments WHERE options = ?"
        for name, slots, used in self._database.execute(query, (self.options,)):
            segments[name] = slots, used
        now, numbers = time.time(), {}
        for position, digest in enumerate(digests):
            row = self._one("SELECT segment, slot FROM pictures WHERE key = ?", self._key(digest))
            if row is None:
                continue
            name, slot = row
            if name not in numbers:
                slots, used = segments[name]
                numbers[name] = self._mapped(name, slots)
                lost |= {name} if numbers[name] is None else set()
                old |= {name} if used < now - _USE_STEP else set()
            if numbers[name] is not None:
                places[position] = numbers[name], slot
        return places, lost, old - lost

    def _mapped(self, name, slots):
        """Map a segment unless that has been done; return its number, or None if its file is damaged."""
        if name not in self._maps or len(self._maps[name]) < slots:
            try:
                self._maps[name] = map_rows(self._path(name), (slots, *self.shape), "uint8")
            except (FileNotFoundError, ValueError):
                return None
        return list(self._maps).index(name)

    def _append(self, digests, pictures):
        """Write as many pictures as fit into one segment, and return their number."""
        query = "SELECT name, slots FROM segments WHERE options = ? AND slots < ?"
        name, slots = self._database.execute(query, (self.options, self._capacity)).fetchone() or self._new_segment()
        if slots and not self._is_whole(name, slots):
            self._forget([name])
            name, slots = self._new_segment()
        pictures = np.ascontiguousarray(pictures[: self._capacity - slots])
        # Slots that no entry names may hold what a process was writing when it was ended.
        with open(self._path(name), "r+b" if slots else "wb") as file:
            file.seek(slots * self._slot_bytes)
            file.write(pictures.data)
            file.flush()
            os.fsync(file.fileno())
        entries = [(self._key(digest), name, slots + number) for number, digest in enumerate(digests[: len(pictures)])]
        self._database.executemany("INSERT INTO pictures VALUES (?, ?, ?)", entries)
        query = "UPDATE segments SET slots = slots + ?, used = ? WHERE name = ?"
        self._database.execute(query, (len(pictures), time.time(), name))
        return len(pictures)

    def _is_whole(self, name, slots):
        path = self._path(name)
        return path.exists() and path.stat().st_size >= slots * self._slot_bytes

    def _new_segment(self):
        name = uuid4().hex
        values = (name, self.options, 0, self._slot_bytes, time.time())
        self._database.execute("INSERT INTO segments VALUES (?, ?, ?, ?, ?)", values)
        return name, 0

    def _make_room(self, n_bytes):
        """Forget the least recently used segments until `n_bytes` are free, and return their names."""
        if n_bytes > self.max_bytes:
            raise StoreError(f"a cache of {self.max_bytes} bytes is too small for pictures of {n_bytes} bytes.")
        removed = []
        segments = self._database.execute("SELECT name, slots * slot_bytes FROM segments ORDER BY used").fetchall()
        total = sum(size for _, size in segments)
        for name, size in segments:
            if total + n_bytes <= self.max_bytes:
                break
            removed.append(name)
            total -= size
        self._forget(removed)
        return removed

    def _sweep(self):
        """Remove the files of segments that were never committed, or were in use when they should have gone."""
        names = {name for (name,) in self._database.execute("SELECT name FROM segments")}
        for path in self.folder.glob("*.u8"):
            if path.stem not in names:
                _remove(path)

    def _forget(self, names):
        if names:
            names = [(name,) for name in names]
            self._database.executemany("DELETE FROM pictures WHERE segment = ?", names)
            self._database.executemany("DELETE FROM segments WHERE name = ?", names)

    def _note_use(self, names):
        now = time.time()
        self._database.executemany("UPDATE segments SET used = ? WHERE name = ?", [(now, name) for name in names])

    def _remember(self, files):
        self._database.executemany("INSERT OR IGNORE INTO files (key, digest) VALUES (?, ?)", files.items())
        self._database.execute("DELETE FROM files WHERE number <= (SELECT max(number) FROM files) - ?", (_MAX_FILES,))

    def _one(self, query, value):
        return self._database.execute(query, (value,)).fetchone()

    def _key(self, digest):
        return blake2b(digest + self.options.encode(), digest_size=16).digest()

    # --- transactions -----------------------------------------------------------------------------------------------

    def _path(self, name):
        return self.folder / f"{name}.u8"

    @contextmanager
    def _reading(self):
        with explained(self.folder), transaction(self._database, "BEGIN"):
            yield

    @contextmanager
    def _writing(self):
        """Keep other writers out; the body may add names of segments whose files are then to be removed."""
        removed = []
        with explained(self.folder):
            with transaction(self._database, "BEGIN IMMEDIATE"):
                yield removed
            # Not before the commit: until then others read the entries of these segments.
            for name in removed:
                _remove(self._path(name))


def clear_store(folder=None):
    """Remove all pictures from the disk; those that are in use stay readable for who uses them.

    Parameters
    ----------
    folder : path-like, default=None
        :func:`store_folder` by default.
    """
    folder = Path(store_folder() if folder is None else folder)
    if not folder.is_dir():
        return
    try:
        with PixelStore("", (1, 1, 1), folder, max_bytes=0) as store:
            store.clear()
    except StoreError as error:
        if type(error.__cause__) is not sqlite3.DatabaseError:  # its subclasses say what is wrong outside the file
            raise
        rmtree(folder)


def _connect(folder):
    # The journal stays a plain one: the faster write-ahead log cannot be used on network file systems.
    database = sqlite3.connect(folder / "index.sqlite", timeout=60, isolation_level=None)
    try:
        database.executescript(_SCHEMA)
    except sqlite3.Error:
        database.close()
        raise
    return database


@contextmanager
def transaction(database, begin):
    """Commit what the block does with a database, unless it raises."""
    database.execute(begin)
    try:
        yield
        database.execute("COMMIT")
    finally:
        if database.in_transaction:
            database.execute("ROLLBACK")


@contextmanager
def explained(folder, what="pictures"):
    """Raise a StoreError for what goes wrong in the block with a cache in a folder."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"the cache of {what} in {str(folder)!r} cannot be used: {error}.") from error


def _remove(path):
    # Windows refuses to remove a file that a process has mapped.
    with suppress(FileNotFoundError, PermissionError):
        path.unlink()

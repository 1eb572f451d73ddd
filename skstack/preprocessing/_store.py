"""Decoded pictures on disk, shared by all processes of a user.

Pixels lie one after another in segment files that only grow; an SQLite database says which slot of which segment
holds which picture. One process writes at a time, and pixels are on the disk before the database names their slots:
whatever happens, no slot that is named is incomplete. Each picture has a checksum: one that was damaged is not found,
and a database that cannot be read begins anew. Segments are removed whole, the least recently used first. Whoever has
mapped a removed segment can read it on, as names of segments never come again.
"""

import os
import sqlite3
import stat
import sys
import time
import warnings
import zlib
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
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
    key BLOB PRIMARY KEY, segment TEXT NOT NULL, slot INTEGER NOT NULL, checksum INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pictures_of_segment ON pictures (segment);
CREATE TABLE IF NOT EXISTS files (
    number INTEGER PRIMARY KEY, key BLOB UNIQUE NOT NULL, digest BLOB NOT NULL, checksum INTEGER NOT NULL
);
"""


#: SQLite's codes for what is wrong with a file itself: its bytes, its tables or what they hold.
_DAMAGE = {
    *(sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT),
    *(sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH),
}


class StoreError(RuntimeError):
    """The store cannot be used: its folder cannot be written, its disk is full, or its database is broken."""


def store_folder(name="images-2"):
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
        Made if needed, for nobody but the user; :func:`store_folder` by default.
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
            private_folder(self.folder)
            self._database = _connect(self._index)
        try:
            self._healed(lambda: self._database.executescript(_SCHEMA))
        except StoreError:
            self._database.close()
            raise
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

        def read():
            with self._reading():
                found = [self._one("SELECT digest, checksum FROM files WHERE key = ?", key) for key in file_keys]
            return [
                row[0] if row and isinstance(row[0], bytes) and row[1] == _checksum(key, row[0]) else None
                for key, row in zip(file_keys, found, strict=True)
            ]

        return self._healed(read)

    def find(self, digests):
        """Say where pictures lie.

        Parameters
        ----------
        digests : list of bytes
            Of the contents of the pictures.

        Returns
        -------
        places : ndarray of int of shape (n, 2)
            Number of a segment, as :meth:`rows` takes it, and slot; -1 for a picture that is not there or is damaged.
        """

        def look_up():
            # Inside the transaction nobody can remove a segment between its name being read and its being mapped.
            with self._reading():
                places, damaged, old = self._find(digests)
            if damaged or old:
                with self._writing():
                    self._forget_damaged(damaged)
                    self._note_use(old)
            self._tell_of(damaged)
            return places

        return self._healed(look_up)

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

        def write():
            with self._writing() as removed:
                self._sweep()
                places, damaged, _ = self._find(digests)  # another process may have added some
                self._forget_damaged(damaged)
                # Places found stay as they are: even if their segment has to make room, it is mapped.
                absent = np.flatnonzero(places[:, 0] < 0)
                removed += self._make_room(len(absent) * self._slot_bytes)
                new = [digests[position] for position in absent]
                done = 0
                while done < len(new):
                    added = self._append(new[done:], pictures[absent[done:]])
                    places[absent[done : done + len(added)]] = added
                    done += len(added)
                self._remember(files)
            self._tell_of(damaged)
            return places

        return self._healed(write)

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

        def empty():
            with self._writing() as removed:
                removed += [name for (name,) in self._database.execute("SELECT name FROM segments")]
                self._forget(removed)
                self._database.execute("DELETE FROM files")
                self._sweep()
            self._database.execute("VACUUM")

        self._healed(empty)

    # --- inside a transaction ---------------------------------------------------------------------------------------

    def _find(self, digests):
        """Return places, which entries of pictures are damaged, and the names of segments whose use is to be noted."""
        places, damaged, old = np.full((len(digests), 2), -1), [], set()
        segments, numbers, now = self._segments(), {}, time.time()
        for position, digest in enumerate(digests):
            key = self._key(digest)
            row = self._one("SELECT segment, slot, checksum FROM pictures WHERE key = ?", key)
            if row is None:
                continue
            name, slot, checksum = row
            slots, used = segments.get(name, (0, now))
            if name not in numbers:
                numbers[name] = self._mapped(name, slots) if slots > 0 else None
            if numbers[name] is None or slot not in range(slots) or checksum != _checksum(key, self._maps[name][slot]):
                damaged.append((key, name, slot))
                continue
            places[position] = numbers[name], slot
            if used < now - _USE_STEP:
                old.add(name)
        return places, damaged, old

    def _segments(self):
        """Return the number of slots and the time of last use of each segment, by name."""
        query = (
            "SELECT name, slots, used FROM segments "
            "WHERE options = ? AND typeof(slots) = 'integer' AND typeof(used) = 'real'"
        )
        return {name: (slots, used) for name, slots, used in self._database.execute(query, (self.options,))}

    def _mapped(self, name, slots):
        """Map a segment unless that has been done; return its number, or None if its file is damaged."""
        if name not in self._maps or len(self._maps[name]) < slots:
            try:
                self._maps[name] = map_rows(self._path(name), (slots, *self.shape), "uint8")
            except (FileNotFoundError, ValueError):
                return None
        return list(self._maps).index(name)

    def _append(self, digests, pictures):
        """Write as many pictures as fit into one segment, and return their places."""
        query = "SELECT name, slots FROM segments WHERE options = ? AND slots BETWEEN 0 AND ? - 1"
        name, slots = self._database.execute(query, (self.options, self._capacity)).fetchone() or self._new_segment()
        # Behind all that was ever written, even by a process that was ended: nothing in use is written over.
        size = self._size(name)
        start = -(-size // self._slot_bytes)
        if size < slots * self._slot_bytes or start >= self._capacity:
            self._forget([name])
            (name, _), start = self._new_segment(), 0
        pictures = np.ascontiguousarray(pictures[: self._capacity - start])
        with open(self._path(name), "r+b" if start else "wb", opener=_private_opener) as file:
            file.seek(start * self._slot_bytes)
            file.write(pictures.data)
            file.flush()
            os.fsync(file.fileno())
        keys = [self._key(digest) for digest in digests[: len(pictures)]]
        entries = [
            (key, name, start + number, _checksum(key, picture))
            for number, (key, picture) in enumerate(zip(keys, pictures, strict=True))
        ]
        self._database.executemany("INSERT INTO pictures VALUES (?, ?, ?, ?)", entries)
        end = start + len(pictures)
        self._database.execute("UPDATE segments SET slots = ?, used = ? WHERE name = ?", (end, time.time(), name))
        number = self._mapped(name, end)
        return [(number, slot) for slot in range(start, end)]

    def _size(self, name):
        path = self._path(name)
        return path.stat().st_size if path.exists() else 0

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
        segments = self._database.execute(
            "SELECT name, CAST(slots * slot_bytes AS INTEGER) FROM segments ORDER BY used"
        ).fetchall()
        total = sum(size or 0 for _, size in segments)
        for name, size in segments:
            if total + n_bytes <= self.max_bytes:
                break
            removed.append(name)
            total -= size or 0
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

    def _forget_damaged(self, entries):
        self._database.executemany("DELETE FROM pictures WHERE key = ? AND segment = ? AND slot = ?", entries)

    def _note_use(self, names):
        now = time.time()
        self._database.executemany("UPDATE segments SET used = ? WHERE name = ?", [(now, name) for name in names])

    def _remember(self, files):
        rows = [(key, digest, _checksum(key, digest)) for key, digest in files.items()]
        self._database.executemany("INSERT OR REPLACE INTO files (key, digest, checksum) VALUES (?, ?, ?)", rows)
        self._database.execute("DELETE FROM files WHERE number <= (SELECT max(number) FROM files) - ?", (_MAX_FILES,))

    def _one(self, query, value):
        return self._database.execute(query, (value,)).fetchone()

    def _key(self, digest):
        return blake2b(digest + self.options.encode(), digest_size=16).digest()

    # --- transactions -----------------------------------------------------------------------------------------------

    @property
    def _index(self):
        return self.folder / "index.sqlite"

    def _path(self, name):
        return self.folder / f"{name}.u8"

    def _healed(self, work):
        """Return what `work` gives; where the database turns out to be damaged, it begins anew."""
        with explained(self.folder):
            try:
                return work()
            except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
                if not is_damage(error):
                    raise
                self._begin_anew(error)
                return work()

    def _begin_anew(self, error):
        self._database.close()
        remove_database(self._index)
        self._database = _connect(self._index)
        self._database.executescript(_SCHEMA)
        self._tell(f"has a damaged index and begins anew: {error}")

    def _tell_of(self, damaged):
        if damaged:
            self._tell(f"is damaged; pictures that are decoded again: {len(damaged)}")

    def _tell(self, what):
        warnings.warn(f"The cache of pictures in {str(self.folder)!r} {what}.", stacklevel=2)

    def _reading(self):
        return transaction(self._database, "BEGIN")

    @contextmanager
    def _writing(self):
        """Keep other writers out; the body may add names of segments whose files are then to be removed."""
        removed = []
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
    if folder.is_dir():
        with PixelStore("", (1, 1, 1), folder, max_bytes=0) as store:
            store.clear()


def _connect(path):
    private_file(path)
    # The journal stays a plain one: the faster write-ahead log cannot be used on network file systems.
    database = sqlite3.connect(path, timeout=60, isolation_level=None)
    database.text_factory = lambda name: name.decode(errors="replace")  # a damaged name is one that nothing has
    return database


def remove_database(path):
    """Remove an SQLite database, if it is there."""
    # The journal first: beside a new file it would be taken for that one's.
    for suffix in ("-journal", ""):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def is_damage(error):
    """Tell whether an error of SQLite comes from the file itself, rather than from its disk, rights or other users."""
    # What is no text in a file cannot even be quoted in an error.
    return isinstance(error, UnicodeDecodeError) or getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE


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
        os.close(_private_opener(path, os.O_CREAT | os.O_EXCL))
    _make_private(path)


def _private_opener(path, flags):
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


def _checksum(key, pixels):
    # With the key, so that a picture in the place of another one is found out too. Faster than any digest, as every
    # picture is checked whenever it is looked up, and the damage is by chance: the folder is private.
    return zlib.crc32(pixels, zlib.crc32(key))

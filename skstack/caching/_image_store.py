"""Decoded images on disk, shared by all processes of a user.

Pixels lie one after another in segment files that only grow; an SQLite database says which slot of which segment
holds which image. One process writes at a time, and pixels are on the disk before the database names their slots:
whatever happens, no slot that is named is incomplete. Each image has a checksum: one that was damaged is not found,
and a database that cannot be read begins anew. Segments are removed whole, the least recently used first. Whoever has
mapped a removed segment can read it on, as names of segments never come again.
"""

import os
import time
import warnings
import zlib
from contextlib import contextmanager, suppress
from functools import partial
from hashlib import blake2b
from pathlib import Path
from uuid import uuid4

import numpy as np

from ._folder import StoreError, private_opener, store_bytes, store_folder
from ._sqlite import SqliteIndex, transaction
from ._stored_rows import StoredRows, map_rows

#: Bytes of a segment at most, and as a share of the whole store: what is removed at a time.
_SEGMENT_BYTES, _SEGMENT_SHARE = 2**28, 8

#: Digests of files remembered at most; an entry takes about 100 bytes.
_MAX_FILES = 1_000_000

#: Seconds before a use is noted again, so that reading seldom has to write.
_USE_STEP = 60

_SCHEMA = """
CREATE TABLE IF NOT EXISTS segments (
    name TEXT PRIMARY KEY, options TEXT NOT NULL, slots INTEGER NOT NULL, slot_bytes INTEGER NOT NULL,
    used REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS images (
    key BLOB PRIMARY KEY, segment TEXT NOT NULL, slot INTEGER NOT NULL, checksum INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS images_of_segment ON images (segment);
CREATE TABLE IF NOT EXISTS files (
    id INTEGER PRIMARY KEY, key BLOB UNIQUE NOT NULL, digest BLOB NOT NULL, checksum INTEGER NOT NULL
);
"""


class PixelStore:
    """Images of one shape, decoded in one way, in a folder that others may fill at the same time.

    To be used by one thread, as a context manager; other threads open the folder for themselves.

    Parameters
    ----------
    options : str
        The way of decoding; other ways are kept apart.
    shape : tuple of int
        Height, width and channels.
    folder : path-like, default=None
        Made if needed, for nobody but the user; :func:`image_folder` by default.
    max_bytes : int, default=None
        What all images in the folder may take; :func:`store_bytes` by default.

    Raises
    ------
    StoreError
        Also in every method, if the folder or its database cannot be used.
    """

    def __init__(self, options, shape, folder=None, max_bytes=None):
        self.options = f"{options} {shape}"
        self.shape = tuple(shape)
        self.folder = Path(image_folder() if folder is None else folder)
        self.max_bytes = store_bytes() if max_bytes is None else max_bytes
        self._slot_bytes = int(np.prod(shape))
        self._capacity = max(1, min(_SEGMENT_BYTES, self.max_bytes // _SEGMENT_SHARE) // self._slot_bytes)
        self._maps = {}  # the rows mapped of each segment that was met, which has an index by its place here
        tell = partial(_warn_of_damage, self.folder)
        self._index = SqliteIndex(self.folder / "index.sqlite", _SCHEMA, "images", tell)

    def __enter__(self):
        self._index.open()
        return self

    def __exit__(self, *_):
        self._index.close()

    @property
    def _database(self):
        return self._index.connection

    def digests(self, file_keys):
        """Return what :meth:`add` was told about files.

        Parameters
        ----------
        file_keys : list of bytes or None
            From :func:`~skstack.reading._files.file_key`.

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

        return self._index.run(read)

    def find(self, digests):
        """Say where images lie.

        Parameters
        ----------
        digests : list of bytes
            Of the contents of the images.

        Returns
        -------
        places : ndarray of int of shape (n, 2)
            Index of a segment, as :meth:`rows` takes it, and slot; -1 for an image that is not there or is damaged.
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

        return self._index.run(look_up)

    def add(self, digests, images, files):
        """Put images into the store.

        Parameters
        ----------
        digests : list of bytes
            Of the contents of the images, each one once.
        images : ndarray of shape (n, *shape), dtype uint8
        files : dict of bytes to bytes
            Digests of contents to be remembered, by :func:`~skstack.reading._files.file_key`.

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
                    added = self._append(new[done:], images[absent[done:]])
                    places[absent[done : done + len(added)]] = added
                    done += len(added)
                self._remember(files)
            self._tell_of(damaged)
            return places

        return self._index.run(write)

    def rows(self, places):
        """Return images as an array that is read row by row.

        Parameters
        ----------
        places : ndarray of int of shape (n, 2)
            From :meth:`find` or :meth:`add`; an image at -1 is black.

        Returns
        -------
        rows : StoredRows of shape (n, *shape)
        """
        used, files = np.unique(places[:, 0], return_inverse=True)
        if used.size and used[0] < 0:
            used, files = used[1:], files - 1
        names = list(self._maps)
        maps = [(self._path(names[index]), self._maps[names[index]]) for index in used]
        return StoredRows(maps, files, places[:, 1], self.shape)

    def clear(self):
        """Remove all images, also those decoded in other ways."""

        def empty():
            with self._writing() as removed:
                removed += [name for (name,) in self._database.execute("SELECT name FROM segments")]
                self._forget(removed)
                self._database.execute("DELETE FROM files")
                self._sweep()
            self._database.execute("VACUUM")

        self._index.run(empty)

    # --- inside a transaction ---------------------------------------------------------------------------------------

    def _find(self, digests):
        """Return places, which entries of images are damaged, and the names of segments whose use is to be noted."""
        places, damaged, old = np.full((len(digests), 2), -1), [], set()
        segments, indices, now = self._segments(), {}, time.time()
        for position, digest in enumerate(digests):
            key = self._key(digest)
            row = self._one("SELECT segment, slot, checksum FROM images WHERE key = ?", key)
            if row is None:
                continue
            name, slot, checksum = row
            slots, used = segments.get(name, (0, now))
            if name not in indices:
                indices[name] = self._mapped(name, slots) if slots > 0 else None
            if indices[name] is None or slot not in range(slots) or checksum != _checksum(key, self._maps[name][slot]):
                damaged.append((key, name, slot))
                continue
            places[position] = indices[name], slot
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
        """Map a segment unless that has been done; return its index, or None if its file is damaged."""
        if name not in self._maps or len(self._maps[name]) < slots:
            try:
                self._maps[name] = map_rows(self._path(name), (slots, *self.shape), "uint8")
            except (FileNotFoundError, ValueError):
                return None
        return list(self._maps).index(name)

    def _append(self, digests, images):
        """Write as many images as fit into one segment, and return their places."""
        query = "SELECT name, slots FROM segments WHERE options = ? AND slots BETWEEN 0 AND ? - 1"
        name, slots = self._database.execute(query, (self.options, self._capacity)).fetchone() or self._new_segment()
        # Behind all that was ever written, even by a process that was ended: nothing in use is written over.
        size = self._size(name)
        start = -(-size // self._slot_bytes)
        if size < slots * self._slot_bytes or start >= self._capacity:
            self._forget([name])
            (name, _), start = self._new_segment(), 0
        images = np.ascontiguousarray(images[: self._capacity - start])
        with open(self._path(name), "r+b" if start else "wb", opener=private_opener) as file:
            file.seek(start * self._slot_bytes)
            file.write(images.data)
            file.flush()
            os.fsync(file.fileno())
        keys = [self._key(digest) for digest in digests[: len(images)]]
        entries = [
            (key, name, slot, _checksum(key, image))
            for slot, (key, image) in enumerate(zip(keys, images, strict=True), start)
        ]
        self._database.executemany("INSERT INTO images VALUES (?, ?, ?, ?)", entries)
        end = start + len(images)
        self._database.execute("UPDATE segments SET slots = ?, used = ? WHERE name = ?", (end, time.time(), name))
        index = self._mapped(name, end)
        return [(index, slot) for slot in range(start, end)]

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
            raise StoreError(f"a cache of {self.max_bytes} bytes is too small for images of {n_bytes} bytes.")
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
            self._database.executemany("DELETE FROM images WHERE segment = ?", names)
            self._database.executemany("DELETE FROM segments WHERE name = ?", names)

    def _forget_damaged(self, entries):
        self._database.executemany("DELETE FROM images WHERE key = ? AND segment = ? AND slot = ?", entries)

    def _note_use(self, names):
        now = time.time()
        self._database.executemany("UPDATE segments SET used = ? WHERE name = ?", [(now, name) for name in names])

    def _remember(self, files):
        rows = [(key, digest, _checksum(key, digest)) for key, digest in files.items()]
        self._database.executemany("INSERT OR REPLACE INTO files (key, digest, checksum) VALUES (?, ?, ?)", rows)
        self._database.execute("DELETE FROM files WHERE rowid <= (SELECT max(rowid) FROM files) - ?", (_MAX_FILES,))

    def _one(self, query, value):
        return self._database.execute(query, (value,)).fetchone()

    def _key(self, digest):
        return blake2b(digest + self.options.encode(), digest_size=16).digest()

    def _path(self, name):
        return self.folder / f"{name}.u8"

    def _tell_of(self, damaged):
        if damaged:
            _warn(self.folder, f"is damaged; images that are decoded again: {len(damaged)}")

    # --- transactions -----------------------------------------------------------------------------------------------

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


def image_folder():
    """Return the folder that decoded images are kept in."""
    return store_folder("images-2")


def clear_store(folder=None):
    """Remove all images from the disk; those that are in use stay readable for who uses them.

    Parameters
    ----------
    folder : path-like, default=None
        :func:`image_folder` by default.
    """
    folder = Path(image_folder() if folder is None else folder)
    if folder.is_dir():
        with PixelStore("", (1, 1, 1), folder, max_bytes=0) as store:
            store.clear()


def _warn_of_damage(folder, error):
    _warn(folder, f"has a damaged index and begins anew: {error}")


def _warn(folder, what):
    warnings.warn(f"The cache of images in {str(folder)!r} {what}.", stacklevel=2)


def _remove(path):
    # Windows refuses to remove a file that a process has mapped.
    with suppress(FileNotFoundError, PermissionError):
        path.unlink()


def _checksum(key, pixels):
    # With the key, so that an image in the place of another one is found out too. Faster than any digest, as every
    # image is checked whenever it is looked up, and the damage is by chance: the folder is private.
    return zlib.crc32(pixels, zlib.crc32(key))

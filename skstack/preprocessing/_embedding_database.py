"""Small values on disk, shared by all processes of a user.

An SQLite database holds them, each with a checksum: what was damaged is not found, and a database that cannot be read
begins anew. A process claims what it is about to compute, so that others compute something else meanwhile.
"""

import sqlite3
import time
from contextlib import closing, suppress
from hashlib import blake2b
from pathlib import Path

from ._store import explained, private_file, private_folder, remove_database, transaction

#: Seconds before a use is noted again, so that reading seldom has to write.
_USE_STEP = 3600

#: Seconds after which others no longer wait for what a process said it would compute.
_CLAIM_SECONDS = 60

#: The part of the entries, one in so many, that goes at a time where room is needed.
_REMOVED_SHARE = 8

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    number INTEGER PRIMARY KEY, key BLOB UNIQUE NOT NULL, used REAL NOT NULL, checksum BLOB NOT NULL,
    value BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS entries_by_use ON entries (used);
CREATE TABLE IF NOT EXISTS claims (key BLOB PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID;
"""


class Database:
    """Values by key in a folder that others may use at the same time.

    The file is opened for each call: a connection belongs to one thread, and a forked process must not inherit it.

    Parameters
    ----------
    folder : path-like
        Made if needed.
    max_bytes : int
        What the file may hold; entries that were not used for longest make room.

    Raises
    ------
    StoreError
        In every method, if the folder or the file in it cannot be used.
    """

    def __init__(self, folder, max_bytes):
        self.folder = Path(folder)
        self.max_bytes = max_bytes

    def find(self, keys):
        """Return the values there are for some keys, by key."""
        return self._with_connection(lambda connection: _read(connection, keys))

    def add(self, entries):
        """Keep values by key, and give up the claims to them."""

        def write(connection):
            now = time.time()
            rows = [(key, now, _checksum(key, value), value) for key, value in entries.items()]
            with transaction(connection, "BEGIN IMMEDIATE"):
                query = "INSERT OR REPLACE INTO entries (key, used, checksum, value) VALUES (?, ?, ?, ?)"
                connection.executemany(query, rows)
                _unclaim(connection, entries)
                _make_room(connection, self.max_bytes)

        self._with_connection(write)

    def claim(self, keys):
        """Return those of some keys that nobody else is computing a value for; they are the caller's for a minute."""

        def write(connection):
            query = "INSERT OR IGNORE INTO claims (key, until) VALUES (?, ?)"
            with transaction(connection, "BEGIN IMMEDIATE"):
                # What a clock that was ahead has written ends, too.
                now, end = time.time(), time.time() + _CLAIM_SECONDS
                connection.execute("DELETE FROM claims WHERE until < ? OR until > ?", (now, end + _CLAIM_SECONDS))
                return {key for key in keys if connection.execute(query, (key, end)).rowcount}

        return self._with_connection(write)

    def unclaim(self, keys):
        """Give up claims."""

        def write(connection):
            with transaction(connection, "BEGIN IMMEDIATE"):
                _unclaim(connection, keys)

        self._with_connection(write)

    def remove(self):
        """Remove the file."""
        with explained(self.folder, "features"):
            remove_database(self._path)

    @property
    def _path(self):
        return self.folder / "features.sqlite"

    def _with_connection(self, work):
        with explained(self.folder, "features"):
            private_folder(self.folder)
            try:
                return self._connected(work)
            except sqlite3.DatabaseError as error:
                if type(error) is not sqlite3.DatabaseError:  # its subclasses say what is wrong outside the file
                    raise
                self.remove()
                return self._connected(work)

    def _connected(self, work):
        private_file(self._path)
        # The journal stays a plain one: the faster write-ahead log cannot be used on network file systems.
        with closing(sqlite3.connect(self._path, timeout=60, isolation_level=None)) as connection:
            if not connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'claims'").fetchone()[0]:
                connection.executescript(_SCHEMA)
            return work(connection)


def _read(connection, keys):
    """Return the entries among some keys whose checksum is right, and take note of their use."""
    entries, old, broken, now = {}, [], [], time.time()
    with transaction(connection, "BEGIN"):
        for key in keys:
            row = connection.execute("SELECT checksum, value, used FROM entries WHERE key = ?", (key,)).fetchone()
            if row is None:
                continue
            checksum, value, used = row
            if not isinstance(value, bytes) or checksum != _checksum(key, value):
                broken.append((key,))
                continue
            entries[key] = value
            if used < now - _USE_STEP:
                old.append((now, key))
    if old or broken:
        # Who may read the folder and not write it still gets what is there.
        with suppress(sqlite3.OperationalError), transaction(connection, "BEGIN IMMEDIATE"):
            connection.executemany("UPDATE entries SET used = ? WHERE key = ?", old)
            connection.executemany("DELETE FROM entries WHERE key = ?", broken)
    return entries


def _unclaim(connection, keys):
    connection.executemany("DELETE FROM claims WHERE key = ?", [(key,) for key in keys])


def _make_room(connection, max_bytes):
    """Remove the entries that were not used for longest until the pages in use fit into `max_bytes`."""
    while _used_bytes(connection) > max_bytes:
        (n_entries,) = connection.execute("SELECT count(*) FROM entries").fetchone()
        if not n_entries:
            return
        query = "DELETE FROM entries WHERE number IN (SELECT number FROM entries ORDER BY used, number LIMIT ?)"
        connection.execute(query, (-(-n_entries // _REMOVED_SHARE),))


def _used_bytes(connection):
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def _checksum(key, value):
    # With the key, so that a value under the key of another one is found out too.
    return blake2b(value, digest_size=8, key=key).digest()

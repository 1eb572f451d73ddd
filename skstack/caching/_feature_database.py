"""Small values on disk, shared by all processes of a user.

An SQLite database holds them, each with a checksum: what was damaged is not found, and a database that cannot be read
begins anew. A process claims what it is about to compute, so that others compute something else meanwhile. The claims
of a process that died on this machine are void; those from another machine, where nobody here can look, run out.
"""

import os
import platform
import sqlite3
import sys
import time
from contextlib import closing, suppress
from hashlib import blake2b
from pathlib import Path

from ._sqlite import SqliteIndex, transaction

#: Seconds before a use is noted again, so that reading seldom has to write.
_USE_STEP = 3600

#: Seconds after which others no longer wait for what a process said it would compute.
CLAIM_SECONDS = 60

#: The part of the entries, one in so many, that goes at a time where room is needed.
_REMOVED_SHARE = 8

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY, key BLOB UNIQUE NOT NULL, used REAL NOT NULL, checksum BLOB NOT NULL,
    value BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS entries_by_use ON entries (used);
CREATE TABLE IF NOT EXISTS claims (
    key BLOB PRIMARY KEY, until REAL NOT NULL, host TEXT NOT NULL, pid INTEGER NOT NULL, started TEXT NOT NULL
) WITHOUT ROWID;
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
            query = "INSERT OR IGNORE INTO claims (key, until, host, pid, started) VALUES (?, ?, ?, ?, ?)"
            me = platform.node(), os.getpid(), _started(os.getpid())
            with transaction(connection, "BEGIN IMMEDIATE"):
                end = time.time() + CLAIM_SECONDS
                _end_claims(connection, end)
                return {key for key in keys if connection.execute(query, (key, end, *me)).rowcount}

        return self._with_connection(write)

    def claimants(self, keys):
        """Return host and process id of those who are computing values for some keys."""

        def read(connection):
            query = "SELECT host, pid FROM claims WHERE key = ?"
            with transaction(connection, "BEGIN"):
                return sorted({row for key in keys for row in connection.execute(query, (key,))})

        return self._with_connection(read)

    def unclaim(self, keys):
        """Give up claims."""

        def write(connection):
            with transaction(connection, "BEGIN IMMEDIATE"):
                _unclaim(connection, keys)

        self._with_connection(write)

    def remove(self):
        """Remove the file."""
        self._index().remove()

    def _index(self):
        return SqliteIndex(self.folder / "features.sqlite", _SCHEMA, "features")

    def _with_connection(self, work):
        with closing(self._index().open()) as index:
            return index.run(lambda: work(index.connection))


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


def _end_claims(connection, end):
    """Remove the claims that have run out, and those of processes that are no more.

    Parameters
    ----------
    connection : sqlite3.Connection
    end : float
        When a claim made now runs out.
    """
    # What a clock that was ahead has written ends, too.
    query = "DELETE FROM claims WHERE until < ? OR until > ?"
    connection.execute(query, (end - CLAIM_SECONDS, end + CLAIM_SECONDS))
    query = "SELECT DISTINCT host, pid, started FROM claims WHERE host = ?"
    for host, pid, started in connection.execute(query, (platform.node(),)).fetchall():
        if not _is_alive(pid, started):
            connection.execute("DELETE FROM claims WHERE (host, pid, started) = (?, ?, ?)", (host, pid, started))


def _is_alive(pid, started):
    """Tell whether a process of this machine goes on; True where that is not known."""
    found = _started(pid)
    if found:
        return started in (found, "")
    if sys.platform == "win32":
        return True  # os.kill would interrupt it there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # it is somebody else's
    return True


def _started(pid):
    """Return when a process was started, which tells it from a later one of the same id; "" where nobody says it.

    "dead" is one that has ended without its parent having taken note.
    """
    try:
        # The name of the program, in parentheses, may hold anything.
        state, *fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].decode().split()
    except OSError:
        return ""
    return "dead" if state in "ZX" else fields[18]


def _unclaim(connection, keys):
    connection.executemany("DELETE FROM claims WHERE key = ?", [(key,) for key in keys])


def _make_room(connection, max_bytes):
    """Remove the entries that were not used for longest until the pages in use fit into `max_bytes`."""
    while _used_bytes(connection) > max_bytes:
        (n_entries,) = connection.execute("SELECT count(*) FROM entries").fetchone()
        if not n_entries:
            return
        query = "DELETE FROM entries WHERE rowid IN (SELECT rowid FROM entries ORDER BY used, rowid LIMIT ?)"
        connection.execute(query, (-(-n_entries // _REMOVED_SHARE),))


def _used_bytes(connection):
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def _checksum(key, value):
    # With the key, so that a value under the key of another one is found out too.
    return blake2b(value, digest_size=8, key=key).digest()

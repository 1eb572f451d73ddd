"""An SQLite database as the index of a cache: private, used by many processes, and begun anew where it is damaged."""

import sqlite3
from contextlib import contextmanager
from pathlib import Path

from ._folder import StoreError, private_file, private_folder

#: SQLite's codes for what is wrong with a file itself: its bytes, its tables or what they hold.
_DAMAGE = {
    *(sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT),
    *(sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH),
}

#: Seconds to wait for another process that writes.
_TIMEOUT = 60


class SqliteIndex:
    """A database in a file, from :meth:`open` to :meth:`close`.

    A connection belongs to one thread, and a forked process must not inherit it: others open the file for themselves.

    Parameters
    ----------
    path : path-like
        The file; its folder is made if needed. Both are for nobody but the user.
    schema : str
        SQL that makes the tables if they are not there.
    what : str
        What the cache holds, for messages.
    tell : callable, default=None
        Takes the error when a damaged database begins anew.

    Attributes
    ----------
    connection : sqlite3.Connection
        Another one once the database has begun anew.

    Raises
    ------
    StoreError
        In every method, if the folder or the file in it cannot be used.
    """

    def __init__(self, path, schema, what, tell=None):
        self.path = Path(path)
        self._schema = schema
        self._what = what
        self._tell = tell
        self.connection = None

    def open(self):
        """Connect to the database, whose tables are made if needed; return the index itself."""
        with self._explained():
            private_folder(self.path.parent)
            self._connect()
        try:
            self.run(lambda: self.connection.executescript(self._schema))
        except StoreError:
            self.close()
            raise
        return self

    def close(self):
        """End the connection."""
        self.connection.close()

    def run(self, work):
        """Return what `work` gives; where it finds the database damaged, begin anew, and work once more.

        Parameters
        ----------
        work : callable
            Takes nothing, and asks for :attr:`connection` whenever it is called.
        """
        with self._explained():
            try:
                return work()
            except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
                if not _is_damage(error):
                    raise
                self._begin_anew(error)
                return work()

    def remove(self):
        """Remove the file, if it is there."""
        with self._explained():
            self._remove()

    def _begin_anew(self, error):
        self.close()
        self._remove()
        self._connect()
        self.connection.executescript(self._schema)
        if self._tell is not None:
            self._tell(error)

    def _connect(self):
        private_file(self.path)
        # The journal stays a plain one: the faster write-ahead log cannot be used on network file systems.
        self.connection = sqlite3.connect(self.path, timeout=_TIMEOUT, isolation_level=None)
        # A damaged name is one that nothing has.
        self.connection.text_factory = lambda name: name.decode(errors="replace")

    def _remove(self):
        # The journal first: beside a new file it would be taken for that one's.
        for suffix in ("-journal", ""):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)

    @contextmanager
    def _explained(self):
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            folder = str(self.path.parent)
            raise StoreError(f"the cache of {self._what} in {folder!r} cannot be used: {error}.") from error


@contextmanager
def transaction(connection, begin):
    """Commit what the block does with a database, unless it raises.

    Parameters
    ----------
    connection : sqlite3.Connection
    begin : {"BEGIN", "BEGIN IMMEDIATE"}
        For reading, and for writing, which keeps other writers out.
    """
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _is_damage(error):
    """Tell whether an error of SQLite comes from the file itself, rather than from its disk, rights or other users."""
    # What is no text in a file cannot even be quoted in an error.
    return isinstance(error, UnicodeDecodeError) or getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE

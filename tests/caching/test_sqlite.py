"""A database that is private, waits for other writers, and begins anew where it is damaged."""

import os
import sqlite3
import stat
from contextlib import closing

import pytest

from skstack.caching import _sqlite
from skstack.caching._folder import StoreError
from skstack.caching._sqlite import SqliteIndex, transaction

SCHEMA = "CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value INTEGER NOT NULL);"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "index.sqlite"


@pytest.fixture
def told():
    return []


@pytest.fixture
def index(path, told):
    with closing(SqliteIndex(path, SCHEMA, "numbers", told.append).open()) as index:
        yield index


def _put(index, key, value):
    def write():
        with transaction(index.connection, "BEGIN IMMEDIATE"):
            index.connection.execute("INSERT INTO entries VALUES (?, ?)", (key, value))

    index.run(write)


def _entries(index):
    return index.run(lambda: index.connection.execute("SELECT key, value FROM entries ORDER BY key").fetchall())


def test_what_was_written_is_found_by_who_opens_it_later(index, path, told):
    _put(index, "a", 1)
    with closing(SqliteIndex(path, SCHEMA, "numbers").open()) as later:
        assert _entries(later) == [("a", 1)]
    assert told == []


def _overwrite(path):
    path.write_bytes(b"this is no database" * 500)


def _cut_off(path):
    path.write_bytes(path.read_bytes()[:5000])


def _other_tables(path):
    path.unlink()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE entries (something TEXT)")


@pytest.mark.parametrize("damage", [_overwrite, _cut_off, _other_tables])
@pytest.mark.parametrize("is_open", [True, False])
def test_a_damaged_file_begins_anew_and_tells(index, path, told, damage, is_open):
    _put(index, "a", 1)
    if not is_open or damage is _other_tables:  # who has it open goes on with a file that was removed
        index.close()
    damage(path)
    if not is_open or damage is _other_tables:
        index.open()
    _put(index, "b", 2)
    assert _entries(index) == [("b", 2)]
    assert len(told) == 1
    assert isinstance(told[0], sqlite3.DatabaseError)


def test_damage_that_stays_is_an_error(index, told):
    with pytest.raises(StoreError, match=r"cache of numbers in '.*folder' cannot be used: no such table: other"):
        index.run(lambda: index.connection.execute("SELECT * FROM other"))
    assert len(told) == 1


def test_a_journal_does_not_outlive_its_file(index, path):
    _put(index, "a", 1)
    index.close()
    journal = path.with_name("index.sqlite-journal")
    journal.write_bytes(b"of the old file")
    index.remove()
    assert not path.exists()
    assert not journal.exists()
    index.remove()  # nothing there is no trouble
    index.open()
    assert _entries(index) == []


def test_a_database_that_somebody_else_holds_is_not_taken_for_a_damaged_one(index, path, told, monkeypatch):
    _put(index, "a", 1)
    monkeypatch.setattr(_sqlite, "_TIMEOUT", 0.01)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="cannot be used: database is locked"):
            SqliteIndex(path, SCHEMA, "numbers", told.append).open()
        other.execute("ROLLBACK")
    assert _entries(index) == [("a", 1)]
    assert told == []


def test_a_transaction_that_fails_leaves_nothing(index):
    def fail():
        with transaction(index.connection, "BEGIN IMMEDIATE"):
            index.connection.execute("INSERT INTO entries VALUES ('a', 1)")
            raise KeyError("something else")

    with pytest.raises(KeyError):
        index.run(fail)
    assert not index.connection.in_transaction
    assert _entries(index) == []


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps rights in access lists, not in modes")
def test_folder_and_file_are_private(index, path):
    assert [stat.S_IMODE(each.stat().st_mode) for each in (path.parent, path)] == [0o700, 0o600]


def test_a_folder_that_cannot_be_made_is_an_error(path):
    path.parent.write_bytes(b"a file is in the way")
    with pytest.raises(StoreError, match=r"cache of numbers in '.*folder' cannot be used"):
        SqliteIndex(path, SCHEMA, "numbers").open()

"""The cache of features of frozen models: what is computed once, by whom."""

import os
import platform
import re
import sqlite3
import stat
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from skstack.caching import _feature_database, _features
from skstack.caching._feature_database import Database
from skstack.caching._features import add, computed_once, find
from skstack.caching._lru import LRU
from skstack.preprocessing import clear_embedding_cache

KEYS = [bytes([number]) * 16 for number in range(20)]
VALUES = [bytes([100 + number]) * 12 for number in range(20)]
ENTRIES = dict(zip(KEYS, VALUES, strict=True))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty cache, on disk and in memory."""
    monkeypatch.setenv("SKSTACK_CACHE", str(tmp_path))
    monkeypatch.delenv("SKSTACK_CACHE_SIZE", raising=False)
    monkeypatch.setattr(_features, "_memory", LRU(2**20, size_of=len))
    _features._warn_once.cache_clear()
    return tmp_path / "features-2"


@pytest.fixture
def database(folder):
    return Database(folder, 2**20)


def _forget_memory():
    _features._memory.clear()


class Counting:
    """Computes values and counts how often each."""

    def __init__(self, keys=KEYS, bad=()):
        self.keys, self.bad, self.seen = keys, bad, []

    def __call__(self, positions):
        self.seen += positions
        return [None if position in self.bad else ENTRIES[self.keys[position]] for position in positions]


# --- computing once ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", [1, 3, 100])
def test_every_value_is_computed_once(block):
    compute = Counting()
    for _ in range(3):
        assert computed_once(KEYS, compute, 12, block) == VALUES
        _forget_memory()
    assert sorted(compute.seen) == list(range(20))


def test_only_what_is_absent_is_computed():
    add({key: ENTRIES[key] for key in KEYS[::2]})
    compute = Counting()
    assert computed_once(KEYS, compute, 12, 4) == VALUES
    assert compute.seen == list(range(1, 20, 2))


def test_what_cannot_be_computed_is_none_and_not_kept():
    compute = Counting(bad=(3, 5))
    for _ in range(2):
        values = computed_once(KEYS, compute, 12, 4)
        assert [position for position, value in enumerate(values) if value is None] == [3, 5]
    assert sorted(compute.seen) == sorted([*range(20), 3, 5])


def test_values_of_another_length_are_computed_again():
    add({KEYS[2]: b"short"})
    compute = Counting()
    assert computed_once(KEYS[:5], compute, 12, 4) == VALUES[:5]
    assert compute.seen == [2, *[p for p in range(5) if p != 2]] or sorted(compute.seen) == list(range(5))
    assert find([KEYS[2]]) == [VALUES[2]]


def test_an_error_gives_up_the_claims(database):
    def fail(positions):
        raise RuntimeError("no model")

    with pytest.raises(RuntimeError, match="no model"):
        computed_once(KEYS, fail, 12, 4)
    assert database.claim(KEYS) == set(KEYS)


def test_threads_share_the_work():
    compute = Counting()
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: computed_once(KEYS, compute, 12, 2), range(4)))
    assert results == [VALUES] * 4
    assert sorted(compute.seen) == list(range(20))


WORKER = """
import sys, time
from skstack.caching._features import computed_once
keys = [bytes([number]) * 16 for number in range(20)]
def compute(positions):
    print(*positions, sep="\\n", flush=True)
    time.sleep(0.02 * len(positions))
    return [bytes([100 + position]) * 12 for position in positions]
values = computed_once(keys, compute, 12, 2)
assert values == [bytes([100 + position]) * 12 for position in range(20)]
"""


def test_processes_share_the_work():
    command = [sys.executable, "-c", WORKER]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    outputs = [process.communicate(timeout=120)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sorted(int(number) for output in outputs for number in output) == list(range(20))
    compute = Counting()
    assert computed_once(KEYS, compute, 12, 4) == VALUES
    assert compute.seen == []


def test_what_another_process_computes_is_waited_for(database):
    assert database.claim(KEYS[:3]) == set(KEYS[:3])
    threading.Timer(0.3, lambda: database.add({key: ENTRIES[key] for key in KEYS[:3]})).start()
    compute = Counting()
    assert computed_once(KEYS, compute, 12, 2) == VALUES
    assert sorted(compute.seen) == list(range(3, 20))


def test_claims_of_a_process_that_died_end(database, monkeypatch):
    monkeypatch.setattr(_feature_database, "CLAIM_SECONDS", 0.3)
    database.claim(KEYS[:3])
    compute = Counting()
    assert computed_once(KEYS[:5], compute, 12, 2) == VALUES[:5]
    assert sorted(compute.seen) == list(range(5))


CLAIMANT = """
import sys, time
from skstack.caching._feature_database import Database
Database(sys.argv[1], 2**20).claim([bytes([number]) * 16 for number in range(20)])
print("claimed", flush=True)
time.sleep(600)
"""


@pytest.fixture
def claimant(folder):
    """Another process, which has claimed every key and computes nothing."""
    process = subprocess.Popen([sys.executable, "-c", CLAIMANT, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "claimed\n"
    yield process
    process.kill()
    process.communicate()


def _never(*_):
    pytest.fail("there is nobody to wait for")


def test_claims_of_a_process_that_was_killed_are_void(claimant, monkeypatch):
    claimant.kill()
    claimant.wait()
    monkeypatch.setattr(_features.time, "sleep", _never)
    assert computed_once(KEYS, Counting(), 12, 2) == VALUES


def test_it_is_said_once_who_is_waited_for(claimant, database, monkeypatch):
    n_waits = 0

    def finish(seconds):
        nonlocal n_waits
        n_waits += 1
        if n_waits * seconds > 2 * _features._PATIENCE:
            database.add(ENTRIES)

    monkeypatch.setattr(_features.time, "sleep", finish)
    message = f"Waiting for features .* process {claimant.pid} on '{re.escape(platform.node())}' is computing"
    with pytest.warns(UserWarning, match=message) as told:
        assert computed_once(KEYS, Counting(), 12, 4) == VALUES
    assert len(told) == 1


def test_a_short_wait_is_not_worth_a_word(claimant, database, monkeypatch):
    monkeypatch.setattr(_features.time, "sleep", lambda _: database.add(ENTRIES))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert computed_once(KEYS, Counting(), 12, 4) == VALUES


def test_what_is_kept_in_memory_only_is_not_on_disk(folder):
    compute = Counting()
    for _ in range(2):
        assert computed_once(KEYS, compute, 12, 4, on_disk=False) == VALUES
    assert sorted(compute.seen) == list(range(20))
    assert not folder.exists()


# --- on disk ----------------------------------------------------------------------------------------------------------


def test_entries_are_found_by_other_processes(database):
    add(ENTRIES)
    assert database.find(KEYS) == ENTRIES
    assert database.find([b"another key"]) == {}


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE entries SET value = zeroblob(12) WHERE key = ?",
        "UPDATE entries SET value = substr(value, 1, 6) WHERE key = ?",
        "UPDATE entries SET value = 'text' WHERE key = ?",
        "UPDATE entries SET checksum = zeroblob(8) WHERE key = ?",
        # A value with its right checksum, of another key.
        "UPDATE entries SET (value, checksum) = (SELECT value, checksum FROM entries WHERE rowid = 1) WHERE key = ?",
    ],
)
def test_a_corrupt_entry_is_computed_again(database, folder, spoil):
    add(ENTRIES)
    with sqlite3.connect(folder / "features.sqlite") as connection:
        assert connection.execute(spoil, (KEYS[7],)).rowcount == 1
    connection.close()
    _forget_memory()
    compute = Counting()
    assert computed_once(KEYS, compute, 12, 4) == VALUES
    assert compute.seen == [7]
    assert database.find(KEYS) == ENTRIES


def _overwrite(path):
    path.write_bytes(b"this is no database" * 500)


def _break_pages(path):
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)


def _cut_off(path):
    path.write_bytes(path.read_bytes()[:5000])


def _other_tables(path):
    path.unlink()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE entries (something TEXT)")
        connection.execute("CREATE TABLE claims (key BLOB)")


@pytest.mark.parametrize("spoil", [_overwrite, _break_pages, _cut_off, _other_tables])
def test_a_damaged_database_begins_anew(database, folder, spoil):
    add(ENTRIES)
    spoil(folder / "features.sqlite")
    _forget_memory()
    compute = Counting()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert computed_once(KEYS, compute, 12, 4) == VALUES
    assert sorted(compute.seen) == list(range(20))
    assert database.find(KEYS) == ENTRIES


def test_size_0_writes_nothing(folder, monkeypatch):
    monkeypatch.setenv("SKSTACK_CACHE_SIZE", "0")
    compute = Counting()
    for _ in range(2):
        assert computed_once(KEYS, compute, 12, 4) == VALUES
    assert sorted(compute.seen) == list(range(20))
    assert not folder.exists()


def test_a_folder_that_cannot_be_used_is_done_without(folder):
    folder.write_text("a file is in the way")
    compute = Counting()
    with pytest.warns(
        UserWarning, match="features-2' cannot be used.*kept in memory only.*clear_embedding_cache"
    ) as all_:
        for _ in range(2):
            assert computed_once(KEYS, compute, 12, 4) == VALUES
    assert len(all_) == 1
    assert sorted(compute.seen) == list(range(20))


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps rights in access lists, not in modes")
def test_folder_and_file_are_private_whatever_the_umask(folder):
    before = os.umask(0)
    try:
        add(ENTRIES)
    finally:
        os.umask(before)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())] == [0o700, 0o600]


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps rights in access lists, not in modes")
def test_a_folder_of_somebody_else_is_done_without(monkeypatch):
    add(ENTRIES)
    _forget_memory()
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    compute = Counting()
    with pytest.warns(UserWarning, match="belongs to somebody else.*kept in memory only"):
        assert computed_once(KEYS, compute, 12, 4) == VALUES
    assert sorted(compute.seen) == list(range(20))


def test_results_are_whole_where_nothing_can_be_kept(folder, monkeypatch):
    monkeypatch.setenv("SKSTACK_CACHE_SIZE", "0")
    monkeypatch.setattr(_features, "_memory", LRU(0))
    assert computed_once(KEYS, Counting(), 12, 4) == VALUES
    monkeypatch.setenv("SKSTACK_CACHE_SIZE", "1")
    assert computed_once(KEYS, Counting(), 12, 4) == VALUES


def test_clearing_forgets_memory_and_disk(database):
    clear_embedding_cache()  # nothing there yet
    add(ENTRIES)
    clear_embedding_cache()
    assert find(KEYS) == [None] * 20
    add(ENTRIES)
    assert database.find(KEYS) == ENTRIES


# --- in memory --------------------------------------------------------------------------------------------------------


def test_memory_is_looked_at_first(folder):
    add(ENTRIES)
    (folder / "features.sqlite").unlink()
    assert find(KEYS) == VALUES


def test_memory_is_bounded_by_bytes(monkeypatch):
    n_bytes = 3 * (12 + _features._ENTRY_BYTES)
    monkeypatch.setattr(_features, "_memory", LRU(n_bytes, size_of=_features._size_of))
    add({key: ENTRIES[key] for key in KEYS[:3]}, on_disk=False)
    find(KEYS[:1], on_disk=False)
    add({KEYS[3]: VALUES[3]}, on_disk=False)
    assert find(KEYS[:4], on_disk=False) == [VALUES[0], None, VALUES[2], VALUES[3]]

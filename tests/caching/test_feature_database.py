"""Features on disk, shared by processes, and who computes which of them."""

import os
import sqlite3
import subprocess
import sys
import time

import pytest

from skstack.caching import _feature_database
from skstack.caching._feature_database import Database

KEYS = [bytes([number]) * 16 for number in range(20)]
VALUES = [bytes([100 + number]) * 12 for number in range(20)]
ENTRIES = dict(zip(KEYS, VALUES, strict=True))


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "features"


@pytest.fixture
def database(folder):
    return Database(folder, 2**20)


def _execute(database, query, *values):
    with sqlite3.connect(database.folder / "features.sqlite") as connection:
        n_rows = connection.execute(query, values).rowcount
    connection.close()
    return n_rows


# --- entries ----------------------------------------------------------------------------------------------------------


def test_entries_are_found_again(database, folder):
    assert database.find(KEYS) == {}
    database.add(ENTRIES)
    assert Database(folder, 2**20).find([*KEYS, b"another key"]) == ENTRIES
    database.add({KEYS[0]: b"another value"})
    assert database.find(KEYS[:2]) == {KEYS[0]: b"another value", KEYS[1]: VALUES[1]}


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE entries SET value = zeroblob(12) WHERE key = ?",
        "UPDATE entries SET value = 'text' WHERE key = ?",
        "UPDATE entries SET checksum = zeroblob(8) WHERE key = ?",
        # A value with its right checksum, of another key.
        "UPDATE entries SET (value, checksum) = (SELECT value, checksum FROM entries WHERE rowid = 1) WHERE key = ?",
    ],
)
def test_a_corrupt_entry_is_not_found_and_removed(database, spoil):
    database.add(ENTRIES)
    assert _execute(database, spoil, KEYS[7]) == 1
    assert database.find(KEYS) == {key: value for key, value in ENTRIES.items() if key != KEYS[7]}
    assert _execute(database, "DELETE FROM entries WHERE key = ?", KEYS[7]) == 0


def test_removing_forgets_everything(database, folder):
    database.add(ENTRIES)
    database.claim([b"another key"])
    database.remove()
    assert not (folder / "features.sqlite").exists()
    assert database.find(KEYS) == {}
    assert database.claim([b"another key"]) == {b"another key"}


def test_those_not_used_for_longest_make_room(folder, monkeypatch):
    clock = iter(range(10**6, 10**8, 10**4))
    monkeypatch.setattr(_feature_database.time, "time", lambda: float(next(clock)))
    database = Database(folder, 400_000)
    keys = [number.to_bytes(16, "big") for number in range(60)]
    for index, key in enumerate(keys):
        database.add({key: bytes(10_000)})
        database.find(keys[:1])  # the first one stays in use
        assert (folder / "features.sqlite").stat().st_size < 500_000, index
    left = [index for index, key in enumerate(keys) if database.find([key])]
    assert left[0] == 0
    assert left[1:] == list(range(left[1], 60))
    assert 15 < len(left) < 45


def test_a_single_use_is_not_written_down_each_time(database, monkeypatch):
    database.add(ENTRIES)
    monkeypatch.setattr(_feature_database, "transaction", _only_reading(_feature_database.transaction))
    assert database.find(KEYS) == ENTRIES


def _only_reading(transaction):
    def begin(connection, how):
        assert how == "BEGIN"
        return transaction(connection, how)

    return begin


# --- claims -----------------------------------------------------------------------------------------------------------


def test_a_key_is_claimed_once(database):
    assert database.claim(KEYS[:3]) == set(KEYS[:3])
    assert database.claim(KEYS[:5]) == set(KEYS[3:5])
    database.unclaim(KEYS[:1])
    database.add({KEYS[1]: VALUES[1]})
    assert database.claim(KEYS[:5]) == set(KEYS[:2])


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


def test_it_is_known_who_computes(claimant, database):
    assert [pid for _, pid in database.claimants(KEYS)] == [claimant.pid]
    assert database.claimants([b"another key"]) == []


def test_claims_of_a_process_that_was_killed_are_void(claimant, database):
    assert database.claim(KEYS) == set()
    claimant.kill()
    claimant.wait()
    assert database.claim(KEYS) == set(KEYS)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not say that a process is a zombie")
def test_claims_of_a_process_whose_end_nobody_noticed_are_void(claimant, database):
    claimant.kill()
    os.waitid(os.P_PID, claimant.pid, os.WEXITED | os.WNOWAIT)
    assert database.claim(KEYS) == set(KEYS)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not say when a process was started")
def test_a_later_process_with_the_same_id_is_another_one(claimant, database):
    _update_claims(database, "started = '1'")
    assert database.claim(KEYS) == set(KEYS)


@pytest.mark.parametrize("change", ["host = 'elsewhere'", "started = ''", "until = until"])
def test_other_claims_run_out(claimant, database, monkeypatch, change):
    _update_claims(database, change)
    assert database.claim(KEYS) == set()
    later = time.time() + _feature_database.CLAIM_SECONDS + 1
    monkeypatch.setattr(_feature_database.time, "time", lambda: later)
    assert database.claim(KEYS) == set(KEYS)


def test_claims_from_a_clock_that_was_ahead_end(database, monkeypatch):
    ahead = time.time() + 10_000
    with monkeypatch.context() as patch:
        patch.setattr(_feature_database.time, "time", lambda: ahead)
        database.claim(KEYS)
    assert database.claim(KEYS) == set(KEYS)


def _update_claims(database, change):
    assert _execute(database, f"UPDATE claims SET {change}") == len(KEYS)

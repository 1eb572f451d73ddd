"""Results by key in memory and in a folder: made once, kept, found."""

import errno
import os
import pickle
import sys
import threading
import time

import pytest

from skstack.caching import _results
from skstack.caching._result_files import MISSING
from skstack.caching._results import FolderResults, MemoryResults

FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture(params=["memory", "folder"])
def results(request, tmp_path):
    return MemoryResults() if request.param == "memory" else FolderResults(tmp_path / "new" / "folder")


def test_made_once_and_then_found_as_a_copy(results):
    made = []

    def make():
        made.append(1)
        return [len(made)]

    assert results.find("a") is MISSING
    assert results.get("a", make) == [1]
    results.get("a", make).append("changed by whoever got it")
    assert results.get("a", make) == [1]
    assert results.get("b", make) == [2]


def test_what_is_not_worth_keeping_is_made_again(results):
    numbers = iter(range(9))
    assert [results.get("a", lambda: next(numbers), keeps=lambda number: number > 0) for _ in range(4)] == [0, 1, 1, 1]


def test_what_was_made_elsewhere_is_added_unless_there_is_one(results):
    results.add("a", 1)
    results.add("a", 2)
    assert results.find("a") == 1


def test_an_error_is_raised_and_the_next_one_makes_it(results):
    with pytest.raises(ZeroDivisionError):
        results.get("a", lambda: 1 // 0)
    assert results.get("a", lambda: 1) == 1


def test_several_threads_make_it_once(results):
    made, found, begun = [], [], threading.Event()

    def make():
        made.append(1)
        begun.set()
        time.sleep(0.05)  # while the others come
        return "it"

    def want():
        found.append(results.get("a", make))

    threads = [threading.Thread(target=want) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert begun.is_set()
    assert (made, found) == ([1], ["it"] * 4)


def test_what_cannot_be_pickled_is_made_each_time_in_memory_and_told_of_in_a_folder(tmp_path):
    memory, folder = MemoryResults(), FolderResults(tmp_path)
    assert callable(memory.get("a", lambda: lambda: 1))
    assert memory.find("a") is MISSING
    with pytest.warns(UserWarning, match=r"cannot hold a result, which will be made anew"):
        assert callable(folder.get("a", lambda: lambda: 1))
    assert folder.find("a") is MISSING
    assert list(tmp_path.iterdir()) == []


# --- in memory --------------------------------------------------------------------------------------------------------


def test_memory_is_bounded_and_forgets_what_was_used_longest_ago():
    results = MemoryResults(max_bytes=2500)
    for key in "abc":
        results.get(key, lambda: bytes(1000))
        results.find("a")
    assert [results.find(key) is MISSING for key in "abc"] == [False, True, False]


def test_memory_stays_in_its_process():
    results = MemoryResults(max_bytes=2000)
    results.add("a", 1)
    other = pickle.loads(pickle.dumps(results))
    assert other.find("a") is MISSING
    other.add("b", bytes(3000))
    assert other.find("b") is MISSING


def test_waiting_in_memory_lets_other_threads_have_their_turn(monkeypatch):
    results, looked = MemoryResults(), []

    def wait_until(condition):
        while not condition():
            looked.append(1)
            may_end.set()
            maker.join(0.01)

    monkeypatch.setattr(_results, "wait_until", wait_until)
    begun, may_end = threading.Event(), threading.Event()

    def make():
        begun.set()
        may_end.wait(30)
        return 1

    maker = threading.Thread(target=results.get, args=("a", make))
    maker.start()
    begun.wait(30)
    assert results.get("a", lambda: 2) == 1
    assert looked


# --- in a folder ------------------------------------------------------------------------------------------------------


def test_a_folder_is_shared_by_all_that_name_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    FolderResults("here").add("a", 1)
    monkeypatch.chdir("/")
    assert pickle.loads(pickle.dumps(FolderResults(tmp_path / "here"))).find("a") == 1


def test_parts_are_kept_until_the_whole_is_there(tmp_path):
    results = FolderResults(tmp_path)

    def make():
        results.unfinished("a").add("part", 1)
        assert results.unfinished("a").find("part") == 1
        return "whole"

    assert results.get("a", make) == "whole"
    assert [path.name for path in tmp_path.iterdir()] == ["a.kept"]
    assert MemoryResults().unfinished("a") is None


def test_a_full_disk_is_told_once_and_work_goes_on(tmp_path, monkeypatch):
    results = FolderResults(tmp_path)

    def full(*_):
        raise FULL

    monkeypatch.setattr(os, "fsync", full)
    with pytest.warns(UserWarning, match=r"folder of results .* cannot be written: .*No space left") as told:
        assert [results.get(key, lambda: 1) for key in "ab"] == [1, 1]
    assert len(told) == 1
    monkeypatch.undo()
    assert results.get("a", lambda: 2) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a.kept"]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write and read everywhere")
def test_a_folder_without_rights_is_told_once(tmp_path):
    results = FolderResults(tmp_path)
    results.add("a", 1)
    tmp_path.chmod(0o500)
    try:
        assert results.find("a") == 1
        with pytest.warns(UserWarning, match="cannot be written"):
            assert results.get("b", lambda: 2) == 2
    finally:
        tmp_path.chmod(0o700)


def test_a_folder_whose_place_a_file_has_is_told_once(tmp_path):
    (tmp_path / "file").touch()
    results = FolderResults(tmp_path / "file")
    with pytest.warns(UserWarning, match=r"cannot be (read|written)"):
        assert [results.get(key, lambda: 1) for key in "ab"] == [1, 1]


def test_a_file_that_cannot_be_read_is_told_of(tmp_path):
    (tmp_path / "a.kept").mkdir()
    with pytest.warns(UserWarning, match="cannot be read"):
        assert FolderResults(tmp_path).find("a") is MISSING

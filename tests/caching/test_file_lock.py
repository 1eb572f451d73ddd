"""Locks by files, between threads and processes."""

import errno
import os
import subprocess
import sys
import threading

import pytest

from skstack.caching import _file_lock
from skstack.caching._file_lock import file_lock

HOLDS = """
import sys, os, signal
from skstack.caching._file_lock import file_lock
with file_lock(sys.argv[1]):
    print("has it", flush=True)
    sys.stdin.readline()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_one_thread_at_a_time_and_no_file_is_left(tmp_path):
    inside, most = [], []

    def work():
        for _ in range(20):
            with file_lock(tmp_path / "lock"):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 80
    assert max(most) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_a_killed_process_holds_no_lock(tmp_path):
    path = tmp_path / "lock"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", HOLDS, str(path)], **pipes, text=True) as owner:
        assert owner.stdout.readline() == "has it\n"
        got = threading.Event()

        def wait():
            with file_lock(path):
                got.set()

        waiting = threading.Thread(target=wait)
        waiting.start()
        assert not got.wait(0.1)
        owner.stdin.write("\n")
        owner.stdin.flush()
        waiting.join(30)
    assert got.is_set()


def test_a_lock_without_its_file_is_none(tmp_path, monkeypatch):
    """Whoever waits for a lock whose owner removes the file has to lock the new one."""
    path, opened, lock = tmp_path / "lock", [], _file_lock._lock

    def removed_meanwhile(descriptor):
        lock(descriptor)
        opened.append(descriptor)
        if len(opened) == 1:
            os.unlink(path)

    monkeypatch.setattr(_file_lock, "_lock", removed_meanwhile)
    with file_lock(path):
        assert len(opened) == 2
        assert path.exists()


def test_waiting_lets_other_threads_have_their_turn(tmp_path, monkeypatch):
    looked = []

    def wait_until(condition):
        while not condition():
            looked.append(1)
            held.__exit__(None, None, None)  # as another function would in its turn

    monkeypatch.setattr(_file_lock, "wait_until", lambda condition: condition())
    held = file_lock(tmp_path / "lock")
    held.__enter__()
    monkeypatch.setattr(_file_lock, "wait_until", wait_until)
    with file_lock(tmp_path / "lock"):
        assert looked == [1]


def test_file_systems_without_locks_say_so_and_nothing_stays_open(tmp_path, monkeypatch):
    def no_locks(descriptor):
        raise OSError(errno.ENOTSUP, "no locks here")

    monkeypatch.setattr(_file_lock, "_lock", no_locks)
    with pytest.raises(OSError, match="no locks here"), file_lock(tmp_path / "lock"):
        pass

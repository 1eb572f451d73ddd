"""Reading in several threads."""

import threading

import pytest

from skstack.reading import _threads
from skstack.reading._threads import map_ahead, map_in_threads


@pytest.fixture
def cores(monkeypatch):
    monkeypatch.setattr(_threads, "cpu_count", lambda: 8)
    monkeypatch.setattr(_threads, "_BLOCK", 2)


@pytest.mark.usefixtures("cores")
def test_many_items_are_read_in_several_threads():
    together = threading.Barrier(3, timeout=60)

    def meet(item):
        if item in (0, 2, 4):
            together.wait()  # passes only when three blocks are worked on at a time
        return item * 10

    assert map_in_threads(meet, range(7)) == list(range(0, 70, 10))


@pytest.mark.usefixtures("cores")
def test_the_first_error_of_the_threads_is_raised():
    def fail(item):
        raise ValueError(f"item {item}")

    with pytest.raises(ValueError, match="item 0"):
        map_in_threads(fail, range(20))


@pytest.mark.usefixtures("cores")
@pytest.mark.parametrize("worker", ["thread", "process"])
def test_workers_read_by_themselves(monkeypatch, worker):
    used = set()

    def work():
        map_in_threads(lambda item: used.add(threading.get_ident()), range(20))

    if worker == "process":
        monkeypatch.setattr(_threads.multiprocessing, "parent_process", lambda: "parent")
        work()
        assert used == {threading.get_ident()}
    else:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(60)
        assert len(used) == 1


@pytest.mark.usefixtures("cores")
def test_threads_are_ahead_of_who_asks():
    started = [threading.Event() for _ in range(6)]

    def start(item):
        started[item].set()
        return item * 10

    results = map_ahead(start, range(6))
    assert next(results) == 0
    assert started[3].wait(60)  # nobody has asked for it
    assert list(results) == [10, 20, 30, 40, 50]


def test_a_single_item_needs_no_thread():
    assert list(map_ahead(lambda _: threading.get_ident(), range(1))) == [threading.get_ident()]
    assert map_in_threads(lambda _: threading.get_ident(), range(3)) == [threading.get_ident()] * 3

"""Caches in memory that forget what was not used for longest."""

import threading

import numpy as np
import pytest

from skstack.caching import _lru
from skstack.caching._lru import LRU, Cache, clear_cache


def _fail():
    pytest.fail("it is kept")


def test_the_values_used_last_are_kept():
    cache = LRU(3)
    for key in (1, 2, 3):
        assert cache.get(key, lambda key=key: str(key)) == str(key)
    cache.get(1, _fail)
    cache.put(4, "4")
    assert len(cache) == 3
    assert [cache.get(key) for key in (1, 2, 3, 4)] == ["1", None, "3", "4"]
    assert cache.get(2, lambda: "22") == "22"


@pytest.mark.parametrize("value", ["value", None, 0])
def test_a_value_is_taken_out_and_put_back(value):
    cache = LRU(2)
    assert cache.pop("key") is None
    cache.put("key", value)
    assert len(cache) == 1
    assert cache.get("key", _fail) is value
    assert cache.pop("key") is value
    assert len(cache) == 0


def test_clearing_forgets_everything():
    cache = LRU(30, size_of=len)
    cache.put("key", "value")
    cache.clear()
    assert len(cache) == 0
    assert cache.get("key", lambda: "another") == "another"


def test_an_error_in_making_a_value_keeps_nothing():
    cache = LRU(2)
    with pytest.raises(ZeroDivisionError):
        cache.get("key", lambda: 1 / 0)
    assert cache.get("key", lambda: 1) == 1


def test_a_value_may_be_made_of_another_one():
    cache = LRU(2)
    assert cache.get("sum", lambda: 1 + cache.get("part", lambda: 2)) == 3
    assert len(cache) == 2


# --- bounded by size --------------------------------------------------------------------------------------------------


def _bytes(value):
    return np.full(10, value, dtype="uint8")


def _cache(n_bytes=30):
    return LRU(n_bytes, size_of=lambda array: array.nbytes)


def test_values_stay_within_their_size():
    cache = _cache()
    for key in range(10):
        cache.put(key, _bytes(key))
        assert cache.get(key)[0] == key
    assert len(cache) == 3
    cache.put("large", np.zeros(25))
    assert len(cache) == 3  # those that are there stay, as it would not fit without them either
    cache.put("larger", np.zeros(25, dtype="uint8"))
    assert len(cache) == 1


@pytest.mark.parametrize("n_bytes", [0, 9])
def test_a_value_larger_than_the_cache_is_returned_and_not_kept(n_bytes):
    cache = _cache(n_bytes)
    assert cache.get(1, lambda: _bytes(1))[0] == 1
    cache.put(1, _bytes(2))
    assert len(cache) == 0
    assert cache.get(1) is None


def test_a_value_that_is_replaced_counts_once():
    cache = _cache()
    for value in range(5):
        cache.put("same", _bytes(value))
    cache.put(1, _bytes(1)), cache.put(2, _bytes(2))
    assert len(cache) == 3
    assert cache.get("same")[0] == 4
    cache.put("same", np.zeros(25))  # too large
    assert cache.get("same") is None


# --- threads ----------------------------------------------------------------------------------------------------------


def _run(threads):
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def test_threads_that_make_a_value_at_a_time_go_on_with_one():
    cache, both_inside, results = _cache(), threading.Barrier(2, timeout=60), []

    def make():
        both_inside.wait()  # passes only when the two threads make the value at the same time
        return _bytes(1)

    _run([threading.Thread(target=lambda: results.append(cache.get("same", make))) for _ in range(2)])
    assert results[0] is results[1]
    cache.put(2, _bytes(2)), cache.put(3, _bytes(3))
    assert len(cache) == 3  # had the value been counted twice, 40 bytes would have dropped one


def test_a_cache_of_many_threads_stays_within_its_size():
    cache, wrong = _cache(100), []

    def use(seed):
        for key in np.random.default_rng(seed).integers(0, 40, size=300):
            if cache.get(key, lambda key=key: _bytes(key))[0] != key:
                wrong.append(key)

    _run([threading.Thread(target=use, args=(seed,)) for seed in range(4)])
    assert not wrong
    assert len(cache) == 10


# --- compiled programs ------------------------------------------------------------------------------------------------


def test_all_caches_of_programs_are_cleared_at_once_and_no_other(monkeypatch):
    monkeypatch.setattr(_lru, "_program_caches", [])
    first, second, other = Cache(max_items=2), Cache(max_items=2), LRU(2)
    for cache in (first, second, other):
        cache.put("key", "program")
    clear_cache()
    assert [len(cache) for cache in (first, second, other)] == [0, 0, 1]

"""Reading in several threads, where there are processors for it."""

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor

from joblib import cpu_count

#: Threads that read, at most, and the number of items that a thread takes at a time.
_MAX_THREADS, _BLOCK = 4, 16


def map_in_threads(function, items):
    """Return ``list(map(function, items))``, in several threads if there are many items."""
    if len(items) <= _BLOCK or _shares_processors():
        return list(map(function, items))
    blocks = [items[start : start + _BLOCK] for start in range(0, len(items), _BLOCK)]
    with ThreadPoolExecutor(min(_MAX_THREADS, cpu_count())) as pool:
        return [result for results in pool.map(lambda block: list(map(function, block)), blocks) for result in results]


def map_ahead(function, items):
    """Yield what a function gives for each item, with threads that are some items ahead."""
    if len(items) < 2 or _shares_processors():
        yield from map(function, items)
        return
    with ThreadPoolExecutor(min(_MAX_THREADS, cpu_count())) as pool:
        yield from pool.map(function, items)


def _shares_processors():
    """Tell whether others compute beside this thread: the workers of joblib and multiprocessing."""
    return bool(multiprocessing.parent_process()) or threading.current_thread() is not threading.main_thread()

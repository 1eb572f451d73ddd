"""Bounded caches in memory, which forget what was not used for longest."""

import threading

from cachetools import LRUCache


class LRU:
    """The most recently used values by key; safe to use from several threads.

    Parameters
    ----------
    max_size : int
        What the values may count for together: how many they are, unless `size_of` says something else.
    size_of : callable, default=None
        Returns what a value counts for, such as its bytes.
    """

    def __init__(self, max_size, size_of=None):
        self._items = LRUCache(max_size, getsizeof=size_of)
        self._lock = threading.Lock()

    def __len__(self):
        return len(self._items)

    def get(self, key, make=None):
        """Return the value kept under a key; where there is none, what `make` returns, which is kept, or None."""
        with self._lock:
            if key in self._items:
                return self._items[key]
        if make is None:
            return None
        value = make()  # without the lock, as it may take long
        with self._lock:
            if key in self._items:  # another thread was faster: all go on with the same object
                return self._items[key]
            self._keep(key, value)
        return value

    def put(self, key, value):
        """Keep a value, and forget those that have not been used for longest if there are too many."""
        with self._lock:
            self._keep(key, value)

    def pop(self, key):
        """Take the value out and return it, or None where there is none."""
        with self._lock:
            return self._items.pop(key, None)

    def clear(self):
        """Forget everything."""
        with self._lock:
            self._items.clear()

    def _keep(self, key, value):
        try:
            self._items[key] = value
        except ValueError:  # it is larger than the whole cache
            self._items.pop(key, None)


_program_caches = []


class Cache(LRU):
    """Compiled programs by key, which :func:`skstack.training.clear_cache` forgets.

    Parameters
    ----------
    max_items : int
    """

    def __init__(self, max_items):
        super().__init__(max_items)
        _program_caches.append(self)


def clear_cache():
    """Forget the compiled programs that are kept for further fits and predictions.

    Examples
    --------
    >>> import skstack.training
    >>> skstack.training.clear_cache()
    """
    for cache in _program_caches:
        cache.clear()

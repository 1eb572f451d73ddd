"""Bounded caches of what is compiled, all of which can be emptied at once."""

import threading
from collections import OrderedDict

_caches = []


class Cache:
    """The most recently used values by key; safe to use from several threads.

    Parameters
    ----------
    max_items : int
    """

    def __init__(self, max_items):
        self.max_items = max_items
        self._items = OrderedDict()
        self._lock = threading.Lock()
        _caches.append(self)

    def __len__(self):
        return len(self._items)

    def pop(self, key):
        """Take the value out and return it, or None where there is none."""
        with self._lock:
            return self._items.pop(key, None)

    def put(self, key, value):
        """Keep a value, and forget the one that has not been used for longest if there are too many."""
        with self._lock:
            self._items[key] = value
            self._items.move_to_end(key)
            while len(self._items) > self.max_items:
                self._items.popitem(last=False)

    def get(self, key, make):
        """Return the value kept under a key, calling `make` where there is none."""
        with self._lock:
            if key in self._items:
                self._items.move_to_end(key)
                return self._items[key]
        value = make()
        self.put(key, value)
        return value

    def clear(self):
        """Forget everything."""
        with self._lock:
            self._items.clear()


def clear_cache():
    """Forget the compiled programs that are kept for further fits and predictions.

    Examples
    --------
    >>> import skstack.training
    >>> skstack.training.clear_cache()
    """
    for cache in _caches:
        cache.clear()

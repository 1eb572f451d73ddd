"""Features of frozen models, computed once: kept in memory, and on disk for all processes of a user.

An entry is a few bytes under a digest of everything that they were computed from, so that none ever becomes wrong.
"""

import threading
import time
import warnings
from functools import cache

from ._feature_database import CLAIM_SECONDS, Database
from ._folder import StoreError, store_bytes, store_folder
from ._lru import LRU

#: Bytes of entries in memory, and what an entry takes there beside its value.
_MEMORY_BYTES, _ENTRY_BYTES = 2**28, 200

#: Seconds between looks at what another process is computing, and after which we say that we wait.
_WAIT, _PATIENCE = 0.05, 5.0


def _size_of(value):
    return len(value) + _ENTRY_BYTES


#: The entries used last.
_memory = LRU(_MEMORY_BYTES, size_of=_size_of)


def clear_embedding_cache():
    r"""Forget all features of frozen models, in this process and on disk.

    What :class:`~skstack.preprocessing.ImageEmbedder`, :class:`~skstack.preprocessing.TextEmbedder` and image branches
    with a frozen backbone have computed is kept: in each process the 256 MB used last, and on disk in the user's folder
    for caches, see :func:`~skstack.preprocessing.clear_image_cache`. Folds, searches and other processes find it there,
    by the content of an image or text and that of the model. Of several processes that need the same features at the
    same time, each computes a part. What depends on code of the user's own, such as a layer class or a function in a
    ``Lambda`` layer, is kept in memory only, as nothing on disk would tell that the code has changed.

    The environment variable ``SKSTACK_CACHE`` names another folder; ``SKSTACK_CACHE_SIZE`` is the number of bytes that
    features may take, 10e9 by default, beside as many for decoded images: those not used for longest make room.
    With 0 nothing is written to the disk. Where the folder cannot be used, features are kept in memory with a warning.

    Raises
    ------
    RuntimeError
        If the files cannot be removed.

    Examples
    --------
    >>> from skstack.preprocessing import clear_embedding_cache
    >>> clear_embedding_cache()
    """
    _memory.clear()
    if _folder().is_dir():
        Database(_folder(), 0).remove()


def find(keys, on_disk=True):
    """Return what is kept under some keys.

    Parameters
    ----------
    keys : list of bytes
    on_disk : bool, default=True
        Whether to look there too.

    Returns
    -------
    values : list of bytes or None
    """
    values = [_memory.get(key) for key in keys]
    absent = [position for position, value in enumerate(values) if value is None]
    if absent and on_disk:
        found = _on_disk("find", [keys[position] for position in absent]) or {}
        _remember(found)
        for position in absent:
            values[position] = found.get(keys[position])
    return values


def add(entries, on_disk=True):
    """Keep values under keys, where later calls and other processes find them.

    Parameters
    ----------
    entries : dict of bytes to bytes
    on_disk : bool, default=True
        Whether other processes may find them.
    """
    if entries:
        _remember(entries)
        if on_disk:
            _on_disk("add", entries)


def _remember(entries):
    for key, value in entries.items():
        _memory.put(key, value)


def computed_once(keys, compute, n_bytes, block, on_disk=True):
    """Return what is kept under some keys, computing what is not.

    Parameters
    ----------
    keys : list of bytes
        Each one once.
    compute : callable
        Takes some positions in `keys` and returns a value for each, or None for one that there cannot be: it is not
        kept.
    n_bytes : int or None
        Length of a value, if it is known; others are computed again.
    block : int
        How many values to compute at a time.
    on_disk : bool, default=True
        Whether values are shared with other processes, or kept in memory only.

    Returns
    -------
    values : list of bytes or None
    """
    values = _find_whole(keys, n_bytes, on_disk)
    absent = [position for position, value in enumerate(values) if value is None]
    blocks = [absent[start : start + block] for start in range(0, len(absent), block)]
    waiting = None
    while blocks:
        left = []
        for positions in blocks:
            # One thread at a time: the models take all processors, and what one thread computes others then find.
            with _computing:
                busy = _compute_block(keys, compute, n_bytes, on_disk, positions, values)
            left += [busy] if busy else []
        if left == blocks:
            waiting = waiting or _Waiting()
            waiting.wait([keys[position] for positions in left for position in positions])
        blocks = left
    return values


_computing = threading.RLock()


def _compute_block(keys, compute, n_bytes, on_disk, positions, values):
    """Fill in values for some positions, and return those that another process is computing."""
    wanted = [keys[position] for position in positions]
    # Before the look at what is there, so that nothing is done in between.
    claimed = _on_disk("claim", wanted) if on_disk else None
    mine, done = set(wanted) if claimed is None else claimed, {}
    try:
        for position, value in zip(positions, _find_whole(wanted, n_bytes, on_disk), strict=True):
            values[position] = value
        todo = [position for position in positions if values[position] is None and keys[position] in mine]
        done = dict(zip(todo, compute(todo), strict=True)) if todo else {}
    finally:
        kept = {keys[position]: value for position, value in done.items() if value is not None}
        add(kept, on_disk)
        if claimed and claimed - kept.keys():
            _on_disk("unclaim", claimed - kept.keys())
    for position, value in done.items():
        values[position] = value
    return [position for position in positions if values[position] is None and position not in done]


def _find_whole(keys, n_bytes, on_disk):
    return [value if value is None or n_bytes in (None, len(value)) else None for value in find(keys, on_disk)]


class _Waiting:
    """Waits for other processes, and says so once it takes long."""

    def __init__(self):
        self._seconds = 0.0
        self._is_told = False

    def wait(self, keys):
        """Wait a moment for what others are computing under some keys."""
        if self._seconds >= _PATIENCE and not self._is_told:
            self._tell(_on_disk("claimants", keys) or [])
        time.sleep(_WAIT)
        self._seconds += _WAIT

    def _tell(self, claimants):
        self._is_told = True
        others = " and ".join(f"process {pid} on {host!r}" for host, pid in claimants)
        warnings.warn(
            f"Waiting for features of a frozen model that {others or 'another process'} is computing. What it does not "
            f"finish within {CLAIM_SECONDS} seconds is computed here.",
            stacklevel=2,
        )


def _folder():
    return store_folder("features-2")


def _on_disk(method, argument):
    """Return what a method of the database returns; None where there can be none, with a warning unless by wish."""
    max_bytes = store_bytes()
    if not max_bytes:
        return None
    try:
        return getattr(Database(_folder(), max_bytes), method)(argument)
    except StoreError as error:
        _warn_once(
            f"{error} Features of frozen models are kept in memory only; the documentation of "
            "skstack.preprocessing.clear_embedding_cache says how to choose the folder."
        )
        return None


@cache
def _warn_once(message):
    warnings.warn(message, stacklevel=2)

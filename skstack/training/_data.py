"""The data of networks in training, on the device where they are small enough, in pieces where not."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from .._backend import keras

map_structure = keras.tree.map_structure

#: Bytes of encoded rows that are handed to the device as a whole: to the processor, where that is a second copy of them
#: in memory, and to an accelerator, which waits for what it is handed. Larger data come in pieces, each epoch anew.
_MAX_PLACED = {"processor": 2**27, "accelerator": 2**31}

#: Bytes of such a piece, of which two are there at a time.
_PIECE = 2**25


class Data:
    """The data of a network, on the device where they are small enough."""

    def __init__(self, data, runner, placed):
        self._data = data
        self._place = runner.place
        fits = n_bytes(data) <= _MAX_PLACED[runner.device]
        self._placed = place_once(data, self._place, placed) if fits else None

    def pieces(self, rows, batch_size):
        """Yield data on the device and the indices of the wanted rows in it, in their order."""
        if self._placed is not None:
            yield self._placed, rows
            return
        size = max(1, _PIECE // row_bytes(self._data) // batch_size) * batch_size
        parts = [rows[start : start + size] for start in range(0, len(rows), size)]
        with ThreadPoolExecutor(1) as pool:  # reads the next piece while the network learns from this one
            waiting = pool.submit(gathered, self._data, parts[0])
            for index, part in enumerate(parts):
                data = waiting.result()
                if index + 1 < len(parts):
                    waiting = pool.submit(gathered, self._data, parts[index + 1])
                yield map_structure(self._place, data), np.arange(len(part))


def gathered(data, rows):
    """Return the given rows of a tree of arrays."""
    return map_structure(lambda array: array[rows], data)


def place_once(data, place, placed):
    """Return a tree of arrays on the device; those that are there already are not placed again."""

    def of(array):
        if id(array) not in placed:
            placed[id(array)] = array, place(np.asarray(array))  # the array too, so that its id stays its own
        return placed[id(array)][1]

    return map_structure(of, data)


def n_bytes(data):
    """Return the size of the data of a network in bytes."""
    return sum(array.nbytes for array in _arrays(data))


def row_bytes(data):
    """Return the size of a row of the data of a network in bytes, at least 1."""
    return max(1, n_bytes(data) // len(next(iter(data["targets"].values()))))


def _arrays(data):
    return [array for part in data.values() for array in part.values()]

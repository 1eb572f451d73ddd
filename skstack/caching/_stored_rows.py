"""Rows of a large array that lie in files and are read when they are asked for."""

from copy import copy

import numpy as np


class StoredRows:
    """An array of rows in memory-mapped files, in any order and repeated at will; indexing reads rows.

    It can be pickled: the files stay where they are, and are mapped again on unpickling. Files that are removed
    while they are mapped can be read on.

    Parameters
    ----------
    maps : list of (path, ndarray of shape (n_slots, *row_shape))
        Each file and what is mapped of it.
    files : ndarray of int of shape (n_rows,) or (n_rows, n_items)
        For each row, or each item of it, the position in `maps` of the file it lies in, or -1 for one that reads as 0.
    slots : ndarray of int of the same shape
        Its position in that file.
    row_shape : tuple of int
        Shape of what stands there.
    dtype : dtype, default="uint8"
    """

    def __init__(self, maps, files, slots, row_shape, dtype="uint8"):
        self._paths = [str(path) for path, _ in maps]
        self._maps = [mapped for _, mapped in maps]
        self._files = np.asarray(files, dtype="int32")
        self._slots = np.asarray(slots, dtype="int64")
        self._row_shape = tuple(row_shape)
        self.shape = (*self._slots.shape, *self._row_shape)
        self.dtype = np.dtype(dtype)

    @property
    def ndim(self):
        """Number of dimensions."""
        return len(self.shape)

    @property
    def size(self):
        """Number of elements."""
        return int(np.prod(self.shape, dtype="int64"))

    @property
    def nbytes(self):
        """Bytes that all rows would take in memory."""
        return self.size * self.dtype.itemsize

    def __len__(self):
        return self.shape[0]

    def __repr__(self):
        return f"<StoredRows of shape {self.shape} and dtype {self.dtype} in {len(self._paths)} files>"

    def __getitem__(self, rows):
        """Return rows as an ndarray.

        Parameters
        ----------
        rows : int, slice, or array-like of int or bool
            As for the first dimension of an ndarray.
        """
        files, slots = self._files[rows], self._slots[rows]
        result = np.empty((slots.size, *self._row_shape), dtype=self.dtype)
        self._gather(files.ravel(), slots.ravel(), result)
        return result.reshape(*slots.shape, *self._row_shape)

    def _gather(self, files, slots, result):
        result[files < 0] = 0
        # In the order of the files, so that a disk is read forwards.
        order = np.lexsort((slots, files))
        bounds = np.searchsorted(files[order], np.arange(len(self._maps) + 1))
        for mapped, start, stop in zip(self._maps, bounds[:-1], bounds[1:], strict=True):
            positions = order[start:stop]
            result[positions] = mapped[slots[positions]]

    def blanked(self, missing):
        """Return the same rows, some of which read as 0.

        Parameters
        ----------
        missing : array-like of bool of shape (n_rows,)
            Which ones.

        Returns
        -------
        rows : StoredRows
        """
        rows = copy(self)
        rows._files = self._files.copy()
        rows._files[np.asarray(missing)] = -1
        return rows

    def rearranged(self, rows):
        """Return the rows in other places.

        Parameters
        ----------
        rows : ndarray of int of shape (n_rows,) or (n_rows, n_items)
            For each place the position of a row here; -1 for one that reads as 0.

        Returns
        -------
        rows : StoredRows of shape (*rows.shape, *row_shape)
        """
        other = copy(self)
        other._files, other._slots = np.where(rows < 0, np.int32(-1), self._files[rows]), self._slots[rows]
        other.shape = (*rows.shape, *self._row_shape)
        return other

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("rows that lie in files cannot be an array in memory without a copy.")
        return self[:].astype(self.dtype if dtype is None else dtype, copy=False)

    def __getstate__(self):
        return {**self.__dict__, "_maps": [len(mapped) for mapped in self._maps]}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._maps = [self._map_again(path, n_slots) for path, n_slots in zip(self._paths, self._maps, strict=True)]

    def _map_again(self, path, n_slots):
        try:
            return map_rows(path, (n_slots, *self._row_shape), self.dtype)
        except (OSError, ValueError) as error:
            raise FileNotFoundError(
                f"{path!r}, which pickled rows lie in, is gone or cut off: it has been removed from the cache of "
                "images since. Encode the images again."
            ) from error


def map_rows(path, shape, dtype):
    """Map the beginning of a file into memory, for reading.

    Parameters
    ----------
    path : str or path-like
    shape : tuple of int
        Number of rows and shape of a row.
    dtype : dtype

    Returns
    -------
    rows : ndarray of the given shape and dtype

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If the file is too short.
    """
    # A plain ndarray: indexing a memmap makes memmaps of what are copies in memory.
    return np.memmap(path, dtype=dtype, mode="r", shape=shape).view(np.ndarray)

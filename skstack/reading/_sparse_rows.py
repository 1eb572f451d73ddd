"""Rows of a sparse matrix that are made dense when they are asked for."""

import numpy as np
from scipy import sparse


class SparseRows:
    """An array of rows that lie in a sparse matrix; indexing returns dense rows, and only those.

    Parameters
    ----------
    matrix : sparse matrix or sparse array of shape (n_rows, n_columns)
        Not changed.
    dtype : dtype, default="float32"
        Of the dense rows.
    """

    def __init__(self, matrix, dtype="float32"):
        self.dtype = np.dtype(dtype)
        self._matrix = sparse.csr_array(matrix, dtype=self.dtype)
        self.shape = self._matrix.shape

    @property
    def ndim(self):
        """Number of dimensions."""
        return 2

    @property
    def size(self):
        """Number of elements, stored or not."""
        return self.shape[0] * self.shape[1]

    @property
    def nbytes(self):
        """Bytes that all rows would take as a dense array."""
        return self.size * self.dtype.itemsize

    @property
    def stored(self):
        """The elements that are stored, as a one-dimensional array."""
        return self._matrix.data

    def __len__(self):
        return self.shape[0]

    def __repr__(self):
        return f"<SparseRows of shape {self.shape} and dtype {self.dtype} with {self._matrix.nnz} stored elements>"

    def __getitem__(self, rows):
        """Return rows as an ndarray.

        Parameters
        ----------
        rows : int, slice, or array-like of int or bool
            As for the first dimension of an ndarray.
        """
        if isinstance(rows, slice):
            return self._matrix[rows].toarray()
        chosen = np.arange(len(self))[rows]
        return self._matrix[chosen.ravel()].toarray().reshape(*chosen.shape, self.shape[1])

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("rows of a sparse matrix cannot be a dense array without a copy.")
        return self[:].astype(self.dtype if dtype is None else dtype, copy=False)

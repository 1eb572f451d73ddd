"""Statistics of columns of numbers, dense or sparse; a sparse table is never made dense."""

from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy import sparse

from ..preprocessing._cells import number_columns

#: Numbers of a sparse table that are looked at together.
_CHUNK = 2**22


def column_groups(X):
    """Yield the columns of a table of numbers, a few at a time.

    Parameters
    ----------
    X : DataFrame, ndarray or sparse matrix of shape (n_samples, n_columns)
        Numbers; gaps are NaN or None.

    Yields
    ------
    columns : DenseColumn or SparseColumns
    """
    if not sparse.issparse(X):
        yield from map(DenseColumn, number_columns(X))
        return
    by_column = X.tocsc()
    if not by_column.has_canonical_format:
        by_column = by_column.copy()  # the caller's may be of this format already
        by_column.sum_duplicates()
    n_columns = max(1, _CHUNK * X.shape[1] // max(by_column.nnz, 1))
    for start in range(0, X.shape[1], n_columns):
        yield SparseColumns.of(by_column[:, start : start + n_columns])


class DenseColumn:
    """One column.

    Parameters
    ----------
    values : ndarray of float64 of shape (n_rows,)
        Gaps are NaN.
    """

    def __init__(self, values):
        self._values = values
        self._missing = np.isnan(values)
        self.has_gaps = np.array([self._missing.any()])
        self.n_rows = np.array([len(values)])

    def known(self):
        """Return the column without its gaps."""
        return DenseColumn(self._values[~self._missing]) if self.has_gaps[0] else self

    def filled(self, fill):
        """Return the column with its gaps filled by the only number in `fill`."""
        return DenseColumn(np.where(self._missing, fill[0], self._values)) if self.has_gaps[0] else self

    def mean(self):
        """Return the mean, 0 without any row, as an array of one number; so do the other methods."""
        return np.array([self._values.mean() if len(self._values) else 0.0])

    def std(self):
        """Return the standard deviation."""
        return np.array([self._values.std() if len(self._values) else 0.0])

    def quantiles(self, levels):
        """Return quantiles as an array of shape (1, n_levels)."""
        return (np.quantile(self._values, levels) if len(self._values) else np.zeros(len(levels)))[np.newaxis]


class SparseColumns:
    """Several columns, in which what is not stored is 0.

    Parameters
    ----------
    values : ndarray of float64 of shape (n_stored,)
        Gaps are NaN.
    columns : ndarray of int of shape (n_stored,)
        The column of each stored value, in ascending order.
    n_rows : ndarray of int of shape (n_columns,)
        Length of each column.
    """

    def __init__(self, values, columns, n_rows):
        self._values = values
        self._columns = columns
        self.n_rows = n_rows
        self._missing = np.isnan(values)
        self.has_gaps = self._sums(self._missing) > 0

    @classmethod
    def of(cls, matrix):
        """Return the columns of a matrix in CSC format."""
        columns = np.repeat(np.arange(matrix.shape[1]), np.diff(matrix.indptr))
        return cls(matrix.data.astype("float64"), columns, np.full(matrix.shape[1], matrix.shape[0]))

    def known(self):
        """Return the columns without their gaps."""
        if not self._missing.any():
            return self
        n_known = self.n_rows - self._sums(self._missing).astype(self.n_rows.dtype)
        return SparseColumns(self._values[~self._missing], self._columns[~self._missing], n_known)

    def filled(self, fill):
        """Return the columns with the gaps of each filled by its number in `fill`."""
        if not self._missing.any():
            return self
        return SparseColumns(np.where(self._missing, fill[self._columns], self._values), self._columns, self.n_rows)

    def mean(self):
        """Return the mean of each column, 0 where there is no row."""
        return self._sums(self._values) / np.maximum(self.n_rows, 1)

    def std(self):
        """Return the standard deviation of each column."""
        mean = self.mean()
        squares = self._sums((self._values - mean[self._columns]) ** 2) + self._n_zeros * mean**2
        return np.sqrt(squares / np.maximum(self.n_rows, 1))

    def quantiles(self, levels):
        """Return quantiles as an array of shape (n_columns, n_levels), interpolated as :func:`numpy.quantile` does."""
        last = np.maximum(self.n_rows - 1, 0)[:, np.newaxis]
        places = last * np.asarray(levels)
        below = np.floor(places).astype("int64")
        low, high = self._ranked(below), self._ranked(np.minimum(below + 1, last))
        return low + (high - low) * (places - below)

    def _ranked(self, ranks):
        """Return the values of the given ranks in each column, counted from 0."""
        begin, n_zeros, n_negative, n_rows = (
            part[:, np.newaxis] for part in (self._begin, self._n_zeros, self._n_negative, self.n_rows)
        )
        positive = (ranks >= n_negative + n_zeros) & (ranks < n_rows)
        stored = begin + ranks - np.where(positive, n_zeros, 0)
        return np.append(self._sorted, 0.0)[np.where(positive | (ranks < n_negative), stored, -1)]

    @cached_property
    def _sorted(self):
        values = self._values.copy()
        for begin, end in pairwise([*self._begin, len(values)]):
            values[begin:end].sort()
        return values

    @cached_property
    def _begin(self):
        return np.searchsorted(self._columns, np.arange(len(self.n_rows)))

    @cached_property
    def _n_zeros(self):
        return self.n_rows - np.bincount(self._columns, minlength=len(self.n_rows))

    @cached_property
    def _n_negative(self):
        return self._sums(self._values < 0).astype("int64")

    def _sums(self, values):
        return np.bincount(self._columns, weights=values, minlength=len(self.n_rows))


#: What a table without columns consists of.
NO_COLUMNS = SparseColumns(np.empty(0), np.empty(0, dtype="int64"), np.empty(0, dtype="int64"))

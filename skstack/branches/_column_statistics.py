"""Statistics of columns of numbers, dense or sparse; a sparse table is never made dense."""

from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy import sparse

from ..reading._cells import number_columns

#: Numbers of a sparse table that are looked at together.
_CHUNK = 2**22


#: Part of the rows, or of their weight, that makes no difference: products with a level are not exact.
_TOLERANCE = 1e-9


def column_groups(X, sample_weight=None):
    """Yield the columns of a table of numbers, a few at a time.

    Parameters
    ----------
    X : DataFrame, ndarray or sparse matrix of shape (n_samples, n_columns)
        Numbers; gaps are NaN or None.
    sample_weight : ndarray of shape (n_samples,), default=None
        Weights above 0.

    Yields
    ------
    columns : DenseColumn or SparseColumns
    """
    if not sparse.issparse(X):
        yield from (DenseColumn(values, sample_weight) for values in number_columns(X))
        return
    by_column = X.tocsc()
    if not by_column.has_canonical_format:
        by_column = by_column.copy()  # the caller's may be of this format already
        by_column.sum_duplicates()
    if sample_weight is not None:
        yield from _weighted_columns(by_column, sample_weight)
        return
    n_columns = max(1, _CHUNK * X.shape[1] // max(by_column.nnz, 1))
    for start in range(0, X.shape[1], n_columns):
        yield SparseColumns.of(by_column[:, start : start + n_columns])


def _weighted_columns(by_column, sample_weight):
    """Yield the columns of a matrix in CSC format, each with one 0 that has the weight of all that are not stored."""
    total = sample_weight.sum()
    for start, end in pairwise(by_column.indptr):
        weight = sample_weight[by_column.indices[start:end]]
        values, of_zeros = by_column.data[start:end].astype("float64"), total - weight.sum()
        if of_zeros > _TOLERANCE * total:
            values, weight = np.append(values, 0.0), np.append(weight, of_zeros)
        yield DenseColumn(values, weight)


class DenseColumn:
    """One column.

    Parameters
    ----------
    values : ndarray of float64 of shape (n_rows,)
        Gaps are NaN.
    weight : ndarray of shape (n_rows,), default=None
        Above 0.
    """

    def __init__(self, values, weight=None):
        self._values, self._weight = values, weight
        self._missing = np.isnan(values)
        self.has_gaps = np.array([self._missing.any()])
        self.n_rows = np.array([len(values)])

    def known(self):
        """Return the column without its gaps."""
        if not self.has_gaps[0]:
            return self
        weight = None if self._weight is None else self._weight[~self._missing]
        return DenseColumn(self._values[~self._missing], weight)

    def filled(self, fill):
        """Return the column with its gaps filled by the only number in `fill`."""
        if not self.has_gaps[0]:
            return self
        return DenseColumn(np.where(self._missing, fill[0], self._values), self._weight)

    def mean(self):
        """Return the mean, 0 without any row, as an array of one number; so do the other methods."""
        return self._average(self._values)

    def std(self):
        """Return the standard deviation."""
        return np.sqrt(self._average((self._values - self.mean()) ** 2))

    def _average(self, values):
        return np.array([np.average(values, weights=self._weight) if len(values) else 0.0])

    def quantiles(self, levels):
        """Return quantiles as an array of shape (1, n_levels); see :func:`quantiles`."""
        return quantiles(self._values, levels, self._weight)[np.newaxis]


def quantiles(values, levels, weight=None):
    """Return quantiles: the numbers between which a part of the rows, or of their weight, lies.

    Where a level falls between two numbers it is their mean, as in NumPy's "averaged_inverted_cdf". An interpolation
    that looks at the number of rows would not give rows of weight 2 what it gives two rows.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
    levels : array-like of shape (n_levels,)
        From 0 to 1.
    weight : ndarray of shape (n_rows,), default=None
        Above 0.

    Returns
    -------
    quantiles : ndarray of shape (n_levels,)
        0 without any row.
    """
    levels = np.asarray(levels, dtype="float64")
    if not len(values):
        return np.zeros(len(levels))
    if weight is None:
        low, high = _ranks(levels, len(values))
        ordered = np.partition(values, np.unique([low, high]))
    else:
        order = np.argsort(values, kind="stable")
        ordered, reached = values[order], np.cumsum(weight[order])
        wanted, little = levels * reached[-1], _TOLERANCE * reached[-1]
        low, high = np.searchsorted(reached, wanted - little), np.searchsorted(reached, wanted + little, side="right")
        low, high = np.minimum(low, len(values) - 1), np.minimum(high, len(values) - 1)
    return ordered[low] / 2 + ordered[high] / 2  # their sum could be infinite


def _ranks(levels, n_rows):
    """Return the ranks, counted from 0, of the two numbers whose mean each quantile is."""
    wanted = levels * n_rows
    nearest = np.round(wanted)
    is_between = np.abs(wanted - nearest) <= _TOLERANCE * n_rows
    low = np.where(is_between, nearest - 1, np.ceil(wanted) - 1)
    high = np.where(is_between, nearest, np.ceil(wanted) - 1)
    last = np.maximum(n_rows - 1, 0)
    return np.clip(low, 0, last).astype("int64"), np.clip(high, 0, last).astype("int64")


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
        """Return quantiles as an array of shape (n_columns, n_levels); see :func:`quantiles`."""
        low, high = _ranks(np.asarray(levels), self.n_rows[:, np.newaxis])
        return self._ranked(low) / 2 + self._ranked(high) / 2

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

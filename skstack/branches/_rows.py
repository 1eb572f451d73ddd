"""What branches do with rows: learn from those of training, and encode them, column by column where that is wished."""

import inspect

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._compat import take
from ..reading._missing import blanked, missing_rows, single_columns, stacked_columns


class RowEncoder:
    """The part of a branch that turns rows into arrays; :class:`~skstack.branches.Branch` says what it builds on.

    Missing rows, several columns that share a sub-network, and weights are dealt with here, so that ``_fit`` and
    ``_encode`` of a branch are about cells that are there.
    """

    def fit(self, X, y=None, sample_weight=None):
        """Learn from training rows what encoding needs.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_columns) or ndarray of shape (n_samples, ...)
            The branch's columns.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row in means and quantiles; nothing is learned from rows of weight 0.

        Returns
        -------
        self : Branch
            The fitted branch.

        Raises
        ------
        ValueError, TypeError, FileNotFoundError
            If a parameter or a cell cannot be used.
        """
        self.check_parameters()
        if X.ndim > 1 and not X.shape[1]:
            raise ValueError("expected at least one column, got a table without any.")
        columns = self._columns(X)
        if self.shared and self.merge == "subtract" and len(columns) != 2:
            raise ValueError(f"merge='subtract' takes two columns, got {len(columns)}.")
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype="float64")
        learned = [self._to_learn_from(column, weight) for column in columns]
        tables, weights = zip(*learned, strict=True)
        weighted = {} if weight is None or not self._takes_weights() else {"sample_weight": np.concatenate(weights)}
        self._fit(tables[0] if len(tables) == 1 else stacked_columns(tables), **weighted)
        self.input_shape_ = (*self._uses(columns, weight), *self.cell_shape_)
        return self

    @property
    def uses(self):
        """Shape of the uses of the sub-network on a row, in front of that of a cell: empty for a single use.

        With ``shared=True`` it is the number of columns.
        """
        return self.input_shape_[: len(self.input_shape_) - len(self.cell_shape_)]

    def _uses(self, columns, weight):
        """Return what `uses` is for these training rows."""
        return (len(columns),) if self.shared else ()

    def _columns(self, X):
        """Return the tables that the sub-network takes one at a time."""
        return single_columns(X) if self.shared else [X]

    def _to_learn_from(self, column, weight):
        """Return what `_fit` learns from of a table, and its weights."""
        return _rows_to_learn_from(column, self._missing(column), weight)

    def _takes_weights(self):
        return "sample_weight" in inspect.signature(self._fit).parameters

    def _missing(self, X):
        return missing_rows(X) if self.missing_embedding else np.zeros(X.shape[0], dtype=bool)

    def encode(self, X):
        """Turn rows into the array that the sub-network takes.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_columns) or ndarray of shape (n_samples, ...)
            The branch's columns.

        Returns
        -------
        encoded : ndarray of shape (n_samples, *input_shape_)
            0 in a row, or its part for one of several shared columns, that :meth:`encode_with_missing` calls missing.

        Raises
        ------
        ValueError, TypeError, FileNotFoundError
            If a cell cannot be used, naming its row.
        """
        return self.encode_with_missing(X)[0]

    def encode_with_missing(self, X):
        """Turn rows into the array that the sub-network takes, and tell which of them are missing.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_columns) or ndarray of shape (n_samples, ...)
            The branch's columns.

        Returns
        -------
        encoded : ndarray of shape (n_samples, *input_shape_)
        missing : ndarray of bool of shape (n_samples, *uses), or (n_samples, 1) for a single use
            Where the missing embedding takes the place of features, for each use of the sub-network on a row.
        """
        check_is_fitted(self)
        columns = self._columns(X)
        if self.shared and len(columns) != self.input_shape_[0]:
            raise ValueError(f"expected {self.input_shape_[0]} columns as in training, got {len(columns)}.")
        encoded, missing = zip(*map(self._encode_column, columns), strict=True)
        rows = np.stack([np.asarray(part) for part in encoded], axis=1) if self.shared else encoded[0]
        return rows, self._of_uses(missing)

    def missing(self, X):
        """Tell, without reading files, which rows hold nothing.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_columns) or ndarray of shape (n_samples, ...)
            The branch's columns.

        Returns
        -------
        missing : ndarray of bool of shape (n_samples, *uses), or (n_samples, 1) for a single use
            As :meth:`encode_with_missing` returns, for branches too whose rows never get a missing embedding.
        """
        return self._of_uses([self._missing_uses(column) for column in self._columns(X)])

    def _of_uses(self, missing):
        """Return flags for each column, of each row or use, as one array."""
        if self.shared:
            return np.stack(missing, axis=1)
        return missing[0] if self.uses else missing[0][:, np.newaxis]

    def _missing_uses(self, column):
        return missing_rows(column)

    def _encode_or_missing(self, X):
        """Return encoded rows and which of them turned out to be missing as they were read."""
        return self._encode(X), np.zeros(X.shape[0], dtype=bool)

    def _encode_column(self, X):
        """Encode rows of which some may be missing, and tell which; these are left blank."""
        missing = self._missing(X)
        if missing.all():
            return np.zeros((len(missing), *self.cell_shape_), dtype=self.input_dtype_), missing
        if missing.any():
            # A row that is there, rather than one row less, so that errors name rows as the caller knows them.
            X = take(X, np.where(missing, np.argmin(missing), np.arange(len(missing))), axis=0)
        encoded, unreadable = self._encode_or_missing(X)
        missing |= unreadable
        return (blanked(encoded, missing) if missing.any() else encoded), missing


def _rows_to_learn_from(X, missing, weight):
    """Return the rows of a table that are not missing and have a weight, and their weights."""
    if missing.all():
        raise ValueError("every cell of the training rows is missing.")
    learned = ~missing if weight is None else ~missing & (weight > 0)
    if not learned.any():
        raise ValueError("every row that is not missing has weight 0.")
    if learned.all():
        return X, weight
    rows = np.flatnonzero(learned)
    return take(X, rows, axis=0), None if weight is None else weight[rows]

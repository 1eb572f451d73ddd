"""Which rows of a branch's columns are missing, and columns taken one at a time."""

import numpy as np
import pandas as pd
from scipy import sparse

from ._tensors import tensors_of


def missing_rows(X):
    """Tell which rows hold nothing: None, NaN, pd.NA, blank text, an empty array or one of nothing but NaN.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_columns) or ndarray of shape (n_samples, ...)

    Returns
    -------
    missing : ndarray of bool of shape (n_samples,)
        True where every cell of a row is missing.
    """
    if isinstance(X, pd.DataFrame):
        missing = np.ones(len(X), dtype=bool)
        for position in range(X.shape[1]):
            missing &= _missing_cells(X.iloc[:, position])
        return missing
    if isinstance(X, np.ndarray) and X.dtype.kind == "O" and X.ndim == 2:
        return missing_rows(pd.DataFrame(X))
    return _nan_rows(X) if isinstance(X, np.ndarray) else np.zeros(X.shape[0], dtype=bool)


def single_columns(X):
    """Return the columns of a table, each as a table; of an array with more dimensions, the parts of its second one."""
    if isinstance(X, pd.DataFrame):
        return [X.iloc[:, [position]] for position in range(X.shape[1])]
    return [X[:, [position]] if X.ndim == 2 else X[:, position] for position in range(X.shape[1])]


def stacked_columns(columns):
    """Return the rows of several tables of one column below each other."""
    if isinstance(columns[0], pd.DataFrame):
        name = columns[0].columns
        return pd.concat([column.set_axis(name, axis=1) for column in columns])
    if sparse.issparse(columns[0]):
        return sparse.vstack(columns, format="csr")
    return np.concatenate(columns)


def blanked(encoded, missing):
    """Return encoded rows with 0 in the missing ones; rows that lie in files stay there."""
    if not isinstance(encoded, np.ndarray):
        return encoded.blanked(missing)
    encoded = encoded.copy()
    encoded[missing] = 0
    return encoded


def rearranged(encoded, rows):
    """Return encoded rows in other places, rows that lie in files staying there.

    Parameters
    ----------
    encoded : ndarray or StoredRows of shape (n_rows, ...)
    rows : ndarray of int
        For each place the position of a row; -1 for 0 everywhere.

    Returns
    -------
    encoded : ndarray or StoredRows of shape (*rows.shape, ...)
    """
    if not isinstance(encoded, np.ndarray):
        return encoded.rearranged(rows)
    if not len(encoded):
        return np.zeros((*rows.shape, *encoded.shape[1:]), dtype=encoded.dtype)
    result = encoded[rows]
    result[rows < 0] = 0
    return result


def _missing_cells(column):
    missing = column.isna().to_numpy(dtype=bool)
    if column.dtype.kind not in "OSU":
        return missing
    tensors = None if missing.any() else tensors_of(column)
    if tensors is not None:
        return _nan_rows(tensors)
    return missing | np.fromiter(map(_is_blank, column.astype(object)), dtype=bool, count=len(column))


def _is_blank(cell):
    if isinstance(cell, str):
        return not cell.strip()
    if isinstance(cell, np.ndarray):
        return not cell.size or bool(_nan_rows(cell[np.newaxis])[0])
    if isinstance(cell, (list, tuple)):
        return all(item is None or (isinstance(item, float) and item != item) for item in cell)
    return isinstance(cell, (bytes, bytearray)) and not cell


def _nan_rows(array):
    missing = np.zeros(len(array), dtype=bool)
    is_missing = {"f": np.isnan, "m": np.isnat, "M": np.isnat}.get(array.dtype.kind)
    if is_missing and array.size:
        flat = array.reshape(len(array), -1)
        candidates = np.flatnonzero(is_missing(flat[:, 0]))  # a look at every number would take long for large arrays
        missing[candidates] = is_missing(flat[candidates]).all(axis=1)
    return missing

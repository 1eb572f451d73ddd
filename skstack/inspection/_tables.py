"""Tables in which some cells are those of other rows, or missing."""

import numpy as np
from scipy import sparse

from .._columns import is_polars, is_table, readable


def as_rows(X):
    """Return rows as estimators take them: as a DataFrame, an array or a sparse matrix."""
    X = readable(X)
    return X if is_table(X) or sparse.issparse(X) else np.asarray(X)


def missing_row(X):
    """Return a table of one row like those of X in which every cell is missing.

    Parameters
    ----------
    X : DataFrame or ndarray of shape (n_samples, n_features)
    """
    if is_polars(X):
        return X.clear(1)
    if is_table(X):
        return X.iloc[:0].reset_index(drop=True).reindex([0])
    kind = "float64" if X.dtype.kind in "biuf" else object
    return np.full((1, *X.shape[1:]), np.nan, dtype=kind)


def mixed(X, source, rows, positions):
    """Return X with cells of other rows in some columns.

    Parameters
    ----------
    X : DataFrame or ndarray of shape (n_samples, n_features)
    source : DataFrame or ndarray of shape (n_source_rows, n_features)
        Of the kind of X.
    rows : ndarray of int of shape (n_samples,)
        For each row of X, whose cells it gets.
    positions : iterable of int
        Of the columns.
    """
    positions = sorted(positions)
    if is_polars(X):
        return X.with_columns(source[:, positions][rows])
    if is_table(X):
        # Column by column: a block of several kinds of data would become one of objects.
        return with_columns(X, positions, [source.iloc[:, p].take(rows).set_axis(X.index) for p in positions])
    result = X.astype(np.result_type(X, source) if X.dtype.kind in "biuf" else object)
    result[:, positions] = source[rows][:, positions]
    return result


def with_columns(X, positions, columns):
    """Return a DataFrame with other columns, Series of the same index, in some places, whatever they are called."""
    X = X.copy(deep=False)
    for position, column in zip(positions, columns, strict=True):
        X.isetitem(position, column)
    return X


def rows_of_predictions(predictions, rows):
    """Return some rows of what an estimator predicts: an array or DataFrame, or a list or dict of them."""
    if isinstance(predictions, dict):
        return {name: rows_of_predictions(part, rows) for name, part in predictions.items()}
    if isinstance(predictions, (list, tuple)):
        return [rows_of_predictions(part, rows) for part in predictions]
    return predictions.iloc[rows] if hasattr(predictions, "iloc") else np.asarray(predictions)[rows]


def mixed_predictions(predictions, others, rows):
    """Return predictions in which some rows are those of others.

    Parameters
    ----------
    predictions, others : ndarray, DataFrame, or list or dict of them
    rows : ndarray of bool of shape (n_samples,)
    """
    if isinstance(predictions, dict):
        return {name: mixed_predictions(part, others[name], rows) for name, part in predictions.items()}
    if isinstance(predictions, (list, tuple)):
        return [mixed_predictions(*parts, rows) for parts in zip(predictions, others, strict=True)]
    if hasattr(predictions, "iloc"):
        columns = {name: np.where(rows, others[name], predictions[name]) for name in predictions.columns}
        return type(predictions)(columns, index=predictions.index)
    predictions, others = np.asarray(predictions), np.asarray(others)
    return np.where(rows.reshape(-1, *[1] * (predictions.ndim - 1)), others, predictions)

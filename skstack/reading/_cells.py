"""Reading the cells of a branch's columns, with errors that name the column and the row."""

import datetime
import reprlib

import numpy as np
import pandas as pd
from scipy import sparse

from ._tensors import tensors_of

#: Long texts and numbers are shortened in messages.
_SHOWN = reprlib.Repr()
_SHOWN.maxstring = _SHOWN.maxother = _SHOWN.maxlong = 60

_DATES = (datetime.date, datetime.time, datetime.timedelta, pd.Period, np.datetime64, np.timedelta64)


class ItemLabel:
    """Label of a row that is one of the items of a cell of another table, which messages name in its place.

    Parameters
    ----------
    X : DataFrame or ndarray
    row : int
        Position in `X`.
    item : int or None
        Position in the cell; None for a cell that is no list.
    """

    __slots__ = ("X", "item", "row")

    def __init__(self, X, row, item):
        self.X = X
        self.row = row
        self.item = item

    def __str__(self):
        row = row_name(self.X, self.row)
        return row if self.item is None else f"item {self.item} of {row}"


def row_name(X, position):
    """Name a row for an error message, with its index label where that says more than its position."""
    if isinstance(X, (pd.DataFrame, pd.Series)):
        (label,) = X.index[position : position + 1].tolist()  # as Python's types, which read better
        if isinstance(label, ItemLabel):
            return str(label)
        if label is pd.NA or label != position:
            return f"row {position} (index {label!r})"
    return f"row {position}"


def named_columns(X):
    """Yield the name and the values of each column of a DataFrame or two-dimensional array."""
    if isinstance(X, pd.DataFrame):
        for position in range(X.shape[1]):
            yield repr(X.columns[position]), X.iloc[:, position]
    else:
        for position in range(X.shape[1]):
            yield str(position), X[:, position]


def shown(cell):
    """Return a cell as a message shows it: as Python's types, which read better than NumPy's, and not too long."""
    return _SHOWN.repr(cell.item() if isinstance(cell, np.generic) else cell)


def spelled_number(number):
    """Return a number as a text, by which whole numbers are the same whatever type holds them."""
    is_whole = isinstance(number, (float, np.floating)) and np.isfinite(number) and number == np.floor(number)
    return str(int(number)) if is_whole else str(number)


def is_date(cell):
    """Tell whether a cell is a date, a time, a period or a difference of dates."""
    return isinstance(cell, _DATES)


def numbers(X):
    """Return a table as float64, with NaN where a cell is missing.

    Parameters
    ----------
    X : DataFrame or ndarray of shape (n_samples, n_columns)

    Returns
    -------
    values : ndarray of shape (n_samples, n_columns)

    Raises
    ------
    ValueError
        If a cell is text, infinite or too large, naming column and row.
    TypeError
        If a cell is neither a number nor text, such as a date.
    """
    if _holds_numbers(X):
        values = X.to_numpy(dtype="float64", na_value=np.nan) if isinstance(X, pd.DataFrame) else X.astype("float64")
    else:
        values = _parsed_numbers(X)
    # Means of rows in another memory layout would differ in the last digit.
    values = np.ascontiguousarray(values)
    infinite = np.isinf(values)
    if infinite.any():
        row, column = np.argwhere(infinite)[0]
        raise ValueError(f"Input X contains infinity: column {_column_name(X, column)} in {row_name(X, row)}.")
    return values


def number_columns(X):
    """Yield the columns of a table one at a time as float64, see :func:`numbers`."""
    if not _holds_numbers(X):
        yield from numbers(X).T
        return
    for position in range(X.shape[1]):
        try:
            values = numbers(X.iloc[:, [position]] if isinstance(X, pd.DataFrame) else X[:, [position]])
        except ValueError:
            numbers(X)  # says which column of the table it is
            raise
        yield values[:, 0]


def check_sparse_numbers(X):
    """Raise if a stored element of a sparse matrix is infinite, naming column and row, or is no number."""
    if X.dtype.kind not in "biuf":
        raise ValueError(f"expected a sparse matrix of numbers, got one of dtype {X.dtype}.")
    if np.isinf(X.tocsr().data).any():
        column, row, _ = find_number(X, np.isinf)
        raise ValueError(f"Input X contains infinity: column {column} in {row}.")


def find_number(X, holds):
    """Return the first cell of a table, row by row, of which something holds.

    Parameters
    ----------
    X : DataFrame, ndarray or sparse matrix of shape (n_samples, n_columns)
        Has such a cell.
    holds : callable
        From an array of numbers to an array of booleans; False for 0.

    Returns
    -------
    column, row : str
        As they are named in messages.
    number : float
    """
    if sparse.issparse(X):
        stored = X.tocoo()
        found = np.flatnonzero(holds(stored.data))
        first = found[np.lexsort((stored.col[found], stored.row[found]))[0]]
        row, column, number = stored.row[first], stored.col[first], stored.data[first]
    else:
        values = numbers(X)
        row, column = np.argwhere(holds(values))[0]
        number = values[row, column]
    return _column_name(X, column), row_name(X, row), number


def _column_name(X, position):
    return repr(X.columns[position]) if isinstance(X, pd.DataFrame) else str(position)


def _holds_numbers(X):
    dtypes = set(X.dtypes) if isinstance(X, pd.DataFrame) else {X.dtype}
    return X.ndim == 2 and all(getattr(dtype, "kind", "O") in "biuf" for dtype in dtypes)


def _parsed_numbers(X):
    if X.ndim != 2:
        raise ValueError(f"expected a table of numbers with 2 dimensions, got an array of shape {X.shape}.")
    columns = []
    for name, column in named_columns(X):
        series = column if isinstance(column, pd.Series) else pd.Series(column)
        if series.dtype.kind in "mM" or isinstance(series.dtype, pd.PeriodDtype):
            raise TypeError(_dates_message(name, series.dtype))
        if isinstance(series.dtype, pd.CategoricalDtype):
            series = series.astype(object)
        try:
            parsed = pd.to_numeric(series, errors="coerce")
        except OverflowError:
            _raise_too_large(X, name, series)
        unread = np.flatnonzero((parsed.isna() & series.notna()).to_numpy())
        if unread.size:
            _raise_no_number(name, series.iloc[unread[0]], row_name(X, unread[0]))
        if parsed.dtype.kind == "c":
            raise ValueError(f"Complex data not supported: column {name}.")
        columns.append(parsed.to_numpy(dtype="float64", na_value=np.nan))
    return np.stack(columns, axis=1) if columns else np.empty((len(X), 0))


def _dates_message(name, what):
    return (
        f"column {name} holds dates or times ({what}), not numbers. Give dates a DateBranch; times of day and "
        "differences of dates become numbers first, such as hours."
    )


def _raise_too_large(X, name, cells):
    for position, cell in enumerate(cells):
        try:
            float(cell)
        except (OverflowError, TypeError, ValueError) as error:
            if isinstance(error, OverflowError):
                row = row_name(X, position)
                raise ValueError(f"column {name} holds {shown(cell)} in {row}: too large for float64.") from None


def _raise_no_number(name, cell, row):
    if is_date(cell):
        raise TypeError(_dates_message(name, f"such as {cell!r} in {row}"))
    if isinstance(cell, (str, bytes)):
        raise ValueError(f"column {name} holds the text {cell!r} in {row}, where a number was expected.")
    raise TypeError(f"column {name} holds {cell!r} in {row}: argument must be a string or a number.")


def tensor_cells(X):
    """Return rows that are one array already, as an array or as a tensor column, or None for any others.

    Parameters
    ----------
    X : DataFrame or ndarray of shape (n_samples, ...)

    Returns
    -------
    tensors : ndarray of shape (n_samples, ...) or None
    """
    if not isinstance(X, pd.DataFrame):
        return X if X.ndim > 2 else None
    return tensors_of(X.iloc[:, 0]) if X.shape[1] == 1 else None


def array_cells(X):
    """Return rows whose cells are arrays as one array, or None if the first one's is not.

    Parameters
    ----------
    X : DataFrame or ndarray of shape (n_samples, ...)

    Returns
    -------
    tensors : ndarray of shape (n_samples, ...) or None

    Raises
    ------
    ValueError
        If a cell is no array of the shape of the first one.
    """
    tensors = tensor_cells(X)
    if tensors is not None or not isinstance(X, pd.DataFrame) or X.shape[1] != 1:
        return tensors
    cells = list(X.iloc[:, 0])
    if not isinstance(cells[0], np.ndarray):
        return None
    for position, cell in enumerate(cells):
        if not isinstance(cell, np.ndarray) or cell.shape != cells[0].shape:
            given = cell.shape if isinstance(cell, np.ndarray) else repr(cell)
            raise ValueError(
                f"the cells of column {X.columns[0]!r} should be arrays of one shape, got {cells[0].shape} in "
                f"{row_name(X, 0)} and {given} in {row_name(X, position)}."
            )
    return np.stack(cells)

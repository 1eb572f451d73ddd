"""Columns whose cells hold any number of items, such as the photos of a house: items one below the other, and back."""

import warnings
from numbers import Number

import numpy as np
import pandas as pd

from ._cells import ItemLabel, named_columns, row_name
from ._missing import missing_rows
from ._tensors import tensors_of


def is_list(cell, item_ndim=None):
    """Tell whether a cell holds items rather than being one.

    Parameters
    ----------
    cell : object
    item_ndim : int, default=None
        Dimensions that the array of a single item has at most; an array of numbers with more of them holds several.
        By default none does.

    Returns
    -------
    is_list : bool
        True for lists, tuples and arrays, but not for those of numbers, which are one item.
    """
    if isinstance(cell, np.ndarray):
        return cell.dtype.kind in "OSUT" or (item_ndim is not None and cell.ndim > item_ndim)
    return isinstance(cell, (list, tuple)) and not any(isinstance(item, Number) and item == item for item in cell)


def first_list(X):
    """Return the first cell of a table that holds items, as a name of the column, a position and a length, or None.

    A list of lists may be one item: a recording of several channels.
    """
    for name, cells in named_columns(X) if X.ndim == 2 else ():
        if cells.dtype.kind == "O" and not isinstance(cells.dtype, (pd.StringDtype, pd.CategoricalDtype)):
            for position, cell in enumerate(cells):
                if is_list(cell) and not any(isinstance(item, (list, tuple)) for item in cell):
                    return name, position, len(cell)
    return None


class Items:
    """The items of a column, one below the other.

    What is missing (None, NaN, blank text, an empty array) is no item. A cell that is no list is one item.

    Parameters
    ----------
    X : DataFrame or ndarray of shape (n_samples, 1), or ndarray of shape (n_samples, n_items, ...)
    max_items : int
        Items that are taken of each row at most, the first ones.
    item_ndim : int, default=None
        As for :func:`is_list`.

    Attributes
    ----------
    table : DataFrame of shape (n_taken, 1)
        The items that are taken; messages about a row of it name item and row of `X`.
    rows : ndarray of int of shape (n_taken,)
        The row of each in `X`, in ascending order.
    n_items : ndarray of int of shape (n_samples,)
        How many each row has, taken or not.

    Raises
    ------
    ValueError
        If `X` has several columns.
    """

    def __init__(self, X, max_items, item_ndim=None):
        if X.ndim == 2 and X.shape[1] != 1:
            raise ValueError(
                f"expected one column of lists, got {X.shape[1]} columns; give each its own branch, or shared=True."
            )
        cells = _cells(X)
        are_lists = [is_list(cell, item_ndim) for cell in cells]
        lists = [list(cell) if is_one else [cell] for cell, is_one in zip(cells, are_lists, strict=True)]
        rows = np.repeat(np.arange(len(lists)), [len(items) for items in lists])
        labels = [
            ItemLabel(X, row, item if is_one else None)
            for row, (items, is_one) in enumerate(zip(lists, are_lists, strict=True))
            for item in range(len(items))
        ]
        name = X.columns[0] if isinstance(X, pd.DataFrame) else 0
        series = pd.Series([item for items in lists for item in items], dtype=object, name=name)
        table = series.to_frame().set_axis(pd.Index(labels, dtype=object), axis=0)
        present = ~missing_rows(table)
        self.n_items = np.bincount(rows[present], minlength=len(lists))
        place = np.cumsum(present) - 1 - (np.cumsum(self.n_items) - self.n_items)[rows]
        taken = np.flatnonzero(present & (place < max_items))
        self.table, self.rows = table.take(taken), rows[taken]
        self._X = X

    def places(self, length, unreadable):
        """Say which item is in which place of rows of equal length.

        Parameters
        ----------
        length : int
            Places of a row.
        unreadable : ndarray of bool of shape (n_taken,)
            Items that are not there after all.

        Returns
        -------
        items : ndarray of int of shape (n_samples, length)
            Positions in `table`. Behind its last item a row begins again with its first: what is computed over all
            places, such as the mean of a batch normalisation, then meets nothing that is no item. -1 in rows without
            any.
        empty : ndarray of bool of shape (n_samples, length)
            Places behind the last item.
        """
        readable = np.flatnonzero(~unreadable)
        n_items = np.bincount(self.rows[readable], minlength=len(self.n_items))[:, np.newaxis]
        place = np.arange(length)
        first = np.cumsum(n_items)[:, np.newaxis] - n_items
        items = np.append(readable, -1)[np.where(n_items > 0, first + place % np.maximum(n_items, 1), -1)]
        return items, place >= n_items

    def warn_of_surplus(self, length):
        """Warn if rows have more items than there are places."""
        longer = np.flatnonzero(self.n_items > length)
        if longer.size:
            warnings.warn(
                f"{longer.size} of {len(self.n_items)} rows hold more than the {length} items that are read of each, "
                f"such as {row_name(self._X, longer[0])} with {self.n_items[longer[0]]}. The first ones are read; "
                "'max_items', and the longest row of training, say how many.",
                stacklevel=2,
            )


def _cells(X):
    """Return the cells of a column one by one."""
    if not isinstance(X, pd.DataFrame):
        return list(X[:, 0] if X.ndim == 2 else X)
    tensors = tensors_of(X.iloc[:, 0])
    return list(X.iloc[:, 0] if tensors is None else tensors)

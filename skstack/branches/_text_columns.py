"""Columns of texts: their cells, and sequences of token ids side by side in one array."""

import math
from numbers import Number

import numpy as np
import pandas as pd

from ..reading._cells import named_columns, row_name, spelled_number
from ._categorical import near_size
from ._column_statistics import quantiles

#: Share of the training rows that fit into the length chosen from them.
_COVERED = 0.95


def texts_of(X):
    """Return the texts of each column as a list; missing cells are empty.

    Raises
    ------
    ValueError
        If X is no table.
    TypeError
        If a cell is no text, naming column and row.
    """
    if X.ndim != 2:
        raise ValueError(f"expected a table of texts with 2 dimensions, got an array of shape {X.shape}.")
    return [_column_texts(X, name, column) for name, column in named_columns(X)]


def _column_texts(X, name, column):
    cells = column.tolist()
    takes_numbers = column.dtype == object  # as spreadsheets have them among texts
    for position, cell in enumerate(cells):
        if takes_numbers and isinstance(cell, Number) and not pd.isna(cell):
            cells[position] = spelled_number(cell)
        elif not isinstance(cell, str):
            if not (pd.api.types.is_scalar(cell) and pd.isna(cell)):
                raise TypeError(f"column {name} holds {cell!r} in {row_name(X, position)}, where a text was expected.")
            cells[position] = ""
    return cells


def joined_texts(X):
    """Return the texts of each row as one, in a list of one column."""
    rows = zip(*texts_of(X), strict=True)
    return [["\n".join(text for text in row if text.strip()) for row in rows]]


def length_of(sequences, sample_weight):
    """Return a length that covers most sequences, of few possible ones so that folds have the same shapes.

    Parameters
    ----------
    sequences : TokenIds
    sample_weight : ndarray or None
    """
    (covered,) = quantiles(sequences.lengths.astype("float64"), [_COVERED], sample_weight)
    return near_size(max(2, math.ceil(covered)))


def side_by_side(parts, lengths):
    """Return the sequences of several columns as one array, each cut to its length or filled up with 0."""
    return np.concatenate([part.padded(length) for part, length in zip(parts, lengths, strict=True)], axis=1)


def columns_of(inputs, lengths):
    """Yield the symbolic ids of each column of what :func:`side_by_side` returned."""
    start = 0
    for length in lengths:
        yield inputs[:, start : start + length] if len(lengths) > 1 else inputs
        start += length


def concatenated(parts):
    """Return the symbolic vectors of several columns as one."""
    from .._backend import keras

    return keras.layers.Concatenate(name="columns")(parts) if len(parts) > 1 else parts[0]

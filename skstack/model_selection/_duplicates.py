"""Groups of rows that are the same, or show the same image, for splits that keep them together."""

import os
import sys
from functools import partial
from hashlib import blake2b
from numbers import Integral

import numpy as np
import pandas as pd
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.utils._param_validation import Interval, validate_params

from .._columns import branch_columns, readable, resolve_columns
from ..reading._cells import row_name
from ..reading._image_cells import ImageCells
from ..reading._items import Items
from ..reading._missing import missing_rows, single_columns
from ._image_hash import HASH_SIZE, N_BITS, image_hash, near_pairs


@validate_params(
    {
        "columns": [None, str, list, slice, Integral, callable],
        "tolerance": [Interval(Integral, 0, N_BITS, closed="both")],
        "root": [None, str, os.PathLike],
        "allow_outside_root": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def duplicate_groups(X, columns=None, *, tolerance=4, root=None, allow_outside_root=False):
    """Find rows that are the same or show the same image, and return a group for each row.

    A listing that stands twice in a table, or a photo that illustrates two of them, must not be on both sides of a
    split: the score would tell what a model remembers. The groups are what
    :class:`~sklearn.model_selection.GroupKFold` and the `groups` of a stack take.

    Two rows are in one group if they have an image in common, in whatever columns, or if all their other cells are the
    same; and if both are in one group with a third. Images are compared by a perceptual hash [1]_, which survives other
    sizes, other compression and small changes of brightness, but no mirroring, turning or cropping.

    Parameters
    ----------
    X : DataFrame, ndarray or pyarrow Table of shape (n_samples, ...)
        Cells are images (paths with the ending of an image format, bytes, PIL images, arrays), lists of them, or
        anything else.
    columns : str, int, list, slice or callable, default=None
        The columns to compare, as for :class:`~sklearn.compose.ColumnTransformer`; all by default. With a few columns
        of numbers or categories, rows may be the same by chance: choose the images alone, or texts.
    tolerance : int, default=4
        Bits of 63 in which the hashes of two images may differ that count as the same; 0 finds hardly more than copies.
    root : str or path-like, default=None
        Folder that relative paths start from, and no path may lead out of; the working directory by default, without
        that limit.
    allow_outside_root : bool, default=False
        Whether paths may lead out of `root`.

    Returns
    -------
    groups : ndarray of int of shape (n_samples,)
        From 0, numbered by their first rows.

    Raises
    ------
    ValueError, TypeError, FileNotFoundError
        If a parameter, a column or an image cannot be used, naming the row.

    Notes
    -----
    Missing cells have nothing in common, nor have images of a single colour, such as those that stand in for a missing
    one.

    References
    ----------
    .. [1] Zauner, C. (2010). "Implementation and Benchmarking of Perceptual Image Hash Functions". Master's thesis,
           Upper Austria University of Applied Sciences.

    Examples
    --------
    >>> import pandas as pd
    >>> from skstack.model_selection import duplicate_groups
    >>> X = pd.DataFrame({"street": ["Elm St", "Oak St", "Elm St"], "rooms": [3, 2, 3]})
    >>> duplicate_groups(X)
    array([0, 1, 0])
    """
    X = readable(X)
    table = branch_columns(X, resolve_columns(X, columns))
    columns = single_columns(table) if table.ndim == 2 else [table]
    items = [_images(column) for column in columns]
    hashed = [_hashes(found, root, allow_outside_root) for found in items if found is not None]
    contents = [_contents(column) for column, found in zip(columns, items, strict=True) if found is None]
    links, n_nodes = [], len(table)  # rows, then different images, then different contents of the other cells
    if hashed:
        rows, hashes = map(np.concatenate, zip(*hashed, strict=True))
        different, which = np.unique(hashes, return_inverse=True)
        links += [(rows, n_nodes + which), n_nodes + near_pairs(different, tolerance).T]
        n_nodes += len(different)
    if contents:
        rows = np.flatnonzero(np.any(np.stack(contents) >= 0, axis=0))
        different, which = np.unique(np.stack(contents)[:, rows], axis=1, return_inverse=True)
        links.append((rows, n_nodes + which))
        n_nodes += different.shape[1]
    one, other = map(np.concatenate, zip(*links, strict=True))
    graph = coo_array((np.ones(len(one)), (one, other)), shape=(n_nodes, n_nodes))
    return pd.factorize(connected_components(graph, directed=False)[1][: len(table)])[0]


# --- images -----------------------------------------------------------------------------------------------------------


def _images(column):
    """Return the images of a column as Items, or None for a column of anything else."""
    if _holds_numbers(column):
        return None
    items = Items(column, sys.maxsize, item_ndim=3)
    return items if len(items.table) and _is_image(items.table.iloc[0, 0]) else None


def _holds_numbers(column):
    dtype = column.dtypes.iloc[0] if isinstance(column, pd.DataFrame) else column.dtype
    return column.ndim == 2 and dtype.kind in "biufcmM"


def _is_image(cell):
    if isinstance(cell, np.ndarray):
        # Two dimensions may be a sequence of vectors too, unless they hold bytes.
        is_grey = cell.ndim == 2 and cell.dtype == np.uint8
        return is_grey or (cell.ndim == 3 and cell.shape[-1] in (1, 3, 4) and cell.dtype.kind in "biuf")
    if isinstance(cell, (str, os.PathLike)):
        return os.path.splitext(cell)[1].lower() in Image.registered_extensions()
    return isinstance(cell, (bytes, bytearray, Image.Image))


def _hashes(items, root, allow_outside_root):
    """Return the row and the hash of each image that shows something."""
    cells = ImageCells(
        items.table.iloc[:, 0],
        size=HASH_SIZE,
        channels=1,
        resize="stretch",
        name_row=partial(row_name, items.table),
        root=root,
        allow_outside_root=allow_outside_root,
    )
    hashes = cells.read(lambda position: image_hash(cells.pixels(position)) or 0, range(len(cells)))
    hashes = np.array(hashes, dtype="uint64")
    return items.rows[hashes > 0], hashes[hashes > 0]


# --- other cells ------------------------------------------------------------------------------------------------------


def _contents(column):
    """Return a number for each cell of a column, the same for the same content; -1 for a missing one."""
    if not _holds_numbers(column):
        cells = list(column.iloc[:, 0] if isinstance(column, pd.DataFrame) else column)
        column = pd.Series([_content(cell) for cell in cells], dtype=object).where(~missing_rows(column), None)
    else:
        column = column.iloc[:, 0] if isinstance(column, pd.DataFrame) else column[:, 0]
    return pd.factorize(column)[0]


def _content(cell):
    """Return something that can be looked up, the same for cells of the same content."""
    if isinstance(cell, np.ndarray) and cell.ndim:
        if cell.dtype.kind == "O":
            return tuple(map(_content, cell))
        return cell.shape, str(cell.dtype), blake2b(np.ascontiguousarray(cell).tobytes()).digest()
    if isinstance(cell, (list, tuple)):
        return tuple(map(_content, cell))
    return repr(cell) if isinstance(cell, (dict, set)) else cell

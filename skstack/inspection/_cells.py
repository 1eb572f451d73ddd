"""Rows with other cells in the columns of a branch."""

import numpy as np
import pandas as pd

from .._columns import is_polars, is_table
from .._compat import take
from ..branches._pretrained import PretrainedBranch
from ._networks import find_networks
from ._pixels import image_branch, pixels_of
from ._tables import with_columns
from ._views import with_its_columns


class BranchCells:
    """The cells of a branch in a table, which can be exchanged for others.

    Parameters
    ----------
    estimator : estimator
        Fitted; of a pipeline the last step, with the rows that it gets.
    X : DataFrame, or ndarray of shape (n_samples, n_features) or (n_samples, height, width[, channels])
        Where it is an array of images, these are the cells.
    branch : str
    """

    def __init__(self, estimator, X, branch):
        found = find_networks(estimator, branch)[0]
        X = with_its_columns(estimator, X)
        self.X = X.to_pandas() if is_polars(X) else X
        self.name = branch
        self.columns = found.branch_columns(branch, X)
        fitted = next(part.branch for part in found.network.branches_ if part.name == branch)
        self._fitted = fitted
        self.branch = fitted.branch_ if isinstance(fitted, PretrainedBranch) else fitted
        self.positions = found.positions(branch, X)

    def by_column(self):
        """Return the cells of the branch, column by column."""
        X = self.columns
        if is_table(X):
            return [X.iloc[:, position] for position in range(X.shape[1])]
        return list(np.moveaxis(X, 1, 0)) if X.ndim == 2 else [X]

    def images(self):
        """Return the images of the branch as it sees them, black where there is none, and which rows have one.

        Returns
        -------
        images : ndarray of uint8 of shape (n_samples, height, width, channels)
        present : ndarray of bool of shape (n_samples,)

        Raises
        ------
        ValueError
            If the branch is not one of images, or has several in a row.
        """
        if image_branch(self.branch) is None:
            kind = type(self.branch).__name__
            raise ValueError(f"branch {self.name!r} is a {kind}: only images, of an ImageBranch, have pixels.")
        if self.branch.uses:
            raise ValueError(f"branch {self.name!r} has several images in a row: this is for one.")
        detailed = self._fitted.in_detail(pixels=True)
        encoded, missing = detailed.encode_with_missing(self.columns)
        return pixels_of(encoded), ~(missing | detailed.missing(self.columns))[:, 0]

    def rows(self, row, cells):
        """Return a row several times, each with another cell in the only column of the branch."""
        return self._with(take(self.X, np.full(len(cells), row), axis=0), [cells])

    def beside_missing(self, images, present):
        """Return a column of images in which rows without one have the cell that they had."""
        (own,) = self.by_column()
        return [image if there else cell for image, cell, there in zip(images, own, present, strict=True)]

    def with_cells(self, columns):
        """Return all rows with other cells in the columns of the branch, given column by column."""
        return self._with(self.X, columns)

    def _with(self, X, columns):
        if is_table(X):
            return with_columns(X, self.positions, [_series(column, X.index) for column in columns])
        if X.ndim > 2:
            return self._of_arrays(X, columns)
        changed = X.astype("float64" if X.dtype.kind in "biu" else X.dtype)
        for position, cells in zip(self.positions, columns, strict=True):
            changed[:, position] = _objects(cells)
        return changed

    def _of_arrays(self, X, columns):
        """Return an array of cells that are arrays, with others in their place."""
        cells = np.stack([*columns[0]])
        if cells.size != len(cells) * np.prod(X.shape[1:], dtype=int):
            raise ValueError(
                f"branch {self.name!r} takes images of shape {cells.shape[1:]}, X holds some of shape {X.shape[1:]}: "
                "give X as a DataFrame, whose cells may have any size."
            )
        return cells.reshape(len(cells), *X.shape[1:])


def _series(cells, index):
    return cells.set_axis(index) if isinstance(cells, pd.Series) else pd.Series(_objects(cells), index=index)


def _objects(cells):
    """Return cells, which may be arrays, as an array with one axis."""
    if isinstance(cells, np.ndarray) and cells.ndim == 1:
        return cells
    objects = np.empty(len(cells), dtype=object)
    for place, cell in enumerate(cells):
        objects[place] = cell
    return objects

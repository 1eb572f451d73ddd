"""What can be seen inside a branch: where its cells become continuous, and which parts of a cell that concerns."""

from copy import copy

import numpy as np
import pandas as pd


class Inspectable:
    """The part of a branch that says how predictions are traced back to its cells, see :mod:`skstack.inspection`.

    Gradients need something that changes continuously: pixels do, words do not, but their vectors do. A branch names
    the layers of its sub-network that return such things (:attr:`attributed_layers`), what they return for a cell that
    says nothing (:meth:`baseline`), and how numbers for each of their entries become numbers for the parts of a cell
    (:meth:`sum_over_parts`). A branch that says nothing of it is traced back to its encoded rows, entry by entry.

    Everything here is about single uses of the sub-network, see ``uses``: a row of several cells counts as several.
    """

    #: Names of the layers of the sub-network, or paths such as ``"pretrained/embeddings"``; none for what goes into it.
    attributed_layers = ()

    def in_detail(self, pixels=False):
        """Return a fitted copy that predicts the same, from what its cells consist of.

        Its sub-network has the same weights, and perhaps others that are no matter of training.

        Parameters
        ----------
        pixels : bool, default=False
            Whether features that were computed before the sub-network are a part of it.

        Returns
        -------
        branch : Branch
        """
        return copy(self)

    def baseline(self, outputs):
        """Return what layers return for a cell that says nothing.

        Parameters
        ----------
        outputs : list of list of ndarray
            What each of the layers returned for some cells, once for each time that it was called.

        Returns
        -------
        baseline : list of list of ndarray
            Of the same shapes.
        """
        return [[np.zeros_like(output) for output in of_layer] for of_layer in outputs]

    def sum_over_parts(self, attributions, encoded):
        """Return attributions to the parts of cells.

        Parameters
        ----------
        attributions : list of list of ndarray
            To each entry of what each of the layers returned, as :meth:`baseline` takes them.
        encoded : ndarray of shape (n_cells, *cell_shape_)
            The encoded cells.

        Returns
        -------
        parts : ndarray of shape (n_cells, ...)
            With an axis for the parts that a cell has, such as columns, words, or height and width.
        """
        return attributions[0][0]

    def part_names(self, X, encoded):
        """Return what the parts are called, or None where their places say it.

        Parameters
        ----------
        X : DataFrame or ndarray of shape (n_samples, n_columns)
            The branch's columns.
        encoded : ndarray of shape (n_cells, *cell_shape_)

        Returns
        -------
        names : ndarray of shape (n_parts,) or (n_cells, n_parts), or None
            The first where all cells have the same.
        """
        return None


def flags_with_numbers(attributions, n_numbers):
    """Return attributions to numbers, with those to the flags of their gaps, which may stand behind, added to them."""
    numbers, flags = attributions[..., :n_numbers], attributions[..., n_numbers:]
    return numbers + flags if flags.shape[-1] else numbers


def names_of_columns(X):
    """Return the names of the columns of a table, their places in an array, as strings."""
    names = X.columns if isinstance(X, pd.DataFrame) else range(X.shape[1])
    return np.array([str(name) for name in names], dtype=object)

"""What branches have in common of which a cell may hold several items, such as the photos of a house."""

from numbers import Integral

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from ..reading._cells import row_name
from ..reading._items import Items, first_list
from ..reading._missing import rearranged
from ._base import Branch
from ._categorical import near_size


class ItemsBranch(Branch):
    """A branch of which a cell may hold several items: one encoder for each of them, then a pooling over the cell.

    Parameters
    ----------
    item_pooling : {"avg", "max", "attention"} or None, default=None
        How the feature vectors of several items in a cell become one; a cell then holds a list of any length, or a
        single item. ``None`` takes cells of one item only.
    max_items : int, default=16
        Items that are read of a cell, at most, with a warning where there are more.

    Attributes
    ----------
    n_items_ : int
        Places for items, with `item_pooling`: the longest list of the training rows, rounded up to 1, 2, 3, 4, 6, 8,
        12, 16, and so on, and at most `max_items`.
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        **Branch._parameter_constraints,
        "item_pooling": [StrOptions({"avg", "max", "attention"}), None],
        "max_items": [Interval(Integral, 1, None, closed="left")],
    }

    item_pooling, max_items = None, 16

    #: Dimensions that the array of one item has at most; None where none is an array of numbers.
    item_ndim = None

    #: What an item is called in messages.
    item_name = "an item"

    def _uses(self, columns, weight):
        uses = super()._uses(columns, weight)
        if self.item_pooling is None:
            return uses
        lengths = np.stack([self._items(column, 1).n_items for column in columns], axis=1)
        longest = int(lengths.max() if weight is None else lengths[weight > 0].max())
        self.n_items_ = min(self.max_items, near_size(longest))
        return (*uses, self.n_items_)

    def _items(self, column, max_items):
        return Items(column, max_items, self.item_ndim)

    def _to_learn_from(self, column, weight):
        if self.item_pooling is None:
            self._refuse_lists(column)
            return super()._to_learn_from(column, weight)
        items = self._items(column, self.max_items)
        return super()._to_learn_from(items.table, None if weight is None else weight[items.rows])

    def _encode_column(self, column):
        if self.item_pooling is None:
            self._refuse_lists(column)
            return super()._encode_column(column)
        items = self._items(column, self.n_items_)
        items.warn_of_surplus(self.n_items_)
        encoded, unreadable = super()._encode_column(items.table)
        places, empty = items.places(self.n_items_, unreadable)
        return rearranged(encoded, places), empty

    def _missing_uses(self, column):
        if self.item_pooling is None:
            return super()._missing_uses(column)
        return np.arange(self.n_items_) >= self._items(column, 1).n_items[:, np.newaxis]

    def _refuse_lists(self, X):
        found = first_list(X)
        if found is not None:
            name, position, length = found
            raise TypeError(
                f"column {name} holds a list of {length} in {row_name(X, position)}, where {self.item_name} was "
                "expected. Set 'item_pooling' to 'avg', 'max' or 'attention' for cells of several."
            )

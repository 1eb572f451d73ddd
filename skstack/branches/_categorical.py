"""Branch for columns of categories, and how categories become codes."""

import warnings
from contextlib import contextmanager
from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Interval, StrOptions

from ..reading._cells import is_date, named_columns, row_name
from ._base import Branch
from ._blocks import CHANNELS_LAST
from ._inspectable import names_of_columns

#: The part of the rows of a column of dates that may have a date of their own.
_MOST_DATES = 0.9

#: Codes that each column has before its categories.
_MISSING, _UNSEEN, _RESERVED = 0, 1, 2


class CategoricalBranch(Branch):
    """Branch for columns of categories: strings, numbers, booleans or pandas categories.

    Each column gets a code for missing cells and one for categories that are unseen in training or too rare; a code
    that no training row has contributes nothing to the prediction.

    Parameters
    ----------
    hidden : tuple of int, default=()
        Units of the dense layers; empty for none.
    encoding : {"embedding", "onehot"}, default="embedding"
        Whether a category becomes a trained vector or an indicator (label-binarised).
    dim : int, default=None
        Length of the vector of an embedding. ``None`` takes ``min(50, round(1.6 * n ** 0.56))``, the rule of the
        fastai library [1]_, where n is the number of categories of the column with most of them, rounded up to a power
        of two.
    min_frequency : int, default=1
        Categories in fewer training rows are treated as unseen, which trains the code that unseen ones will get.
    activation : str, default="relu"
        Activation of the dense layers, by its Keras name, or "prelu".
    dropout : float, default=0.0
        Rate of the dropout after each dense layer.
    batch_norm : bool, default=False
        Whether to normalise over the batch before each activation.
    shared : bool, default=False
        Whether each column goes through the same sub-network by itself (a Siamese network).
    merge : {"concatenate", "add", "subtract", "multiply", "dot", "average", "maximum"}, default="concatenate"
        How the feature vectors of shared columns become one.

    Attributes
    ----------
    categories_ : list of ndarray
        The categories of each column, in the order of their codes.
    input_shape_ : tuple of int
        ``(n_columns,)``.
    input_dtype_ : str
        "int32".

    References
    ----------
    .. [1] Howard, J. and Gugger, S. (2020). "Fastai: A Layered API for Deep Learning". Information 11(2).

    Examples
    --------
    >>> import pandas as pd
    >>> from skstack.branches import CategoricalBranch
    >>> branch = CategoricalBranch().fit(pd.DataFrame({"zip": ["92276", "92677", "92276"]}))
    >>> branch.encode(pd.DataFrame({"zip": ["92677", None, "10001"]})).ravel()
    array([3, 0, 1], dtype=int32)
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        **Branch._parameter_constraints,
        "encoding": [StrOptions({"embedding", "onehot"})],
        "dim": [Interval(Integral, 1, None, closed="left"), None],
        "min_frequency": [Interval(Real, 1, None, closed="left")],
    }

    missing_embedding = False
    is_light = True

    def __init__(
        self,
        hidden=(),
        *,
        encoding="embedding",
        dim=None,
        min_frequency=1,
        activation="relu",
        dropout=0.0,
        batch_norm=False,
        shared=False,
        merge="concatenate",
    ):
        self.hidden = hidden
        self.encoding = encoding
        self.dim = dim
        self.min_frequency = min_frequency
        self.activation = activation
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.shared = shared
        self.merge = merge

    def _fit(self, X):
        columns = list(category_columns(X))
        for (name, _), (values, codes) in zip(named_columns(X), columns, strict=True):
            _warn_of_dates(name, values, codes)
        self.categories_ = [
            ordered(value for value, count in count_categories(values, codes).items() if count >= self.min_frequency)
            for values, codes in columns
        ]
        self._codes = [code_table(categories, first=_RESERVED) for categories in self.categories_]
        sizes = [_RESERVED + len(categories) for categories in self.categories_]
        # Every column has codes of its own in one table, so that one layer serves them all.
        self._offsets = np.cumsum([0, *sizes[:-1]]).astype("int32")
        self._n_rows = rounded_up(sum(sizes))
        self.cell_shape_ = (len(sizes),)
        self.input_dtype_ = "int32"
        self._trained = np.zeros(self._n_rows, dtype="float32")
        self._trained[np.unique(self._encode(X))] = 1.0

    def _encode(self, X):
        if X.shape[1] != len(self._codes):
            raise ValueError(f"expected {len(self._codes)} columns as in training, got {X.shape[1]}.")
        encoded = np.empty((X.shape[0], len(self._codes)), dtype="int32")
        for position, (values, codes) in enumerate(category_columns(X)):
            encoded[:, position] = looked_up(values, codes, self._codes[position], unseen=_UNSEEN, missing=_MISSING)
        return encoded + self._offsets

    def features(self, inputs):
        """Return the vectors or indicators of symbolic `inputs` of shape (None, n_columns)."""
        from .._backend import keras
        from ._layers import SeenMask

        if self.encoding == "onehot":
            indicators = keras.layers.CategoryEncoding(self._n_rows, output_mode="multi_hot", name="onehot")(inputs)
            return SeenMask(name="seen")(indicators)
        vectors = keras.layers.Embedding(self._n_rows, self._dim(), name="embedding")(inputs)
        return keras.layers.Flatten(CHANNELS_LAST, name="flatten")(vectors)

    def is_encoded_like(self, other):
        """Tell whether another fitted branch encodes every row as this one does."""
        return self._codes == other._codes

    def is_built_like(self, other):
        """Tell whether another fitted branch builds the same layers."""
        return (self._n_rows, self._dim(), self.cell_shape_) == (other._n_rows, other._dim(), other.cell_shape_)

    def assign_statistics(self, model):
        """Silence the codes that no training row has, whose random weights would never be trained."""
        if self.encoding == "onehot":
            model.get_layer("seen").mask.assign(self._trained)
        else:
            table = model.get_layer("embedding").embeddings
            table.assign(np.asarray(table) * self._trained[:, None])

    # --- inspection -------------------------------------------------------------------------------------------------

    @property
    def attributed_layers(self):
        """The vectors or the indicators."""
        return ("embedding",) if self.encoding == "embedding" else ("onehot",)

    def sum_over_parts(self, attributions, encoded):
        """Return attributions to the columns."""
        (given,) = attributions[0]
        if self.encoding == "embedding":
            return given.sum(axis=-1)
        return np.add.reduceat(given, self._offsets, axis=1)

    def part_names(self, X, encoded):
        """Return the names of the columns."""
        return names_of_columns(X)

    def _dim(self):
        return self.dim or vector_length(max(len(categories) for categories in self.categories_))


def vector_length(n_categories):
    """Return the length of vectors that suits a number of categories, rounded up to a power of two."""
    return max(1, min(50, round(1.6 * rounded_up(n_categories) ** 0.56)))


def rounded_up(size):
    """Return the next power of two: networks of folds that differ by some categories then have the same shapes."""
    return 1 << max(size - 1, 0).bit_length()


def near_size(size):
    """Return the next of 1, 2, 3, 4, 6, 8, 12, 16, and so on, for sizes that cost more than an entry of a table."""
    above = rounded_up(size)
    return above * 3 // 4 if size <= above * 3 // 4 else above


def category_columns(X):
    """Yield the distinct categories of each column, as Python's objects, and for each row which one it has.

    Parameters
    ----------
    X : DataFrame or ndarray of shape (n_samples, n_columns)

    Yields
    ------
    values : ndarray of object of shape (n_values,)
    codes : ndarray of int of shape (n_samples,)
        Positions in `values`; -1 for missing cells.

    Raises
    ------
    ValueError
        If X has not two dimensions.
    TypeError
        If a cell cannot be looked up, such as a list, naming column and row.
    """
    if X.ndim != 2:
        raise ValueError(f"expected a table of categories with 2 dimensions, got an array of shape {X.shape}.")
    for _, column in named_columns(X):
        with _unhashable_named(X):
            codes, values = pd.factorize(column)
        values = np.asarray(values, dtype=object)
        missing = np.append(pd.isna(values), True)  # NaN counts as a value to columns that have a gap of another kind
        yield values, np.where(missing[codes], -1, codes)


def count_categories(values, codes):
    """Return how many rows each category of a column of :func:`category_columns` has."""
    counts = np.bincount(codes + 1, minlength=len(values) + 1)[1:]
    return {value: count for value, count in zip(values, counts.tolist(), strict=True) if count}


def ordered(categories):
    """Return categories as a sorted array of objects."""
    categories = list(categories)
    try:
        categories.sort()
    except TypeError:  # numbers beside strings have no order of their own
        categories.sort(key=lambda category: (str(type(category)), str(category)))
    return np.fromiter(categories, dtype=object, count=len(categories))


def code_table(categories, first):
    """Return the code of each category by its value, counted from `first`."""
    return {category: code for code, category in enumerate(categories, first)}


def looked_up(values, codes, code_of, *, unseen, missing):
    """Return the code of each row of a column of :func:`category_columns`.

    Parameters
    ----------
    values, codes : ndarray
    code_of : dict
        Of :func:`code_table`.
    unseen, missing : int
        Codes of categories that are not in the table and of missing cells.
    """
    table = [code_of.get(value, unseen) for value in values]
    return np.array([*table, missing], dtype="int32")[codes]


def _warn_of_dates(name, values, codes):
    """Warn of a column whose dates hardly ever come again."""
    if len(values) and is_date(values[0]) and len(values) > _MOST_DATES * np.count_nonzero(codes >= 0):
        warnings.warn(
            f"column {name} of a CategoricalBranch holds dates or times of which nearly every row has its own, so that "
            "nothing can be learned from them as categories. Give them a DateBranch, which makes of them what comes "
            "again, such as the month and the day of the week.",
            stacklevel=2,
        )


@contextmanager
def _unhashable_named(X):
    """Name column and row of a cell that cannot be looked up, such as a list."""
    try:
        yield
    except TypeError:
        for name, column in named_columns(X):
            for position, cell in enumerate(column):
                if not _is_hashable(cell):
                    where = row_name(X, position)
                    raise TypeError(f"column {name} holds {cell!r} in {where}, which is no category.") from None
        raise


def _is_hashable(cell):
    try:
        hash(cell)
    except TypeError:
        return False
    return True

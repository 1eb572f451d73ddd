"""Branch for columns of numbers."""

from numbers import Integral, Real

import numpy as np
from scipy import sparse
from sklearn.utils._param_validation import Interval, StrOptions

from .._precision import needed_dtype
from ..reading._cells import check_sparse_numbers, find_number, numbers
from ..reading._numbers_in_text import text_columns, with_numbers
from ..reading._sparse_rows import SparseRows
from ._base import Branch
from ._column_statistics import column_groups
from ._inspectable import flags_with_numbers, names_of_columns

#: Columns that ``embedding="auto"`` embeds, at most: each of them makes `dim` inputs of the layer behind.
_MAX_EMBEDDED = 100

#: Rows that are converted at a time: a table of millions is there once, in the dtype of the network.
_CHUNK_ROWS = 2**16


class NumericBranch(Branch):
    """Branch for columns of numbers.

    Filling gaps, scaling and embedding happen inside the Keras sub-network, with statistics of the training rows.
    Behind the columns stands a flag for each that says where its value was missing; a column without a gap in the
    training rows keeps the flag 0.

    A sparse matrix is not made dense as a whole: its statistics are taken from what it stores, and training and
    prediction read a few rows of it at a time. What it does not store counts as 0.

    Parameters
    ----------
    hidden : tuple of int, default=(64,)
        Units of the dense layers; empty for none.
    scale : {"robust", "standard", "minmax"} or None, default="robust"
        Scale each column to zero mean and unit variance, to the range 0 to 1, or not at all. "robust" subtracts the
        median, divides by the interquartile range (half the whole range where that is 0), and bends what is then far
        from 0 so that no outlier comes out further than 3, ``x / sqrt(1 + (x / 3) ** 2)`` [1]_.
    impute : {"mean", "median", "zero"} or None, default="median"
        What stands in for a missing number. ``None`` makes missing numbers an error.
    embedding : {"auto", "piecewise", "periodic"} or None, default="auto"
        What each scaled number becomes before the dense layers [2]_: "piecewise" says of each of `n_bins` bins, between
        quantiles of the training rows, which part of it lies below the number; "periodic" takes sines and cosines of
        `n_frequencies` trained multiples of it. A dense layer of its own with ReLU makes a vector of length `dim` of
        either. ``None`` leaves the scaled number as it is, and "auto" is "piecewise" for a dense table of at most 100
        columns, else ``None``.
    dim : int, default=16
        Length of the vector of an embedded number.
    n_bins : int, default=16
        Bins of the piecewise embedding; a column with fewer distinct values has fewer.
    n_frequencies : int, default=32
        Frequencies of ``embedding="periodic"``.
    sigma : float, default=0.1
        Standard deviation of the initial frequencies, in periods per unit of the scaled column: what to tune first with
        ``embedding="periodic"``.
    extract : int, default=None
        Numbers that are read of each cell of text: 2 for "87 bhp @ 6000 rpm" and "10k-20k", 1 for "$1,200". A column of
        text then becomes as many columns, with gaps where a cell holds fewer. Commas part thousands; K, M and B,
        thousand, million and billion behind a number multiply it. ``None`` reads texts that are numbers and nothing
        else, and any other is an error.
    skip : bool, default=False
        Whether to join the scaled or embedded columns to the output of the dense layers (a skip connection).
    activation : str, default="relu"
        Activation of the dense layers, by its Keras name, or "prelu".
    dropout : float, default=0.1
        Rate of the dropout after each dense layer.
    batch_norm : bool, default=False
        Whether to normalise over the batch before each activation.
    shared : bool, default=False
        Whether each column goes through the same sub-network by itself (a Siamese network).
    merge : {"concatenate", "add", "subtract", "multiply", "dot", "average", "maximum"}, default="concatenate"
        How the feature vectors of shared columns become one.

    Attributes
    ----------
    center_, scale_, fill_ : ndarray of shape (n_columns,)
        What is subtracted from each column, what it is divided by and what fills its gaps, in the column's units.
    embedding_ : {"piecewise", "periodic"} or None
        What ``embedding="auto"`` stands for.
    seen_missing_ : ndarray of shape (n_columns,)
        1.0 where the column had a gap in the training rows, else 0.0.
    input_shape_ : tuple of int
        ``(n_columns,)``.
    input_dtype_ : str
        "float32", or "float64" where float32 could not tell the values of a column apart (such as seconds since 1970).

    References
    ----------
    .. [1] Holzmüller, D., Grinsztajn, L. and Steinwart, I. (2024). "Better by Default: Strong Pre-Tuned MLPs and
       Boosted Trees on Tabular Data". Advances in Neural Information Processing Systems 37.
    .. [2] Gorishniy, Y., Rubachev, I. and Babenko, A. (2022). "On Embeddings for Numerical Features in Tabular Deep
       Learning". Advances in Neural Information Processing Systems 35.

    Examples
    --------
    >>> import numpy as np
    >>> from skstack.branches import NumericBranch
    >>> branch = NumericBranch(hidden=(16,)).fit(np.array([[1.0, 10.0], [3.0, np.nan]]))
    >>> branch.encode(np.array([[5.0, 20.0]]))
    array([[ 5., 20.]], dtype=float32)
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        **Branch._parameter_constraints,
        "scale": [StrOptions({"standard", "minmax", "robust"}), None],
        "impute": [StrOptions({"mean", "median", "zero"}), None],
        "embedding": [StrOptions({"auto", "piecewise", "periodic"}), None],
        "dim": [Interval(Integral, 1, None, closed="left")],
        "n_bins": [Interval(Integral, 2, None, closed="left")],
        "n_frequencies": [Interval(Integral, 1, None, closed="left")],
        "sigma": [Interval(Real, 0, None, closed="neither")],
        "extract": [Interval(Integral, 1, None, closed="left"), None],
        "skip": ["boolean"],
    }

    missing_embedding = False
    is_light = True
    accept_sparse = True

    def __init__(
        self,
        hidden=(64,),
        *,
        scale="robust",
        impute="median",
        embedding="auto",
        dim=16,
        n_bins=16,
        n_frequencies=32,
        sigma=0.1,
        extract=None,
        skip=False,
        activation="relu",
        dropout=0.1,
        batch_norm=False,
        shared=False,
        merge="concatenate",
    ):
        self.hidden = hidden
        self.scale = scale
        self.impute = impute
        self.embedding = embedding
        self.dim = dim
        self.n_bins = n_bins
        self.n_frequencies = n_frequencies
        self.sigma = sigma
        self.extract = extract
        self.skip = skip
        self.activation = activation
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.shared = shared
        self.merge = merge

    @property
    def allow_missing(self):
        return self.impute is not None

    def _fit(self, X, sample_weight=None):
        if sparse.issparse(X):
            check_sparse_numbers(X)
        self._texts = None if self.extract is None or sparse.issparse(X) else text_columns(X)
        if self._texts is not None:
            X = with_numbers(X, self._texts, self.extract)
        self.embedding_ = self._chosen_embedding(X)
        with np.errstate(over="ignore", invalid="ignore"):  # `encode` says which cell is too large
            statistics = [self._statistics(columns) for columns in column_groups(X, sample_weight)]
        self.seen_missing_, self.fill_, self.center_, self.scale_, edges = map(
            np.concatenate, zip(*statistics, strict=True)
        )
        self._edges = (edges - self.center_[:, np.newaxis]) / self.scale_[:, np.newaxis]
        self._check_gaps(X, self.seen_missing_.any())
        self.cell_shape_ = (len(self.fill_),)
        self.input_dtype_ = needed_dtype(self.center_, self.scale_)

    def _chosen_embedding(self, X):
        if self.embedding != "auto":
            return self.embedding
        return None if sparse.issparse(X) or X.shape[1] > _MAX_EMBEDDED else "piecewise"

    def _encode(self, X):
        n_columns = self.cell_shape_[0] if self._texts is None else len(self._texts)
        if X.shape[1:] != (n_columns,):
            raise ValueError(f"expected {n_columns} columns as in training, got {X.shape[1]}.")
        if self._texts is not None:
            X = with_numbers(X, self._texts, self.extract)
        if sparse.issparse(X):
            return self._sparse_rows(X)
        if isinstance(X, np.ndarray) and X.dtype == self.input_dtype_ and X.ndim == 2 and X.flags.c_contiguous:
            encoded = X  # no copy of a large table
        else:
            encoded = self._converted(X)
        # NaN or infinite where a cell is, and cheaper than looking at every cell.
        if not np.isfinite(encoded.sum(axis=0)).all():
            self._check_numbers(X, encoded)
        return encoded

    def _sparse_rows(self, X):
        check_sparse_numbers(X)
        with np.errstate(over="ignore"):
            rows = SparseRows(X, self.input_dtype_)
        self._check_numbers(X, rows.stored)
        return rows

    def _converted(self, X):
        encoded = np.empty((len(X), self.cell_shape_[0]), dtype=self.input_dtype_)
        try:
            for start in range(0, len(X), _CHUNK_ROWS):
                part = X[start : start + _CHUNK_ROWS]  # rows, of a DataFrame too
                with np.errstate(over="ignore"):
                    encoded[start : start + _CHUNK_ROWS] = numbers(part)
        except ValueError:
            numbers(X)  # says which row of the whole table it is
            raise
        return encoded

    def _check_numbers(self, X, encoded):
        """Raise if a number of a table is missing where none may be, or has become infinite in the encoded ones."""
        self._check_gaps(X, np.isnan(encoded).any())
        if np.isinf(encoded).any():
            column, row, number = find_number(X, lambda values: np.abs(values) > np.finfo("float32").max)
            raise ValueError(f"column {column} holds {number} in {row}: too large for float32.")

    def features(self, inputs):
        """Return the scaled or embedded columns and their flags of symbolic `inputs` of shape (None, n_columns)."""
        from . import _numeric_layers
        from ._layers import Standardize

        flags, n_numbers = self.impute is not None, self.cell_shape_[0]
        x = Standardize(flags=flags, dtype=self.input_dtype_, name="standardize")(inputs)
        if self.scale == "robust":
            x = _numeric_layers.SmoothClip(n_numbers, name="clip")(x)
        if self.embedding_ == "piecewise":
            x = _numeric_layers.PiecewiseLinear(n_numbers, self.dim, self.n_bins, name="piecewise")(x)
        elif self.embedding_ == "periodic":
            layer = _numeric_layers.Periodic(n_numbers, self.dim, self.n_frequencies, self.sigma, name="periodic")
            x = layer(x)
        return x

    def finish(self, features, outputs):
        """Join the scaled or embedded columns to the output of the dense layers if ``skip=True``."""
        from .._backend import keras

        if not self.skip or outputs is features:
            return outputs
        return keras.layers.Concatenate(name="skip")([features, outputs])

    def is_encoded_like(self, other):
        """Tell whether another fitted branch encodes every row as this one does."""
        return (self.input_dtype_, self.cell_shape_) == (other.input_dtype_, other.cell_shape_)

    def is_built_like(self, other):
        """Tell whether another fitted branch builds the same layers."""
        return self.is_encoded_like(other) and self.embedding_ == other.embedding_

    def assign_statistics(self, model):
        """Write the statistics of the columns into the sub-network."""
        model.get_layer("standardize").assign_statistics(self.fill_, self.center_, self.scale_, self.seen_missing_)
        if self.embedding_ == "piecewise":
            edges = _clipped(self._edges) if self.scale == "robust" else self._edges
            for variable, values in zip(model.get_layer("piecewise").constants, _bins(edges), strict=True):
                variable.assign(values)

    # --- inspection -------------------------------------------------------------------------------------------------

    attributed_layers = ("standardize",)

    def baseline(self, outputs):
        """Return the scaled numbers and flags of a row whose gaps were filled, without saying that it had any."""
        filled = np.zeros_like(outputs[0][0])
        filled[:, : self.cell_shape_[0]] = (self.fill_ - self.center_) / self.scale_
        return [[filled]]

    def sum_over_parts(self, attributions, encoded):
        """Return attributions to the numbers, the flag of a gap counting as its number."""
        return flags_with_numbers(attributions[0][0], self.cell_shape_[0])

    def part_names(self, X, encoded):
        """Return the names of the columns, with a number where several are read of one."""
        if self._texts is not None and not self.shared:
            X = with_numbers(X, self._texts, self.extract)
        return names_of_columns(X)

    def _check_gaps(self, X, has_gaps):
        if self.impute is None and has_gaps:
            column, row, _ = find_number(X, np.isnan)
            raise ValueError(f"Input X contains NaN: column {column} in {row}, and impute=None.")

    def _statistics(self, columns):
        """Return where columns have gaps, what fills these, the columns' centres and scales and the edges of bins."""
        known = columns.known()
        # A column without any number has no statistics; it is filled with 0 and carries nothing but its flag.
        fill = self._filling(known)
        edges = np.zeros((len(fill), 0))
        if self.embedding_ == "piecewise":
            edges = known.quantiles(np.linspace(0, 1, self.n_bins + 1))
        return columns.has_gaps.astype("float64"), fill, *self._scaling(columns.filled(fill)), edges

    def _filling(self, known):
        if self.impute == "mean":
            return known.mean()
        return known.quantiles([0.5])[:, 0] if self.impute == "median" else np.zeros(len(known.n_rows))

    def _scaling(self, filled):
        if self.scale is None:
            return np.zeros(len(filled.n_rows)), np.ones(len(filled.n_rows))
        if self.scale == "standard":
            center, scale = filled.mean(), filled.std()
        elif self.scale == "minmax":
            center, most = filled.quantiles([0, 1]).T
            scale = most - center
        else:
            least, low, center, high, most = filled.quantiles([0, 0.25, 0.5, 0.75, 1]).T
            scale = np.where(high > low, high - low, (most - least) / 2)
        # A constant column has no scale of its own: dividing by rounding noise would blow up any other value.
        return center, np.where(scale <= 1e-13 * np.maximum(np.abs(center), 1e-300), 1.0, scale)


def _clipped(edges):
    from .._backend import keras
    from ._numeric_layers import clipped

    return keras.ops.convert_to_numpy(clipped(edges))


def _bins(edges):
    """Return where bins begin, 1 / their widths, and the least and the greatest value that each may have.

    The outermost bins of a column go on beyond its range. Bins without width are not used.
    """
    width = np.diff(edges, axis=1)
    used = width > 1e-6 * (edges[:, -1:] - edges[:, :1])
    order = np.cumsum(used, axis=1)
    slope = np.divide(1.0, width, out=np.zeros_like(width), where=used)
    lowest = np.where(used & (order == 1), -np.inf, 0.0)
    highest = np.where(used & (order == order[:, -1:]), np.inf, 1.0)
    return edges[:, :-1], slope, lowest, highest

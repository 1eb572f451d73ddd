"""Numbers."""

import numpy as np
from sklearn.utils._param_validation import StrOptions

from .._precision import needed_dtype
from ._base import Branch
from ._cells import named_columns, number_columns, numbers, row_name

#: Rows that are converted at a time: a table of millions is there once, in the dtype of the network.
_CHUNK_ROWS = 2**16


class NumericBranch(Branch):
    """Branch for columns of numbers.

    Filling gaps and scaling happen inside the Keras sub-network, with statistics of the training rows. Behind the
    scaled columns stands a flag for each that says where its value was missing; a column without a gap in the training
    rows keeps the flag 0.

    Parameters
    ----------
    hidden : tuple of int, default=(32,)
        Units of the dense layers; empty for none.
    scale : {"standard", "minmax"} or None, default="standard"
        Scale each column to zero mean and unit variance, to the range 0 to 1, or not at all.
    impute : {"mean", "median", "zero"} or None, default="median"
        What stands in for a missing number. ``None`` makes missing numbers an error.
    skip : bool, default=False
        Whether to join the scaled columns to the output of the dense layers (a skip connection).
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
    center_, scale_, fill_ : ndarray of shape (n_columns,)
        What is subtracted from each column, what it is divided by and what fills its gaps, in the column's units.
    seen_missing_ : ndarray of shape (n_columns,)
        1.0 where the column had a gap in the training rows, else 0.0.
    input_shape_ : tuple of int
        ``(n_columns,)``.
    input_dtype_ : str
        "float32", or "float64" where float32 could not tell the values of a column apart (such as seconds since 1970).

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
        "scale": [StrOptions({"standard", "minmax"}), None],
        "impute": [StrOptions({"mean", "median", "zero"}), None],
        "skip": ["boolean"],
    }

    def __init__(
        self,
        hidden=(32,),
        *,
        scale="standard",
        impute="median",
        skip=False,
        activation="relu",
        dropout=0.0,
        batch_norm=False,
        shared=False,
        merge="concatenate",
    ):
        self.hidden = hidden
        self.scale = scale
        self.impute = impute
        self.skip = skip
        self.activation = activation
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.shared = shared
        self.merge = merge

    stand_in = False

    @property
    def allow_missing(self):
        return self.impute is not None

    def _fit(self, X):
        with np.errstate(over="ignore", invalid="ignore"):  # `encode` says which cell is too large
            statistics = [self._statistics(column) for column in number_columns(X)]
        self.seen_missing_, self.fill_, self.center_, self.scale_ = np.array(statistics).reshape(-1, 4).T.copy()
        self._check_gaps(X, self.seen_missing_.any())
        self.cell_shape_ = (len(statistics),)
        self.input_dtype_ = needed_dtype(self.center_, self.scale_)

    def _encode(self, X):
        if isinstance(X, np.ndarray) and X.dtype == self.input_dtype_ and X.ndim == 2 and X.flags.c_contiguous:
            encoded = X  # no copy of a large table
        else:
            encoded = self._converted(X)
        self._check_encoded(X, encoded)
        return encoded

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

    def _check_encoded(self, X, encoded):
        sums = encoded.sum(axis=0)  # NaN or infinite where a cell is, and cheaper than looking at every cell
        if not np.isfinite(sums).all():
            self._check_gaps(X, np.isnan(encoded).any())
            if np.isinf(encoded).any():
                row, column = np.argwhere(np.isinf(encoded))[0]
                value = numbers(X)[row, column]
                name = [name for name, _ in named_columns(X)][column]
                raise ValueError(f"column {name} holds {value} in {row_name(X, row)}: too large for float32.")

    def features(self, inputs):
        """Return the scaled columns and their flags of symbolic `inputs` of shape (None, n_columns)."""
        from ._layers import Standardize

        layer = Standardize(flags=self.impute is not None, dtype=self.input_dtype_, name="standardize")
        return layer(inputs)

    def finish(self, features, outputs):
        """Join the scaled columns to the output of the dense layers if ``skip=True``."""
        from .._backend import keras

        if not self.skip or outputs is features:
            return outputs
        return keras.layers.Concatenate(name="skip")([features, outputs])

    def is_encoded_like(self, other):
        """Tell whether another fitted branch encodes every row as this one does."""
        return (self.input_dtype_, self.cell_shape_) == (other.input_dtype_, other.cell_shape_)

    def is_built_like(self, other):
        """Tell whether another fitted branch builds the same layers."""
        return self.is_encoded_like(other)

    def pour(self, model):
        """Write the statistics of the columns into the sub-network."""
        layer = model.get_layer("standardize")
        layer.fill.assign(self.fill_)
        layer.center.assign(self.center_)
        layer.scale.assign(self.scale_)
        layer.seen.assign(self.seen_missing_)

    def _check_gaps(self, X, has_gaps):
        if self.impute is None and has_gaps:
            row, column = np.argwhere(np.isnan(numbers(X)))[0]
            name = [name for name, _ in named_columns(X)][column]
            raise ValueError(f"Input X contains NaN: column {name} in {row_name(X, row)}, and impute=None.")

    def _statistics(self, column):
        """Return whether a column has gaps, what fills them, its centre and its scale."""
        missing = np.isnan(column)
        has_gaps = missing.any()
        # A column without any number has no statistics; it is filled with 0 and carries nothing but its flag.
        known = column[~missing] if has_gaps else column
        fill = self._filling(known) if len(known) else 0.0
        return float(has_gaps), fill, *self._scaling(np.where(missing, fill, column) if has_gaps else column)

    def _filling(self, known):
        statistic = {"mean": np.mean, "median": np.median}.get(self.impute)
        return statistic(known) if statistic else 0.0

    def _scaling(self, filled):
        if self.scale is None:
            return 0.0, 1.0
        if self.scale == "minmax":
            center, scale = filled.min(), np.ptp(filled)
        else:
            center, scale = filled.mean(), filled.std()
        # A constant column has no scale of its own: dividing by rounding noise would blow up any other value.
        return center, 1.0 if scale <= 1e-13 * max(abs(center), 1e-300) else scale

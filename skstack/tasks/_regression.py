"""Regression: one number per row, or several."""

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.metrics import r2_score
from sklearn.utils import check_array, column_or_1d

from .._precision import needed_dtype
from ..reading._cells import is_date, row_name, shown
from ._base import Task
from ._checks import refuse_rows


class RegressionTask(Task):
    """One or several numbers per row.

    Attributes
    ----------
    center_, scale_ : ndarray of shape (n_outputs,)
        Mean and standard deviation of the training rows, in the target's units; with a loss of positive numbers, of
        which the network predicts the logarithm, the logarithm of the mean and the deviation of the logarithms.
    positive_ : bool
        Whether the loss is one of positive numbers.
    n_units_ : int
        Units of the network's output: one for each target.
    dtype_ : str
        "float32", or "float64" where float32 could not tell the values of a target apart.
    """

    scorings = ("r2",)

    def check(self, y):
        """See Task."""
        return check_regression_target(y)

    def fit(self, y, rows=None, sample_weight=None, loss=None):
        """Learn mean and standard deviation of the rows."""
        self._ndim = np.ndim(y)
        columns = _columns(np.asarray(y if rows is None else y[rows], dtype="float64"))
        self.n_units_ = columns.shape[1]
        self.positive_ = self._takes_positive(loss, y)
        self.center_ = np.average(columns, axis=0, weights=sample_weight)
        if self.positive_:
            self.center_ = np.log(np.maximum(self.center_, np.finfo("float32").tiny))
            columns = np.log1p(columns)
        self.scale_ = _scale(columns, sample_weight)
        self.dtype_ = needed_dtype(self.center_, self.scale_)
        return self

    def _takes_positive(self, loss, y):
        """Tell whether a loss is one of positive numbers, or raise if it does not suit the target."""
        if loss is None:
            return False
        from ._losses import check_loss, is_positive

        check_loss(loss, "a number" if self.n_units_ == 1 else "numbers")
        if is_positive(loss):
            refuse_rows(y, np.asarray(y), np.asarray(y) < 0, "negative numbers, which the loss does not take")
        return is_positive(loss)

    def encode(self, y):
        """Return y in its own units."""
        return _columns(np.asarray(y)).astype(self.dtype_)

    def decode(self, outputs):
        """Return the network's outputs in the shape of y."""
        outputs = outputs.astype("float64")
        return outputs[:, 0] if self._ndim == 1 else outputs

    def resolve_loss(self, loss, output):
        """Return a loss computed on the standardised target, where that leaves its minimum in place."""
        from ._losses import in_standard_units

        return in_standard_units(loss, output)

    def build_output(self, x, name):
        """See Task: the output is in the target's units."""
        from .._backend import keras
        from ._layers import ExpUnstandardize, Unstandardize

        layer = ExpUnstandardize if self.positive_ else Unstandardize
        standardized = keras.layers.Dense(self.n_units_, name=f"{name}_standardized")(x)
        return layer(dtype=self.dtype_, name=name)(standardized)

    def assign_statistics(self, output):
        """See Task."""
        for variable, values in ((output.center, self.center_), (output.scale, self.scale_)):
            variable.assign(np.broadcast_to(values, (self.n_units_,)))

    def is_built_like(self, other):
        """See Task."""
        return super().is_built_like(other) and self.dtype_ == other.dtype_

    def can_average(self, method):
        """See Task."""
        return True

    def row_scores(self, scoring, y, columns, method, sample_weight=None):
        """Return 1 minus the squared error in units of the variance, the mean of several targets; its mean is R2."""
        y = _columns(y)
        variance = np.average((y - np.average(y, axis=0, weights=sample_weight)) ** 2, axis=0, weights=sample_weight)
        return (1.0 - (y - columns) ** 2 / np.where(variance > 0, variance, 1.0)).mean(axis=1)

    def score(self, y, predicted, sample_weight=None):
        """Return R² of predictions."""
        return r2_score(y, predicted, sample_weight=sample_weight)


def _scale(columns, sample_weight):
    """Return the deviation of each column, or 1 where all rows are alike but for rounding."""
    mean = np.average(columns, axis=0, weights=sample_weight)
    deviation = np.sqrt(np.average((columns - mean) ** 2, axis=0, weights=sample_weight))
    return np.where(deviation > 1e-13 * np.abs(mean), deviation, 1.0)


def _columns(y):
    return y[:, np.newaxis] if y.ndim == 1 else y


def check_regression_target(y):
    """Return y as float64 of shape (n_samples,) or (n_samples, n_outputs), or raise if a value is no finite number.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)

    Raises
    ------
    ValueError
        Naming the rows, if values are missing, infinite, too large for float32, text, dates or no numbers at all.
    """
    given = y if sparse.issparse(y) else np.asarray(y)
    if given.dtype.kind in "mM":
        raise ValueError(_not_for_regressors("dates or times", given.dtype))
    cells = _parsed(y, given) if given.dtype.kind in "OSU" else given
    checked = check_array(
        cells, ensure_2d=False, dtype="float64", ensure_all_finite=False, ensure_min_samples=0, input_name="y"
    )
    refuse_rows(y, given, np.isnan(checked), "NaN")
    too_large = np.abs(checked) > np.finfo("float32").max
    refuse_rows(y, given, too_large, "infinity or a value too large for float32")
    return column_or_1d(checked, warn=True) if checked.ndim == 2 and checked.shape[1] == 1 else checked


def _parsed(y, cells):
    """Return Python's objects as numbers: the missing ones as NaN, too large ones as infinity."""
    parsed = np.empty(cells.shape)
    for position in np.ndindex(cells.shape):
        cell = cells[position]
        try:
            parsed[position] = np.nan if _is_missing(cell) else _number(cell)
        except OverflowError:
            parsed[position] = np.inf
        except (TypeError, ValueError):
            kind = "text" if isinstance(cell, (str, bytes)) else "dates or times" if is_date(cell) else "no numbers"
            where = f"{shown(cell)} in {row_name(y, position[0])}"
            raise ValueError(_not_for_regressors(kind, where)) from None
    return parsed


def _number(cell):
    if isinstance(cell, (str, bytes)):
        raise TypeError  # Python would read "1.5" as a number
    return float(cell)


def _not_for_regressors(kind, what):
    """Return what to say of a target that holds something else than numbers."""
    advice = {
        "text": "take a classifier for classes, or turn numbers that are written as text into numbers first",
        "dates or times": "turn them into numbers first, such as (y - y.min()) / np.timedelta64(1, 'D') for days",
        "no numbers": "give a number for each row",
    }
    return f"y holds {kind} ({what}), but a regressor predicts numbers: {advice[kind]}."


def _is_missing(cell):
    return cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and cell != cell)

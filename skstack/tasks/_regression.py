"""Regression: one number per row, or several."""

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.metrics import r2_score
from sklearn.utils import check_array, column_or_1d

from .._precision import needed_dtype
from ..reading._cells import is_date, row_name, shown
from ._base import Task
from ._checks import refuse_empty, refuse_rows


class RegressionTask(Task):
    """One or several numbers per row. Where there are several, a row may lack some of them, which are then NaN.

    Parameters
    ----------
    allow_missing : bool, default=False
        Whether a row may lack the only one too.

    Attributes
    ----------
    center_, scale_ : ndarray of shape (n_outputs,)
        Mean and standard deviation of the training rows that have the target, in its units; with a loss of positive
        numbers, of which the network predicts the logarithm, the logarithm of the mean and the deviation of the
        logarithms.
    positive_ : bool
        Whether the loss is one of positive numbers.
    n_units_ : int
        Units of the network's output: one for each target.
    dtype_ : str
        "float32", or "float64" where float32 could not tell the values of a target apart.
    """

    scorings = ("r2",)

    def __init__(self, allow_missing=False):
        self.allow_missing = allow_missing

    def check(self, y):
        """See Task."""
        return self._noting_gaps(check_regression_target(y, self.allow_missing))

    def present(self, y):
        """See Task."""
        missing = np.isnan(y)
        return ~missing if missing.any() else None

    def fit(self, y, rows=None, sample_weight=None, loss=None):
        """Learn mean and standard deviation of each target from the rows that have it."""
        self._ndim = np.ndim(y)
        columns, weight = _columns(np.asarray(y if rows is None else y[rows], dtype="float64")), sample_weight
        self.n_units_ = columns.shape[1]
        self.positive_ = self._takes_positive(loss, y)
        if np.isnan(columns).any():
            weight = self.row_weight(columns, weight) if weight is None or weight.ndim == 1 else weight
            refuse_empty(weight > 0)
            columns = np.nan_to_num(columns)
        self.center_ = np.average(columns, axis=0, weights=weight)
        if self.positive_:
            self.center_ = np.log(np.maximum(self.center_, np.finfo("float32").tiny))
            columns = np.log1p(columns)
        self.scale_ = _scale(columns, weight)
        self.dtype_ = needed_dtype(self.center_, self.scale_)
        return self

    def _takes_positive(self, loss, y):
        """Tell whether a loss is one of positive numbers, or raise if it does not suit the target."""
        if loss is None:
            return False
        from ._losses import check_loss, is_positive

        check_loss(loss, "a number" if self.n_units_ == 1 else "numbers")
        if self.has_gaps_ and self.n_units_ > 1:
            _refuse_loss_of_rows(loss)
        if is_positive(loss):
            refuse_rows(y, np.asarray(y), np.asarray(y) < 0, "negative numbers, which the loss does not take")
        return is_positive(loss)

    def encode(self, y):
        """Return y in its own units, with the mean in the place of what is missing."""
        columns = _columns(np.asarray(y))
        mean = np.exp(self.center_) if self.positive_ else self.center_
        return np.where(np.isnan(columns), mean, columns).astype(self.dtype_)

    def decode(self, outputs):
        """Return the network's outputs in the shape of y."""
        outputs = outputs.astype("float64")
        return outputs[:, 0] if self._ndim == 1 else outputs

    def resolve_loss(self, loss, output):
        """Return a loss computed on the standardised target, where that leaves its minimum in place.

        Where single targets of a row are missing, it is computed target by target, so that each can have a weight.
        """
        from ._losses import in_standard_units

        return in_standard_units(loss, output, by_target=self.has_gaps_ and self.n_units_ > 1)

    def build_output(self, x, name):
        """See Task: the output is in the target's units."""
        from .._backend import keras
        from ._layers import ExpUnstandardize, Unstandardize

        layer = ExpUnstandardize if self.positive_ else Unstandardize
        standardized = keras.layers.Dense(self.n_units_, name=f"{name}_standardized")(x)
        return layer(dtype=self.dtype_, name=name)(standardized)

    def as_input(self, output):
        """Return the standardised output, which the last layer brings to the target's units."""
        return output._keras_history.operation.input

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
        """Return 1 minus the squared error in units of the variance, the mean of several targets; its mean is R2.

        Where rows lack targets, each counts by the rows that have it.
        """
        y, weight = _columns(y), np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight)
        total, weight = weight.sum(), weight[:, np.newaxis] * ~np.isnan(y)
        y = np.nan_to_num(y)
        variance = np.average((y - np.average(y, axis=0, weights=weight)) ** 2, axis=0, weights=weight)
        scores = 1.0 - (y - columns) ** 2 / np.where(variance > 0, variance, 1.0)
        shares = (weight > 0) * total / weight.sum(axis=0)
        return (scores * shares).mean(axis=1)

    def score(self, y, predictions, sample_weight=None):
        """Return R² of predictions, the mean over several targets, each by the rows that have it."""
        columns, predicted = _columns(np.asarray(y)), _columns(np.asarray(predictions))
        return float(np.mean([_r2(*pair, sample_weight) for pair in zip(columns.T, predicted.T, strict=True)]))


def _scale(columns, sample_weight):
    """Return the deviation of each column, or 1 where all rows are alike but for rounding."""
    mean = np.average(columns, axis=0, weights=sample_weight)
    deviation = np.sqrt(np.average((columns - mean) ** 2, axis=0, weights=sample_weight))
    return np.where(deviation > 1e-13 * np.abs(mean), deviation, 1.0)


def _columns(y):
    return y[:, np.newaxis] if y.ndim == 1 else y


def _r2(y, predicted, sample_weight):
    there = ~np.isnan(y)
    weight = None if sample_weight is None else np.asarray(sample_weight)[there]
    return r2_score(y[there], predicted[there], sample_weight=weight)


def _refuse_loss_of_rows(loss):
    """Raise for a loss that means nothing for a single target of a row."""
    from ._losses import is_of_rows, loss_kind

    if is_of_rows(loss_kind(loss)):
        raise ValueError(
            f"the loss {loss_kind(loss)} compares rows as a whole, and some rows lack a target (NaN in y): take a loss "
            "that is a mean over targets, such as 'mse', or leave these rows out."
        )


def check_regression_target(y, allow_missing=False):
    """Return y as float64 of shape (n_samples,) or (n_samples, n_outputs), or raise if a value is no finite number.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    allow_missing : bool, default=False
        Whether a target of one column may have gaps (NaN); one of several columns may.

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
    if not allow_missing and (checked.ndim == 1 or checked.shape[1] == 1):
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

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
        Mean and standard deviation of the training rows that have the target, in its units.
    n_units_ : int
        Units of the network's output: one for each target.
    dtype_ : str
        "float32", or "float64" where float32 could not tell the values of a target apart.
    """

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
        if np.isnan(columns).any():
            weight = self.row_weight(columns, weight) if weight is None or weight.ndim == 1 else weight
            refuse_empty(weight > 0)
            columns = np.nan_to_num(columns)
        if self.has_gaps_ and loss is not None and columns.shape[1] > 1:
            _refuse_loss_of_rows(loss)
        self.center_ = np.average(columns, axis=0, weights=weight)
        scale = np.sqrt(np.average((columns - self.center_) ** 2, axis=0, weights=weight))
        self.scale_ = np.where(scale > 1e-13 * np.abs(self.center_), scale, 1.0)
        self.n_units_ = columns.shape[1]
        self.dtype_ = needed_dtype(self.center_, self.scale_)
        return self

    def score(self, y, predictions, sample_weight=None):
        """Return the R2, the mean over several targets."""
        columns, predicted = _columns(y), _columns(np.asarray(predictions))
        return float(np.mean([_r2(*pair, sample_weight) for pair in zip(columns.T, predicted.T, strict=True)]))

    def encode(self, y):
        """Return y in its own units, with the mean in the place of what is missing."""
        columns = _columns(np.asarray(y))
        return np.where(np.isnan(columns), self.center_, columns).astype(self.dtype_)

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
        from ._layers import Unstandardize

        standardized = keras.layers.Dense(self.n_units_, name=f"{name}_standardized")(x)
        return Unstandardize(dtype=self.dtype_, name=name)(standardized)

    def as_input(self, output):
        """Return the standardised output, which the last layer brings to the target's units."""
        return output._keras_history.operation.input

    def assign_statistics(self, output):
        """See Task."""
        output.center.assign(self.center_)
        output.scale.assign(self.scale_)

    def is_built_like(self, other):
        """See Task."""
        return super().is_built_like(other) and self.dtype_ == other.dtype_


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

"""Quantiles: what a target stays below with given probabilities, one or several per row."""

from itertools import pairwise
from numbers import Real

import numpy as np
from sklearn.metrics import d2_pinball_score

from ..branches._column_statistics import quantiles
from ._regression import RegressionTask

#: What is predicted where nothing else is asked for: the median.
_DEFAULT = 0.5


class QuantileTask(RegressionTask):
    """One or several quantiles of one number per row.

    Several are in order for every row, as the network predicts the lowest and how far each lies above the one before.

    Parameters
    ----------
    quantile : float or array-like of float, default=None
        Probabilities, in increasing order; ``None`` is the median.

    Attributes
    ----------
    levels : tuple of float
        The probabilities.
    """

    default_loss = "quantile"
    scorings = ("d2_pinball_score",)

    def __init__(self, quantile=None):
        super().__init__()
        self.quantile = quantile
        self.levels = quantile_levels(quantile)

    def check(self, y):
        """See Task."""
        checked = super().check(y)
        if checked.ndim > 1:
            raise ValueError(
                f"quantiles are those of one target, but y has {checked.shape[1]} columns: fit an estimator to each."
            )
        return checked

    def fit(self, y, rows=None, sample_weight=None, loss=None):
        """Learn mean and standard deviation of the rows, which all quantiles share."""
        super().fit(y, rows, sample_weight, loss)
        self.n_units_ = len(self.levels)
        return self

    def decode(self, outputs):
        """Return the quantiles of each row; a plain number if one was asked for by a plain number."""
        outputs = outputs.astype("float64")
        return outputs[:, 0] if np.ndim(self.quantile) == 0 else outputs

    def resolve_loss(self, loss, output):
        """Return the pinball loss of all quantiles, computed on the standardised target."""
        from ._losses import Quantile, in_standard_units

        return in_standard_units(Quantile(self.levels), output)

    def build_output(self, x, name):
        """See Task: the outputs are in the target's units."""
        from .._backend import keras
        from ._layers import IncreasingQuantiles, Unstandardize

        x = keras.layers.Dense(self.n_units_, name=f"{name}_unordered")(x)
        standardized = IncreasingQuantiles(self.levels, dtype=self.dtype_, name=f"{name}_standardized")(x)
        return Unstandardize(dtype=self.dtype_, name=name)(standardized)

    def network_params(self, given):
        """See Task: a loss that the template names is left alone."""
        if given["loss"] not in (None, "quantile") or given["quantile"] is not None:
            return {}
        return {"loss": "quantile", "quantile": self.quantile}

    def can_average(self, method):
        """See Task: weights for an average are found by squared errors, which say nothing of quantiles."""
        return False

    def row_scores(self, scoring, y, columns, method, sample_weight=None):
        """Return 1 minus the pinball loss in units of that of constants, averaged over the quantiles."""
        constants = quantiles(np.asarray(y, dtype="float64"), self.levels, sample_weight)
        losses = _pinball(y, columns, self.levels)
        units = np.average(_pinball(y, constants[np.newaxis], self.levels), axis=0, weights=sample_weight)
        return (1.0 - losses / np.where(units > 0, units, 1.0)).mean(axis=1)

    def score(self, y, predictions, sample_weight=None):
        """Return D² of the pinball loss, the mean over the quantiles."""
        columns = predictions[:, np.newaxis] if predictions.ndim == 1 else predictions
        scores = [
            d2_pinball_score(y, column, sample_weight=sample_weight, alpha=level)
            for level, column in zip(self.levels, columns.T, strict=True)
        ]
        return float(np.mean(scores))


def _pinball(y, columns, levels):
    """Return the pinball loss of each row for each quantile; a single column is taken for all of them."""
    error = np.asarray(y)[:, np.newaxis] - columns
    return np.maximum(np.asarray(levels) * error, (np.asarray(levels) - 1.0) * error)


def quantile_levels(quantile):
    """Return the probabilities of quantiles as a tuple, or raise if there are none with such probabilities.

    Parameters
    ----------
    quantile : float, array-like of float or None
        ``None`` is the median.

    Raises
    ------
    ValueError, TypeError
        Unless these are numbers between 0 and 1, in increasing order.
    """
    given = _DEFAULT if quantile is None else quantile
    levels = (given,) if np.ndim(given) == 0 else tuple(np.asarray(given).ravel().tolist())
    if np.ndim(given) > 1 or not levels or not all(_is_number(level) for level in levels):
        raise TypeError(f"'quantile' should be a number or a list of numbers, got {quantile!r}.")
    if not all(0 < level < 1 for level in levels):
        raise ValueError(f"'quantile' should lie between 0 and 1, got {quantile!r}.")
    if any(lower >= upper for lower, upper in pairwise(levels)):
        raise ValueError(f"several values of 'quantile' should be in increasing order, got {quantile!r}.")
    return tuple(float(level) for level in levels)


def _is_number(level):
    return isinstance(level, Real) and not isinstance(level, bool)

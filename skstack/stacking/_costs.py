"""How long fits of a learner take, estimated from fits to few rows."""

import warnings
from typing import NamedTuple

import numpy as np
from sklearn.base import clone

from .. import _clock
from .._columns import select_columns
from .._compat import num_samples, take
from ._splits import params_of_rows

#: The rows that a learner is tried on: a few first, then a part of all, and as many at least.
_FEW, _PART, _MORE = 100, 8, 300

#: The part of the time that is left which a trial may take.
_SHARE = 0.05

#: The highest power of the number of rows: a busy machine makes a single fit much too long.
_STEEPEST = 2.0


class Cost(NamedTuple):
    """Seconds of a fit to all rows: what is likely, and what it takes if time grows as rows do.

    The two differ where the time of one trial is all that is known, of which a part is the same for any number of rows.
    """

    likely: float
    at_most: float


def cost_of_fit(model, X, y, fit_params, remaining):
    """Return about how long it takes to fit a learner to all rows.

    It is fitted to few rows, evenly chosen over the sorted target, and to more if that is likely to be quick. The line
    through both times and the power of the number of rows through both are continued to all rows; what is more counts.

    Parameters
    ----------
    model : BaseModel
    X : DataFrame, array or sparse matrix of shape (n_samples, ...)
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Encoded labels.
    fit_params : dict
        Further arguments of ``fit``.
    remaining : float
        Seconds that are left for all.

    Returns
    -------
    cost : Cost
        0 where few rows cannot be fitted: it is then known after the first fold.
    """
    n_rows, columns = num_samples(X), select_columns(X, model.positions)
    few = min(n_rows, _FEW)
    more = max(n_rows // _PART, min(n_rows, _MORE))
    try:
        given = model.estimator, columns, y, fit_params
        first = _seconds(*given, few)
        if first * more / few > _SHARE * remaining:
            return Cost(first * np.sqrt(n_rows / few), first * n_rows / few)
        # What a process does once, such as imports, should not count.
        first = min(first, _seconds(*given, few))
        estimate = _continued((few, more), (first, _seconds(*given, more)), n_rows)
    except Exception:  # whatever it is, a fit to all rows may do better, or will say it
        estimate = 0.0
    return Cost(estimate, estimate)


def _seconds(estimator, X, y, fit_params, n_rows):
    """Return how long a fit to so many rows takes."""
    rows = _some_rows(y, n_rows)
    fit_params = params_of_rows(fit_params, rows, num_samples(X))
    estimator, X, y = clone(estimator), take(X, rows, axis=0), y[rows]
    started = _clock.now()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the fits that count say the same
        estimator.fit(X, y, **fit_params)
    return _clock.now() - started


def _some_rows(y, n_rows):
    """Return rows, as many of each class as it has among all."""
    order = np.argsort(y, kind="stable") if y.ndim == 1 else np.arange(len(y))
    return np.sort(order[np.linspace(0, len(y) - 1, n_rows).round().astype(int)])


def _continued(sizes, seconds, n_rows):
    """Continue the times of fits to few rows and to more to all rows."""
    (few, more), (first, last) = sizes, seconds
    if more == few or first <= 0.0:
        return last * n_rows / more
    growth = max(0.0, last - first) / (more - few)
    power = min(np.log(max(last / first, 1.0)) / np.log(more / few), _STEEPEST)
    return max(last + growth * (n_rows - more), last * (n_rows / more) ** power)

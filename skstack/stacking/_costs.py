"""How long fits of a learner take, estimated from fits to few rows."""

import warnings

import numpy as np
from sklearn.base import clone

from .. import _clock
from .._columns import select_columns
from .._compat import num_samples, take
from ._splits import params_of_rows

#: The parts of all rows that a learner is tried on, and the fewest rows that say something.
_TRIED = ((64, 100), (16, 400))

#: The highest power of the number of rows: a busy machine makes a single fit much too long.
_STEEPEST = 2.0

#: The part of the time that is left beyond which a trial is enough, however few rows it had.
_ENOUGH = 0.03


def seconds_per_fit(model, X, y, fit_params, remaining):
    """Return about how long it takes to fit a learner to all rows.

    It is fitted to a few rows, evenly chosen over the sorted target, and to a few more. The line through both times and
    the power of the number of rows through both are continued to all rows; the one that gives more counts.

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
    seconds : float
        0 where few rows cannot be fitted: it is then known after the first fold.
    """
    n_samples, columns = num_samples(X), select_columns(X, model.positions)
    sizes = sorted({min(n_samples, max(n_samples // part, fewest)) for part, fewest in _TRIED})
    seconds = []
    try:
        for size in sizes:
            tried = columns, y, fit_params, _some_rows(y, size)
            seconds.append(_seconds(model.estimator, *tried))
            if seconds[0] > _ENOUGH * remaining:
                break
            if len(seconds) == 1:  # what a process does once, such as imports, should not count
                seconds[0] = min(seconds[0], _seconds(model.estimator, *tried))
    except Exception:  # whatever it is, a fit to all rows may do better, or will say it
        return 0.0
    return _continued(sizes[: len(seconds)], seconds, n_samples)


def _seconds(estimator, X, y, fit_params, rows):
    """Return how long a fit to some rows takes."""
    fit_params = params_of_rows(fit_params, rows, num_samples(X))
    estimator, X, y = clone(estimator), take(X, rows, axis=0), y[rows]
    started = _clock.now()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the fits that count say the same
        estimator.fit(X, y, **fit_params)
    return _clock.now() - started


def _some_rows(y, size):
    """Return rows, as many of each class as it has among all."""
    order = np.argsort(y, kind="stable") if y.ndim == 1 else np.arange(len(y))
    return np.sort(order[np.linspace(0, len(y) - 1, size).round().astype(int)])


def _continued(sizes, seconds, n_rows):
    """Continue the times of one or two fits to more rows."""
    (last_size, *before), (last, *earlier) = sizes[::-1], seconds[::-1]
    if not before or earlier[0] <= 0.0:
        return last * n_rows / last_size
    growth = max(0.0, last - earlier[0]) / (last_size - before[0])
    power = min(np.log(max(last / earlier[0], 1.0)) / np.log(last_size / before[0]), _STEEPEST)
    return max(last + growth * (n_rows - last_size), last * (n_rows / last_size) ** power)

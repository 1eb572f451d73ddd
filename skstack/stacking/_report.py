"""What base models, final estimator and weighted averages are worth out of fold, side by side; the guard."""

import warnings

import numpy as np
import pandas as pd
from sklearn.exceptions import FitFailedWarning

from .._compat import check_response_method
from .._validation import rows_of
from ..tasks._several import SeveralTasks
from ._cross_fit import cross_fit
from ._per_target import PerTarget
from ._weighting import WEIGHTINGS

#: What a guard falls back to; of equals the first, and the final estimator last.
_FALLBACKS = ("nonnegative", "selection", "best")

_BASE, _FINAL, _AVERAGE = "base model", "final estimator", "average"
_COLUMNS = ["score", "standard_error", "difference", "difference_standard_error"]


def make_report(final, average, data, guard):
    """Return the scores of base models, final estimator and weighted averages on the same rows.

    The latter two are estimated by fitting them to the out-of-fold predictions of the other folds.

    Parameters
    ----------
    final : estimator
        Cloned.
    average : callable
        Returns an unfitted weighted average for the name of a weighting and a task.
    data : OutOfFold
    guard : bool
        Whether a weighted average is used where the final estimator is no better.

    Returns
    -------
    report : DataFrame
        See :class:`~skstack.MultimodalStackingRegressor`.
    predicted : ndarray of shape (n_rows, n_columns)
        Out of fold, what the stack predicts for these rows, as columns of a base model; NaN where that failed, and for
        rows that no fold predicts.
    """
    method = check_response_method(final, data.task.methods).__name__
    predicted = _nested(final, data.features, data.fit_params, method, data, "the final estimator")
    if not isinstance(data.task, SeveralTasks):
        return _report(type(final).__name__, predicted, method, average, data, guard)
    reports, used = {}, []
    for name, task in data.task.tasks.items():
        view, rows, _ = data.of_task(name)
        of_task = final.estimators[name] if isinstance(final, PerTarget) else final
        columns = None
        if predicted is not None:
            owned = np.array(data.task.column_tasks(predicted.shape[1])) == name
            columns = predicted[rows][:, owned]
        how = "predict" if method == "predict_tasks" and not task.has_classes else method
        how = "predict_proba" if how == "predict_tasks" else how
        reports[name], columns = _report(type(of_task).__name__, columns, how, average, view, guard)
        used.append(view.spread(columns))
    return pd.concat(reports, names=["task"]), np.hstack(used)


def _report(final, predicted, method, average, data, guard):
    """Return the scores for one task.

    Parameters
    ----------
    final : str
        Name of the class of the final estimator.
    predicted : ndarray of shape (n_samples, n_columns) or None
        Its predictions for the rows of other folds.
    method : str
        By which it has predicted them.
    average, data, guard
        See :func:`make_report`.
    """
    known = data.scored
    predictions = {(_BASE, name): data.predictions[name] if name in known else None for name in data.predictions}
    methods = {(_BASE, name): data.methods[name] for name in known}
    key = _FINAL, final
    methods[key], predictions[key] = method, predicted
    for weighting in WEIGHTINGS if data.averaged else ():
        key = _AVERAGE, weighting
        methods[key] = data.methods[data.averaged[0]]
        estimator, members = average(weighting, data.task), data.members()
        predictions[key] = _nested(estimator, members, data.weight_params, methods[key], data, f"{weighting!r} weights")
    report = _scored(predictions, methods, data)
    report = report.assign(used=_used(report, guard))
    columns = predictions[report.index[report["used"]][0]]
    return report, np.full((len(data.y), 1), np.nan) if columns is None else columns


def weighting_used(report):
    """Return the weighting of the average that is predicted with, or None if that is the final estimator."""
    kind, name = report.index[report["used"]][0]
    return name if kind == _AVERAGE else None


def _used(report, guard):
    """Return which line a stack predicts with."""
    candidates = [key for key in report.index if key[0] == _FINAL]
    if guard:
        candidates = [*((_AVERAGE, name) for name in _FALLBACKS), *candidates]
    scores = report.loc[candidates, "score"].fillna(-np.inf)
    best = candidates[int(np.argmax(scores))]
    return [key == best for key in report.index]


def _nested(estimator, X, fit_params, method, data, what):
    """Return predictions of each row by an estimator that was fitted to the rows of other folds, or None."""
    if not data.splits:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the fit to all rows says the same
            made = cross_fit(
                estimator, X, data.y, data.splits, method=method, task=data.task, fit_params=fit_params, refit=False
            )
    except Exception as error:
        warnings.warn(
            f"stack_report_ has no score of {what}, which cannot be fitted to the rows of some folds: "
            f"{type(error).__name__}: {error}",
            FitFailedWarning,
            stacklevel=2,
        )
        return None
    return made.predictions


def _scored(predictions, methods, data):
    """Return a line for each of these predictions; all are judged on the same rows."""
    scored, task = np.zeros(len(data.y), dtype=bool), data.task
    for _, held_out in data.splits:
        scored[held_out] = True
    scored |= not data.splits
    weight = rows_of(data.score_weight, scored)
    scoring = next(s for s in task.scorings if all(task.has_score(s, method) for method in methods.values()))
    scores = {
        key: task.row_scores(scoring, data.y[scored], columns[scored], methods[key], weight)
        for key, columns in predictions.items()
        if columns is not None
    }
    units = _Units(int(scored.sum()), weight, rows_of(data.groups, scored))
    of_models = [of_rows for key, of_rows in scores.items() if key[0] == _BASE]
    best = max(of_models or scores.values(), key=units.mean)
    lines = [_line(scores[key], best, units) if key in scores else {} for key in predictions]
    index = pd.MultiIndex.from_tuples(predictions, names=["kind", "name"])
    table = pd.DataFrame(lines, index=index, columns=_COLUMNS, dtype="float64")
    return table.assign(scoring=scoring, n_rows=units.n_rows)


def _line(scores, best, units):
    values = units.mean(scores), units.standard_error(scores)
    return dict(zip(_COLUMNS, (*values, units.mean(scores - best), units.standard_error(scores - best)), strict=True))


class _Units:
    """What varies by itself: rows, or groups of them.

    Parameters
    ----------
    n_rows : int
    sample_weight, groups : ndarray of shape (n_rows,) or None
    """

    def __init__(self, n_rows, sample_weight, groups):
        self.n_rows = n_rows
        self._weight = np.full(n_rows, 1.0 / n_rows) if sample_weight is None else sample_weight / sample_weight.sum()
        self._codes = np.arange(n_rows) if groups is None else np.unique(groups, return_inverse=True)[1]

    def mean(self, scores):
        """Return the weighted mean."""
        return float(self._weight @ scores)

    def standard_error(self, scores):
        """Return the standard error of the mean, where what rows of a group have in common does not average out."""
        deviations = self._weight * (scores - self.mean(scores))
        return float(np.sqrt((np.bincount(self._codes, weights=deviations) ** 2).sum()))

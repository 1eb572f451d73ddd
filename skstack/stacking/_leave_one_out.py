"""What a fitted stack would be without each of its base models, by the out-of-fold predictions that it keeps."""

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from .._columns import check_table
from .._compat import check_response_method
from .._validation import check_lengths, rows_of
from ..tasks._several import SeveralTasks
from ._mixing import OutOfFold, missing_rows
from ._per_target import PerTarget
from ._report import _nested, _Units

_COLUMNS = ["importance", "standard_error", "score_without", "score"]


def leave_one_out(stack, X, y, sample_weight=None, groups=None):
    """Return how far the score of a stack falls when a base model is left out, with standard errors.

    The final estimator is fitted to the out-of-fold predictions of all folds but one, with the columns of a base model
    and without them, and judged on that one, as in ``stack_report_``. No base model is fitted.

    Parameters
    ----------
    stack : estimator
        Fitted with splits.
    X, y, sample_weight, groups
        What it was fitted to.

    Returns
    -------
    report : DataFrame
        A line for each base model, of several targets for each target and base model.
    """
    data = out_of_fold(stack, X, y, sample_weight, groups)
    final, features, columns = _final_and_columns(stack, data)
    method = check_response_method(final, data.task.methods).__name__
    whole = _predicted(final, features, method, data)
    without = {name: _predicted(final, _without(features, own), method, data) for name, own in columns.items()}
    if not isinstance(data.task, SeveralTasks):
        return _lines(whole, without, method, data)
    return pd.concat(
        {name: _of_task(name, whole, without, method, data) for name in data.task.tasks}, names=["task", "name"]
    )


def out_of_fold(stack, X, y, sample_weight=None, groups=None):
    """Return the out-of-fold predictions of a fitted stack with the rows that it was fitted to.

    Nothing of the rows is kept by a stack, so they are given once more.

    Parameters
    ----------
    stack : estimator
    X, y, sample_weight, groups
        What it was fitted to.

    Returns
    -------
    data : OutOfFold
        As at the end of the fit.

    Raises
    ------
    ValueError
        If the stack has no out-of-fold predictions, or not as many as there are rows.
    """
    kept = stack.oof_predictions_
    if kept is None:
        raise ValueError("cv='prefit' makes no out-of-fold predictions, by which base models could be left out.")
    X = check_table(stack, X, reset=False)
    check_lengths(X, y, sample_weight=sample_weight, groups=groups)
    if len(kept) != X.shape[0]:
        raise ValueError(f"X has {X.shape[0]} rows, but the stack was fitted to {len(kept)}: give these.")
    task = stack._make_task(y)
    y = task.check(y)
    labels = task.fit(y).encode_labels(y)
    predictions = [kept[:, columns] for columns in stack.member_columns_.values()]
    missing = missing_rows(stack._models, X) if stack._features.indicated else {}
    features = stack._features.join(X, predictions, missing)
    weight = None if sample_weight is None else np.asarray(sample_weight)
    params = {} if weight is None else {"sample_weight": weight}
    if groups is not None and has_fit_parameter(stack.final_estimator_, "groups"):
        params["groups"] = groups
    return OutOfFold(
        task, stack._models, predictions, features, labels, stack.splits_, weight, groups, params, stack._class_weight()
    )


def _final_and_columns(stack, data):
    """Return the final estimator in use, unfitted, what it gets, and the columns of each base model among that."""
    final = clone(stack.final_estimator_)
    if isinstance(final, PerTarget) and final.features is not None:
        raise ValueError("a guard chose other members for each target of this stack: fit it with guard=False.")
    if stack._averaged is None:
        return final, data.features, stack.member_columns_
    columns, end = {}, 0
    for name in data.averaged:
        start, end = end, end + data.predictions[name].shape[1]
        columns[name] = slice(start, end)
    return final, data.members(), columns


def _without(features, columns):
    if isinstance(features, pd.DataFrame):
        return features.drop(columns=features.columns[columns])
    kept = np.delete(np.arange(features.shape[1]), columns)
    if not len(kept):
        raise ValueError("the stack has one base model, without which nothing is left to predict from.")
    return features[:, kept]


def _predicted(final, features, method, data):
    if sparse.issparse(features):
        features = features.tocsr()
    return _nested(final, features, data.fit_params, method, data, "the final estimator")


def _of_task(name, whole, without, method, data):
    """Return the lines of one of several tasks."""
    view, rows, _ = data.of_task(name)
    how = method
    if method == "predict_tasks":
        how = "predict_proba" if view.task.has_classes else "predict"

    def owned(predicted):
        if predicted is None:
            return None
        return predicted[rows][:, np.array(data.task.column_tasks(predicted.shape[1])) == name]

    return _lines(owned(whole), {key: owned(columns) for key, columns in without.items()}, how, view)


def _lines(whole, without, method, data):
    """Return the lines of one task."""
    scored = np.zeros(len(data.y), dtype=bool)
    for _, held_out in data.splits:
        scored[held_out] = True
    weight = rows_of(data.score_weight, scored)
    scoring = next(s for s in data.task.scorings if data.task.has_score(s, method))
    units = _Units(int(scored.sum()), weight, rows_of(data.groups, scored))

    def scores(columns):
        return data.task.row_scores(scoring, data.y[scored], columns[scored], method, weight)

    lines = {name: {} for name in without}
    if whole is not None:
        of_whole = scores(whole)
        for name, columns in without.items():
            if columns is not None:  # as where the final estimator cannot be fitted without this model
                falls = of_whole - scores(columns)
                error = max(units.standard_error(falls), _error_over_folds(falls, weight, data.splits, scored))
                values = units.mean(falls), error, units.mean(of_whole - falls)
                lines[name] = dict(zip(_COLUMNS, (*values, units.mean(of_whole)), strict=True))
    index = pd.Index(lines, name="name")
    table = pd.DataFrame([*lines.values()], index=index, columns=_COLUMNS, dtype="float64")
    return table.assign(scoring=scoring, n_rows=units.n_rows)


def _error_over_folds(falls, weight, splits, scored):
    """Return the corrected standard error of Nadeau and Bengio, or 0 where there are no two folds.

    Rows say how well a fitted final estimator is known to do, folds what another fit would have brought about.
    """
    if len(splits) < 2:
        return 0.0
    places = np.cumsum(scored) - 1
    weight = np.ones(len(falls)) if weight is None else weight
    weighted = [(weight[places[held_out]], falls[places[held_out]]) for _, held_out in splits]
    means = [np.average(values, weights=own) for own, values in weighted if own.any()]
    ratio = np.mean([len(held_out) / len(training) for training, held_out in splits])
    return float(np.std(means, ddof=1) * np.sqrt(1 / len(means) + ratio)) if len(means) > 1 else 0.0

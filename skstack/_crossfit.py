"""Cross-fitting: predictions for every row by a model that never saw it."""

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from sklearn.base import clone

from ._callbacks import SILENT
from ._compat import num_samples, take
from ._protocols import CrossFitter


def check_splits(splits, n_samples):
    """Return the splits of a splitter as pairs of row positions counted from 0.

    Parameters
    ----------
    splits : iterable of (array-like, array-like)
        Rows to fit on and rows to predict: positions, negative ones counted from the end, or boolean masks.
    n_samples : int

    Returns
    -------
    splits : list of (ndarray of int, ndarray of int)

    Raises
    ------
    ValueError
        If a side of a split is empty or names no rows, saying which.
    """
    checked = []
    for number, split in enumerate(splits):
        if not isinstance(split, (tuple, list)) or len(split) != 2:
            raise ValueError(f"split {number} of cv should be a pair of training and test rows, got {split!r}.")
        sides = zip(("training", "test"), split, strict=True)
        checked.append(
            tuple(_positions(rows, n_samples, f"the {side} rows of split {number} of cv") for side, rows in sides)
        )
    return checked


def _positions(rows, n_samples, what):
    rows = np.asarray(rows)
    if rows.dtype.kind == "b":
        if rows.shape != (n_samples,):
            raise ValueError(f"{what} are a mask of shape {rows.shape}, X has {n_samples} rows.")
        rows = np.flatnonzero(rows)
    if not rows.size:
        raise ValueError(f"{what} are none: every split needs rows to fit on and rows to predict.")
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        raise ValueError(
            f"{what} should be positions (integers) or a boolean mask, got an array of shape {rows.shape} and dtype "
            f"{rows.dtype}."
        )
    outside = (rows < -n_samples) | (rows >= n_samples)
    if outside.any():
        raise ValueError(f"{what} name row {rows[outside][0]}, X has {n_samples} rows.")
    return np.where(rows < 0, rows + n_samples, rows)


def fit_base_model(estimator, X, y, splits, *, method, n_classes, fit_params, n_jobs=None, verbose=0, stage=SILENT):
    """Fit a base model on all rows, and once per split for out-of-fold predictions.

    A function of its arguments alone: it knows neither stacks nor networks.

    Parameters
    ----------
    estimator : estimator
        Cloned for every fit.
    X : DataFrame, array or sparse matrix of shape (n_samples, ...)
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Class numbers from 0 for a classifier.
    splits : list of (ndarray, ndarray)
        Rows to fit on and rows to predict. A row may be predicted several times, which gives the average, or never.
    method : str
        What to call for predictions.
    n_classes : int or None
        Number of classes; ``None`` for regression.
    fit_params : dict
        Further arguments of ``fit``; those with a value per row are cut to the rows of a split.
    n_jobs : int, default=None
        How many fits run at a time.
    verbose : int, default=0
        Verbosity of joblib.
    stage : Stage
        Is told how far it is.

    Returns
    -------
    fitted : estimator
        Fitted on all rows.
    predictions : ndarray of shape (n_samples, n_columns)
        Out-of-fold; NaN for rows that no split predicts.
    """
    if isinstance(estimator, CrossFitter):
        return _fit_all_at_once(clone(estimator), X, y, splits, method, n_classes, fit_params, stage)
    everything = np.arange(num_samples(X))
    jobs = [(everything, everything[:0]), *splits]
    one_by_one = effective_n_jobs(n_jobs) == 1
    with stage.parts(len(jobs)) as tasks:
        results = Parallel(n_jobs=n_jobs, verbose=verbose)(
            delayed(_fit_and_predict)(clone(estimator), X, y, *rows, method, n_classes, fit_params, task)
            for rows, task in zip(jobs, _in_turn(tasks, stage) if one_by_one else tasks, strict=True)
        )
    predictions = [predicted for _, predicted in results[1:]]
    return results[0][0], _gather(len(everything), [held_out for _, held_out in splits], predictions)


def _in_turn(tasks, stage):
    """Yield tasks of which each is over when the next one is asked for."""
    for number, task in enumerate(tasks):
        yield task
        stage.fitted(number)


def _fit_all_at_once(estimator, X, y, splits, method, n_classes, fit_params, stage):
    """Do the same with an estimator that has a faster way than a clone for every fold."""
    held_out = [rows for _, rows in splits]
    with stage.whole().fitting(estimator, X, y):
        fitted = estimator.cross_fit(X, y, [training for training, _ in splits], bar=stage.bar, **fit_params)
        whole = next(fitted)
        predictions = [
            predict_columns(fold, take(X, rows, axis=0), method, n_classes)
            for fold, rows in zip(fitted, held_out, strict=True)
        ]
    return whole, _gather(num_samples(X), held_out, predictions)


def predict_columns(estimator, X, method, n_classes):
    """Return an estimator's predictions as float columns, with a column for each of `n_classes` where it has classes.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    X : DataFrame, array or sparse matrix of shape (n_samples, ...)
    method : str
        "predict", "predict_proba" or "decision_function".
    n_classes : int or None
        Number of classes; ``None`` for regression.

    Returns
    -------
    predictions : ndarray of shape (n_samples, n_columns)
    """
    predictions = np.asarray(getattr(estimator, method)(X))
    classes = getattr(estimator, "classes_", ())
    if method == "decision_function" and predictions.ndim == 1 and n_classes is not None and n_classes > 2:
        # This fold's training rows have two of the classes only.
        predictions = np.column_stack([-predictions, predictions])
    if method == "predict" or predictions.ndim == 1:
        return predictions.reshape(len(predictions), -1)
    if n_classes is None or predictions.shape[1] != len(classes) or len(classes) == n_classes:
        return predictions
    # A class that the fold's training rows lack has probability 0, and the lowest score there is.
    absent = 0.0 if method == "predict_proba" else np.finfo(predictions.dtype).min
    aligned = np.full((len(predictions), n_classes), absent, dtype=predictions.dtype)
    aligned[:, np.asarray(classes)] = predictions
    return aligned


def _fit_and_predict(estimator, X, y, training, held_out, method, n_classes, fit_params, task):
    whole = len(training) == num_samples(X) and not len(held_out)
    rows = {name: _rows_of(values, training, num_samples(X)) for name, values in fit_params.items()}
    X_fit, y_fit = (X, y) if whole else (take(X, training, axis=0), y[training])
    with task.fitting(estimator, X_fit, y_fit):
        estimator.fit(X_fit, y_fit, **rows)
    if whole:
        return estimator, None
    # The estimator of a fold is not sent back: between processes that would cost more than the predictions.
    return None, predict_columns(estimator, take(X, held_out, axis=0), method, n_classes)


def _rows_of(values, rows, n_samples):
    per_row = hasattr(values, "__len__") and not isinstance(values, (str, dict)) and num_samples(values) == n_samples
    return take(values, rows, axis=0) if per_row else values


def _gather(n_samples, held_out, predictions):
    """Average the predictions of each row over the splits that held it out."""
    counts = np.bincount(np.concatenate(held_out), minlength=n_samples)
    total = np.zeros((n_samples, predictions[0].shape[1]), dtype=np.result_type(*predictions))
    for rows, predicted in zip(held_out, predictions, strict=True):
        np.add.at(total, rows, predicted)  # a split may name a row twice
    if (counts == 1).all():
        return total
    return total / np.where(counts == 0, np.nan, counts)[:, np.newaxis]

"""The splits of a stack: which rows base models are fitted on, and which they predict, in each fold."""

import warnings

import numpy as np
from sklearn.model_selection import StratifiedKFold, check_cv

from .._compat import num_samples, take
from .._folds import make_splitter
from .._parts import noting
from .._validation import VALIDATION

#: Where there are as many members of each class; fewer are never taken for the sake of a rare one.
_FEWEST_FOLDS = 5


def shuffled(task, y, seed, n_folds):
    """Return a splitter into folds of rows in any order, of each class alike many where there are classes.

    Parameters
    ----------
    task : Task
        Fitted.
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Encoded labels.
    seed : int
    n_folds : int
    """
    n_folds = _folds_for(task, y, n_folds)
    kind = type(check_cv(n_folds, y=y, classifier=task.has_classes))
    return kind(n_folds, shuffle=True, random_state=seed)


def _folds_for(task, y, n_folds):
    """Return how many folds to take where more are wanted than a class has members."""
    return min(n_folds, max(_FEWEST_FOLDS, _rarest(task, y)[1]))


def _rarest(task, y):
    """Return the position of the rarest class and how many members it has: infinitely many where there are none."""
    labels = task.stratify_labels(y)
    counts = np.unique(labels, return_counts=True)[1] if labels is not None else ()
    return (counts.argmin(), counts.min()) if len(counts) else (0, np.inf)


def make_splits(cv, X, y, task, split_params, n_folds=5):
    """Return the rows to fit on and to predict of each fold.

    Parameters
    ----------
    cv : int, cross-validation generator, iterable or None
        None for `n_folds`; folds whose number is given, or None, are of whole groups where there are groups.
    X : DataFrame, array or sparse matrix of shape (n_samples, ...)
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Encoded labels.
    task : Task
        Fitted.
    split_params : dict
        Further arguments of the splitter, such as groups.
    n_folds : int, default=5
        Of the splitter for ``cv=None``.

    Returns
    -------
    splits : list of (ndarray of int, ndarray of int)

    Raises
    ------
    ValueError
        If there is no split, one names no rows, or every class has fewer members than there are stratified folds.
    """
    groups = split_params.get("groups")
    if cv is None:
        folds = _folds_for(task, y, n_folds)
        folds = folds if groups is None else min(folds, max(len(np.unique(np.asarray(groups))), 2))
    else:
        folds = cv
    splitter = make_splitter(folds, y, classifier=task.has_classes, groups=groups)
    with warnings.catch_warnings(), noting(f"in the splits of cv={cv!r}"):
        # It only counts the members, and does not name the class.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        splits = check_splits(splitter.split(X, y, **split_params), len(y))
    if not splits:
        raise ValueError(f"cv={cv!r} yields no split.")
    if isinstance(splitter, StratifiedKFold):
        _warn_of_rare_class(splitter.n_splits, y, task)
    return splits


def _warn_of_rare_class(n_splits, y, task):
    position, n_members = _rarest(task, y)
    if n_members < n_splits:
        rare = task.classes_.tolist()[position]
        warnings.warn(
            f"class {rare!r} has {n_members} of {len(y)} rows, fewer than the {n_splits} folds: some folds hold none "
            "of it out, and if it has only one row, the models of a fold do not know the class.",
            stacklevel=2,
        )


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
    for index, split in enumerate(splits):
        if not isinstance(split, (tuple, list)) or len(split) != 2:
            raise ValueError(f"split {index} of cv should be a pair of training and test rows, got {split!r}.")
        sides = zip(("training", "test"), split, strict=True)
        checked.append(
            tuple(_positions(rows, n_samples, f"the {side} rows of split {index} of cv") for side, rows in sides)
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


def predicted_rows(splits):
    """Return the rows that a split predicts, in order."""
    return np.unique(np.concatenate([held_out for _, held_out in splits]))


def params_of_rows(params, rows, n_samples):
    """Return arguments of ``fit`` for some rows: what has a value per row is cut, anything else stays as it is."""
    cut = {name: v for name, v in params.items() if name not in VALIDATION and _is_per_row(v, n_samples)}
    return params | {name: take(v, rows, axis=0) for name, v in cut.items()}


def _is_per_row(values, n_samples):
    return hasattr(values, "__len__") and not isinstance(values, (str, dict)) and num_samples(values) == n_samples

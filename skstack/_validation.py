"""Checks of targets, weights and validation parts that stacks and networks share."""

import numpy as np
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit, StratifiedShuffleSplit
from sklearn.utils.validation import check_consistent_length

from ._columns import refuse_masked
from ._compat import check_sample_weight, num_samples, take
from .reading._cells import row_name


def check_lengths(X, y, **per_row):
    """Raise unless X, y and what else there is per row have the same number of rows."""
    if y is None:
        raise ValueError("This estimator requires y to be passed, but the target y is None.")
    check_consistent_length(X, y)
    for name, values in {"y": y, **per_row}.items():
        refuse_masked(values, name)
        if values is not None and num_samples(values) != num_samples(X):
            raise ValueError(f"{name} has {num_samples(values)} values, X has {num_samples(X)} rows.")


def check_weights(sample_weight, n_samples, dtype=None):
    """Return the weight of each row as floats, or raise if one is negative or not finite, or all of them are 0."""
    checked = check_sample_weight(sample_weight, np.empty((n_samples, 0)), dtype=dtype)
    negative = np.flatnonzero(checked < 0)
    if negative.size:
        row = row_name(sample_weight, negative[0])
        raise ValueError(f"sample_weight should not be negative, got {checked[negative[0]]} in {row}.")
    return checked


#: What ``fit`` calls rows of the caller's own to validate on, their targets and weights.
VALIDATION = ("X_val", "y_val", "sample_weight_val")


def has_validation_rows(X_val, y_val, sample_weight_val):
    """Tell whether there are rows of the caller's own to validate on, or raise if there is a part of them only."""
    values = X_val, y_val, sample_weight_val
    given = [name for name, value in zip(VALIDATION, values, strict=True) if value is not None]
    for name in VALIDATION[:2]:
        if given and name not in given:
            raise ValueError(f"{given[0]} is provided, but {name} was not provided.")
    return bool(given)


def check_validation_fraction(fraction, n_units, what="rows"):
    """Return how many rows, or groups, a fraction sets aside, or raise if it leaves none to train on."""
    n_validation = max(1, round(fraction * n_units))
    if n_validation >= n_units:
        raise ValueError(
            f"validation_fraction={fraction} sets {n_validation} of {n_units} {what} aside for early stopping, which "
            "leaves none to train on: take a smaller fraction, or early_stopping=False."
        )
    return n_validation


def rows_of(values, rows):
    """Return the given rows of what there is per row, or None where there is nothing."""
    return None if values is None else take(values, rows, axis=0)


def split_rows(n_samples, groups, fraction, seed, *, labels=None, latest=False):
    """Split row indices into those to train on and those to validate on.

    Parameters
    ----------
    n_samples : int
    groups : array-like of shape (n_samples,) or None
        Rows of a group stay together.
    fraction : float
        The part of the rows, or groups, to validate on; 0 for none.
    seed : int
    labels : ndarray of shape (n_samples,), default=None
        What both parts should have in the same proportions, where there are enough rows.
    latest : bool, default=False
        Whether to validate on the last rows, or on the groups that begin last, rather than on some drawn at random.

    Returns
    -------
    training, validation : ndarray of int

    Raises
    ------
    ValueError
        If the fraction leaves nothing to train on.
    """
    rows = np.arange(n_samples)
    n_units = len(rows) if groups is None else len(np.unique(groups))
    if not fraction or n_units < 2:
        return rows, rows[:0]
    n_validation = check_validation_fraction(fraction, n_units, "rows" if groups is None else "groups")
    if latest:
        return _before_and_after(rows, groups, n_validation)
    if groups is not None:
        splitter = GroupShuffleSplit(1, test_size=n_validation, random_state=seed)
    elif labels is not None and _can_stratify(labels, n_validation):
        splitter = StratifiedShuffleSplit(1, test_size=n_validation, random_state=seed)
    else:
        splitter = ShuffleSplit(1, test_size=n_validation, random_state=seed)
    training, validation = next(splitter.split(rows, labels, groups))
    return np.sort(training), np.sort(validation)


def _before_and_after(rows, groups, n_validation):
    """Return the rows before the last ones, or of all but the groups that begin last, and the others."""
    if groups is None:
        return rows[:-n_validation], rows[-n_validation:]
    _, begins, group_of_row = np.unique(groups, return_index=True, return_inverse=True)
    is_late = np.isin(group_of_row.ravel(), np.argsort(begins)[-n_validation:])
    return rows[~is_late], rows[is_late]


def _can_stratify(labels, n_validation):
    counts = np.unique(labels, return_counts=True)[1]
    return counts.min() >= 2 and n_validation >= len(counts) and len(labels) - n_validation >= len(counts)

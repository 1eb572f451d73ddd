"""Checks of X, y and weights that stacks and networks share."""

from numbers import Number

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit, StratifiedShuffleSplit
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, validate_data

from ._columns import is_polars, is_table, readable
from ._compat import check_sample_weight, num_samples, take
from .preprocessing._cells import is_date, row_name, shown

#: Rows that a message names at most.
_NAMED_ROWS = 5


def check_table(estimator, X, *, reset):
    """Return X as a DataFrame, as it came, as an array of two or more dimensions, or as a sparse matrix.

    Names and number of columns are recorded in `estimator`, or compared to the recorded ones if not `reset`. Cells are
    left to the parts that read them.

    Parameters
    ----------
    estimator : estimator
    X : DataFrame, pyarrow Table or array-like of shape (n_samples, n_features, ...)
    reset : bool
        Whether to record rather than compare.

    Returns
    -------
    X : DataFrame, ndarray or sparse matrix

    Raises
    ------
    ValueError
        If X has no rows or columns, masked cells, or other columns than before.
    TypeError
        If X is a polars LazyFrame.
    """
    X = readable(X)
    _refuse_masked(X, "X")
    if is_table(X):
        if not reset and getattr(estimator, "allow_missing_columns", False):
            X = with_missing_columns(estimator, X)
        if not reset and len(X) and _has_fitted_names(estimator, X):
            # What scikit-learn would find, too: for a single row its checks take as long as the network.
            return X
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        for axis, what in enumerate(("sample(s)", "feature(s)")):
            if X.shape[axis] == 0:
                raise ValueError(f"Found array with 0 {what} (shape={X.shape}) while a minimum of 1 is required.")
        return X
    X = validate_data(
        estimator,
        X,
        reset=reset,
        accept_sparse=("csr", "csc"),
        allow_nd=True,
        dtype=None,
        ensure_all_finite=False,
    )
    if sparse.issparse(X):
        return X
    if X.dtype.kind == "c":
        raise ValueError("Complex data not supported.")
    if reset:
        estimator._row_shape = X.shape[1:]
    elif getattr(estimator, "_row_shape", X.shape[1:])[1:] != X.shape[2:]:
        raise ValueError(
            f"Rows of X have shape {X.shape[1:]}, "
            f"but {type(estimator).__name__} was fitted with {estimator._row_shape}."
        )
    return X


def with_missing_columns(estimator, X):
    """Return a DataFrame with the columns that `estimator` was fitted with and X lacks, all cells missing.

    Parameters
    ----------
    estimator : estimator
        Fitted with a DataFrame.
    X : DataFrame
        pandas or polars.

    Raises
    ------
    ValueError
        If X has none of the columns.
    """
    names = getattr(estimator, "feature_names_in_", np.empty(0)).tolist()
    absent = [name for name in names if name not in X.columns]
    if not absent or not len(X):
        return X
    if len(absent) == len(names):
        raise ValueError(f"X has none of the columns that {type(estimator).__name__} was fitted with: {names}.")
    others = [name for name in X.columns if name not in names]  # an error, later
    if is_polars(X):
        import polars as pl

        return X.with_columns(**{name: pl.lit(None) for name in absent}).select([*names, *others])
    return X.assign(**dict.fromkeys(absent, np.nan))[[*names, *others]]


def _has_fitted_names(estimator, X):
    names = getattr(estimator, "feature_names_in_", None)
    return names is not None and list(X.columns) == names.tolist()


def _refuse_masked(values, name):
    """Raise if cells of a masked array are masked: what reads them would take the values behind the mask."""
    if np.ma.is_masked(values):
        row = np.argwhere(np.ma.getmaskarray(values))[0][0]
        raise ValueError(
            f"{name} is a masked array with a masked cell in row {row}, and masks are not read: "
            f"mark missing cells of X as NaN, X.filled(np.nan), and leave out rows without a target."
        )


def check_regression_target(y):
    """Return y as float64 of shape (n_samples,) or (n_samples, n_outputs), or raise if a value is no finite number.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)

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
    _refuse_rows(y, given, np.isnan(checked), "NaN")
    too_large = np.abs(checked) > np.finfo("float32").max
    _refuse_rows(y, given, too_large, "infinity or a value too large for float32")
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


def _refuse_rows(y, cells, refused, what):
    """Raise if there are cells that `refused` marks, showing the first and naming their rows."""
    if not np.any(refused):
        return
    rows = np.unique(np.argwhere(refused)[:, 0])
    named = ", ".join(row_name(y, row) for row in rows[:_NAMED_ROWS])
    more = f" and {len(rows) - _NAMED_ROWS} more" if len(rows) > _NAMED_ROWS else ""
    raise ValueError(f"Input y contains {what}: {shown(cells[refused].flat[0])} in {named}{more}.")


def check_class_target(y):
    """Return y as an array of shape (n_samples,), or raise if it does not hold classes.

    Parameters
    ----------
    y : array-like of shape (n_samples,)

    Raises
    ------
    ValueError
        If classes are missing, of several types or no classes, naming rows where some are to blame.
    """
    given = np.asarray(y)
    # NumPy turns the numbers of a list into text where one of them is.
    cells = np.array(y, dtype=object) if isinstance(y, (list, tuple)) else given
    _refuse_rows(y, cells, pd.isna(cells), "NaN")
    if cells.dtype.kind == "O":
        _refuse_mixed(y, cells.ravel())
    if given.dtype.kind == "O" and given.size and _kind(given.flat[0]) == "number":
        raise ValueError(
            f"Unknown label type: y holds numbers as Python's objects, such as {shown(given.flat[0])} in "
            f"{row_name(y, 0)}. Give them a type of their own, y.astype(int), or take them as text, y.astype(str)."
        )
    check_array(y, ensure_2d=False, dtype=None, ensure_min_samples=0, input_name="y")
    check_classification_targets(y)
    return column_or_1d(y, warn=True)


def _kind(label):
    if isinstance(label, str):
        return "text"
    return "number" if isinstance(label, (Number, np.bool_)) else type(label).__name__


def _refuse_mixed(y, labels):
    """Raise if classes are of several types, which have no order, naming two rows."""
    kinds = [_kind(label) for label in labels]
    others = [row for row, kind in enumerate(kinds) if kind != kinds[0]]
    if others:
        first, other = (f"{shown(labels[row])} in {row_name(y, row)}" for row in (0, others[0]))
        raise ValueError(
            f"Unknown label type: y holds classes of several types, {first} and {other}, which cannot be put in order. "
            "Write all of them in the same way, such as with y.astype(str)."
        )


def check_classes(y, owner):
    """Return the classes in y, or raise if there are fewer than two; `owner` names the estimator in the message."""
    classes = np.unique(y)
    if len(classes) < 2:
        raise ValueError(f"{owner} needs samples of at least 2 classes in y, got one class: {classes.tolist()}.")
    return classes


def check_lengths(X, y, **per_row):
    """Raise unless X, y and what else there is per row have the same number of rows."""
    if y is None:
        raise ValueError("This estimator requires y to be passed, but the target y is None.")
    check_consistent_length(X, y)
    for name, values in {"y": y, **per_row}.items():
        _refuse_masked(values, name)
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


def split_rows(y, groups, fraction, seed, *, classes):
    """Split row numbers into those to train on and those to validate on.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
    groups : array-like of shape (n_samples,) or None
        Rows of a group stay together.
    fraction : float
        The part of the rows, or groups, to validate on; 0 for none.
    seed : int
    classes : bool
        Whether y holds classes, which both parts should then have in the same proportions where there are enough rows.

    Returns
    -------
    training, validation : ndarray of int

    Raises
    ------
    ValueError
        If the fraction leaves nothing to train on.
    """
    rows = np.arange(len(y))
    n_units = len(rows) if groups is None else len(np.unique(groups))
    if not fraction or n_units < 2:
        return rows, rows[:0]
    n_validation = check_validation_fraction(fraction, n_units, "rows" if groups is None else "groups")
    if groups is not None:
        splitter = GroupShuffleSplit(1, test_size=n_validation, random_state=seed)
    elif classes and _can_stratify(y, n_validation):
        splitter = StratifiedShuffleSplit(1, test_size=n_validation, random_state=seed)
    else:
        splitter = ShuffleSplit(1, test_size=n_validation, random_state=seed)
    training, validation = next(splitter.split(rows, y if classes else None, groups))
    return np.sort(training), np.sort(validation)


def _can_stratify(y, n_validation):
    counts = np.unique(y, return_counts=True)[1]
    return counts.min() >= 2 and n_validation >= len(counts) and len(y) - n_validation >= len(counts)

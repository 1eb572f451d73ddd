"""Checks of X, y and weights that stacks and networks share."""

import numpy as np
from scipy import sparse
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit, StratifiedShuffleSplit
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, validate_data

from ._columns import is_polars, is_table
from ._compat import num_samples


def check_table(estimator, X, *, reset):
    """Return X as a DataFrame, as it came, as an array of two or more dimensions, or as a sparse matrix.

    Names and number of columns are recorded in `estimator`, or compared to the recorded ones if not `reset`. Cells are
    left to the parts that read them.

    Parameters
    ----------
    estimator : estimator
    X : DataFrame or array-like of shape (n_samples, n_features, ...)
    reset : bool
        Whether to record rather than compare.

    Returns
    -------
    X : DataFrame, ndarray or sparse matrix

    Raises
    ------
    ValueError
        If X has no rows or columns, or other columns than before.
    """
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


def check_regression_target(y):
    """Return y as float64 of shape (n_samples,) or (n_samples, n_outputs), or raise if a value is not finite."""
    y = check_array(y, ensure_2d=False, dtype="float64", ensure_min_samples=0, input_name="y")
    if y.size and np.abs(y).max() > np.finfo("float32").max:
        raise ValueError(f"y contains a value too large for float32: {y.flat[np.abs(y).argmax()]}.")
    return column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y


def check_class_target(y):
    """Return y as an array of shape (n_samples,), or raise if it does not hold classes."""
    check_array(y, ensure_2d=False, dtype=None, ensure_min_samples=0, input_name="y")
    check_classification_targets(y)
    return column_or_1d(y, warn=True)


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
    for name, values in per_row.items():
        if values is not None and num_samples(values) != num_samples(X):
            raise ValueError(f"{name} has {num_samples(values)} values, X has {num_samples(X)} rows.")


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
    """
    rows = np.arange(len(y))
    n_units = len(rows) if groups is None else len(np.unique(groups))
    if not fraction or n_units < 2:
        return rows, rows[:0]
    n_validation = max(1, round(fraction * n_units))
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

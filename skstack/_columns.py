"""A table and its columns: what X may be, and how the parts of a stack or network name their columns of it.

A specification of columns is what :class:`~sklearn.compose.ColumnTransformer` takes: a name or position (which gives a
one-dimensional column), a list of names or positions, a slice, a boolean mask or a callable of X; ``None`` stands for
every column.
"""

from contextlib import contextmanager
from numbers import Integral

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.utils.validation import validate_data

from ._compat import column_positions, take
from ._suggestions import did_you_mean
from .reading._cells import shown
from .reading._tensors import tensor_column


def is_polars(X):
    """Tell whether X is a polars DataFrame, without importing polars."""
    return type(X).__module__.partition(".")[0] == "polars"


def is_table(X):
    """Tell whether X is a pandas or polars DataFrame."""
    return hasattr(X, "columns") and (hasattr(X, "iloc") or is_polars(X))


def readable(X):
    """Return a pyarrow table as a pandas one, whose tensors are tensor columns, and anything else as it is.

    Raises
    ------
    TypeError
        If X is a polars LazyFrame, which holds no rows yet, or no table at all.
    """
    kind = type(X)
    if is_polars(X) and kind.__name__ == "LazyFrame":
        raise TypeError("X is a polars LazyFrame, which holds no rows yet: give X.collect().")
    if kind.__module__ == "pyarrow.lib" and hasattr(X, "column_names"):
        return _arrow_to_pandas(X)
    if X is None or isinstance(X, (str, dict)) or (isinstance(X, list) and X and isinstance(X[0], dict)):
        raise TypeError(
            f"X should be a DataFrame or an array of rows, got {'a list of dicts' if kind is list else shown(X)}. "
            "pandas.DataFrame makes a table of a dict or of a list of dicts."
        )
    return X


def _arrow_to_pandas(X):
    import pyarrow as pa

    columns = [
        # Converted as other columns are, the tensors would lose their shape.
        pd.Series(pd.arrays.ArrowExtensionArray(column))
        if isinstance(column.type, pa.FixedShapeTensorType)
        else column.to_pandas()
        for column in X.columns
    ]
    table = pd.concat(columns, axis=1) if columns else pd.DataFrame(index=range(X.num_rows))
    return table.set_axis(X.column_names, axis=1)


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
        If X is a polars LazyFrame, or no table at all.
    """
    X = readable(X)
    refuse_masked(X, "X")
    if is_table(X):
        if not reset and getattr(estimator, "allow_missing_columns", False):
            X = with_missing_columns(estimator, X)
        if not reset and len(X) and _has_fitted_names(estimator, X):
            # What scikit-learn would find, too: for a single row its checks take as long as the network.
            return X
        refuse_repeated_names(X)
        with _noting_missing_columns(estimator, X):
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


@contextmanager
def _noting_missing_columns(estimator, X):
    """Say how rows may lack columns, where an estimator would let them and that is why there is an error."""
    try:
        yield
    except ValueError as error:
        lacks_some = set(getattr(estimator, "feature_names_in_", ())) - set(X.columns)
        if lacks_some and getattr(estimator, "allow_missing_columns", None) is False:
            error.add_note("allow_missing_columns=True takes the cells of such columns for missing.")
        raise


def refuse_repeated_names(X):
    """Raise if several columns of a DataFrame have one name."""
    names = list(X.columns)
    repeated = (
        [name for index, name in enumerate(names) if name in names[:index]] if len(set(names)) < len(names) else []
    )
    if repeated:
        raise ValueError(f"X has several columns called {repeated[0]!r}: parts could not tell them apart. Rename them.")


def _has_fitted_names(estimator, X):
    names = getattr(estimator, "feature_names_in_", None)
    return names is not None and list(X.columns) == names.tolist()


def refuse_masked(values, name):
    """Raise if cells of a masked array are masked: what reads them would take the values behind the mask."""
    if np.ma.is_masked(values):
        row = np.argwhere(np.ma.getmaskarray(values))[0][0]
        raise ValueError(
            f"{name} is a masked array with a masked cell in row {row}, and masks are not read: "
            f"mark missing cells of X as NaN, X.filled(np.nan), and leave out rows without a target."
        )


# --- columns ----------------------------------------------------------------------------------------------------------


def resolve_columns(X, columns):
    """Return a column specification as positions in X.

    Parameters
    ----------
    X : DataFrame or array of shape (n_samples, n_features, ...)
    columns : str, int, list, slice, mask, callable or None

    Returns
    -------
    positions : list of int, int or None
        An int where `columns` is one name or position: such a part gets a one-dimensional column.

    Raises
    ------
    ValueError
        If a column is not in X, or a mask has not one entry for each column.
    """
    if callable(columns):
        columns = columns(X)
    if columns is None:
        return None
    if isinstance(columns, (list, tuple, np.ndarray, pd.Series)):
        _check_mask(X, columns)
    if is_table(X):
        _check_names(X, columns)
        # The names are all that counts, and scikit-learn reads those of pandas in every version.
        X = pd.DataFrame(columns=list(X.columns))
    positions = column_positions(X, columns)
    return positions[0] if isinstance(columns, (str, Integral)) else positions


def _check_mask(X, columns):
    is_mask = len(columns) and all(isinstance(entry, (bool, np.bool_)) for entry in columns)
    if is_mask and len(columns) != X.shape[1]:
        raise ValueError(f"the boolean mask of columns has {len(columns)} entries, but X has {X.shape[1]} columns.")


def _check_names(X, columns):
    if isinstance(columns, slice):
        names = [name for name in (columns.start, columns.stop) if isinstance(name, str)]
    else:
        names = [columns] if isinstance(columns, str) else columns
    if isinstance(names, (list, tuple, np.ndarray, pd.Index)) and all(isinstance(name, str) for name in names):
        missing = [name for name in names if name not in X.columns]
        if missing:
            hint = did_you_mean(missing[0], X.columns)
            raise ValueError(f"Some column names are not columns of the dataframe: {missing}.{hint}")


def select_columns(X, positions):
    """Return the columns of X at `positions`, in X's own container."""
    if positions is None:
        return X
    if hasattr(X, "iloc"):
        # For a few rows `take` takes half the time of `iloc`.
        return X.iloc[:, positions] if isinstance(positions, Integral) else X.take(positions, axis=1)
    return take(X, positions, axis=1)


def branch_columns(X, positions, accept_sparse=False):
    """Return the columns of X that a branch encodes: a pandas DataFrame, an array or, if accepted, a sparse matrix."""
    if sparse.issparse(X) and not accept_sparse:
        raise TypeError("Sparse data was passed, but this branch expects a dense array or a DataFrame.")
    if isinstance(positions, Integral):
        positions = [positions]
    selected = select_columns(X, positions)
    return _to_pandas(selected) if is_polars(selected) else selected


def _to_pandas(X):
    """Return a polars DataFrame as a pandas one, in which arrays are tensor columns rather than nested objects."""
    import polars as pl

    if not any(isinstance(dtype, pl.Array) for dtype in X.dtypes):
        return X.to_pandas()
    columns = {
        column.name: _arrays_to_pandas(column) if isinstance(column.dtype, pl.Array) else column.to_pandas()
        for column in X.iter_columns()
    }
    return pd.DataFrame(columns)


def _arrays_to_pandas(column):
    present = column.is_not_null().to_numpy()
    arrays = column.drop_nulls().to_numpy()
    if present.all():
        return tensor_column(arrays)
    # A tensor column cannot be read around its gaps.
    cells = np.full(len(column), None, dtype=object)
    for position, array in zip(np.flatnonzero(present), arrays, strict=True):
        cells[position] = array
    return pd.Series(cells)

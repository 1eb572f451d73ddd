"""Tensors as cells of a DataFrame: Arrow ``fixed_shape_tensor`` columns."""

import numpy as np


def tensor_column(array, *, index=None, name=None):
    """Wrap an array as a DataFrame column whose cells are tensors, without a copy.

    The column is an Arrow ``fixed_shape_tensor`` array: selecting rows, ``train_test_split``, cross validation,
    and pickling work as for any other column; :func:`pandas.read_parquet` needs pandas 3 and
    ``dtype_backend="pyarrow"``.

    Parameters
    ----------
    array : ndarray of shape (n_samples, ...)
        One tensor per row; at least two dimensions.
    index : array-like of shape (n_samples,), default=None
        Index of the Series.
    name : str, default=None
        Name of the Series.

    Returns
    -------
    column : pandas.Series of length n_samples
        With dtype ``ArrowDtype(fixed_shape_tensor)``.

    Raises
    ------
    ValueError
        If `array` has fewer than two dimensions.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skstack.preprocessing import tensor_column
    >>> X = pd.DataFrame({"area": [70.0, 120.0]})
    >>> X["image"] = tensor_column(np.zeros((2, 8, 8, 3), dtype="uint8"))
    >>> X.iloc[[1]].shape
    (1, 2)
    """
    import pandas as pd
    import pyarrow as pa

    array = np.ascontiguousarray(array)
    if array.ndim < 2:
        raise ValueError(f"tensor_column expects an array of two or more dimensions, got shape {array.shape}.")
    tensors = pa.FixedShapeTensorArray.from_numpy_ndarray(array)
    return pd.Series(pd.array(tensors, dtype=pd.ArrowDtype(tensors.type)), index=index, name=name)


def tensors_of(column):
    """Return the tensors of a tensor column as one array of shape (n_samples, ...), or None for any other column.

    Raises
    ------
    ValueError
        If a cell is missing.
    """
    arrow_type = getattr(column.dtype, "pyarrow_dtype", None)
    if getattr(arrow_type, "extension_name", None) != "arrow.fixed_shape_tensor":
        return None
    missing = np.flatnonzero(column.isna().to_numpy())
    if missing.size:
        raise ValueError(f"column {column.name!r} has no tensor in row {missing[0]}.")
    chunks = column.array.__arrow_array__()
    # Combining copies even a single chunk.
    tensors = chunks.chunk(0) if chunks.num_chunks == 1 else chunks.combine_chunks()
    return tensors.to_numpy_ndarray() if len(tensors) else np.empty((0, *arrow_type.shape))

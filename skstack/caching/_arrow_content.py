"""What an Arrow array holds, whatever its buffers hold besides: what lies outside of a slice, and in missing cells."""

import numpy as np


def arrow_content(array):
    """Return the cells of an Arrow array as arrays of NumPy.

    Parameters
    ----------
    array : pyarrow.Array, ChunkedArray or Table

    Returns
    -------
    content : tuple
        Equal for equal cells.
    """
    import pyarrow as pa

    if isinstance(array, pa.Table):
        return array.column_names, [arrow_content(column) for column in array.columns]
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if isinstance(array, pa.ChunkedArray):  # of more strings than one array can hold
        return [arrow_content(chunk) for chunk in array.chunks]
    if pa.types.is_string_view(array.type) or pa.types.is_binary_view(array.type):
        array = array.cast(pa.large_string() if pa.types.is_string_view(array.type) else pa.large_binary())
    kind = str(array.type).replace("large_", "")
    missing = np.flatnonzero(array.is_null().to_numpy(zero_copy_only=False)) if array.null_count else None
    return kind, len(array), missing, _cells(array.drop_null() if array.null_count else array)


def _cells(array):
    """Return the cells of an array of which none is missing."""
    import pyarrow as pa

    types, kind = pa.types, array.type
    if isinstance(array, pa.ExtensionArray):
        return arrow_content(array.storage)
    if types.is_dictionary(kind):
        return arrow_content(array.dictionary_decode())
    if types.is_fixed_size_list(kind):
        return arrow_content(array.flatten())
    if types.is_list(kind) or types.is_large_list(kind):
        return array.value_lengths().to_numpy(), arrow_content(array.flatten())
    if types.is_struct(kind):
        return [arrow_content(field) for field in array.flatten()]
    if types.is_string(kind) or types.is_binary(kind):
        return _bytes_of(array, np.int32)
    if types.is_large_string(kind) or types.is_large_binary(kind):
        return _bytes_of(array, np.int64)
    return array.to_numpy(zero_copy_only=False)


def _bytes_of(array, offset_type):
    if not len(array):
        return None
    _, offsets, data = array.buffers()
    ends = np.frombuffer(offsets, offset_type)[array.offset : array.offset + len(array) + 1]
    content = np.frombuffer(b"" if data is None else data, np.uint8)[ends[0] : ends[-1]]
    return np.diff(ends).astype(np.int64), content

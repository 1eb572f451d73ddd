"""Looking up rows of embedding tables."""

from .._backend import keras

ops = keras.ops


def mean_of_rows(table, ids):
    """Return the mean of the rows of a table that several ids name, in which 0 stands for none.

    Where all that is asked for is the mean, the single vectors, which take most of the memory and time of a network of
    words, need not be there.

    Parameters
    ----------
    table : tensor of shape (n_ids, n_features)
    ids : tensor of int of shape (n_rows, length)

    Returns
    -------
    means : tensor of shape (n_rows, n_features)
        0 for a row without an id.
    """
    if keras.backend.backend() == "tensorflow":
        from ._tensorflow import can_look_up_rows
        from ._tensorflow import mean_of_rows as without_vectors

        if can_look_up_rows():
            return without_vectors(table, ids)
    mask = ops.expand_dims(ops.cast(ids != 0, table.dtype), -1)
    vectors = ops.take(table, ids, axis=0)
    return ops.sum(vectors * mask, axis=1) / ops.maximum(ops.sum(mask, axis=1), 1)

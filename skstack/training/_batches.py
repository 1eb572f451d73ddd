"""Which rows make which batches, and where the data of them lies."""

import numpy as np

#: Steps whose batches are gathered at a time, and bytes of them; those of one step may be more.
_MAX_STEPS, _MAX_BYTES = 64, 2**24


class Order:
    """The order of the rows in each epoch, which depends on the seed and the number of the epoch alone.

    Keras would shuffle with the global generator of its backend, which belongs to the caller.

    Parameters
    ----------
    rows : ndarray of int
    seed : int or None
        ``None`` keeps the rows as they are.
    """

    def __init__(self, rows, seed):
        self.rows = rows
        self.seed = seed

    def at(self, epoch):
        """Return the rows in the order of an epoch, counted from 0."""
        return self.rows if self.seed is None else np.random.default_rng((self.seed, epoch)).permutation(self.rows)


def in_batches(rows, batch_size):
    """Yield rows as arrays of shape (n_steps, batch_size): all whole batches, then what is left over as one."""
    n_whole = len(rows) // batch_size
    if n_whole:
        yield rows[: n_whole * batch_size].reshape(n_whole, batch_size)
    if len(rows) > n_whole * batch_size:
        yield rows[np.newaxis, n_whole * batch_size :]


def in_step(orders, batch_size):
    """Return the batches that several networks can go through in step, and the rows that each then has left.

    Parameters
    ----------
    orders : list of ndarray of int
        The rows of each network.
    batch_size : int

    Returns
    -------
    batches : list of ndarray of shape (n_steps, n_networks, n_rows)
        As many whole batches as the network with fewest has, and the last ones, where they are of the same size.
    left : list of ndarray of int
    """
    n_steps = min(map(len, orders)) // batch_size
    end = n_steps * batch_size
    whole, left = [rows[:end] for rows in orders], [rows[end:] for rows in orders]
    batches = [np.stack([rows.reshape(n_steps, batch_size) for rows in whole], axis=1)] if n_steps else []
    if {len(rows) for rows in left} <= {len(left[0])} - {0} and len(left[0]) < batch_size:
        batches.append(np.stack(left)[np.newaxis])
        left = [rows[:0] for rows in left]
    return batches, left


def in_chunks(rows, row_bytes, filled_up):
    """Yield the rows of some steps at a time, and how many steps these are.

    Compilers that make a program for each shape then see few numbers of steps: 64, or less by powers of two where an
    epoch has fewer steps or a step takes much memory.

    Parameters
    ----------
    rows : ndarray of int of shape (n_steps, ...)
        The rows of each batch.
    row_bytes : int
        Bytes of a row of the data.
    filled_up : bool
        Whether all chunks are of the same number of steps; the ones behind those that count are filled up with row 0.

    Yields
    ------
    chunk : ndarray of int32 of shape (n, ...)
    n_steps : int
        How many of the n steps count.
    """
    fitting = max(1, _MAX_BYTES // max(1, rows[0].size * row_bytes))
    size = min(_MAX_STEPS, 1 << (fitting.bit_length() - 1), 1 << (len(rows) - 1).bit_length())
    for start in range(0, len(rows), size):
        chunk = rows[start : start + size].astype("int32")
        n_steps = len(chunk)
        if filled_up:
            chunk = np.concatenate([chunk, np.zeros((size - n_steps, *chunk.shape[1:]), dtype="int32")])
        yield chunk, n_steps

"""Which rows make which batches, and where the data of them lies."""

import numpy as np


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

"""Checks of targets that several tasks share."""

import numpy as np

from ..reading._cells import row_name, shown

#: Rows that a message names at most.
_NAMED_ROWS = 5


def refuse_rows(y, cells, refused, what):
    """Raise if there are cells that `refused` marks, showing the first and naming their rows."""
    if not np.any(refused):
        return
    rows = np.unique(np.argwhere(refused)[:, 0])
    named = ", ".join(row_name(y, row) for row in rows[:_NAMED_ROWS])
    more = f" and {len(rows) - _NAMED_ROWS} more" if len(rows) > _NAMED_ROWS else ""
    raise ValueError(f"Input y contains {what}: {shown(cells[refused].flat[0])} in {named}{more}.")


def refuse_empty(counts):
    """Raise if a target is missing in all rows to learn from.

    Parameters
    ----------
    counts : ndarray of bool of shape (n_rows,) or (n_rows, n_targets)
        Whether a row has a target, and a weight.
    """
    empty = np.flatnonzero(~counts.reshape(len(counts), -1).any(axis=0))
    if len(empty):
        which = f" in column {empty[0]}" if counts.size > len(counts) else ""
        raise ValueError(
            f"Input y has no value{which} in any of the {len(counts)} rows to learn from: leave this target out, or "
            "give rows that have it."
        )

"""Functions that take turns, of which one runs at a time."""

import time

#: Seconds between two looks at what others, such as another process, let a function wait for.
_PAUSE = 0.01


def wait_until(condition):
    """Wait until a condition holds.

    Parameters
    ----------
    condition : callable
        Returns whether it holds. It is not called again once it has returned True.
    """
    while not condition():
        time.sleep(_PAUSE)

"""Randomness of a fit that leaves the caller's generators alone."""

import random
import threading
from contextlib import contextmanager

import numpy as np
from sklearn.utils import check_random_state


def draw_seed(random_state):
    """Return an integer seed drawn as scikit-learn draws: the same for an int, the next one for a RandomState."""
    return int(check_random_state(random_state).randint(np.iinfo("int32").max))


#: One thread at a time may exchange the state of the process's generators.
_lock = threading.RLock()


@contextmanager
def seeded(seed):
    """Seed Python's and NumPy's global generators within the block and put their states back after it.

    Keras draws the seeds of initial weights, dropout and other random layers from Python's generator when layers are
    built; a function that a user writes to build a model may use NumPy's. Names are numbered from the beginning, too.
    """
    from .._backend import names_of_their_own  # stacks draw seeds without Keras

    with _lock:
        # The global state is the point.
        python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
        random.seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        try:
            with names_of_their_own():
                yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)  # noqa: NPY002

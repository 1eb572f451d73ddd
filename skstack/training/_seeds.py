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

#: In a block of `seeded`, what NumPy's global generator is to draw there.
_block = threading.local()


@contextmanager
def seeded(seed):
    """Seed Keras and Python's global generator within the block, and put the state of the latter back after it.

    Keras draws the seeds of initial weights, dropout and other random layers when layers are built; code of the user's
    may draw from the global generator. Names are numbered from the beginning, too. NumPy's global generator, from which
    other threads may be drawing, is left alone but for blocks of :func:`numpy_seeded` inside.
    """
    from .._backend import names_of_their_own, seeds_of_their_own  # stacks draw seeds without Keras

    with _lock:
        python_state, numpy_outside = random.getstate(), getattr(_block, "numpy", None)
        random.seed(seed)
        _block.numpy = np.random.RandomState(seed % 2**32)
        try:
            with names_of_their_own(), seeds_of_their_own(seed):
                yield
        finally:
            random.setstate(python_state)
            _block.numpy = numpy_outside


@contextmanager
def numpy_seeded():
    """Seed NumPy's global generator, too, for code of the user's that builds a part of a model.

    Does nothing outside of :func:`seeded`. While the block lasts, other threads draw from the same generator.
    """
    ours = getattr(_block, "numpy", None)
    if ours is None:
        yield
        return
    # The global state is the point.
    before = np.random.get_state()  # noqa: NPY002
    np.random.set_state(ours.get_state())  # noqa: NPY002
    try:
        yield
    finally:
        ours.set_state(np.random.get_state())  # noqa: NPY002
        np.random.set_state(before)  # noqa: NPY002

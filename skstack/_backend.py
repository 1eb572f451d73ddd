"""Keras, imported in one place, without TensorFlow's start-up messages.

TensorFlow prints about devices and CPU instructions while it is imported, some of it from C++ code that listens to no
setting. So the level of its logger is put into the environment first, and what still reaches the process's standard
error during the import is held back until the import is over: only the lines of TensorFlow's loggers are then dropped.
Setting ``TF_CPP_MIN_LOG_LEVEL`` to anything but 3 before the import shows every line as it comes.

Before the import, too, Keras's backend is told how many threads and how much of a GPU's memory it may take; whatever is
in the environment already stays as it is.
"""

import os
import random
import re
import sys
import tempfile
import threading
from collections import defaultdict
from contextlib import contextmanager, nullcontext

from ._forks import refuse_fork
from ._registration import register_layers

__all__ = ["float32_unless_mixed", "keras", "names_of_their_own", "seeds_of_their_own"]

# One line of the loggers of TensorFlow and absl, up to level E: those of level F end the process and are kept.
LOG_LINE = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog\(\)"
    rb"|[IWE]\d{4} \d\d:\d\d:"
    rb"|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWE] "
)


def _wants_quiet():
    """Return whether the start-up messages are unwanted, and tell TensorFlow's logger so."""
    # The variable is inherited by worker processes: its value, not its presence, tells what the user asked for.
    return os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == "3"


def _share_the_machine():
    """Leave room for the other processes that joblib may have started.

    joblib tells its workers by ``OMP_NUM_THREADS`` how many threads each may use, which TensorFlow does not look at. On
    a GPU, TensorFlow and JAX would take all of its memory for the first process.
    """
    if "OMP_NUM_THREADS" in os.environ:
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", os.environ["OMP_NUM_THREADS"])
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")


@contextmanager
def _log_lines_dropped():
    """Hold back what is written to file descriptor 2, then pass on all but the log lines; all of it after an error."""
    try:
        stderr = os.dup(2)
    except OSError:  # The process has no standard error, so there is nothing to keep quiet.
        yield
        return
    with tempfile.TemporaryFile() as held:
        _flush()
        os.dup2(held.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            _flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            held.seek(0)
            for line in held:
                if failed or not LOG_LINE.match(line):
                    os.write(2, line)


def _flush():
    # Standard error is None in a windowed process, and may have been closed or replaced by something without a flush.
    if sys.__stderr__ is not None and not sys.__stderr__.closed:
        sys.__stderr__.flush()


_share_the_machine()
with _log_lines_dropped() if _wants_quiet() and "keras" not in sys.modules else nullcontext():
    import keras


@contextmanager
def names_of_their_own():
    """Let Keras number the names of what is made in the block from the beginning: ``dense``, ``dense_1``.

    TensorFlow keeps some 35 kB for every name that a variable ever had, so names that are numbered on and on make a
    process grow with every fit. And a function that builds a model gives its layers the same names every time, so that
    the compiled program of one can train the next. Names that the caller's own models get are not affected.
    """
    from keras.src.backend.common import global_state

    refuse_fork()
    before = global_state.get_global_attribute("object_name_uids")
    global_state.set_global_attribute("object_name_uids", defaultdict(int))
    try:
        yield
    finally:
        global_state.set_global_attribute("object_name_uids", before)


@contextmanager
def seeds_of_their_own(seed):
    """Let Keras draw the seeds of what is made in the block from a generator of its own.

    It draws them from Python's global one, from which other threads draw as well, such as that in which a worker of
    Dask receives data: a network would begin with other weights every now and then.
    """
    from keras.src.random import seed_generator

    before = seed_generator.python_random
    seed_generator.python_random = random.Random(seed)
    try:
        yield
    finally:
        seed_generator.python_random = before


@contextmanager
def float32_unless_mixed():
    """Build and trace in the block with the dtypes of our networks, whatever Keras is set to outside.

    Networks compute in float32, or in mixed precision if the caller has set such a policy (``"mixed_float16"``,
    ``"mixed_bfloat16"``). Any other policy, and another ``floatx``, are for the caller's own models.
    """
    from keras.src.backend.common import global_state

    policy = global_state.get_global_attribute("dtype_policy")  # of this thread
    with _floatx_of_ours:
        if policy is None or not policy.name.startswith("mixed_"):
            keras.config.set_dtype_policy("float32")
        try:
            yield
        finally:
            global_state.set_global_attribute("dtype_policy", policy)


class _FloatxOfOurs:
    """Sets ``floatx``, which belongs to the process, from when the first thread enters to when the last one leaves."""

    def __init__(self):
        self._lock, self._n_inside = threading.Lock(), 0

    def __enter__(self):
        with self._lock:
            if not self._n_inside:
                self._outside = keras.config.floatx()
                keras.config.set_floatx("float32")
            self._n_inside += 1

    def __exit__(self, *error):
        with self._lock:
            self._n_inside -= 1
            if not self._n_inside:
                keras.config.set_floatx(self._outside)


_floatx_of_ours = _FloatxOfOurs()


# The layers import this module, which is complete only now.
register_layers()

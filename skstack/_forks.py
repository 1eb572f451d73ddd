"""Processes that were forked when TensorFlow had already been used, in which it waits for ever.

TensorFlow computes in threads, and a fork takes only the one along that forked. A fork of a process that has merely
imported TensorFlow is as good as any. (JAX, the other backend, warns by itself when a process that uses it is forked.)
"""

import os
import sys

#: Whether this process has been forked from one that had used TensorFlow.
_is_crippled = False


def refuse_fork():
    """Raise in a process in which Keras would hang.

    Raises
    ------
    RuntimeError
        If the process was forked from one that had used TensorFlow.
    """
    if _is_crippled:
        raise RuntimeError(
            "TensorFlow was used before this process was forked, and cannot be used in the fork, where it would wait "
            'for ever. Start processes by multiprocessing\'s "spawn" (multiprocessing.get_context("spawn")) or '
            'joblib\'s "loky" instead, or use TensorFlow nowhere before the fork.'
        )


def _note_fork():
    global _is_crippled
    _is_crippled = _is_crippled or _tensorflow_has_started()


def _tensorflow_has_started():
    """Tell whether TensorFlow has been used, which is when its number of threads is settled."""
    config = getattr(sys.modules.get("tensorflow"), "config", None)
    if config is None:
        return False
    n_threads = config.threading.get_inter_op_parallelism_threads()
    try:
        config.threading.set_inter_op_parallelism_threads(n_threads + 1)
    except RuntimeError:
        return True
    config.threading.set_inter_op_parallelism_threads(n_threads)
    return False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)

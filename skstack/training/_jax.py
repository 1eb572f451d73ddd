"""Compiled loops over batches on the JAX backend.

JAX compiles a program for every shape that it meets. So batches are gathered before the loop, some steps at a time,
filled up to a power of two: what takes seconds to compile depends neither on the number of rows nor on that of steps.
"""

from functools import partial

import jax
import numpy as np
from jax import numpy as jnp

from ._batches import in_batches, in_chunks


def value_and_gradients(function, values, by_row=()):
    """Return the second output of a function, and the gradients of the first with respect to its arguments.

    None of them comes by row: JAX needs to know how many rows there are before it sees them.
    """
    (_, rest), gradients = jax.value_and_grad(function, has_aux=True)(values)
    return rest, gradients


def compiled(function):
    """Return a function of trees compiled, anew for each number of rows."""
    return jax.jit(function)


def place(array):
    """Return an array on the device."""
    return jnp.asarray(array)


def has_accelerator():
    """Tell whether arrays lie on something else than the processor."""
    return jax.default_backend() != "cpu"


def stack(tensors):
    """Return tensors of the same shape as one."""
    return jnp.stack(tensors)


def unstack(tensor):
    """Return the tensors along the first axis as a list."""
    return list(tensor)


class Loops:
    """Compiled loops over batches; see the class of the same name for TensorFlow.

    Parameters
    ----------
    step : dict of str to callable
        "train" and "evaluate" of Steps.
    """

    def __init__(self, step):
        self._one = {kind: jax.jit(partial(_loop, one)) for kind, one in step.items()}
        self._vectorized = {kind: jax.jit(partial(_loop, jax.vmap(one))) for kind, one in step.items()}

    def run(self, kind, state, fixed, hyperparameters, data, rows, batch_size):
        """Go through batches of one network."""
        for batches in in_batches(rows, batch_size):
            for chunk, n_steps in in_chunks(batches, _row_bytes(data), filled_up=True):
                gathered = _rows_of_one(data, chunk)
                state = self._one[kind](state, fixed, hyperparameters, gathered, n_steps)
        return state

    def run_vectorized(self, kind, state, fixed, hyperparameters, data, offsets, rows, fused=False, in_parts=False):
        """Go through batches of several networks, in one vectorised step for all, which XLA compiles in any case."""
        for chunk, n_steps in in_chunks(rows, _row_bytes(data), filled_up=True):
            gathered = _rows_of_several(data, offsets, chunk)
            state = self._vectorized[kind](state, fixed, hyperparameters, gathered, n_steps)
        return state


def _row_bytes(data):
    return sum(int(np.prod(array.shape[1:])) * array.dtype.itemsize for array in jax.tree.leaves(data))


@jax.jit
def _rows_of_one(data, rows):
    return jax.tree.map(lambda array: array[rows], data)


@jax.jit
def _rows_of_several(data, offsets, rows):
    return jax.tree.map(lambda array, offset: array[rows + offset[:, None]], data, offsets)


def _loop(step, state, fixed, hyperparameters, batches, n_steps):
    def body(index, state):
        return step(state, fixed, hyperparameters, jax.tree.map(lambda array: array[index], batches))

    return jax.lax.fori_loop(0, n_steps, body, state)

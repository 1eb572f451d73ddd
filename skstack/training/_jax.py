"""Compiled loops over batches on the JAX backend.

JAX compiles a program for every shape that it meets, so the number of steps is filled up to a power of two and given
beside.
"""

from functools import partial

import jax
import numpy as np
from jax import numpy as jnp

from ._batches import in_batches


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
        self._one = {kind: jax.jit(partial(_one, one)) for kind, one in step.items()}
        self._vectorized = {kind: jax.jit(partial(_vectorized, one)) for kind, one in step.items()}

    def run(self, kind, state, fixed, hyperparameters, data, rows, batch_size):
        """Go through batches of one network."""
        for batches in in_batches(rows, batch_size):
            state = self._one[kind](state, fixed, hyperparameters, data, _filled_up(batches), len(batches))
        return state

    def run_vectorized(self, kind, state, fixed, hyperparameters, data, offsets, rows):
        """Go through batches of several networks, in one vectorised step for all."""
        return self._vectorized[kind](state, fixed, hyperparameters, data, offsets, _filled_up(rows), len(rows))


def _filled_up(rows):
    n_steps = 1 << (len(rows) - 1).bit_length()
    return np.concatenate([rows, np.zeros((n_steps - len(rows), *rows.shape[1:]), dtype=rows.dtype)]).astype("int32")


def _one(step, state, fixed, hyperparameters, data, rows, n_steps):
    def body(index, state):
        batch = jax.tree.map(lambda array: array[rows[index]], data)
        return step(state, fixed, hyperparameters, batch)

    return jax.lax.fori_loop(0, n_steps, body, state)


def _vectorized(step, state, fixed, hyperparameters, data, offsets, rows, n_steps):
    stepped = jax.vmap(step, in_axes=0)

    def body(index, state):
        batch = jax.tree.map(lambda array, offset: array[rows[index] + offset[:, None]], data, offsets)
        return stepped(state, fixed, hyperparameters, batch)

    return jax.lax.fori_loop(0, n_steps, body, state)

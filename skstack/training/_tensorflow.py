"""Compiled loops over batches on the TensorFlow backend.

A loop is one call of a compiled graph that holds the data, gathers the rows of each batch by number and steps through
them; sizes are left open, so that it serves any number of rows.
"""

import logging
from contextlib import contextmanager
from functools import partial

import tensorflow as tf


def value_and_gradients(function, values):
    """Return the second output of a function, and the gradients of the first with respect to its arguments."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        value, rest = function(values)
    gradients = tape.gradient(value, values, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return rest, [tf.convert_to_tensor(gradient) for gradient in gradients]  # of an embedding, they come by row


def densified(optimizer):
    """Return the optimizer made to take the gradients of an embedding as a whole.

    On its TensorFlow backend, Keras keeps them by row, and squares the gradients of rows that occur several times in a
    batch one by one; elsewhere it squares their sum.
    """
    kind = type(optimizer)

    def apply(self, grads, trainable_variables=None):
        grads = [grad if grad is None else tf.convert_to_tensor(grad) for grad in grads]
        return kind.apply(self, grads, trainable_variables)

    optimizer.__class__ = type(kind.__name__, (kind,), {"__module__": kind.__module__, "apply": apply})
    return optimizer


def place(array):
    """Return an array as a tensor on the device."""
    return tf.constant(array)


def stack(tensors):
    """Return tensors of the same shape as one."""
    return tf.stack(tensors)


def unstack(tensor):
    """Return the tensors along the first axis as a list."""
    return tf.unstack(tensor)


class Loops:
    """Compiled loops over batches.

    Parameters
    ----------
    step : dict of str to callable
        "train" and "evaluate" of Steps.
    """

    def __init__(self, step):
        self._step = step
        self._compiled = {}

    def run(self, kind, state, fixed, hyperparameters, data, rows):
        """Go through batches of one network.

        Parameters
        ----------
        kind : {"train", "evaluate"}
        state, fixed, hyperparameters : nests of tensors
            See Steps.
        data : dict
            ``inputs``, ``target`` and ``weight`` as tensors with a row for each number in `rows`.
        rows : ndarray of shape (n_steps, batch_size)
            The rows of each batch.

        Returns
        -------
        state : dict
        """
        arguments = state, fixed, hyperparameters, data, tf.constant(rows, dtype="int32")
        return self._call(kind, self._one, arguments, n_open=1)

    def run_together(self, state, fixed, hyperparameters, data, offsets, rows):
        """Train several networks, in one vectorised step for all.

        Parameters
        ----------
        state, fixed : nests of tensors
            With a leading axis for the network.
        hyperparameters, data : nests of tensors
            Shared by the networks.
        offsets : dict
            For each part of `data`, where the rows of each network begin.
        rows : ndarray of shape (n_steps, n_networks, batch_size)
            The rows of each batch.

        Returns
        -------
        state : dict
        """
        # With every size known, the graph is smaller by the operations that would find it out.
        arguments = state, fixed, hyperparameters, data, offsets, tf.constant(rows, dtype="int32")
        return self._call("train", self._together, arguments, n_open=0)

    def _call(self, kind, loop, arguments, n_open):
        # The structure of the data is part of the key: rows may have weights or not.
        key = kind, loop, str(tf.nest.map_structure(lambda tensor: tensor.dtype.name, arguments))
        key = key if n_open else (*key, *arguments[-1].shape[1:])
        if key not in self._compiled:
            self._compiled[key] = self._compile(partial(loop, self._step[kind]), arguments, n_open)
        state = self._compiled[key](*tf.nest.flatten(arguments))
        return tf.nest.pack_sequence_as(arguments[0], state)

    def _compile(self, loop, arguments, n_open):
        # The structure alone: the program outlives the data.
        structure = tf.nest.map_structure(lambda _: 0, arguments)

        def flat(*tensors):
            return tf.nest.flatten(loop(*tf.nest.pack_sequence_as(structure, tensors)))

        *values, rows = arguments
        data = tf.nest.map_structure(lambda tensor: tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype), values[3])
        rows = tf.TensorSpec((None, *[None] * n_open, *rows.shape[1 + n_open :]), rows.dtype)
        values[3], signature = (
            data,
            tf.nest.flatten(tf.nest.map_structure(lambda part: tf.TensorSpec(part.shape, part.dtype), (*values, rows))),
        )
        with _without_remarks():
            # Called through a tf.function, a new program for each architecture would look like one that is traced
            # again and again, and TensorFlow would warn; called with nests, it would match their structure.
            return tf.function(flat, input_signature=signature, autograph=False).get_concrete_function()

    @staticmethod
    def _one(step, state, fixed, hyperparameters, data, rows):
        def body(number, state):
            batch = tf.nest.map_structure(lambda tensor: tf.gather(tensor, rows[number]), data)
            return number + 1, step(state, fixed, hyperparameters, batch)

        return _loop(body, state, tf.shape(rows)[0])

    @staticmethod
    def _together(step, state, fixed, hyperparameters, data, offsets, rows):
        def body(number, state):
            batch = tf.nest.map_structure(
                lambda tensor, offset: tf.gather(tensor, rows[number] + offset[:, tf.newaxis]), data, offsets
            )
            return number + 1, tf.vectorized_map(
                lambda parts: step(parts[0], parts[1], hyperparameters, parts[2]), (state, fixed, batch)
            )

        return _loop(body, state, tf.shape(rows)[0])


def _loop(body, state, n_steps):
    return tf.while_loop(lambda number, _: number < n_steps, body, (tf.constant(0), state))[1]


@contextmanager
def _without_remarks():
    """Keep TensorFlow from remarking on each operation that a vectorised step has to repeat in a loop."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)

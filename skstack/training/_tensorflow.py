"""Whole-epoch programs for the TensorFlow backend.

Keras ``fit`` sets up a data pipeline for every epoch and goes through Python for every batch. Here an epoch is one call
of a compiled program that holds the data, gathers the rows of each batch by number and runs Keras's own training step
on it, with the same result.
"""

import tensorflow as tf


class EpochProgram:
    """Compiled epochs of training and of evaluation.

    Parameters
    ----------
    model : keras.Model
        Compiled.
    """

    def __init__(self, model):
        self.model = model
        self._programs = {}

    def place(self, inputs, target, weight):
        """Return the data as tensors, to be handed to every epoch."""
        inputs = {name: tf.constant(array) for name, array in inputs.items()}
        data = inputs, tf.constant(target)
        return data if weight is None else (*data, tf.constant(weight))

    def train(self, data, rows, batch_size):
        """Go once through the rows in their order; the metrics of the model then tell how it went."""
        self._run("train_step", data, rows, batch_size)

    def evaluate(self, data, rows, batch_size):
        """Compute the metrics of the model on the rows."""
        self._run("test_step", data, rows, batch_size)

    def _run(self, step, data, rows, batch_size):
        key = step, len(data)
        if key not in self._programs:
            self._programs[key] = self._compile(getattr(self.model, step), data)
        numbers = tf.constant(rows, dtype="int32"), tf.constant(batch_size, dtype="int32")
        self._programs[key](*tf.nest.flatten(data), *numbers)

    def _compile(self, step, data):
        # The structure alone: the program outlives the data.
        structure = tf.nest.map_structure(lambda _: 0, data)

        def whole_epoch(*arguments):
            *tensors, rows, batch_size = arguments
            n_rows = tf.shape(rows)[0]
            for start in tf.range(0, n_rows, batch_size):
                batch = rows[start : tf.minimum(start + batch_size, n_rows)]
                step(tf.nest.pack_sequence_as(structure, [tf.gather(tensor, batch) for tensor in tensors]))

        # The number of rows is left open: one program serves folds of any size.
        signature = [tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype) for tensor in tf.nest.flatten(data)]
        signature += [tf.TensorSpec((None,), tf.int32), tf.TensorSpec((), tf.int32)]
        # Called through a tf.function, a new program for each architecture would look like one that is traced again and
        # again, and TensorFlow would warn.
        return tf.function(whole_epoch, input_signature=signature).get_concrete_function()

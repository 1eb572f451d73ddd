"""Predictions of a Keras model through a compiled call.

``Model.predict`` sets up a data pipeline and callbacks for every call, which takes tens of milliseconds. A compiled
call of the model on the arrays themselves takes a fraction of one.
"""

import numpy as np

from .._backend import keras

#: Bytes of encoded rows that go through the model at once, which bounds the memory of its activations.
_CHUNK_BYTES = 2**23

#: Rows of up to so many bytes are predicted in multiples of so many rows. Matrix products treat the rows left over at
#: the end of a batch by other instructions, which round otherwise: the last digit of a prediction would depend on the
#: rows beside it. For rows of pixels the additional ones would cost too much.
_SMALL_ROW_BYTES, _ROW_BLOCK = 2**12, 16


class CompiledCall:
    """A model's forward pass, compiled for the running Keras backend when it is first used.

    Parameters
    ----------
    model : keras.Model
        Takes a dict of arrays by input name.
    """

    def __init__(self, model):
        self.model = model
        self._call = None

    def __reduce__(self):
        # What is compiled belongs to the process.
        return CompiledCall, (self.model,)

    def __call__(self, inputs):
        """Return the outputs for encoded rows.

        Parameters
        ----------
        inputs : dict of str to ndarray of shape (n_samples, ...)

        Returns
        -------
        outputs : ndarray of shape (n_samples, n_outputs)
        """
        if self._call is None:
            self._call = _compile(self.model)
        n_samples = len(next(iter(inputs.values())))
        row_bytes = sum(array.nbytes for array in inputs.values()) // max(n_samples, 1)
        if row_bytes <= _SMALL_ROW_BYTES and n_samples % _ROW_BLOCK:
            inputs = {name: _filled_up(array) for name, array in inputs.items()}
        step = max(1, _CHUNK_BYTES // max(row_bytes, 1))
        step -= step % _ROW_BLOCK if step > _ROW_BLOCK else 0
        if n_samples <= step:
            return np.asarray(self._call(inputs))[:n_samples]
        chunks = [
            self._call({name: array[start : start + step] for name, array in inputs.items()})
            for start in range(0, n_samples, step)
        ]
        return np.concatenate([np.asarray(chunk) for chunk in chunks])[:n_samples]


def _filled_up(array):
    filled = np.empty((-(-len(array) // _ROW_BLOCK) * _ROW_BLOCK, *array.shape[1:]), dtype=array.dtype)
    filled[: len(array)] = array
    filled[len(array) :] = array[-1]
    return filled


def _compile(model):
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return _compile_tensorflow(model)
    if backend == "jax":
        return _compile_jax(model)
    return lambda inputs: keras.ops.convert_to_numpy(model(inputs, training=False))


def _compile_tensorflow(model):
    import tensorflow as tf

    names = [tensor.name for tensor in model.inputs]
    signature = [tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype) for tensor in model.inputs]

    def call(*tensors):
        return model(dict(zip(names, tensors, strict=True)), training=False)

    # The one concrete function skips the look-up that a tf.function does for every call; with plain tensors as
    # arguments it also skips matching a structure of them, which takes longer than running a small network.
    concrete = tf.function(call, input_signature=signature, autograph=False).get_concrete_function()
    return lambda inputs: concrete(*[tf.constant(inputs[name]) for name in names])


def _compile_jax(model):
    import jax

    @jax.jit
    def call(trainable, non_trainable, inputs):
        return model.stateless_call(trainable, non_trainable, inputs, training=False)[0]

    def run(inputs):
        trainable = [variable.value for variable in model.trainable_variables]
        non_trainable = [variable.value for variable in model.non_trainable_variables]
        return call(trainable, non_trainable, inputs)

    return run

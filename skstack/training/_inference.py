"""Predictions of a Keras model through a compiled call.

``Model.predict`` sets up a data pipeline and callbacks for every call, which takes tens of milliseconds. A compiled
call of the model on the arrays themselves takes a fraction of one.
"""

import numpy as np

from .._backend import float32_unless_mixed, keras
from .._forks import refuse_fork
from ..caching._lru import Cache
from ._programs import architecture_key
from ._values import named_variables, to_array

map_structure = keras.tree.map_structure

#: Bytes of encoded rows that go through the model at once, which bounds the memory of its activations.
_CHUNK_BYTES = 2**23

#: Rows of up to so many bytes are predicted in multiples of so many rows. Matrix products treat the rows left over at
#: the end of a batch by other instructions, which round otherwise: the last digit of a prediction would depend on the
#: rows beside it. For rows of pixels the additional ones would cost too much.
_SMALL_ROW_BYTES, _ROW_BLOCK = 2**12, 16


#: Compiled forward passes, each for all networks of an architecture.
_compiled = Cache(max_items=64)


class CompiledCall:
    """The forward pass of a network, compiled for the running Keras backend when it is first used.

    Parameters
    ----------
    model : keras.Model
        Takes a dict of arrays by input name.
    values : dict of str to ndarray, default=None
        Take the place of the values of the model's variables.
    """

    def __init__(self, model, values=None):
        self.model = model
        self.values = values
        self._call = None

    def __reduce__(self):
        # What is compiled belongs to the process.
        return CompiledCall, (self.model, self.values)

    def __call__(self, inputs):
        """Return the outputs for encoded rows.

        Parameters
        ----------
        inputs : dict of str to ndarray of shape (n_samples, ...)

        Returns
        -------
        outputs : ndarray of shape (n_samples, n_units), or dict of str to such
            As the model has them.
        """
        refuse_fork()
        self._prepare()
        n_samples = len(next(iter(inputs.values())))
        row_bytes = sum(array.nbytes for array in inputs.values()) // max(n_samples, 1)
        is_filled = row_bytes <= _SMALL_ROW_BYTES
        step = max(1, _CHUNK_BYTES // max(row_bytes, 1))
        step -= step % _ROW_BLOCK if step > _ROW_BLOCK else 0
        values = self._current_values()
        if n_samples <= step:
            return self._outputs(values, inputs, is_filled)
        parts = [
            self._outputs(values, {name: array[start : start + step] for name, array in inputs.items()}, is_filled)
            for start in range(0, n_samples, step)
        ]
        return map_structure(lambda *arrays: np.concatenate(arrays), *parts)

    def with_values(self, values):
        """Return the call of the same model, compiled once for both, with other values.

        Parameters
        ----------
        values : dict of str to ndarray
            Of the variables of the model, perhaps among others.
        """
        refuse_fork()
        self._prepare()
        other = CompiledCall(self.model, values)
        other._call, other._variables = self._call, self._variables
        return other

    def _prepare(self):
        """Compile the model unless that has been done."""
        if self._call is None:
            key = architecture_key(self.model)
            self._variables = named_variables(self.model)
            self._call = _compile(self.model) if key is None else _compiled.get(key, lambda: _compile(self.model))

    def _outputs(self, values, inputs, is_filled):
        n_samples = len(next(iter(inputs.values())))
        if is_filled and n_samples % _ROW_BLOCK:
            inputs = {name: _filled_up(array) for name, array in inputs.items()}
        return map_structure(lambda output: np.asarray(output)[:n_samples], self._call(values, inputs))

    def _current_values(self):
        if self.values is not None:
            return [self.values[name] for name in self._variables]
        # Read for every call: the model may have been trained further, by whatever means.
        return [variable.value for variable in self._variables.values()]


class MeanOfCalls:
    """The mean of what the members of a network make of encoded rows.

    Parameters
    ----------
    model : keras.Model
        Of the architecture.
    values : list of dict of str to ndarray
        Of each member.
    """

    def __init__(self, model, values):
        self.model = model
        self.calls = [CompiledCall(model, of_member) for of_member in values]

    @property
    def values(self):
        """Those of the first member, which branches that are taken out of the network start from."""
        return self.calls[0].values

    def __call__(self, inputs):
        """Return the outputs for encoded rows; see CompiledCall."""
        outputs = [call(inputs) for call in self.calls]
        return map_structure(lambda *arrays: np.mean(arrays, axis=0, dtype="float64"), *outputs)


def predicting(model, values):
    """Return what predicts with the values of one member, or of several.

    Parameters
    ----------
    model : keras.Model
        Of the architecture.
    values : list of dict of str to ndarray
    """
    return MeanOfCalls(model, values) if len(values) > 1 else CompiledCall(model, *values)


def _filled_up(array):
    filled = np.empty((-(-len(array) // _ROW_BLOCK) * _ROW_BLOCK, *array.shape[1:]), dtype=array.dtype)
    filled[: len(array)] = array
    filled[len(array) :] = array[-1]
    return filled


@float32_unless_mixed()
def _compile(model):
    """Return a function of the values of all variables and of the inputs."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return _compile_tensorflow(model)
    if backend == "jax":
        return _compile_jax(model)
    variables = _all_variables(model)
    return lambda values, inputs: map_structure(to_array, _call(model, variables, values, inputs))


def _call(model, variables, values, inputs):
    with keras.StatelessScope(list(zip(variables, values, strict=True))):
        return model(inputs, training=False)


def _all_variables(model):
    return list(named_variables(model).values())


def _compile_tensorflow(model):
    import tensorflow as tf

    names, variables = [tensor.name for tensor in model.inputs], _all_variables(model)
    signature = [tf.TensorSpec(variable.shape, variable.dtype) for variable in variables]
    signature += [tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype) for tensor in model.inputs]

    def call(*tensors):
        values, inputs = tensors[: len(variables)], tensors[len(variables) :]
        return _call(model, variables, values, dict(zip(names, inputs, strict=True)))

    # The one concrete function skips the look-up that a tf.function does for every call; with plain tensors as
    # arguments it also skips matching a structure of them, which takes longer than running a small network.
    concrete = tf.function(call, input_signature=signature, autograph=False).get_concrete_function()
    convert = tf.convert_to_tensor
    return lambda values, inputs: concrete(*map(convert, values), *[convert(inputs[name]) for name in names])


def _compile_jax(model):
    import jax

    variables = _all_variables(model)
    return jax.jit(lambda values, inputs: _call(model, variables, values, inputs))

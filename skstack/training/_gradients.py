"""What happens inside a Keras model: what its layers return, and gradients with respect to that.

A layer is listened to by standing in front of its ``call``, wherever in a model it lies: in models of models, in layers
of layers, called once or several times. What it returns can be replaced, so that the rest of the model is a function of
it. All of it is traced into a program of the running backend, of which only that runs which the result depends on.
"""

from contextlib import contextmanager
from importlib import import_module
from typing import NamedTuple

import numpy as np

from .._backend import float32_unless_mixed, keras
from .._forks import refuse_fork
from ._values import named_variables, to_array

ops = keras.ops
map_structure = keras.tree.map_structure

#: Bytes of encoded rows that go through a model at once, with all that is kept for gradients.
_CHUNK_BYTES = 2**23

#: Rows that go through it at once at most.
_CHUNK_ROWS = 64

#: Calls before a program is compiled, with rows of up to so many bytes; with more of them it is the second one.
_UNCOMPILED_CALLS, _FEW_BYTES = 8, 2**20


class Points(NamedTuple):
    """Where gradients are taken.

    Parameters
    ----------
    inputs : dict of str to ndarray
        Inputs that they are for.
    layers : list of list of ndarray
        What each of the layers that are listened to returns at each call; empty for none.
    """

    inputs: dict
    layers: list


def returned(layer, call, args, kwargs):
    """Return the output of a layer twice: for those behind it, and for those who listen."""
    output = call(*args, **kwargs)
    return output, output


class Instrumented:
    """A model whose layers can be listened to, and replaced in what they return.

    Parameters
    ----------
    model : keras.Model
        Takes a dict of arrays by input name. Nobody else may use it at the same time.
    layers : list of keras.layers.Layer
        Somewhere in it.
    listen : callable, default=returned
        Takes a layer, its ``call`` and its arguments; returns what the layer returns, and what is to be heard.
    """

    def __init__(self, model, layers, listen=returned):
        self.model = model
        self._layers = layers
        self._listen = listen
        self._variables = list(named_variables(model).values())
        self._forward = _compiled(self._call)
        self._compiled_gradients = {}

    def values(self, named):
        """Return values of the model's variables, given by name, as the methods below take them."""
        return [named[name] for name in named_variables(self.model)]

    def outputs(self, values, inputs):
        """Return the outputs of the model, and what was heard of each layer each time that it was called.

        Parameters
        ----------
        values : list of array
        inputs : dict of str to ndarray of shape (n_rows, ...)

        Returns
        -------
        outputs : ndarray or dict of str to ndarray
        heard : list of list of ndarray
            Of each layer, in the order of its calls.
        """
        return self._forward(values, inputs)

    def gradients(self, values, inputs, points, score, weights):
        """Return gradients of a score with respect to inputs, and to what layers return.

        Parameters
        ----------
        values : list of array
        inputs : dict of str to ndarray of shape (n_rows, ...)
        points : Points
            Where gradients are taken.
        score : callable
            Takes the outputs of the model, what was heard, and the weights; returns a score of each row. Each has a
            program of its own.
        weights : tree of ndarray of shape (n_rows, ...)
            What the score depends on besides.

        Returns
        -------
        scores : ndarray of shape (n_rows,)
        gradients : Points
        """
        if score not in self._compiled_gradients:
            self._compiled_gradients[score] = _compiled(self._gradients_of(score))
        return self._compiled_gradients[score](values, inputs, points, weights)

    def _gradients_of(self, score):
        differentiate = _backend().value_and_gradients

        def gradients(values, inputs, points, weights):
            def of_points(flat):
                given = keras.tree.pack_sequence_as(points, flat)
                outputs, heard = self._call(values, {**inputs, **given.inputs}, given.layers or None)
                scores = score(outputs, heard, weights)
                return ops.sum(scores), scores

            scores, found = differentiate(of_points, keras.tree.flatten(points))
            return scores, keras.tree.pack_sequence_as(points, found)

        return gradients

    def _call(self, values, inputs, replaced=None):
        stateless = keras.StatelessScope(list(zip(self._variables, values, strict=True)))
        with stateless, self._listening(replaced) as heard:
            return self.model(inputs, training=False), heard

    @contextmanager
    def _listening(self, replaced):
        heard = [[] for _ in self._layers]
        for place, layer in enumerate(self._layers):
            given = None if replaced is None else iter(replaced[place])
            # Keras calls what it finds under this name in the layer itself.
            vars(layer)["call"] = _listening_call(layer, self._listen, given, heard[place])
        try:
            yield heard
        finally:
            for layer in self._layers:
                vars(layer).pop("call", None)


def _listening_call(layer, listen, given, heard):
    original = layer.call

    def call(*args, **kwargs):
        output = next(given) if given is not None else None
        output, of_layer = listen(layer, original, args, kwargs) if output is None else (output, output)
        heard.append(of_layer)
        return output

    return call


# --- programs ---------------------------------------------------------------------------------------------------------


def _compiled(function):
    """Return a function of values and trees of rows, compiled when it is called again; it returns arrays.

    To trace a network takes as long as to go through it some times, operation by operation, with few rows.
    """
    program, n_calls = None, 0

    @float32_unless_mixed()
    def call(values, *rows):
        nonlocal program, n_calls
        refuse_fork()
        n_calls += 1
        n_bytes = sum(np.asarray(leaf).nbytes for leaf in keras.tree.flatten(rows))
        if n_calls <= (1 if n_bytes > _FEW_BYTES else _UNCOMPILED_CALLS):
            result = function(*map_structure(ops.convert_to_tensor, (values, *rows)))
        else:
            program = program or _backend().compiled(function)
            result = program(values, *rows)
        return map_structure(to_array, result)

    return call


def _backend():
    name = keras.backend.backend()
    if name not in ("tensorflow", "jax"):
        raise NotImplementedError(f"looking inside is for the backends 'tensorflow' and 'jax' of Keras, not {name!r}.")
    return import_module(f"skstack.training._{name}")


def in_chunks(function, arrays):
    """Return what a function of trees of arrays returns for all rows, of which always as many go through it at once.

    Parameters
    ----------
    function : callable
        Takes some rows of `arrays`; returns a tree of arrays with an entry, or as many, for each row.
    arrays : tree of ndarray
        The first with a row for each row; others may have several.
    """
    leaves = keras.tree.flatten(arrays)
    n_rows = len(leaves[0])
    row_bytes = sum(leaf.nbytes for leaf in leaves) // n_rows
    step = min(n_rows, _CHUNK_ROWS, max(1, _CHUNK_BYTES // max(row_bytes, 1)))
    parts = []
    for start in range(0, n_rows, step):
        result = function(map_structure(lambda leaf, start=start: _chunk(leaf, start, step, n_rows), arrays))
        n_there = min(step, n_rows - start)
        parts.append(map_structure(lambda array, n=n_there: array[: n * len(array) // step], result))
    return parts[0] if len(parts) == 1 else map_structure(lambda *of_parts: np.concatenate(of_parts), *parts)


def _chunk(leaf, start, step, n_rows):
    """Return some rows of an array, which may have several entries for each row, filled up with the last one."""
    each = len(leaf) // n_rows
    rows = np.asarray(leaf[start * each : (start + step) * each])
    lacking = step * each - len(rows)
    return np.concatenate([rows, np.repeat(rows[-each:], lacking // each, axis=0)]) if lacking else rows

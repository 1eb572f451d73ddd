"""Compiled loops over batches on the TensorFlow backend.

A loop is one call of a compiled graph that holds the data, gathers the rows of each batch by index and steps through
them; sizes are left open, so that it serves any number of rows. That of several networks gets batches which were
gathered before, so that XLA, which compiles anew for each shape, may compile it.
"""

import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import numpy as np
import tensorflow as tf
from joblib import cpu_count

from ._batches import in_chunks
from ._tables import RowGradient

#: Parts that networks are shared out in at most: XLA takes less time for two networks than twice that for one.
_MAX_PARTS = 4

#: Whether the thread is tracing a step of several networks, in which no number of rows can depend on what these hold.
_tracing = threading.local()


def value_and_gradients(function, values, by_row=()):
    """Return the second output of a function, and the gradients of the first with respect to its arguments.

    Parameters
    ----------
    function : callable
    values : list of tensor
    by_row : collection of int, default=()
        Places of tables whose gradient may come by row, as a RowGradient.
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        value, rest = function(values)
    gradients = tape.gradient(value, values, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    by_row = by_row if can_look_up_rows() else ()
    return rest, [
        _of_rows(gradient)
        if place in by_row and isinstance(gradient, tf.IndexedSlices)
        else tf.convert_to_tensor(gradient)  # of an embedding, they come by row
        for place, gradient in enumerate(gradients)
    ]


def _of_rows(gradient):
    """Return the gradient of looked-up rows, each of them once."""
    if isinstance(gradient, _Distinct):
        return RowGradient(gradient.indices, gradient.values, _put_rows)
    rows, places = tf.unique(gradient.indices)
    return RowGradient(rows, tf.math.unsorted_segment_sum(gradient.values, places, tf.size(rows)), _put_rows)


def can_look_up_rows():
    """Tell whether a program may deal with as many rows of a table as a batch happens to need."""
    return not getattr(_tracing, "is_vectorized", False) and not has_accelerator()


def _put_rows(table, rows, values):
    """Return a table with other values in some rows, in the memory of the table, which must not be needed any more.

    TensorFlow's scatter would copy all of it.
    """
    return tf.raw_ops.InplaceUpdate(x=table, i=tf.cast(rows, "int32"), v=values)


def mean_of_rows(table, ids):
    """Return the mean of the rows of a table that several ids name, in which 0 stands for none; see _lookups."""
    there = tf.where(ids)
    rows, named = there[:, 0], tf.gather_nd(ids, there)

    @tf.custom_gradient
    def mean(table):
        def gradient(of_means):
            n_named = tf.math.count_nonzero(ids, axis=1, keepdims=True, dtype=of_means.dtype)
            return _sums_by_row(of_means / tf.maximum(n_named, 1), rows, named, tf.shape(table))

        return tf.sparse.segment_mean(table, named, rows, num_segments=tf.shape(ids)[0]), gradient

    return mean(tf.convert_to_tensor(table))


class _Distinct(tf.IndexedSlices):
    """Slices of which each index is named once."""


def _sums_by_row(values, rows, named, shape):
    """Return, for each row of a table that is named, the sum of the values of the rows that name it.

    It is a product with a matrix that says how often which row names which, two or three times as fast as TensorFlow's
    own gradient of a mean of looked-up rows, and as its sums of segments.
    """
    distinct, places = tf.unique(named, tf.int64)
    exact = values if values.dtype.size >= 4 else tf.cast(values, "float32")  # there are no products of others
    matrix = tf.raw_ops.SparseTensorToCSRSparseMatrix(
        indices=tf.stack([rows, places], axis=1),
        values=tf.ones_like(rows, exact.dtype),
        dense_shape=tf.stack([tf.shape(values, tf.int64)[0], tf.size(distinct, tf.int64)]),
    )
    sums = tf.raw_ops.SparseMatrixMatMul(a=matrix, b=exact, transpose_a=True)
    return _Distinct(tf.cast(sums, values.dtype), distinct, shape)


def compiled(function):
    """Return a function of trees compiled for any number of rows.

    Parameters
    ----------
    function : callable
        Takes a list of the values of variables, and trees of arrays with rows along the first axis.
    """
    programs = {}

    def call(values, *rows):
        arguments = tf.nest.map_structure(tf.convert_to_tensor, (values, *rows))
        flat = tf.nest.flatten(arguments)
        key = tuple((tensor.dtype, *tensor.shape[1:]) for tensor in flat[len(values) :])
        if key not in programs:
            programs[key] = _traced(function, arguments)
        concrete, structure = programs[key]
        return tf.nest.pack_sequence_as(structure, concrete(*flat))

    return call


def _traced(function, arguments):
    """Return a function of tensors as a graph, and the structure of what it returns."""
    structure, made = tf.nest.map_structure(lambda _: 0, arguments), []

    def flat(*tensors):
        result = function(*tf.nest.pack_sequence_as(structure, tensors))
        made.append(tf.nest.map_structure(lambda _: 0, result))
        return tf.nest.flatten(result)

    values, *rows = arguments
    signature = [tf.TensorSpec(value.shape, value.dtype) for value in values]
    signature += [tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype) for tensor in tf.nest.flatten(rows)]
    with _without_remarks():
        concrete = tf.function(flat, input_signature=signature, autograph=False).get_concrete_function()
    return concrete, made[-1]


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


def has_accelerator():
    """Tell whether tensors lie on something else than the processor."""
    return bool(tf.config.list_logical_devices("GPU"))


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
        self._compiled, self._fused = {}, {}

    def run(self, kind, state, fixed, hyperparameters, data, rows, batch_size):
        """Go through batches of one network.

        Parameters
        ----------
        kind : {"train", "evaluate"}
        state, fixed, hyperparameters : trees of tensors
            See Steps.
        data : dict
            ``inputs``, ``targets`` and ``weights``, dicts of tensors with a row for each index in `rows`.
        rows : ndarray of shape (n_rows,)
            The rows in their order; the last batch may have fewer than the others.
        batch_size : int

        Returns
        -------
        state : dict
        """
        arguments = state, fixed, hyperparameters, data, tf.constant(rows, dtype="int32"), tf.constant(batch_size)
        loop = partial(_step_through, self._step[kind], kind == "train")
        return _called(self._program((kind, *_ranks(data)), loop, arguments), arguments)

    def run_vectorized(self, kind, state, fixed, hyperparameters, data, offsets, rows, fused=False, in_parts=False):
        """Go through batches of several networks, in one vectorised step for all.

        Parameters
        ----------
        kind : {"train", "evaluate"}
        state, fixed, hyperparameters : trees of tensors
            With a leading axis for the network.
        data : tree of tensors
            Shared by the networks.
        offsets : dict
            For each part of `data`, where the rows of each network begin.
        rows : ndarray of shape (n_steps, n_networks, batch_size)
            The rows of each batch.
        fused : bool, default=False
            Whether XLA compiles the loop, which it does anew for each number of networks and size of a batch.
        in_parts : bool, default=False
            Whether the networks are shared out among threads where XLA does not compile the loop, as they are where it
            does: a loop for so many networks is then traced once.

        Returns
        -------
        state : dict
        """
        of_networks = state, fixed, hyperparameters, offsets
        if not (fused or in_parts):
            return self._in_step(kind, of_networks, data, rows)
        # XLA uses a single thread for most of what it compiles: each of several does it for some of the networks.
        # Arrays are what a session takes and returns, and shared out in no time.
        of_networks = tf.nest.map_structure(np.asarray, of_networks)
        size, begins = _parts(rows.shape[1])
        parts = [slice(begin, begin + size) for begin in begins]
        each = [(kind, _networks(part, of_networks), data, rows[:, part]) for part in parts]
        program = self._for_parts(*each[0])
        program = program if fused else program.in_graph
        with ThreadPoolExecutor(min(len(parts), _n_threads())) as pool:
            running = [pool.submit(self._in_step, *one, program, fused) for one in each]
            return _joined([one.result() for one in running], begins, size)

    def _for_parts(self, kind, of_networks, data, rows):
        """Compile the loop for some networks here, for Keras keeps for each thread what decides about types."""
        key = self._vectorized_key(kind, data, rows)
        if key not in self._fused:
            state, *others, offsets = of_networks
            chunk, n_steps = next(in_chunks(rows, _row_bytes(data), filled_up=True))
            arguments = state, *others, _gathered(data, offsets, chunk), tf.constant(n_steps)
            self._fused[key] = _Fused(self._vectorized(kind, key, arguments))
        return self._fused[key]

    def _in_step(self, kind, of_networks, data, rows, program=None, fused=False):
        """Return the state of several networks after they went through batches."""
        state, *others, offsets = of_networks
        key = self._vectorized_key(kind, data, rows)
        for chunk, n_steps in in_chunks(rows, _row_bytes(data), filled_up=fused):
            arguments = state, *others, _gathered(data, offsets, chunk), tf.constant(n_steps)
            state = _called(program or self._vectorized(kind, key, arguments), arguments)
        return state

    def _vectorized_key(self, kind, data, rows):
        return "vectorized", kind, rows.shape[1], *_ranks(data)

    def _vectorized(self, kind, key, arguments):
        return self._program(key, partial(_step_vectorized, self._step[kind]), arguments, (None, key[2], None))

    def _program(self, key, loop, arguments, axes=(None,)):
        if key not in self._compiled:
            self._compiled[key] = _compile(loop, arguments, axes)
        return self._compiled[key]


def _called(program, arguments):
    """Return the state that a program makes of its arguments."""
    return tf.nest.pack_sequence_as(arguments[0], program(*tf.nest.flatten(arguments)))


def _n_threads():
    """Return how many threads TensorFlow may use for a single operation."""
    given = tf.config.threading.get_intra_op_parallelism_threads() or os.environ.get("TF_NUM_INTRAOP_THREADS")
    return int(given or 0) or cpu_count()


def _parts(n_networks):
    """Return the size of parts of the networks and where each begins: all of one size, for which XLA compiles once.

    What XLA makes for another size rounds differently. So it is the machine that decides, not the threads of this
    process: workers of joblib, which have one, get the same bits.
    """
    size = -(-n_networks // min(n_networks, cpu_count(), _MAX_PARTS))
    return size, [min(begin, n_networks - size) for begin in range(0, n_networks, size)]


def _networks(part, arrays):
    """Return the entries of some networks of trees of stacked arrays."""
    return tf.nest.map_structure(lambda array: array[part], arrays)


def _joined(states, begins, size):
    """Return the stacked states of parts of the networks, arrays, as one of tensors; what two have in common once."""
    ends = [0, *(begin + size for begin in begins)]
    own = [_networks(slice(end - begin, None), state) for state, begin, end in zip(states, begins, ends, strict=False)]
    return tf.nest.map_structure(lambda *arrays: tf.constant(np.concatenate(arrays)), *own)


def _row_bytes(data):
    return sum(int(np.prod(tensor.shape[1:])) * tensor.dtype.size for tensor in tf.nest.flatten(data))


def _gathered(data, offsets, rows):
    """Return the batches of some steps of several networks: no shape then depends on the number of rows in the data."""
    return tf.nest.map_structure(
        lambda tensor, offset: tf.gather(tensor, rows + np.asarray(offset)[:, np.newaxis]), data, offsets
    )


def _ranks(data):
    """Return the number of axes of the weights of each task: there is one for each row, or for each target of it."""
    return sorted((name, len(weight.shape)) for name, weight in data.get("weights", {}).items())


def _compile(loop, arguments, axes):
    """Return a loop compiled for data of any size along those of the first axes that are None.

    What stands behind the data are numbers, or indices of any number.
    """
    # The structure alone: the program outlives the data.
    structure = tf.nest.map_structure(lambda _: 0, arguments)

    def flat(*tensors):
        return tf.nest.flatten(loop(*tf.nest.pack_sequence_as(structure, tensors)))

    def spec(*axes):
        return lambda tensor: tf.TensorSpec((*axes, *tensor.shape[len(axes) :]), tensor.dtype)

    signature = [tf.nest.map_structure(spec(), part) for part in arguments]
    signature[3] = tf.nest.map_structure(spec(*axes), arguments[3])
    signature[4:] = [tf.TensorSpec((None,) * len(part.shape), part.dtype) for part in arguments[4:]]
    with _without_remarks():
        # Called through a tf.function, a new program for each architecture would look like one that is traced again and
        # again, and TensorFlow would warn; called with trees, it would match their structure.
        compiled = tf.function(flat, input_signature=tf.nest.flatten(signature), autograph=False)
        return compiled.get_concrete_function()


def _step_through(step, changes, state, fixed, hyperparameters, data, rows, batch_size):
    """Take a step with each batch; one that changes weights may do so in the memory of the state, so that is copied.

    Steps of a size that is known take a few per cent less time, but the last batch needs one of its own, and to trace a
    step takes as long as thousands of them.
    """
    n_rows = tf.shape(rows)[0]
    if changes and can_look_up_rows():
        # Others hold the state that an epoch begins with.
        state = tf.nest.map_structure(lambda part: tf.raw_ops.DeepCopy(x=part) if part.shape.rank == 2 else part, state)

    def body(index, state):
        indices = rows[index * batch_size : tf.minimum((index + 1) * batch_size, n_rows)]
        batch = tf.nest.map_structure(lambda tensor: tf.gather(tensor, indices), data)
        return index + 1, step(state, fixed, hyperparameters, batch)

    return _loop(body, state, (n_rows + batch_size - 1) // batch_size)


def _step_vectorized(step, state, fixed, hyperparameters, batches, n_steps):
    def body(index, state):
        batch = tf.nest.map_structure(lambda tensor: tensor[index], batches)
        with _tracing_together():
            return index + 1, tf.vectorized_map(
                lambda parts: step(parts[0], parts[1], parts[3], parts[2]), (state, fixed, batch, hyperparameters)
            )

    return _loop(body, state, n_steps)


class _Fused:
    """A loop that XLA compiles for each shape that it meets, or TensorFlow runs as it is where XLA cannot.

    TensorFlow starts each operation of a step by itself, which costs some microseconds, whatever it computes; XLA makes
    few of many. What it cannot compile are operations without a kernel for it and shapes that depend on values.

    What is compiled in the eager way is never freed: the device keeps it, some 10 MB for a network. A session has
    devices of its own, which are gone when it is.

    Parameters
    ----------
    program : tensorflow.types.experimental.ConcreteFunction
        The loop as a graph of TensorFlow.
    """

    def __init__(self, program):
        self._program = program
        self.can_compile = not program.captured_inputs  # which belong to the devices that are not the session's
        self.compiled, self._compiling = {}, threading.Lock()

    def __call__(self, *tensors):
        """Run the loop; take tensors or arrays, return arrays."""
        arrays = [np.asarray(tensor) for tensor in tensors]
        if self.can_compile:
            try:
                return self._of_shape(arrays)(*arrays)
            except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError):
                self.can_compile = False  # if something else is wrong, the graph says so
        return self.in_graph(*arrays)

    def in_graph(self, *tensors):
        """Run the loop as TensorFlow does; take tensors or arrays, return arrays."""
        return [np.asarray(tensor) for tensor in self._program(*map(tf.convert_to_tensor, tensors))]

    def _of_shape(self, arrays):
        key = tuple(array.shape for array in arrays)
        with self._compiling:
            if key not in self.compiled:
                self.compiled[key] = self._in_session(arrays)
        return self.compiled[key]

    def _in_session(self, arrays):
        with tf.Graph().as_default() as graph:
            inputs = [tf.compat.v1.placeholder(array.dtype, array.shape) for array in arrays]
            fused = tf.function(lambda *parts: self._program(*parts), jit_compile=True, autograph=False)
            outputs = fused(*inputs)
        config = tf.compat.v1.ConfigProto()
        config.graph_options.rewrite_options.disable_meta_optimizer = True  # makes loops that XLA does not know
        return tf.compat.v1.Session(graph=graph, config=config).make_callable(outputs, inputs)


@contextmanager
def _tracing_together():
    _tracing.is_vectorized = True
    try:
        yield
    finally:
        _tracing.is_vectorized = False


def _loop(body, state, n_steps):
    return tf.while_loop(lambda index, _: index < n_steps, body, (tf.constant(0), state))[1]


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

"""Optimizers as pure functions: joining all weights into one vector, and the state that outlives a program."""

from collections.abc import Sequence

import numpy as np

from .._backend import keras

ops = keras.ops

#: Optimizers that treat each weight by itself, whatever tensor it stands in.
_ELEMENTWISE = ("Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lion", "Nadam", "RMSprop", "SGD")

#: Weights that are joined at most: copying more of them into a vector costs more than the operations it saves.
_MAX_JOINED = 2**20


def can_join(optimizer, variables):
    """Tell whether an optimizer does the same to one vector of all weights as to the weights tensor by tensor.

    A step of a small network is mostly the overhead of the optimizer's many small operations; on one vector there are
    as many of them as for a single tensor.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer
    variables : list of keras.Variable
        The trainable ones.
    """
    kind = type(optimizer)
    alike = len({variable.dtype for variable in variables}) == 1
    return (
        kind.__module__.partition(".")[0] == "keras"
        and kind.__name__ in _ELEMENTWISE
        and not optimizer.clipnorm  # the norm of each tensor
        and alike
        and all(variable.constraint is None for variable in variables)
        and all(multiplier == 1 for multiplier in rate_multipliers(variables))
        and sum(int(np.prod(variable.shape)) for variable in variables) <= _MAX_JOINED
    )


def stateless(optimizer):
    """Return the optimizer made fit for :func:`applied`, which Keras withholds on its TensorFlow backend.

    There, the operations on variables are replaced for the sake of distributed training by ones that need real
    variables. The ones of Keras that serve every backend are put back in front of those.
    """
    if inner(optimizer) is not optimizer:
        stateless(inner(optimizer))
    bases = {base.__name__: base for base in type(optimizer).__mro__}
    if "TFOptimizer" in bases:
        shared, special = vars(bases["BaseOptimizer"]), vars(bases["TFOptimizer"])
        methods = {name: shared[name] for name in special if name in shared and name[:2] != "__"}
        kind, in_front = type(optimizer), type("Shared", (bases["TFOptimizer"],), methods)
        optimizer.__class__ = type(kind.__name__, (kind, in_front), {"__module__": kind.__module__})
    return optimizer


def rate_multipliers(variables):
    """Return what the learning rate of each variable is multiplied by: its ``learning_rate_multiplier``, 1 without.

    Parameters
    ----------
    variables : list of keras.Variable
    """
    return [float(getattr(variable, "learning_rate_multiplier", 1.0)) for variable in variables]


def variables_of(optimizer):
    """Return all variables of an optimizer; Keras leaves one of Nadam's out of its list."""
    listed = optimizer.variables
    known = {id(variable) for variable in listed}
    return listed + [
        value for value in vars(optimizer).values() if isinstance(value, keras.Variable) and id(value) not in known
    ]


def applied(optimizer, values, gradients, weights):
    """Return weights and values of the optimizer's variables after a step, as Keras's ``stateless_apply`` does.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer
        Made fit by :func:`stateless`.
    values : list of tensor
        Of the variables in :func:`variables_of`.
    gradients, weights : list of tensor
    """
    if inner(optimizer) is not optimizer:
        return optimizer.stateless_apply(values, gradients, weights)
    variables, of_weights = variables_of(optimizer), optimizer._trainable_variables
    mapping = [*zip(of_weights, weights, strict=True), *zip(variables, values, strict=True)]
    with keras.StatelessScope(mapping) as scope:
        optimizer.apply(gradients)
    return [[scope.get_current_value(variable) for variable in part] for part in (of_weights, variables)]


def slots(optimizer):
    """Return the numbers of the optimizer's variables that belong to one weight each.

    Returns
    -------
    slots : dict of str to list of int
        Such as momenta; for each kind of them, in the order of the weights, numbers in :func:`variables_of`.
    """
    number_of = {id(variable): number for number, variable in enumerate(variables_of(optimizer))}
    n_weights = len(optimizer._trainable_variables)
    found = {}
    for name, values in sorted(vars(optimizer).items()):
        listed = isinstance(values, Sequence) and not isinstance(values, str) and len(values) == n_weights
        if listed and n_weights and all(id(value) in number_of for value in values) and name != "_variables":
            found[name] = [number_of[id(value)] for value in values]
    return found


class OptimizerState:
    """The state of an optimizer after a fit, for a further fit by any program of the same architecture.

    Parameters
    ----------
    slots : dict of str to list of ndarray
        What belongs to one weight each, such as momenta.
    others : list of ndarray
        The rest, such as the number of steps and the learning rate.
    """

    def __init__(self, slots, others):
        self.slots = slots
        self.others = others

    @classmethod
    def from_values(cls, optimizer, values, shapes):
        """Take the state from the values of the optimizer's variables.

        Parameters
        ----------
        optimizer : keras.optimizers.Optimizer
        values : list of ndarray
        shapes : list of tuple of int
            Of the weights; the optimizer may have joined them.
        """
        numbers = slots(optimizer)
        joined = len(optimizer._trainable_variables) != len(shapes)
        of_slots = {name: [values[number] for number in its] for name, its in numbers.items()}
        if joined:
            of_slots = {name: split(vector, shapes) for name, (vector,) in of_slots.items()}
        taken = {number for its in numbers.values() for number in its}
        return cls(of_slots, [value for number, value in enumerate(values) if number not in taken])

    def to_values(self, optimizer):
        """Return the values of the optimizer's variables."""
        numbers = slots(optimizer)
        values = [None] * len(variables_of(optimizer))
        for name, its in numbers.items():
            arrays = self.slots[name]
            arrays = arrays if len(arrays) == len(its) else [join(arrays)]
            for number, array in zip(its, arrays, strict=True):
                values[number] = array
        others = iter(self.others)
        return [next(others) if value is None else value for value in values]


class Beginning:
    """How the state of an optimizer begins.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer
        Just built.
    """

    def __init__(self, optimizer):
        self._optimizer = optimizer
        self._values = as_arrays(variables_of(optimizer))
        weights = as_arrays(optimizer._trainable_variables)
        # An average of the weights begins with the weights, which differ from network to network.
        self._as_weights = [
            numbers
            for numbers in slots(optimizer).values()
            if all(np.array_equal(self._values[n], weight) for n, weight in zip(numbers, weights, strict=True))
            and any(map(np.any, weights))
        ]

    def values(self, weights, wanted):
        """Return the values of the optimizer's variables.

        Parameters
        ----------
        weights : list of ndarray
            Initial weights, as the optimizer takes them.
        wanted : keras.optimizers.Optimizer or str
            The one whose learning rate counts.
        """
        values = list(self._values)
        for numbers in self._as_weights:
            for number, weight in zip(numbers, weights, strict=True):
                values[number] = weight
        rate = inner(self._optimizer)._learning_rate
        if isinstance(rate, keras.Variable):  # rather than a schedule
            number = [id(variable) for variable in variables_of(self._optimizer)].index(id(rate))
            values[number] = np.float32(ops.convert_to_numpy(inner(keras.optimizers.get(wanted)).learning_rate))
        return values


def as_arrays(variables):
    """Return copies of the values of variables or tensors."""
    return [np.array(ops.convert_to_numpy(variable)) for variable in variables]


def join(arrays):
    """Return one vector of the entries of all arrays."""
    return np.concatenate([np.ravel(array) for array in arrays])


def split(vector, shapes):
    """Return arrays of the given shapes from a vector of their entries."""
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    return [part.reshape(shape) for part, shape in zip(np.split(vector, ends[:-1]), shapes, strict=True)]


def inner(optimizer):
    """Return the optimizer inside one that scales the loss for mixed precision; any other is its own."""
    return getattr(optimizer, "inner_optimizer", optimizer)

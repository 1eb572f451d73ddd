"""Optimizers as pure functions: joining all weights into one vector, and the state that outlives a program."""

from collections.abc import Sequence

import numpy as np

from .._backend import keras
from ._layout import shaped
from ._values import as_arrays, free_name

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
    alike = len({variable.dtype for variable in variables}) == 1
    return (
        is_elementwise(optimizer)
        and alike
        and all(variable.constraint is None for variable in variables)
        and all(multiplier == 1 for multiplier in rate_multipliers(variables))
        and sum(int(np.prod(variable.shape)) for variable in variables) <= _MAX_JOINED
    )


def is_elementwise(optimizer):
    """Tell whether an optimizer treats each entry of a weight by itself."""
    kind = type(optimizer)
    is_of_keras = kind.__module__.partition(".")[0] == "keras"
    return is_of_keras and kind.__name__ in _ELEMENTWISE and not optimizer.clipnorm  # the norm of each tensor


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


def weights_of(optimizer):
    """Return the weights that an optimizer is built for: one that scales the loss may have no list of its own."""
    return inner(optimizer)._trainable_variables


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
    variables, of_weights = variables_of(optimizer), weights_of(optimizer)
    with keras.StatelessScope() as scope:
        for pair in (*zip(of_weights, weights, strict=True), *zip(variables, values, strict=True)):
            scope.add_update(pair)  # of a table there may be some rows alone, which a mapping does not take
        optimizer.apply(gradients)
    return [[scope.get_current_value(variable) for variable in part] for part in (of_weights, variables)]


def slots(optimizer):
    """Return the indices of the optimizer's variables that belong to one weight each.

    Returns
    -------
    slots : dict of str to list of (int or None)
        Such as momenta; for each kind of them, in the order of the weights, indices in :func:`variables_of`, None for
        a weight that has no such variable.
    """
    index_of = {id(variable): index for index, variable in enumerate(variables_of(optimizer))}
    n_weights = len(weights_of(optimizer))
    found = {}
    for name, values in sorted({**vars(optimizer), **vars(inner(optimizer))}.items()):
        listed = isinstance(values, Sequence) and not isinstance(values, str) and len(values) == n_weights
        if listed and name != "_variables" and all(value is None or id(value) in index_of for value in values):
            found[name] = [index_of.get(id(value)) for value in values]
    return {name: indices for name, indices in found.items() if any(index is not None for index in indices)}


class OptimizerState:
    """The state of an optimizer after a fit, by name, for a further fit by any program that trains such weights.

    Parameters
    ----------
    slots : dict of str to dict of str to ndarray
        What belongs to one weight each, such as momenta: by the kind of it, then by the name of the weight.
    others : dict of str to ndarray
        The rest, such as the number of steps and the learning rate.
    """

    def __init__(self, slots, others):
        self.slots = slots
        self.others = others

    @classmethod
    def from_values(cls, optimizer, values, layout):
        """Take the state from the values of the optimizer's variables.

        Parameters
        ----------
        optimizer : keras.optimizers.Optimizer
        values : list of ndarray
        layout : Layout
            Of its weights.
        """
        found = {slot: layout.slots_by_name(_chosen(values, indices)) for slot, indices in slots(optimizer).items()}
        return cls(found, {name: values[index] for name, index in _others(optimizer).items()})

    def to_values(self, optimizer, layout, fresh):
        """Return the values of the optimizer's variables.

        Parameters
        ----------
        optimizer : keras.optimizers.Optimizer
        layout : Layout
            As in :meth:`from_values`.
        fresh : list of ndarray
            Values of an optimizer that begins, for weights that were not trained before.
        """
        values = list(fresh)
        for slot, indices in slots(optimizer).items():
            kept, begun = self.slots.get(slot, {}), layout.slots_by_name(_chosen(fresh, indices))
            arrays = layout.slots({name: kept.get(name, array) for name, array in begun.items()})
            for index, array in zip(indices, arrays, strict=True):
                if index is not None:
                    values[index] = shaped(array, fresh[index].shape)
        for name, index in _others(optimizer).items():
            values[index] = self.others.get(name, values[index])
        return values


def _chosen(values, indices):
    return [None if index is None else values[index] for index in indices]


def _others(optimizer):
    """Return the indices, in :func:`variables_of`, of the variables that belong to no weight, by name."""
    taken = {index for indices in slots(optimizer).values() for index in indices}
    # Some have names that Keras numbers; the attributes that they stand in are always the same.
    attributes = {id(value): name for part in (optimizer, inner(optimizer)) for name, value in vars(part).items()}
    found = {}
    for index, variable in enumerate(variables_of(optimizer)):
        if index not in taken:
            found[free_name(attributes.get(id(variable), variable.name), found)] = index
    return found


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
        weights = as_arrays(weights_of(optimizer))
        # An average of the weights begins with the weights, which differ from network to network.
        self._as_weights = [
            indices
            for indices in slots(optimizer).values()
            if None not in indices
            and all(np.array_equal(self._values[i], weight) for i, weight in zip(indices, weights, strict=True))
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
        for indices in self._as_weights:
            for index, weight in zip(indices, weights, strict=True):
                values[index] = weight
        rate = inner(self._optimizer)._learning_rate
        if isinstance(rate, keras.Variable):  # rather than a schedule
            index = [id(variable) for variable in variables_of(self._optimizer)].index(id(rate))
            values[index] = np.float32(ops.convert_to_numpy(inner(keras.optimizers.get(wanted)).learning_rate))
        return values


def inner(optimizer):
    """Return the optimizer inside one that scales the loss for mixed precision; any other is its own."""
    return getattr(optimizer, "inner_optimizer", optimizer)

"""Large embedding tables, of which a step changes only the rows that its batch has a gradient for.

Most optimizers move every weight in every step, by its momenta, whether or not the batch says anything about it. Of a
table with thousands of rows, a batch looks up some hundreds: to move the others takes most of the time of a step. Here
a row without a gradient stays as it is, and so does all that the optimizer keeps of it: by plain gradient descent the
same as everywhere, by others what is called lazy, or sparse. A rare row then moves less: Adam would go on in the
direction of a gradient for many steps. So layers ask for it (``moves_rows``) where it was measured to be as good: those
of words do, those of entities and categories do not. Where the backend has gradients by row, a step gathers these rows,
moves them and puts them back; else it moves all rows, and takes back what has no gradient.
"""

from typing import Any, NamedTuple

import numpy as np

from .._backend import keras
from ._optimizers import inner, is_elementwise, rate_multipliers, slots, variables_of

ops = keras.ops

#: Weights of a table from which on it is large. Smaller ones are moved faster with all other weights.
_MIN_WEIGHTS = 2**16


class RowGradient(NamedTuple):
    """The gradient of a table: distinct indices of rows, and a gradient for each of them; that of others is 0.

    The backend says how rows are put back: ``put(table, rows, values)`` returns the table with other values in them,
    and may do so in its memory.
    """

    rows: Any
    values: Any
    put: Any


def large_tables(model, optimizer):
    """Return the tables of a model that a step changes row by row.

    Parameters
    ----------
    model : keras.Model
    optimizer : keras.optimizers.Optimizer
        What it does to a row must not depend on other rows.

    Returns
    -------
    tables : list of keras.Variable
    """
    if inner(optimizer) is not optimizer or not is_elementwise(optimizer):
        return []
    trained = {id(variable) for variable in model.trainable_variables}
    return [
        table
        for layer in model._flatten_layers()
        for table in _table_of(layer)
        if id(table) in trained and np.prod(table.shape) >= _MIN_WEIGHTS and rate_multipliers([table]) == [1]
    ]


def _table_of(layer):
    """Return the table of an embedding in a list, unless its rows have gradients, or bounds, from elsewhere too."""
    if not getattr(layer, "moves_rows", False) or layer.embeddings_regularizer is not None:
        return []
    return [table for table in layer._trainable_variables if table.name == "embeddings" and table.constraint is None]


def moving_rows(optimizer, tables):
    """Return the optimizer made to leave rows of some weights as they are where their gradient is 0.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer
        Changed in place.
    tables : list of keras.Variable
        Among those that it is built, or going to be built, for.
    """
    if not tables:
        return optimizer
    kind, ids = type(optimizer), {id(table) for table in tables}

    def apply(self, grads, trainable_variables=None):
        variables = list(trainable_variables or self._trainable_variables)
        if not self.built:
            self.build(variables)
        chosen = [(place, grads[place]) for place, variable in enumerate(variables) if id(variable) in ids]
        parts = [[variables[place], *_slots_of(self, variables[place])] for place, _ in chosen]
        before = [[ops.copy(part.value) for part in of_table] for of_table in parts]
        kind.apply(self, grads, trainable_variables)
        for (_, gradient), of_table, values in zip(chosen, parts, before, strict=True):
            moves = ops.any(ops.not_equal(gradient, 0), axis=-1, keepdims=True)
            for part, value in zip(of_table, values, strict=True):
                part.assign(ops.where(moves, part.value, value))

    optimizer.__class__ = type(kind.__name__, (kind,), {"__module__": kind.__module__, "apply": apply})
    return optimizer


def _slots_of(optimizer, variable):
    """Return what an optimizer keeps of a weight by entry, such as momenta."""
    place = next(place for place, other in enumerate(optimizer._trainable_variables) if other is variable)
    variables = variables_of(optimizer)
    indices = (of_kind[place] for of_kind in slots(optimizer).values())
    return [variables[index] for index in indices if index is not None]


# --- rows of tables in a step -----------------------------------------------------------------------------------------


class RowsOfTables:
    """The rows of tables that have gradients, in the place of the tables, for an optimizer to move.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer
        Built.
    gradients : list of tensor or RowGradient
        In the order of its weights.
    """

    def __init__(self, optimizer, gradients):
        kinds = slots(optimizer).values()
        self._rows = {place: part for place, part in enumerate(gradients) if isinstance(part, RowGradient)}
        self._rows_of_slots = {of_kind[place]: part for place, part in self._rows.items() for of_kind in kinds}
        self.gradients = [part.values if isinstance(part, RowGradient) else part for part in gradients]

    def taken(self, weights, values):
        """Return weights and values of the optimizer's variables, of tables these rows alone."""
        return _taken(weights, self._rows), _taken(values, self._rows_of_slots)

    def put_back(self, weights, values, after):
        """Return weights and values, with what became of these rows, in the memory of the tables that were given."""
        of_weights, of_values = after
        return _put(weights, self._rows, of_weights), _put(values, self._rows_of_slots, of_values)


def _taken(tensors, rows):
    return [ops.take(part, rows[place].rows, axis=0) if place in rows else part for place, part in enumerate(tensors)]


def _put(before, rows, after):
    return [
        rows[place].put(part, rows[place].rows, after[place]) if place in rows else after[place]
        for place, part in enumerate(before)
    ]

"""A step of training or evaluation as a pure function of the values of a network's variables.

Keras keeps the state of training in variables. Here it goes in and comes out as values: one compiled program then
serves any number of networks of an architecture, one after the other or, with a leading axis, all at once.
"""

import numpy as np

from .._backend import keras
from ._layout import Layout
from ._optimizers import (
    Beginning,
    OptimizerState,
    applied,
    can_join,
    inner,
    rate_multipliers,
    stateless,
    variables_of,
)
from ._outputs import lone
from ._tables import RowsOfTables, large_tables, moving_rows
from ._values import as_arrays, assign, divided, named_variables

ops = keras.ops


class Steps:
    """What a compiled Keras model does with a batch in training and in evaluation.

    The state of training is a dict: the values of ``trainable``, ``carried`` and ``optimizer`` variables and those of
    the ``metrics``, and since :meth:`reset` the sum of the ``loss`` over ``rows`` many rows.

    Parameters
    ----------
    model : keras.Model
        Compiled.
    value_and_gradients : callable
        Differentiates a function on the running Keras backend; of some of its arguments by row, where it can.
    joins : bool
        Whether the optimizer may work on one vector of all weights.
    """

    def __init__(self, model, value_and_gradients, joins):
        self.model = model
        self.optimizer = stateless(model.optimizer)
        self._value_and_gradients = value_and_gradients
        by_name = divided(model)
        self._names = [list(variables) for variables in by_name]
        self._trainable, self._carried, self._fixed = (list(variables.values()) for variables in by_name)
        tables = large_tables(model, self.optimizer)
        self._layout = self._laid_out(by_name[0], tables, joins)
        optimized = self._layout.optimized(self._trainable)
        # Weights are joined only where these are all 1.
        self._multipliers = rate_multipliers(optimized)
        self.optimizer.build(optimized)
        moving_rows(self.optimizer, tables)
        ids = {id(table) for table in tables}
        self._tables = [place for place, variable in enumerate(self._trainable) if id(variable) in ids]
        self._metrics = self._fresh_metrics = []
        self._optimizer_variables = variables_of(self.optimizer)
        self._beginning = Beginning(self.optimizer)

    def _laid_out(self, trainable, tables, joins):
        """Return how the optimizer is given the weights: tables by themselves, the others together if it may be."""
        ids = {id(table) for table in tables}
        others = {name: variable for name, variable in trainable.items() if id(variable) not in ids}
        joins = joins and bool(others) and can_join(self.optimizer, list(others.values()))
        shapes = {name: tuple(variable.shape) for name, variable in trainable.items()}
        return Layout(shapes, others if joins else ())

    def prepare_metrics(self, batch):
        """Let the metrics create their variables, for which Keras needs to see a batch."""
        if self._metrics:
            return
        data = batch["inputs"], lone(batch["targets"]), self.model(batch["inputs"], training=False), _weights(batch)
        self.model.compute_loss(*data, training=False)
        self.model.compute_metrics(*data)
        self.model.reset_metrics()
        self._metrics = list(self.model.metrics_variables)
        self._fresh_metrics = as_arrays(self._metrics)

    # --- values in and out ------------------------------------------------------------------------------------------

    def start(self, values, optimizer_state, settings):
        """Return the state in which the training of a network begins, as arrays.

        Parameters
        ----------
        values : dict of str to ndarray
            By the names of the variables.
        optimizer_state : OptimizerState or None
            ``None`` begins anew.
        settings : dict
            Holds the optimizer whose learning rate counts where the optimizer begins anew.
        """
        trainable, carried, _ = ([values[name] for name in names] for names in self._names)
        trainable = self._layout.packed(trainable)
        optimizer = self._beginning.values(trainable, settings["optimizer"])
        if optimizer_state is not None:
            optimizer = optimizer_state.to_values(self.optimizer, self._layout, optimizer)
        return self.reset({"trainable": trainable, "carried": carried, "optimizer": optimizer})

    def fixed(self, values):
        """Return those of the values by name that training does not change."""
        return [values[name] for name in self._names[2]]

    def reset(self, state):
        """Return the state with loss and metrics set back."""
        return {**state, "metrics": list(self._fresh_metrics), "loss": np.float32(0), "rows": np.float32(0)}

    def finish(self, state, fixed):
        """Return values by name and optimizer state of a network at the end of its training, from arrays."""
        optimizer_state = OptimizerState.from_values(self.optimizer, state["optimizer"], self._layout)
        values = {}
        weights = self._layout.unpacked(state["trainable"])
        for names, part in zip(self._names, (weights, state["carried"], fixed), strict=True):
            values |= zip(names, part, strict=True)
        return {name: values[name] for name in named_variables(self.model)}, optimizer_state

    def logs(self, state):
        """Return loss and metrics by name, from arrays."""
        logs = {"loss": float(state["loss"]) / max(float(state["rows"]), 1.0)}
        if self._metrics:
            assign(self._metrics, state["metrics"])
            logs = {name: float(value) for name, value in self.model.get_metrics_result().items()} | logs
        return logs

    def write(self, state):
        """Give the model and its optimizer the values of the state, for callbacks to see."""
        weights = self._layout.unpacked(state["trainable"])
        assign([*self._trainable, *self._carried], [*weights, *state["carried"]])
        assign(self._optimizer_variables, state["optimizer"])

    def read(self, state):
        """Return the state with the values of the model and its optimizer, which callbacks may have changed."""
        return {
            **state,
            "trainable": self._layout.packed(as_arrays(self._trainable)),
            "carried": as_arrays(self._carried),
            "optimizer": as_arrays(self._optimizer_variables),
        }

    @property
    def hyperparameters(self):
        """Names of what is handed to :meth:`train` as values."""
        return ("weight_decay",) if inner(self.optimizer).weight_decay is not None else ()

    # --- the steps --------------------------------------------------------------------------------------------------

    def train(self, state, fixed, hyperparameters, batch):
        """Return the state after one step of the optimizer.

        Parameters
        ----------
        state : dict
            Tensors of the running Keras backend, here as in the other arguments.
        fixed : list
            Values of the variables that training does not change.
        hyperparameters : dict
            Values by name, see :attr:`hyperparameters`.
        batch : dict
            ``inputs``, ``targets`` and, where rows have weights, ``weights``, each a dict.
        """

        def loss_of(trainable):
            loss, scaled, outputs, changed = self._forward(trainable, state, fixed, batch, training=True)
            return scaled, (loss, outputs, changed)

        weights = self._layout.unpacked(state["trainable"], ops)
        (loss, outputs, changed), gradients = self._value_and_gradients(loss_of, weights, self._tables)
        with self._set(hyperparameters):
            trainable, optimizer = self._applied(state, self._layout.packed(gradients, ops))
        trainable = [
            after if multiplier == 1 else before + multiplier * (after - before)
            for before, after, multiplier in zip(state["trainable"], trainable, self._multipliers, strict=True)
        ]
        state = {**state, "trainable": trainable, "optimizer": optimizer, **changed}
        return self._counted(state, loss, outputs, batch)

    def evaluate(self, state, fixed, hyperparameters, batch):
        """Return the state with a batch added to loss and metrics."""
        trainable = self._layout.unpacked(state["trainable"], ops)
        loss, _, outputs, changed = self._forward(trainable, state, fixed, batch, training=False)
        return self._counted({**state, "metrics": changed["metrics"]}, loss, outputs, batch)

    def _applied(self, state, gradients):
        """Return weights and values of the optimizer's variables after a step."""
        weights, values = state["trainable"], state["optimizer"]
        rows = RowsOfTables(self.optimizer, gradients)
        some_weights, some_values = rows.taken(weights, values)
        return rows.put_back(weights, values, applied(self.optimizer, some_values, rows.gradients, some_weights))

    def _forward(self, trainable, state, fixed, batch, training):
        """Return loss, loss as scaled for mixed precision, outputs, and what else of the state changed."""
        known = {"carried": self._carried, "metrics": self._metrics}  # Keras keeps a loss per task as a metric
        mapping = [
            *zip(self._trainable, trainable, strict=True),
            *zip(self._fixed, fixed, strict=True),
            *zip(self._optimizer_variables, state["optimizer"], strict=True),
        ]
        for kind, variables in known.items():
            mapping += zip(variables, state[kind], strict=True)
        with keras.StatelessScope(mapping, collect_losses=True) as scope:
            outputs = self.model(batch["inputs"], training=training)
            loss = self.model.compute_loss(
                batch["inputs"], lone(batch["targets"]), outputs, _weights(batch), training=training
            )
            scaled = self.optimizer.scale_loss(loss) if training else loss
        changed = {kind: _current(scope, variables, state[kind]) for kind, variables in known.items()}
        return loss, scaled, outputs, changed

    def _counted(self, state, loss, outputs, batch):
        n_rows = ops.cast(ops.shape(next(iter(batch["targets"].values())))[0], "float32")
        metrics = state["metrics"]
        if self._metrics:
            with keras.StatelessScope(list(zip(self._metrics, metrics, strict=True))) as scope:
                self.model.compute_metrics(batch["inputs"], lone(batch["targets"]), outputs, _weights(batch))
            metrics = [scope.get_current_value(variable) for variable in self._metrics]
        loss = state["loss"] + ops.cast(loss, "float32") * n_rows
        return {**state, "metrics": metrics, "loss": loss, "rows": state["rows"] + n_rows}

    def _set(self, hyperparameters):
        return _Attributes(inner(self.optimizer), hyperparameters)


def _current(scope, variables, before):
    """Return the values of variables at the end of a scope."""
    values = [scope.get_current_value(variable) for variable in variables]
    # Keras 3.8 leaves those of a layer in its compute dtype.
    return [old if new is None else ops.cast(new, old.dtype) for new, old in zip(values, before, strict=True)]


def _weights(batch):
    return lone(batch["weights"]) if "weights" in batch else None


class _Attributes:
    """Sets attributes of an object within a block."""

    def __init__(self, owner, attributes):
        self._owner = owner
        self._attributes = attributes

    def __enter__(self):
        self._before = {name: getattr(self._owner, name) for name in self._attributes}
        self._assign(self._attributes)

    def __exit__(self, *error):
        self._assign(self._before)

    def _assign(self, attributes):
        for name, value in attributes.items():
            # Keras would track a tensor as a part of the optimizer.
            object.__setattr__(self._owner, name, value)

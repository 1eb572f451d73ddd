"""A step of training or evaluation as a pure function of the values of a network's variables.

Keras keeps the state of training in variables. Here it goes in and comes out as values: one compiled program then
serves any number of networks of an architecture, one after the other or, with a leading axis, all at once.
"""

import numpy as np

from .._backend import keras
from ._optimizers import (
    Beginning,
    OptimizerState,
    applied,
    can_join,
    inner,
    join,
    rate_multipliers,
    split,
    stateless,
    variables_of,
)
from ._outputs import lone
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
        Differentiates a function on the running Keras backend.
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
        self._shapes = {name: tuple(variable.shape) for name, variable in by_name[0].items()}
        self._joined = joins and can_join(self.optimizer, self._trainable)
        # A vector of all weights is made only where these are all 1.
        self._multipliers = [1.0] if self._joined else rate_multipliers(self._trainable)
        self.optimizer.build(self._optimized())
        self._metrics = self._fresh_metrics = []
        self._optimizer_variables = variables_of(self.optimizer)
        self._beginning = Beginning(self.optimizer)

    def _optimized(self):
        if not self._joined:
            return self._trainable
        return [keras.Variable(join(as_arrays(self._trainable)), dtype=self._trainable[0].dtype, name="weights")]

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
        trainable = [join(trainable)] if self._joined else trainable
        optimizer = self._beginning.values(trainable, settings["optimizer"])
        if optimizer_state is not None:
            optimizer = optimizer_state.to_values(self.optimizer, self._shapes, optimizer)
        return self.reset({"trainable": trainable, "carried": carried, "optimizer": optimizer})

    def fixed(self, values):
        """Return those of the values by name that training does not change."""
        return [values[name] for name in self._names[2]]

    def reset(self, state):
        """Return the state with loss and metrics set back."""
        return {**state, "metrics": list(self._fresh_metrics), "loss": np.float32(0), "rows": np.float32(0)}

    def finish(self, state, fixed):
        """Return values by name and optimizer state of a network at the end of its training, from arrays."""
        optimizer_state = OptimizerState.from_values(self.optimizer, state["optimizer"], self._shapes)
        values = {}
        for names, part in zip(self._names, (self._weights(state), state["carried"], fixed), strict=True):
            values |= zip(names, part, strict=True)
        return {name: values[name] for name in named_variables(self.model)}, optimizer_state

    def _weights(self, state):
        """Return the trainable weights tensor by tensor, from arrays."""
        return split(state["trainable"][0], list(self._shapes.values())) if self._joined else state["trainable"]

    def logs(self, state):
        """Return loss and metrics by name, from arrays."""
        logs = {"loss": float(state["loss"]) / max(float(state["rows"]), 1.0)}
        if self._metrics:
            assign(self._metrics, state["metrics"])
            logs = {name: float(value) for name, value in self.model.get_metrics_result().items()} | logs
        return logs

    def write(self, state):
        """Give the model and its optimizer the values of the state, for callbacks to see."""
        assign([*self._trainable, *self._carried], [*self._weights(state), *state["carried"]])
        assign(self._optimizer_variables, state["optimizer"])

    def read(self, state):
        """Return the state with the values of the model and its optimizer, which callbacks may have changed."""
        trainable = as_arrays(self._trainable)
        return {
            **state,
            "trainable": [join(trainable)] if self._joined else trainable,
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

        (loss, outputs, changed), gradients = self._value_and_gradients(loss_of, self._separate(state["trainable"]))
        if self._joined:
            gradients = [ops.concatenate([ops.reshape(gradient, (-1,)) for gradient in gradients])]
        with self._set(hyperparameters):
            trainable, optimizer = applied(self.optimizer, state["optimizer"], gradients, state["trainable"])
        trainable = [
            after if multiplier == 1 else before + multiplier * (after - before)
            for before, after, multiplier in zip(state["trainable"], trainable, self._multipliers, strict=True)
        ]
        state = {**state, "trainable": trainable, "optimizer": optimizer, **changed}
        return self._counted(state, loss, outputs, batch)

    def evaluate(self, state, fixed, hyperparameters, batch):
        """Return the state with a batch added to loss and metrics."""
        trainable = self._separate(state["trainable"])
        loss, _, outputs, changed = self._forward(trainable, state, fixed, batch, training=False)
        return self._counted({**state, "metrics": changed["metrics"]}, loss, outputs, batch)

    def _separate(self, trainable):
        if not self._joined:
            return list(trainable)
        shapes = list(self._shapes.values())
        parts = ops.split(trainable[0], np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1].tolist())
        return [ops.reshape(part, shape) for part, shape in zip(parts, shapes, strict=True)]

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

"""Training with Keras ``fit``: on any backend, and with callbacks that are called between batches."""

import copy

from .._backend import keras
from ._batches import Order
from ._divergence import is_lost
from ._optimizers import OptimizerState, as_arrays, rate_multipliers, variables_of
from ._steps import Values, assign
from ._stopping import Stopping


def fit_with_keras(program, settings, task, schedule, validation_batch):
    """Train a network with Keras ``fit``.

    Parameters
    ----------
    program : Program
        Its model takes the values of the task.
    settings : dict
        Holds the optimizer whose learning rate counts.
    task : Task
    schedule : Schedule
    validation_batch : int
        Rows that are evaluated at once.

    Returns
    -------
    values : Values
    optimizer_state : OptimizerState
    history : dict of str to list of float
    """
    model, optimizer = program.model, program.model.optimizer
    beginning, state = program.beginning, task.optimizer_state
    if state is None:
        values = beginning.values(task.values.trainable, settings["optimizer"])
    else:
        values = state.to_values(optimizer)
    task.values.write_to(model)
    assign(variables_of(optimizer), values)
    # Those of the caller come first, since they may add to what is told.
    validation, callbacks = None, [*copy.deepcopy(schedule.callbacks), _Tell(schedule.watchers, task.number)]
    if len(task.validation_rows):
        order = Order(task.validation_rows, None)
        validation = Batches(task.data, order, validation_batch)
        callbacks.append(_Stop(schedule.patience))
    batches = Batches(task.data, Order(task.training_rows, task.seed), schedule.batch_size)
    schedule.watchers.begin(task.number, schedule.epochs - schedule.initial_epoch)
    history = model.fit(
        batches,
        validation_data=validation,
        epochs=schedule.epochs,
        initial_epoch=schedule.initial_epoch,
        callbacks=[_Reorder(batches), *_slowed(model), *callbacks],
        shuffle=False,
        verbose=0,
    )
    schedule.watchers.end(task.number)
    shapes = [tuple(variable.shape) for variable in model.trainable_variables]
    state = OptimizerState.from_values(optimizer, as_arrays(variables_of(optimizer)), shapes)
    return Values.of(model), state, {name: list(map(float, values)) for name, values in history.history.items()}


class Batches(keras.utils.PyDataset):
    """Batches of chosen rows for Keras ``fit``; rows are gathered batch by batch, never copied as a whole.

    Parameters
    ----------
    data : dict
        ``inputs``, ``target`` and ``weight``.
    order : Order
    batch_size : int
    """

    def __init__(self, data, order, batch_size):
        super().__init__()
        self.data, self.order, self.batch_size = data, order, batch_size
        self.begin(0)

    def __len__(self):
        return -(-len(self.order.rows) // self.batch_size)

    def __getitem__(self, number):
        rows = self.rows[number * self.batch_size : (number + 1) * self.batch_size]
        batch = {name: array[rows] for name, array in self.data["inputs"].items()}, self.data["target"][rows]
        return (*batch, self.data["weight"][rows]) if "weight" in self.data else batch

    def begin(self, epoch):
        """Put the rows in the order of an epoch."""
        self.rows = self.order.at(epoch)


class _Reorder(keras.callbacks.Callback):
    """Tells batches which epoch it is; the hooks of a PyDataset are called a varying number of times."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.begin(epoch)


def _slowed(model):
    """Return the callback that multiplies learning rates, if one is to be."""
    multipliers = rate_multipliers(model.trainable_variables)
    slow = [(v, m) for v, m in zip(model.trainable_variables, multipliers, strict=True) if m != 1]
    return [_Slowed(slow)] if slow else []


class _Slowed(keras.callbacks.Callback):
    """Takes back a part of each step of some variables, whose learning rate is multiplied."""

    def __init__(self, slow):
        super().__init__()
        self.slow = slow

    def on_train_batch_begin(self, batch, logs=None):
        self.before = [keras.ops.copy(variable.value) for variable, _ in self.slow]

    def on_train_batch_end(self, batch, logs=None):
        for (variable, multiplier), before in zip(self.slow, self.before, strict=True):
            variable.assign(before + multiplier * (variable.value - before))


class _Tell(keras.callbacks.Callback):
    """Tells watchers about the epochs of a network."""

    def __init__(self, watchers, number):
        super().__init__()
        self.watchers, self.number = watchers, number

    def on_epoch_begin(self, epoch, logs=None):
        self.watchers.begin_epoch(self.number)

    def on_epoch_end(self, epoch, logs=None):
        wants_end = self.watchers.end_epoch(self.number, logs, lambda: Values.of(self.model))
        if wants_end or is_lost(logs):
            self.model.stop_training = True


class _Stop(keras.callbacks.Callback):
    """Stops early, and gives the model its best weights in the end."""

    def __init__(self, patience):
        super().__init__()
        self.stopping = Stopping(patience)

    def on_epoch_end(self, epoch, logs=None):
        self.stopping.after(epoch, logs["val_loss"], Values.of(self.model))
        if self.stopping.is_over:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        if self.stopping.best is not None:
            self.stopping.best.write_to(self.model)

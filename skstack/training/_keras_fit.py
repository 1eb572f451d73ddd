"""Training with Keras ``fit``: on any backend, and with callbacks that are called between batches."""

import copy

from .._backend import keras
from ._batches import Order
from ._divergence import is_lost
from ._layout import Layout
from ._optimizers import OptimizerState, rate_multipliers, variables_of
from ._outputs import lone
from ._stopping import Stopping
from ._values import as_arrays, assign, assign_values, named_variables, values_of


def fit_with_keras(program, settings, job, schedule, validation_batch):
    """Train a network with Keras ``fit``.

    Parameters
    ----------
    program : Program
        Its model takes the values of the job.
    settings : dict
        Holds the optimizer whose learning rate counts.
    job : Job
    schedule : Schedule
    validation_batch : int
        Rows that are evaluated at once.

    Returns
    -------
    values : dict of str to ndarray
    optimizer_state : OptimizerState
    history : dict of str to list of float
    """
    model, optimizer = program.model, program.model.optimizer
    trained = {id(variable) for variable in model.trainable_variables}
    names = {id(variable): name for name, variable in named_variables(model).items() if id(variable) in trained}
    layout = Layout({names[id(variable)]: tuple(variable.shape) for variable in model.trainable_variables})
    values = program.beginning.values([job.values[name] for name in layout.shapes], settings["optimizer"])
    if job.optimizer_state is not None:
        values = job.optimizer_state.to_values(optimizer, layout, values)
    assign_values(model, job.values)
    assign(variables_of(optimizer), values)
    # Those of the caller come first, since they may add to what is told.
    validation, callbacks = None, [*copy.deepcopy(schedule.callbacks), _Tell(schedule.watchers, job.index)]
    if len(job.validation_rows):
        order = Order(job.validation_rows, None)
        validation = Batches(job.stopping_data, order, validation_batch)
        callbacks.append(_Stop(schedule.patience))
    batches = Batches(job.data, Order(job.training_rows, job.seed), schedule.batch_size)
    schedule.watchers.begin(job.index, schedule.epochs - schedule.initial_epoch)
    history = model.fit(
        batches,
        validation_data=validation,
        epochs=schedule.epochs,
        initial_epoch=schedule.initial_epoch,
        callbacks=[_Reorder(batches, job.name), *_slowed(model), *callbacks],
        shuffle=False,
        verbose=0,
    )
    schedule.watchers.end(job.index)
    state = OptimizerState.from_values(optimizer, as_arrays(variables_of(optimizer)), layout)
    return values_of(model), state, {name: list(map(float, values)) for name, values in history.history.items()}


class Batches(keras.utils.PyDataset):
    """Batches of chosen rows for Keras ``fit``; rows are gathered batch by batch, never copied as a whole.

    Parameters
    ----------
    data : dict
        ``inputs``, ``targets`` and ``weights``.
    order : Order
    batch_size : int
    """

    def __init__(self, data, order, batch_size):
        super().__init__()
        self.data, self.order, self.batch_size = data, order, batch_size
        self.begin(0)

    def __len__(self):
        return -(-len(self.order.rows) // self.batch_size)

    def __getitem__(self, index):
        rows = self.rows[index * self.batch_size : (index + 1) * self.batch_size]
        batch = {kind: {name: array[rows] for name, array in part.items()} for kind, part in self.data.items()}
        return batch["inputs"], *(lone(batch[kind]) for kind in ("targets", "weights") if kind in batch)

    def begin(self, epoch):
        """Put the rows in the order of an epoch."""
        self.rows = self.order.at(epoch)


class _Reorder(keras.callbacks.Callback):
    """Tells batches which epoch it is, as the hooks of a PyDataset are called a varying number of times, and the other
    callbacks what the fit is called.
    """

    def __init__(self, batches, name):
        super().__init__()
        self.batches, self.name = batches, name

    def on_train_begin(self, logs=None):
        self.params["fit"] = self.name  # which all callbacks have in common

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

    def __init__(self, watchers, index):
        super().__init__()
        self.watchers, self.index = watchers, index

    def on_epoch_begin(self, epoch, logs=None):
        self.watchers.begin_epoch(self.index)

    def on_epoch_end(self, epoch, logs=None):
        wants_end = self.watchers.end_epoch(self.index, logs, lambda: values_of(self.model))
        if wants_end or is_lost(logs):
            self.model.stop_training = True


class _Stop(keras.callbacks.Callback):
    """Stops early, and gives the model its best weights in the end."""

    def __init__(self, patience):
        super().__init__()
        self.stopping = Stopping(patience)

    def on_epoch_end(self, epoch, logs=None):
        self.stopping.after(epoch, logs["val_loss"], values_of(self.model))
        if self.stopping.is_over:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        if self.stopping.best is not None:
            assign_values(self.model, self.stopping.best)

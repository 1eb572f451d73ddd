"""Training a network."""

import numpy as np

from .._backend import keras
from ._programs import borrowed

#: Rows that are evaluated at once, at least.
_VALIDATION_BATCH = 256


class Order:
    """The order of the rows in each epoch, which depends on the seed and the number of the epoch alone.

    Keras would shuffle with the global generator of its backend, which belongs to the caller.

    Parameters
    ----------
    rows : ndarray of int
    seed : int or None
        ``None`` keeps the rows as they are.
    """

    def __init__(self, rows, seed):
        self.rows = rows
        self.seed = seed

    def at(self, epoch):
        """Return the rows in the order of an epoch, counted from 0."""
        return self.rows if self.seed is None else np.random.default_rng((self.seed, epoch)).permutation(self.rows)


class Batches(keras.utils.PyDataset):
    """Batches of chosen rows for Keras ``fit``; rows are gathered batch by batch, never copied as a whole.

    Parameters
    ----------
    data : tuple of dict, ndarray and ndarray or None
        Inputs, target and weight.
    order : Order
    batch_size : int
    """

    def __init__(self, data, order, batch_size):
        super().__init__()
        self.inputs, self.target, self.weight = data
        self.order, self.batch_size = order, batch_size
        self.begin(0)

    def __len__(self):
        return -(-len(self.order.rows) // self.batch_size)

    def __getitem__(self, number):
        rows = self.rows[number * self.batch_size : (number + 1) * self.batch_size]
        batch = {name: array[rows] for name, array in self.inputs.items()}, self.target[rows]
        return batch if self.weight is None else (*batch, self.weight[rows])

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


def fit(
    network,
    settings,
    make,
    inputs,
    target,
    weight,
    training_rows,
    validation_rows,
    *,
    optimizer_state,
    epochs,
    initial_epoch,
    batch_size,
    patience,
    callbacks,
    seed,
    verbose,
):
    """Train a network.

    Parameters
    ----------
    network : keras.Model
        Its weights are where training begins, and are replaced by the trained ones.
    settings : dict
        Optimizer, loss and metrics.
    make : callable
        Returns a model of the same architecture, compiled with `settings`.
    inputs : dict of str to ndarray of shape (n_samples, ...)
        Encoded rows.
    target : ndarray of shape (n_samples, n_outputs)
    weight : ndarray of shape (n_samples,) or None
        Weight of each row in the loss.
    training_rows, validation_rows : ndarray of int
        Rows that gradients come from, and rows that decide when to stop; the latter may be empty.
    optimizer_state : list of ndarray or None
        What an earlier call returned, to go on from there.
    epochs, initial_epoch : int
        Where to stop and to begin counting passes over the training rows.
    batch_size : int
    patience : int
        Epochs without a better loss on `validation_rows` before training stops and the best weights come back.
    callbacks : list of keras.callbacks.Callback
    seed : int
        Seed of the order of the rows.
    verbose : int
        As in Keras.

    Returns
    -------
    history : dict of str to list of float
        Loss and metrics after each epoch.
    optimizer_state : list of ndarray
        The state of the optimizer at the end.
    """
    if len(validation_rows):
        stopping = keras.callbacks.EarlyStopping("val_loss", patience=patience, restore_best_weights=True)
        callbacks = [*callbacks, stopping]
    with borrowed(network, settings, make) as program:
        program.start_from(network, optimizer_state)
        run = _run_epochs if _is_whole_epoch(callbacks, verbose) else _run_keras_fit
        history = run(
            program,
            (inputs, target, weight),
            Order(training_rows, seed),
            validation_rows,
            epochs=epochs,
            initial_epoch=initial_epoch,
            batch_size=batch_size,
            callbacks=callbacks,
            verbose=verbose,
        )
        program.give_to(network)
        return history, program.optimizer_state()


def _is_whole_epoch(callbacks, verbose):
    """Tell whether nothing has to be called between the batches of an epoch."""
    hooks = [f"on_{phase}_batch_{moment}" for phase in ("train", "test") for moment in ("begin", "end")]
    hooks += ["on_batch_begin", "on_batch_end"]
    base = keras.callbacks.Callback
    overridden = any(getattr(type(one), hook) is not getattr(base, hook) for one in callbacks for hook in hooks)
    return keras.backend.backend() == "tensorflow" and not verbose and not overridden


def _run_epochs(program, data, order, validation_rows, *, epochs, initial_epoch, batch_size, callbacks, verbose):
    """Train with one compiled program per epoch and return the history."""
    model, epoch_program = program.model, program.epoch_program()
    data = epoch_program.place(*data)
    listeners = keras.callbacks.CallbackList(callbacks, add_history=False, model=model, epochs=epochs, verbose=0)
    history = {}
    model.stop_training = False
    listeners.on_train_begin()
    for epoch in range(initial_epoch, epochs):
        listeners.on_epoch_begin(epoch)
        model.reset_metrics()
        epoch_program.train(data, order.at(epoch), batch_size)
        logs = _metrics(model)
        if len(validation_rows):
            model.reset_metrics()
            listeners.on_test_begin()
            epoch_program.evaluate(data, validation_rows, max(batch_size, _VALIDATION_BATCH))
            of_validation = _metrics(model)
            listeners.on_test_end(of_validation)
            logs |= {f"val_{name}": value for name, value in of_validation.items()}
        for name, value in logs.items():
            history.setdefault(name, []).append(value)
        listeners.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    listeners.on_train_end()
    return history


def _run_keras_fit(program, data, order, validation_rows, *, epochs, initial_epoch, batch_size, callbacks, verbose):
    """Train with Keras ``fit`` and return the history."""
    validation = None
    if len(validation_rows):
        validation = Batches(data, Order(validation_rows, None), max(batch_size, _VALIDATION_BATCH))
    batches = Batches(data, order, batch_size)
    history = program.model.fit(
        batches,
        validation_data=validation,
        epochs=epochs,
        initial_epoch=initial_epoch,
        callbacks=[_Reorder(batches), *callbacks],
        shuffle=False,
        verbose=verbose,
    )
    return {name: [float(value) for value in values] for name, values in history.history.items()}


def _metrics(model):
    return {name: float(value) for name, value in model.get_metrics_result().items()}

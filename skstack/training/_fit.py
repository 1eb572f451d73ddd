"""Training a network with Keras ``fit``."""

import numpy as np

from .._backend import keras
from ._programs import borrowed


class Batches(keras.utils.PyDataset):
    """Shuffled batches of chosen rows, in an order that depends on the seed alone.

    Keras would shuffle with the global generator of its backend, which belongs to the caller.

    Parameters
    ----------
    inputs : dict of str to ndarray of shape (n_samples, ...)
    target : ndarray of shape (n_samples, n_outputs)
    weight : ndarray of shape (n_samples,) or None
    rows : ndarray of int
        The rows to use; they are gathered batch by batch, never copied as a whole.
    batch_size : int
    seed : int or None
        ``None`` keeps the rows in order.
    """

    def __init__(self, inputs, target, weight, rows, batch_size, seed):
        super().__init__()
        self.inputs, self.target, self.weight = inputs, target, weight
        self.rows, self.batch_size = rows, batch_size
        self.generator = None if seed is None else np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self):
        return -(-len(self.rows) // self.batch_size)

    def __getitem__(self, number):
        rows = self.order[number * self.batch_size : (number + 1) * self.batch_size]
        batch = {name: array[rows] for name, array in self.inputs.items()}, self.target[rows]
        return batch if self.weight is None else (*batch, self.weight[rows])

    def on_epoch_end(self):
        """Shuffle for the next epoch."""
        self.order = self.rows if self.generator is None else self.generator.permutation(self.rows)


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
    validation = None
    if len(validation_rows):
        validation = Batches(inputs, target, weight, validation_rows, max(batch_size, 256), seed=None)
        stopping = keras.callbacks.EarlyStopping("val_loss", patience=patience, restore_best_weights=True)
        callbacks = [*callbacks, stopping]
    with borrowed(network, settings, make) as program:
        program.start_from(network, optimizer_state)
        history = program.model.fit(
            Batches(inputs, target, weight, training_rows, batch_size, seed),
            validation_data=validation,
            epochs=epochs,
            initial_epoch=initial_epoch,
            callbacks=callbacks,
            shuffle=False,
            verbose=verbose,
        )
        program.give_to(network)
        optimizer_state = program.optimizer_state()
    return {name: [float(value) for value in values] for name, values in history.history.items()}, optimizer_state

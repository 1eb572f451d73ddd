"""Keras callbacks, told about the epochs of a network in training."""

import copy

from .._backend import keras
from ._values import to_array

map_structure = keras.tree.map_structure


class Listeners:
    """Keras callbacks that are told about epochs, with the model in the state of the training."""

    def __init__(self, engine, runner, schedule):
        self._engine = engine
        self._steps, self._place = runner.steps, runner.place
        self._model = runner.model
        # Callbacks keep the model they watch; those of the caller stay as he made them.
        self._history = keras.callbacks.History()
        self._callbacks = keras.callbacks.CallbackList(
            [*copy.deepcopy(schedule.callbacks), self._history],
            add_history=False,
            model=runner.model,
            epochs=schedule.epochs,
            verbose=0,
            fit=engine.name,
        )
        self._model.stop_training = False
        with _Synced(self):
            self._callbacks.on_train_begin()

    def begin_epoch(self, epoch):
        """Tell that an epoch begins."""
        with _Synced(self):
            self._callbacks.on_epoch_begin(epoch)

    def end_epoch(self, epoch, logs):
        """Tell that an epoch is over; return whether a callback wants to stop."""
        with _Synced(self):
            of_validation = {name[4:]: value for name, value in logs.items() if name.startswith("val_")}
            if of_validation:
                self._callbacks.on_test_begin()
                self._callbacks.on_test_end(of_validation)
            self._callbacks.on_epoch_end(epoch, logs)
        logs |= {name: values[-1] for name, values in self._history.history.items()}  # with what callbacks added
        return self._model.stop_training

    def end(self):
        """Tell that training is over."""
        with _Synced(self):
            self._callbacks.on_train_end()


class _Synced:
    """Gives the model the state of the training for a block, and the training what the block changed."""

    def __init__(self, listeners):
        self._engine, self._steps, self._place = listeners._engine, listeners._steps, listeners._place

    def __enter__(self):
        self._steps.write(map_structure(to_array, self._engine.state))

    def __exit__(self, kind, *error):
        if kind is None:
            self._engine.state = map_structure(
                self._place, self._steps.read(map_structure(to_array, self._engine.state))
            )


class NoListeners:
    """Nobody to be told."""

    def begin_epoch(self, epoch):
        """Tell nobody."""

    def end_epoch(self, epoch, logs):
        """Tell nobody."""
        return False

    def end(self):
        """Tell nobody."""

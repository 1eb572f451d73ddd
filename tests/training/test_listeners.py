"""Keras callbacks that are told about the epochs of the compiled loops."""

import numpy as np
import pytest
from _problems import BatchHook, assert_same, both_ways, job_of, make_data, settings_of, train

from skstack._backend import keras
from skstack.training._fit import Schedule, needs_keras_fit
from skstack.training._listeners import NoListeners


def test_callbacks_between_epochs():
    def callbacks():
        return [
            keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1)),
            keras.callbacks.EarlyStopping("loss", patience=0, min_delta=1e-3),
        ]

    assert not needs_keras_fit(settings_of(), Schedule(1, 0, 16, 1, callbacks()))
    fast, plain = both_ways(make_data(), callbacks=callbacks(), schedule={"epochs": 25})
    assert_same(fast, plain)
    assert fast.optimizer_state.others["_learning_rate"] == pytest.approx(0.1 / len(fast.history["loss"]))
    assert len(fast.history["loss"]) < 25


def test_callbacks_see_the_network_and_may_change_it():
    seen = []

    class Doubling(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            bias = self.model.get_layer("last").bias
            seen.append(float(keras.ops.convert_to_numpy(bias)[0]))
            bias.assign(bias * 2)

    (trained,) = train([job_of(make_data())], settings_of(), callbacks=[Doubling()])
    assert len(set(seen)) == len(seen) == 4
    assert trained.values["last/bias"][0] == pytest.approx(2 * seen[-1])


class Recording(keras.callbacks.Callback):
    """Keeps what it hears in a list of the test's, which a copy of the callback has too."""

    heard = None

    def __deepcopy__(self, memo):
        return self

    def __init__(self):
        super().__init__()
        self.heard = []

    def on_train_begin(self, logs=None):
        """Keep it."""
        self.heard.append("begin")

    def on_epoch_begin(self, epoch, logs=None):
        """Keep it."""
        self.heard.append(epoch)

    def on_test_end(self, logs=None):
        """Keep it."""
        self.heard.append(("test", sorted(logs)))

    def on_epoch_end(self, epoch, logs=None):
        """Keep it and add to the logs."""
        self.heard.append((epoch, sorted(logs)))
        logs["mine"] = 10.0 * epoch

    def on_train_end(self, logs=None):
        """Keep it."""
        self.heard.append("end")


@pytest.mark.parametrize("hooks", [[], [BatchHook()]], ids=["loops", "Keras fit"])
def test_what_callbacks_hear(hooks):
    recording = Recording()
    (trained,) = train(
        [job_of(make_data(), n_validation=20)],
        settings_of(),
        callbacks=[recording, *hooks],
        initial_epoch=3,
        epochs=5,
        patience=9,
    )
    of_epochs = [[epoch, ("test", ["loss"]), (epoch, ["loss", "val_loss"])] for epoch in (3, 4)]
    assert recording.heard == ["begin", *of_epochs[0], *of_epochs[1], "end"]
    assert trained.history["mine"] == [30, 40]


def test_callbacks_may_change_the_optimizer():
    class Halts(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                self.model.optimizer.learning_rate = 0.0

    (trained,) = train([job_of(make_data())], settings_of("SGD"), callbacks=[Halts()])
    (short,) = train([job_of(make_data())], settings_of("SGD"), epochs=2)
    np.testing.assert_array_equal(trained.values["last/kernel"], short.values["last/kernel"])
    assert trained.optimizer_state.others["_learning_rate"] == 0


def test_callbacks_of_the_caller_stay_as_they_are():
    callback = keras.callbacks.EarlyStopping("loss", patience=0)
    before = dict(vars(callback))
    train([job_of(make_data())], settings_of(), callbacks=[callback])
    assert vars(callback) == before


def test_without_callbacks_nothing_is_written_to_the_model():
    listeners = NoListeners()
    listeners.begin_epoch(0)
    assert listeners.end_epoch(0, {"loss": 1.0}) is False
    listeners.end()

"""Both ways of training: compiled epochs and Keras ``fit``."""

import numpy as np
import pytest

from skstack._backend import keras
from skstack.training import _fit
from skstack.training._programs import clear_cache

layers = keras.layers


def build():
    inputs = keras.Input((5,), name="x")
    x = layers.Dense(6, kernel_initializer=keras.initializers.GlorotUniform(1), name="first")(inputs)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    outputs = layers.Dense(1, kernel_initializer=keras.initializers.GlorotUniform(2), name="last")(x)
    return keras.Model({"x": inputs}, outputs)


def train(optimizer="adam", weighted=False, validation=False, **params):
    generator = np.random.default_rng(0)
    inputs = {"x": generator.normal(size=(70, 5)).astype("float32")}
    target = (inputs["x"][:, :1] * 2 + 1).astype("float32")
    weight = generator.uniform(0.5, 2, size=70).astype("float32") if weighted else None
    network = build()
    settings = {
        "optimizer": keras.optimizers.get(optimizer),
        "loss": keras.losses.MeanSquaredError(),
        "metrics": ["mae"],
    }

    def make():
        model = build()
        model.compile(**settings)
        return model

    rows = np.arange(70)
    split = 50 if validation else 70
    arguments = {
        "epochs": 4,
        "initial_epoch": 0,
        "batch_size": 16,
        "patience": 1,
        "callbacks": [],
        "seed": 3,
        "verbose": 0,
    }
    history, state = _fit.fit(
        network,
        settings,
        make,
        inputs,
        target,
        weight,
        rows[:split],
        rows[split:],
        optimizer_state=None,
        **{**arguments, **params},
    )
    return network.get_weights(), history, state


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop", "lion"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("validation", [False, True])
def test_compiled_epochs_equal_keras_fit(monkeypatch, optimizer, weighted, validation):
    compiled = train(optimizer, weighted, validation)
    monkeypatch.setattr(_fit, "_is_whole_epoch", lambda *_: False)
    clear_cache()
    by_keras = train(optimizer, weighted, validation)
    for ours, theirs in zip(compiled[0], by_keras[0], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    assert compiled[1].keys() == by_keras[1].keys()
    for name in compiled[1]:
        np.testing.assert_allclose(compiled[1][name], by_keras[1][name], rtol=1e-4)
    for ours, theirs in zip(compiled[2], by_keras[2], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_order_of_the_rows_depends_on_seed_and_epoch_alone():
    order = _fit.Order(np.arange(9), 0)
    epochs = [order.at(epoch) for epoch in range(2)]
    assert not np.array_equal(*epochs)
    assert not np.array_equal(epochs[0], _fit.Order(np.arange(9), 1).at(0))
    for epoch, rows in enumerate(epochs):
        np.testing.assert_array_equal(np.sort(rows), np.arange(9))
        np.testing.assert_array_equal(rows, _fit.Order(np.arange(9), 0).at(epoch))
    np.testing.assert_array_equal(_fit.Order(np.arange(9), None).at(1), np.arange(9))


def test_batches_cover_every_row_the_last_incomplete_one_too():
    inputs, target = {"x": np.arange(7.0)[:, None]}, np.arange(7.0)[:, None]
    batches = _fit.Batches((inputs, target, None), _fit.Order(np.arange(7), 0), 3)
    seen = [batches[number] for number in range(len(batches))]
    assert [len(y) for _, y in seen] == [3, 3, 1]
    np.testing.assert_array_equal(np.sort(np.concatenate([y for _, y in seen]).ravel()), np.arange(7))
    assert all(np.array_equal(x["x"], y) for x, y in seen)


class EveryBatch(keras.callbacks.Callback):
    """Counts batches, which only Keras ``fit`` announces."""

    def __init__(self):
        super().__init__()
        self.n_batches = 0

    def on_train_batch_end(self, batch, logs=None):
        self.n_batches += 1


class EveryEpoch(keras.callbacks.Callback):
    """Keeps what it hears of the epochs."""

    def __init__(self):
        super().__init__()
        self.logs = []

    def on_epoch_end(self, epoch, logs=None):
        self.logs.append(dict(logs))


def test_callbacks_hear_of_batches_and_epochs():
    batches, epochs = EveryBatch(), EveryEpoch()
    train(callbacks=[batches])
    _, history, _ = train(callbacks=[epochs], validation=True)
    assert batches.n_batches == 4 * 5
    assert [logs["val_loss"] for logs in epochs.logs] == history["val_loss"]


def test_training_goes_on_from_a_state():
    whole, _, state = train(epochs=2)
    assert int(state[0]) == 2 * 5  # steps of the optimizer: five batches in each epoch
    assert len(whole) == 8


def test_cold_and_warm_programs_train_the_same():
    clear_cache()
    cold, warm = train(), train()
    for first, second in zip(cold[0], warm[0], strict=True):
        np.testing.assert_array_equal(first, second)

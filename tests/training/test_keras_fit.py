"""Training with Keras ``fit``, which is what the compiled loops have to equal."""

import numpy as np
import pytest
from _problems import (
    N_ROWS,
    OPTIMIZERS,
    BatchHook,
    assert_same,
    both_ways,
    build,
    job_of,
    make_data,
    settings_of,
    train,
)

from skstack._backend import keras
from skstack._progress import Watchers
from skstack.training._batches import Order
from skstack.training._keras_fit import Batches


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_compiled_loops_equal_keras_fit(optimizer):
    data = make_data(weighted=True)
    fast, plain = both_ways(data, optimizer=optimizer)
    assert_same(fast, plain)
    assert not np.allclose(fast.values["first/kernel"], build().trainable_variables[0])


def test_categories_and_metrics():
    def metrics():
        return ["mae", keras.metrics.RootMeanSquaredError(name="rmse")]

    fast, plain = both_ways(make_data(categories=True), {"categories": True}, metrics=metrics)
    assert_same(fast, plain)
    assert set(fast.history) == {"loss", "mae", "rmse"}
    np.testing.assert_allclose(fast.history["rmse"], np.sqrt(fast.history["loss"]), rtol=1e-4)


def test_frozen_layers_stay_as_they_are():
    fast, plain = both_ways(make_data(), {"frozen": True})
    assert_same(fast, plain)
    before = job_of(make_data(), frozen=True).values
    np.testing.assert_array_equal(fast.values["first/kernel"], before["first/kernel"])


def test_watchers_hear_of_every_epoch_and_may_end_it():
    heard = []

    class Watcher(Watchers):
        def begin(self, index, n_epochs):
            heard.append(("begin", index, n_epochs))

        def begin_epoch(self, index):
            heard.append("epoch")

        def end_epoch(self, index, logs, values):
            heard.append((sorted(logs), float(values()["last/bias"][0])))
            return sum(what == "epoch" for what in heard) == 2

        def end(self, index):
            heard.append(("end", index))

    job = job_of(make_data(), n_validation=20)
    job.index = 5
    schedule = {"epochs": 9, "patience": 9, "watchers": Watcher()}
    (trained,) = train([job], settings_of(), callbacks=[BatchHook()], **schedule)
    assert heard[0] == ("begin", 5, 9)
    assert heard[-1] == ("end", 5)
    assert heard.count("epoch") == len(trained.history["loss"]) == 2
    assert [what[0] for what in heard[2:-1:2]] == [["loss", "val_loss"]] * 2
    assert heard[4][1] == trained.values["last/bias"][0] != heard[2][1]


def test_callbacks_of_the_caller_stay_as_they_are():
    class Counting(BatchHook):
        n_batches = 0

        def on_train_batch_end(self, batch, logs=None):
            self.n_batches += 1

    callback = Counting()
    train([job_of(make_data())], settings_of(), callbacks=[callback])
    assert callback.n_batches == 0


def test_batches_hold_the_rows_in_the_order_of_the_epoch():
    data = make_data(weighted=True)
    rows = np.arange(10, 31)
    batches = Batches(data, Order(rows, seed=3), batch_size=8)
    assert len(batches) == 3
    for epoch in (0, 1):
        batches.begin(epoch)
        parts = [batches[index] for index in range(3)]
        assert [len(inputs["x"]) for inputs, _, _ in parts] == [8, 8, 5]
        order = Order(rows, seed=3).at(epoch)
        np.testing.assert_array_equal(
            np.concatenate([inputs["x"] for inputs, _, _ in parts]), data["inputs"]["x"][order]
        )
        np.testing.assert_array_equal(np.concatenate([y for _, y, _ in parts]), data["targets"]["output"][order])
        np.testing.assert_array_equal(np.concatenate([w for _, _, w in parts]), data["weights"]["output"][order])


def test_batches_without_weights_have_two_parts():
    assert len(Batches(make_data(), Order(np.arange(N_ROWS), None), 8)[0]) == 2

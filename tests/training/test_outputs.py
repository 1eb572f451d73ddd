"""Networks of several tasks in the trainer: targets, weights, losses and outputs by name."""

import numpy as np
import pytest
from _problems import BatchHook, assert_same

from skstack._backend import keras
from skstack.training._fit import Job, Schedule, fit
from skstack.training._inference import CompiledCall
from skstack.training._outputs import lone
from skstack.training._seeds import seeded
from skstack.training._values import values_of

layers, losses = keras.layers, keras.losses
N_ROWS = 60
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N_ROWS, 4)).astype("float32")
TARGETS = {
    "price": (X[:, :1] * 2 + 1).astype("float32"),
    "kind": (X[:, 1:2] > 0).astype("float32"),
}


def _build():
    inputs = keras.Input((4,), name="x")
    initializers = [keras.initializers.GlorotUniform(seed) for seed in range(3)]
    x = layers.Dense(5, activation="relu", kernel_initializer=initializers[0], name="head_1")(inputs)
    price = layers.Dense(1, kernel_initializer=initializers[1], name="price")(x)
    kind = layers.Dense(1, activation="sigmoid", kernel_initializer=initializers[2], name="kind")(x)
    return keras.Model({"x": inputs}, {"price": price, "kind": kind}, name="two")


def _settings():
    return {
        "optimizer": keras.optimizers.Adam(0.01),
        "loss": {"price": losses.MeanSquaredError(), "kind": losses.BinaryCrossentropy()},
        "metrics": {"price": ["mae"], "kind": ["accuracy"]},
    }


def _job(targets=TARGETS, weights=None, rows=None, index=0):
    data = {"inputs": {"x": X}, "targets": targets}
    if weights is not None:
        data["weights"] = weights
    rows = np.arange(N_ROWS) if rows is None else rows
    with seeded(1):
        return Job(values_of(_build()), data, rows[:-15], rows[-15:], seed=3, index=index)


def _train(jobs, vectorized=False, callbacks=()):
    settings = _settings()

    def make():
        model = _build()
        model.compile(optimizer=settings["optimizer"], loss=lone(settings["loss"]), metrics=lone(settings["metrics"]))
        return model

    schedule = Schedule(4, 0, 8, 9, list(callbacks), vectorized)
    return list(fit(_build(), settings, make, jobs, schedule))


def test_compiled_loops_equal_keras_fit_for_several_tasks():
    (fast,), (plain,) = _train([_job()]), _train([_job()], callbacks=[BatchHook()])
    assert_same(fast, plain)
    assert {"loss", "price_loss", "price_mae", "kind_accuracy", "val_loss", "val_kind_loss"} <= fast.history.keys()
    assert fast.history["loss"][-1] < fast.history["loss"][0]


def test_networks_of_several_tasks_among_others_equal_the_same_alone():
    jobs = [_job(), _job(rows=np.arange(5, N_ROWS), index=1)]
    for job, one in zip(jobs, _train(jobs, vectorized=True), strict=True):
        assert_same(one, _train([job])[0])


@pytest.mark.parametrize(
    "way", [{}, {"callbacks": [BatchHook()]}, {"vectorized": True}], ids=["alone", "Keras fit", "vectorized"]
)
def test_a_missing_target_is_a_weight_of_0(way):
    ones, some = np.ones(N_ROWS, "float32"), np.ones(N_ROWS, "float32")
    some[::3] = 0
    other = {**TARGETS, "kind": np.where(some[:, np.newaxis] == 0, 0.5, TARGETS["kind"]).astype("float32")}
    weights = {"price": ones, "kind": some}

    def trained(targets, weights):
        return _train([_job(targets, weights), _job(targets, weights, index=1)], **way)[0].values

    first, second = trained(TARGETS, weights), trained(other, weights)
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name])
    everywhere = trained(TARGETS, {"price": ones, "kind": ones})
    assert not np.allclose(everywhere["kind/kernel"], first["kind/kernel"])


def test_predictions_are_by_task():
    model = _build()
    outputs = CompiledCall(model)({"x": X})
    assert outputs.keys() == {"price", "kind"}
    for name, values in model.predict({"x": X}, verbose=0).items():
        np.testing.assert_allclose(outputs[name], values, rtol=1e-5, atol=1e-6)


def test_one_task_is_plain_for_keras():
    assert lone({"price": 3}) == 3
    assert lone({"price": 3, "kind": 4}) == {"price": 3, "kind": 4}

"""Small networks and rows to train them on."""

import numpy as np

from skstack._backend import keras
from skstack.branches._layers import Dropout, Standardize
from skstack.training._fit import Job, Schedule, fit
from skstack.training._outputs import lone
from skstack.training._seeds import seeded
from skstack.training._values import values_of

layers = keras.layers
N_ROWS = 70

#: Every optimizer of Keras that does not hold others.
ALL_OPTIMIZERS = sorted(
    name
    for name, kind in vars(keras.optimizers).items()
    if isinstance(kind, type)
    and issubclass(kind, keras.optimizers.Optimizer)
    and name != "Optimizer"
    and name not in ("LossScaleOptimizer", "MultiOptimizer")  # which hold other optimizers
)

#: Those that are tested: JAX takes seconds to compile a program for each, so only one of each kind there.
OPTIMIZERS = ALL_OPTIMIZERS if keras.backend.backend() == "tensorflow" else ["Adam", "Lamb"]


def build(dropout=0.0, frozen=False, seed=1, categories=False, slowed=None):
    """Return a network with batch normalisation, statistics and, if wished, dropout, an embedding, a frozen layer.

    The learning rate of the first layer's weights is multiplied by `slowed`.
    """
    initializers = [keras.initializers.GlorotUniform(seed + index) for index in range(3)]
    inputs = {"x": keras.Input((5,), name="x")}
    x = Standardize(name="standardize")(inputs["x"])
    if categories:
        inputs["c"] = keras.Input((2,), dtype="int32", name="c")
        embedding = layers.Embedding(8, 2, embeddings_initializer=initializers[2], name="embedding")(inputs["c"])
        x = layers.Concatenate(name="join")([x, layers.Flatten(name="flat")(embedding)])
    x = layers.Dense(6, kernel_initializer=initializers[0], use_bias=False, trainable=not frozen, name="first")(x)
    x = layers.ReLU(name="relu")(layers.BatchNormalization(momentum=0.8, name="norm")(x))
    x = Dropout(dropout, name="drop")(x) if dropout else x
    outputs = layers.Dense(1, kernel_initializer=initializers[1], name="last")(x)
    model = keras.Model(inputs, outputs, name="small")
    model.get_layer("standardize").seen.assign(np.ones(5))
    if slowed is not None:
        model.get_layer("first").kernel.learning_rate_multiplier = slowed
    return model


def make_data(seed=0, weighted=False, categories=False):
    """Return encoded rows, target and, if wished, weights."""
    generator = np.random.default_rng(seed)
    data = {"inputs": {"x": generator.normal(size=(N_ROWS, 5)).astype("float32")}}
    if categories:
        data["inputs"]["c"] = generator.integers(0, 8, size=(N_ROWS, 2)).astype("int32")
    data["targets"] = {"output": (data["inputs"]["x"][:, :1] * 2 + 1).astype("float32")}
    if weighted:
        data["weights"] = {"output": generator.uniform(0.5, 2, size=N_ROWS).astype("float32")}
    return data


def settings_of(optimizer="Adam", loss=None, metrics=(), **params):
    """Return fresh optimizer, loss and metrics."""
    if isinstance(optimizer, str):
        optimizer = getattr(keras.optimizers, optimizer)(**params)
    loss = loss or keras.losses.MeanSquaredError()
    return {"optimizer": optimizer, "loss": {"output": loss}, "metrics": {"output": list(metrics)}}


def job_of(data, rows=None, n_validation=0, seed=3, state=None, **network):
    """Return a job for a network on some rows, of which the last are for validation."""
    rows = np.arange(N_ROWS) if rows is None else rows
    n_training = len(rows) - n_validation
    with seeded(seed):  # the layers' own seeds
        values = values_of(build(**network))
    return Job(values, data, rows[:n_training], rows[n_training:], seed, state)


def train(jobs, settings, *, network=None, vectorized=False, callbacks=(), **schedule):
    """Train the jobs and return what came out of each."""
    network = network or {}

    def make():
        model = build(**network)
        model.compile(optimizer=settings["optimizer"], loss=lone(settings["loss"]), metrics=lone(settings["metrics"]))
        return model

    defaults = {"epochs": 4, "initial_epoch": 0, "batch_size": 16, "patience": 1}
    plan = Schedule(**{**defaults, **schedule}, callbacks=list(callbacks), vectorized=vectorized)
    return list(fit(build(**network), settings, make, jobs, plan))


def both_ways(data, network=None, optimizer="Adam", metrics=(), callbacks=(), **params):
    """Train the same network with compiled loops and with Keras ``fit``; see :func:`train_one`."""
    made = [
        {
            "optimizer": optimizer() if callable(optimizer) else optimizer,
            "metrics": metrics() if callable(metrics) else metrics,
            "callbacks": [*callbacks, *hooks],
        }
        for hooks in ([], [BatchHook()])
    ]
    return tuple(train_one(data, network, **params, **of_way) for of_way in made)


def train_one(data, network=None, optimizer="Adam", metrics=(), callbacks=(), schedule=None, job=None, **params):
    """Train a network, with compiled loops unless a callback needs Keras ``fit``."""
    network, schedule, job = network or {}, schedule or {}, job or {}
    settings = settings_of(optimizer, metrics=metrics, **params)
    (trained,) = train([job_of(data, **network, **job)], settings, network=network, callbacks=callbacks, **schedule)
    return trained


class BatchHook(keras.callbacks.Callback):
    """Asks to be called between batches, for which Keras ``fit`` is needed."""

    def on_train_batch_end(self, batch, logs=None):
        """Do nothing."""


def assert_same(first, second, **tolerance):
    """Compare weights, history and state of the optimizer of two trained networks."""
    tolerance = {"rtol": 2e-4, "atol": 2e-5} | tolerance
    assert first.values.keys() == second.values.keys()
    for name, values in first.values.items():
        np.testing.assert_allclose(values, second.values[name], **tolerance)
    assert first.history.keys() == second.history.keys()
    for name, values in first.history.items():
        np.testing.assert_allclose(values, second.history[name], **tolerance)
    for name, values in first.optimizer_state.others.items():
        np.testing.assert_allclose(values, second.optimizer_state.others[name], **tolerance)
    assert first.optimizer_state.slots.keys() == second.optimizer_state.slots.keys()

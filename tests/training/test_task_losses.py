"""Losses of single tasks as means over rows."""

import numpy as np
import pytest

from skstack._backend import keras
from skstack.training._task_losses import average_over_rows

RNG = np.random.default_rng(0)
X = RNG.normal(size=(10, 2)).astype("float32")
Y = {"a": X[:, :1] * 2, "b": X[:, 1:] - 1}


def _compiled():
    inputs = keras.Input((2,), name="x")
    outputs = {name: keras.layers.Dense(1, name=name)(inputs) for name in Y}
    model = keras.Model(inputs, outputs)
    model.compile("sgd", loss={"a": "mse", "b": "mae"}, loss_weights={"a": 2.0, "b": 0.5})
    average_over_rows(model)
    return model


def _losses(model):
    error = {name: np.asarray(output) - Y[name] for name, output in model(X).items()}
    return np.mean(error["a"] ** 2), np.mean(np.abs(error["b"]))


def test_the_last_smaller_batch_counts_as_many_rows_as_it_has():
    model = _compiled()
    a, b = _losses(model)
    logs = model.evaluate(X, Y, batch_size=8, verbose=0, return_dict=True)
    assert logs["a_loss"] == pytest.approx(a, rel=1e-5)
    assert logs["b_loss"] == pytest.approx(b, rel=1e-5)
    assert logs["loss"] == pytest.approx(2 * a + 0.5 * b, rel=1e-5)


def test_batches_one_by_one_are_averaged_over_rows_too():
    model = _compiled()
    a, _ = _losses(model)
    for rows in (slice(0, 7), slice(7, 10)):
        outputs = model(X[rows])
        model.compute_loss(X[rows], {name: y[rows] for name, y in Y.items()}, outputs)
    assert float(model.get_metrics_result()["a_loss"]) == pytest.approx(a, rel=1e-5)


def test_a_model_of_one_output_has_no_losses_beside_the_total():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", loss="mse")
    average_over_rows(model)
    assert list(model.evaluate(X, Y["a"], verbose=0, return_dict=True)) == ["loss"]

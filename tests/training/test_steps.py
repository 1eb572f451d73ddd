"""A step as a pure function, against arithmetic by hand."""

import numpy as np
import pytest
from _problems import build, job_of, make_data, settings_of

from skstack._backend import keras
from skstack.training._programs import Program
from skstack.training._steps import Steps
from skstack.training._values import divided, to_array, values_of

map_structure = keras.tree.map_structure
X = np.random.default_rng(0).normal(size=(6, 2)).astype("float32")
Y = np.random.default_rng(1).normal(size=(6, 1)).astype("float32")
WEIGHT = np.array([1, 2, 0, 1, 1, 3], dtype="float32")


def linear(optimizer=None, **compile_arguments):
    """Return a compiled linear model."""
    inputs = keras.Input((2,), name="x")
    model = keras.Model({"x": inputs}, keras.layers.Dense(1, name="last")(inputs), name="linear")
    model.compile(optimizer=optimizer or keras.optimizers.SGD(0.1), loss="mse", **compile_arguments)
    return model


def steps_of(model, joins=False):
    """Return the steps of a compiled model."""
    return Steps(model, Program(model, joins).backend.value_and_gradients, joins)


def batch_of(weighted=False, rows=slice(None)):
    """Return a batch of tensors."""
    batch = {"inputs": {"x": X[rows]}, "targets": {"output": Y[rows]}}
    if weighted:
        batch["weights"] = {"output": WEIGHT[rows]}
    return placed(batch)


def placed(arrays):
    return map_structure(keras.ops.convert_to_tensor, arrays)


def begin(steps, model):
    return placed(steps.start(values_of(model), None, {"optimizer": model.optimizer}))


def by_hand(kernel, bias, rate=0.1, weight=None):
    """Return loss, and kernel and bias after a step of gradient descent."""
    weight = np.ones(len(X)) if weight is None else weight
    error = (X @ kernel + bias - Y) * np.sqrt(weight)[:, np.newaxis]
    slope = 2 * error * np.sqrt(weight)[:, np.newaxis] / len(X)
    return np.mean(error**2), kernel - rate * X.T @ slope, bias - rate * slope.sum(axis=0)


@pytest.mark.parametrize("joins", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_step_is_gradient_descent(joins, weighted):
    model = linear()
    before = values_of(model)
    steps = steps_of(model, joins)
    after = steps.train(begin(steps, model), [], {}, batch_of(weighted))
    loss, kernel, bias = by_hand(before["last/kernel"], before["last/bias"], weight=WEIGHT if weighted else None)
    values, _ = steps.finish(map_structure(to_array, after), [])
    np.testing.assert_allclose(values["last/kernel"], kernel, rtol=1e-5)
    np.testing.assert_allclose(values["last/bias"], bias, rtol=1e-5)
    assert steps.logs(map_structure(to_array, after))["loss"] == pytest.approx(loss, rel=1e-5)
    for name, value in values_of(model).items():  # the model is not a part of it
        np.testing.assert_array_equal(value, before[name])


def test_the_learning_rate_of_a_weight_is_multiplied():
    model = linear()
    model.get_layer("last").kernel.learning_rate_multiplier = 0.25
    before = values_of(model)
    steps = steps_of(model, joins=True)
    after = map_structure(to_array, steps.train(begin(steps, model), [], {}, batch_of()))
    values, _ = steps.finish(after, [])
    _, kernel, bias = by_hand(before["last/kernel"], before["last/bias"])
    np.testing.assert_allclose(
        values["last/kernel"] - before["last/kernel"], 0.25 * (kernel - before["last/kernel"]), rtol=1e-4, atol=1e-6
    )
    np.testing.assert_allclose(values["last/bias"], bias, rtol=1e-5)


def test_evaluation_adds_to_the_loss_and_changes_nothing_else():
    model = linear()
    steps = steps_of(model)
    state = begin(steps, model)
    for rows in (slice(0, 4), slice(4, 6)):
        state = steps.evaluate(state, [], {}, batch_of(rows=rows))
    state = map_structure(to_array, state)
    values = values_of(model)
    loss, _, _ = by_hand(values["last/kernel"], values["last/bias"])
    assert state["rows"] == 6
    assert steps.logs(state) == {"loss": pytest.approx(loss, rel=1e-5)}
    np.testing.assert_array_equal(state["trainable"][0], values["last/kernel"])
    reset = steps.reset(state)
    assert reset["rows"] == reset["loss"] == 0


def test_metrics_are_a_part_of_the_state():
    model = linear(metrics=["mae"])
    steps = steps_of(model)
    steps.prepare_metrics({kind: map_structure(to_array, part) for kind, part in batch_of(rows=slice(0, 2)).items()})
    state = begin(steps, model)
    assert state["metrics"]
    for rows in (slice(0, 4), slice(4, 6)):
        state = steps.evaluate(state, [], {}, batch_of(rows=rows))
    values = values_of(model)
    expected = np.abs(X @ values["last/kernel"] + values["last/bias"] - Y).mean()
    assert steps.logs(map_structure(to_array, state))["mae"] == pytest.approx(expected, rel=1e-5)
    assert not any(np.any(value) for value in steps.reset(state)["metrics"])


def test_losses_of_layers_count():
    plain, penalised = linear(), linear()
    penalised.get_layer("last").kernel.regularizer = keras.regularizers.L2(0.5)
    penalised.set_weights(plain.get_weights())
    losses = []
    for model in (plain, penalised):
        steps = steps_of(model)
        state = steps.train(begin(steps, model), [], {}, batch_of())
        losses.append(steps.logs(map_structure(to_array, state))["loss"])
    assert losses[1] - losses[0] == pytest.approx(0.5 * np.sum(plain.get_weights()[0] ** 2), rel=1e-4)


def test_averages_change_in_training_alone_and_statistics_never():
    model, data = build(), make_data()
    model.compile("sgd", "mse")
    steps = steps_of(model, joins=True)
    job = job_of(data)
    _, carried, fixed = divided(model)
    assert {"norm/moving_mean", "norm/moving_variance"} <= carried.keys()
    assert {"standardize/center", "standardize/scale"} <= fixed.keys()
    job.values["standardize/center"] = np.full(5, 0.5, dtype="float32")
    constant = steps.fixed(job.values)
    state = placed(steps.start(job.values, None, settings_of("SGD")))
    batch = placed({kind: {name: array[:16] for name, array in part.items()} for kind, part in data.items()})

    def finished(state):
        return steps.finish(map_structure(to_array, state), constant)[0]

    evaluated = finished(steps.evaluate(state, placed(constant), {}, batch))
    trained = finished(steps.train(state, placed(constant), {}, batch))
    for name, value in job.values.items():
        np.testing.assert_array_equal(evaluated[name], value)
    assert not np.allclose(trained["norm/moving_mean"], job.values["norm/moving_mean"])
    np.testing.assert_array_equal(trained["standardize/center"], job.values["standardize/center"])
    assert list(trained) == list(job.values)


def test_callbacks_see_the_state_in_the_model_and_their_changes_come_back():
    model = linear(keras.optimizers.Adam())
    steps = steps_of(model, joins=True)
    state = map_structure(to_array, steps.train(begin(steps, model), [], {}, batch_of()))
    steps.write(state)
    np.testing.assert_allclose(model.get_weights()[0].ravel(), state["trainable"][0][:2])
    assert int(model.optimizer.iterations) == 1
    model.get_layer("last").bias.assign([5.0])
    model.optimizer.learning_rate = 0.25
    again = steps.read(state)
    np.testing.assert_array_equal(again["trainable"][0][:2], state["trainable"][0][:2])
    assert again["trainable"][0][2] == 5
    assert np.float32(0.25) in [value for value in again["optimizer"] if value.shape == ()]
    assert again["rows"] == state["rows"]


@pytest.mark.parametrize(("params", "expected"), [({}, ()), ({"weight_decay": 0.1}, ("weight_decay",))])
def test_weight_decay_is_handed_in_as_a_value(params, expected):
    model = linear(keras.optimizers.Adam(**params))
    assert steps_of(model).hyperparameters == expected


def test_weight_decay_of_the_step_is_that_which_was_handed_in():
    model = linear(keras.optimizers.SGD(0.1, weight_decay=0.5))
    before = values_of(model)
    steps = steps_of(model)
    state = begin(steps, model)
    kernels = []
    for decay in (0.0, 0.2):
        after = steps.train(state, [], placed({"weight_decay": np.float32(decay)}), batch_of())
        kernels.append(steps.finish(map_structure(to_array, after), [])[0]["last/kernel"])
    np.testing.assert_allclose(kernels[0] - kernels[1], 0.1 * 0.2 * before["last/kernel"], rtol=1e-4)
    assert model.optimizer.weight_decay == 0.5

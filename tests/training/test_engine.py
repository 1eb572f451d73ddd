"""One network in training, driven by hand."""

import numpy as np
import pytest
from _problems import N_ROWS, build, job_of, make_data, settings_of

from skstack._backend import keras
from skstack.training._engine import Engine, Runner
from skstack.training._fit import Schedule
from skstack.training._listeners import Listeners, NoListeners
from skstack.training._programs import Program
from skstack.training._values import to_array

ROWS = np.arange(N_ROWS)


def program_of(settings):
    """Return a compiled program for small networks."""
    model = build()
    model.compile(optimizer=settings["optimizer"], loss=settings["loss"]["output"])
    return Program(model, joins=True)


@pytest.fixture(scope="module")
def settings():
    return settings_of("SGD", learning_rate=0.05)


@pytest.fixture(scope="module")
def program(settings):
    return program_of(settings)


@pytest.fixture
def engine(program, settings):
    return Engine(program, settings, job_of(make_data()), {})


def weights_of(engine):
    return to_array(engine.state["trainable"][0])


def test_training_moves_the_weights_and_evaluation_does_not(engine):
    before = weights_of(engine)
    (first,) = engine.evaluate([ROWS], 16)
    np.testing.assert_array_equal(weights_of(engine), before)
    engine.train([ROWS], 16)
    assert not np.allclose(weights_of(engine), before)
    (second,) = engine.evaluate([ROWS], 16)
    assert second["loss"] < first["loss"]


def test_the_loss_is_the_mean_over_the_rows(engine):
    model, data = build(), make_data()
    rows = np.arange(33)
    outputs = keras.ops.convert_to_numpy(model({"x": data["inputs"]["x"][rows]}, training=False))
    expected = np.mean((outputs - data["targets"]["output"][rows]) ** 2)
    for batch_size in (5, 16, 64):  # whatever the batches, of which the last is smaller
        (logs,) = engine.evaluate([rows], batch_size)
        assert logs["loss"] == pytest.approx(expected, rel=1e-5)


def test_every_pass_counts_its_own_loss(engine):
    first, second = (engine.evaluate([ROWS], 16)[0]["loss"] for _ in range(2))
    assert first == second


def test_the_rows_count_and_their_order(program, settings):
    def trained(rows):
        engine = Engine(program, settings, job_of(make_data()), {})
        engine.train([rows], 16)
        return weights_of(engine)

    np.testing.assert_array_equal(trained(ROWS), trained(ROWS))
    assert not np.array_equal(trained(ROWS), trained(ROWS[::-1].copy()))
    assert not np.array_equal(trained(ROWS), trained(ROWS[:32]))


def test_the_end_has_the_best_weights_and_the_last_state_of_the_optimizer(engine):
    engine.train([ROWS], 16)
    best = engine.state_of(0)
    engine.train([ROWS], 16)
    last = engine.state_of(0)
    values, state = engine.finish(0, best, last)
    of_last, same_state = engine.finish(0, None, last)
    of_best, earlier_state = engine.finish(0, None, best)
    for name in values:
        np.testing.assert_array_equal(values[name], of_best[name])
    assert not np.array_equal(values["last/kernel"], of_last["last/kernel"])
    steps = [int(one.others["_iterations"]) for one in (state, same_state, earlier_state)]
    assert steps == [10, 10, 5]


def test_what_training_does_not_change_comes_back_as_it_was(program, settings):
    job = job_of(make_data())
    job.values["standardize/center"] = np.full(5, 0.5, dtype="float32")
    engine = Engine(program, settings, job, {})
    engine.train([ROWS], 16)
    values, _ = engine.finish(0, None, engine.state)
    np.testing.assert_array_equal(values["standardize/center"], job.values["standardize/center"])
    assert values.keys() == job.values.keys()


def test_the_learning_rate_is_that_of_the_settings(program):
    engines = [Engine(program, settings_of("SGD", learning_rate=rate), job_of(make_data()), {}) for rate in (0.0, 0.01)]
    moved = []
    for engine in engines:
        before = weights_of(engine)
        engine.train([ROWS], 16)
        moved.append(np.abs(weights_of(engine) - before).max())
    assert moved[0] == 0 < moved[1]


def test_hyperparameters_of_the_settings_are_values_of_the_program():
    runner = Runner(program_of(settings_of("AdamW", weight_decay=0.5)), settings_of("AdamW", weight_decay=0.25))
    assert {name: float(to_array(value)) for name, value in runner._hyperparameters.items()} == {"weight_decay": 0.25}


def test_only_callbacks_are_told_about_epochs(engine):
    assert isinstance(engine.listen(Schedule(1, 0, 16, 1, [])), NoListeners)
    assert isinstance(engine.listen(Schedule(1, 0, 16, 1, [keras.callbacks.Callback()])), Listeners)

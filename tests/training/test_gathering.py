"""Training what several fits ask for."""

from concurrent.futures import Future

import numpy as np
import pytest
from _problems import N_ROWS, build, job_of, make_data, settings_of

from skstack._backend import keras
from skstack.training import _fit
from skstack.training._fit import Schedule, Training, Trainings
from skstack.training._gathering import train_all
from skstack.training._outputs import lone

pytestmark = pytest.mark.usefixtures("short_trainings_go_together")

ROWS = np.arange(N_ROWS)


def trainings_of(jobs, network=None, callbacks=(), epochs=4, batch_size=16, **optimizer):
    settings = settings_of(**{"optimizer": "AdamW", "weight_decay": 0.1, **optimizer})
    schedule = Schedule(epochs, 0, batch_size, 1, list(callbacks), None)

    def make():
        model = build(**(network or {}))
        model.compile(optimizer=settings["optimizer"], loss=lone(settings["loss"]))
        return model

    return Trainings(build(**(network or {})), make, [Training(job, settings, schedule) for job in jobs])


@pytest.fixture
def groups(monkeypatch):
    """Record how many networks are trained at once."""
    made = []

    class Recording(_fit.VectorizedEngine):
        def __init__(self, program, trainings, fused):
            made.append(len(trainings))
            super().__init__(program, trainings, fused)

    monkeypatch.setattr(_fit, "VectorizedEngine", Recording)
    return made


def answered(*asked):
    """Return what all get."""
    questions = [(trainings, Future()) for trainings in asked]
    train_all(questions)
    return [future.result() for _, future in questions]


def assert_same(together, alone, **tolerance):
    assert together.history.keys() == alone.history.keys()
    for name, losses in together.history.items():
        np.testing.assert_allclose(losses, alone.history[name], rtol=1e-4, **tolerance)
    for name, value in together.values.items():
        np.testing.assert_allclose(value, alone.values[name], rtol=1e-3, atol=1e-5)


def test_each_is_trained_as_it_would_be_alone(groups):
    """Whatever their values are: learning rates, weight decay, seeds, rows, weights of rows, numbers of epochs."""
    data, weighted = make_data(), make_data(weighted=True)
    asked = [
        trainings_of([job_of(data, n_validation=10)], learning_rate=0.01),
        trainings_of([job_of(data, n_validation=10, seed=5)], learning_rate=0.1, weight_decay=0.5),
        trainings_of([job_of(data, ROWS[::-1].copy(), 10), job_of(data, ROWS, 20)], epochs=2),
        trainings_of([job_of(weighted, n_validation=10)], epochs=6),
        trainings_of([job_of(weighted, n_validation=10, seed=6)], epochs=3),
    ]
    together = answered(*asked)
    assert groups == [4, 2]  # those with weights for their rows are another program
    for of_fit, trainings in zip(together, asked, strict=True):
        for trained, training in zip(of_fit, trainings.each, strict=True):
            assert len(trained.history["loss"]) <= training.schedule.epochs
            assert_same(trained, next(_fit.train(trainings._replace(each=[training]))))


def test_networks_of_another_architecture_are_trained_apart(groups):
    data = make_data()
    jobs = [job_of(data), job_of(data, seed=4), job_of(data, frozen=True), job_of(data, frozen=True, seed=4)]
    frozen = {"frozen": True}
    answered(*[trainings_of([job]) for job in jobs[:2]], *[trainings_of([job], frozen) for job in jobs[2:]])
    assert groups == [2, 2]


@pytest.mark.parametrize(
    "change",
    [
        {"callbacks": [keras.callbacks.LambdaCallback()]},
        {"batch_size": 32},
        {"optimizer": "Adam", "weight_decay": None},
    ],
    ids=["callbacks", "batch_size", "optimizer"],
)
def test_what_one_program_cannot_do_is_done_apart(groups, change):
    data = make_data()
    answered(trainings_of([job_of(data)]), trainings_of([job_of(data, seed=4)], **change))
    assert groups == []


def test_networks_of_as_many_rows_go_in_step(groups):
    data = make_data()
    jobs = [job_of(data, ROWS[: N_ROWS - n]) for n in (0, 1, 0, 1, 0, 1, 0, 1, 2, 3)]
    answered(*[trainings_of([job]) for job in jobs])
    assert groups == [4, 4, 2]


def test_arrays_of_the_same_content_are_on_the_device_once(monkeypatch):
    seen = []
    monkeypatch.setattr(_fit, "is_vectorized", lambda network, jobs, *args: seen.extend(jobs))
    others = make_data()
    others["targets"]["output"] = others["targets"]["output"] + 1
    answered(*[trainings_of([job_of(data)]) for data in (make_data(), make_data(), others)])
    inputs = [job.data["inputs"]["x"] for job in seen]
    targets = [job.data["targets"]["output"] for job in seen]
    assert inputs[0] is inputs[1] is inputs[2]
    assert targets[0] is targets[1] is not targets[2]


def test_an_error_is_an_answer(groups):
    def fail():
        raise MemoryError("too large")

    data = make_data()
    fine, failing = trainings_of([job_of(data)]), trainings_of([job_of(data, dropout=0.5)], {"dropout": 0.5})
    questions = [(fine, Future()), (failing._replace(make=fail), Future())]
    train_all(questions)
    assert len(questions[0][1].result()) == 1
    with pytest.raises(MemoryError, match="too large"):
        questions[1][1].result()

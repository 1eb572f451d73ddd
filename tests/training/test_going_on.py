"""Trainings that go on where shorter ones have ended."""

from dataclasses import replace

import numpy as np
import pytest
from _problems import build, job_of, make_data, settings_of

from skstack._backend import keras
from skstack.training import _fit
from skstack.training._fit import Schedule, fit
from skstack.training._going_on import going_on
from skstack.training._outputs import lone


@pytest.fixture
def epochs(monkeypatch):
    """Count the epochs that are trained."""
    counted = []
    for kind in (_fit.Engine, _fit.VectorizedEngine):
        monkeypatch.setattr(kind, "train", _counting(kind.train, counted))
    return counted


def _counting(train, counted):
    def of_engine(self, rows, batch_size):
        counted.append(len(rows))
        return train(self, rows, batch_size)

    return of_engine


def trained(jobs, n_epochs, patience=None, watchers=None, callbacks=(), rate=0.05, vectorized=False):
    settings = settings_of("Adam", learning_rate=rate)

    def make():
        model = build(dropout=0.2)
        model.compile(optimizer=settings["optimizer"], loss=lone(settings["loss"]))
        return model

    schedule = Schedule(n_epochs, 0, 16, patience, list(callbacks), vectorized)
    schedule = schedule if watchers is None else replace(schedule, watchers=watchers)
    return list(fit(build(dropout=0.2), settings, make, jobs, schedule))


def jobs_of(n_validation=0, n_jobs=1, data=None):
    data = make_data() if data is None else data
    return [job_of(data, n_validation=n_validation, seed=3 + number, dropout=0.2) for number in range(n_jobs)]


def assert_same(one, other):
    assert one.history == other.history
    for name, value in one.values.items():
        np.testing.assert_array_equal(value, other.values[name])


@pytest.mark.parametrize("n_validation", [0, 20])
@pytest.mark.parametrize("vectorized", [False, True])
def test_a_training_that_goes_on_ends_where_one_at_once_does(epochs, n_validation, vectorized):
    how = {"patience": 3 if n_validation else None, "vectorized": vectorized}
    n_jobs = 2 if vectorized else 1
    with going_on():
        some = trained(jobs_of(n_validation, n_jobs), 3, **how)
        n_first = len(epochs)
        more = trained(jobs_of(n_validation, n_jobs), 9, **how)
    n_together = len(epochs)
    assert n_first == 3
    assert [len(of_network.history["loss"]) for of_network in some] == [3] * n_jobs
    for one, other in zip(more, trained(jobs_of(n_validation, n_jobs), 9, **how), strict=True):
        assert_same(one, other)
    assert n_together == len(epochs) - n_together


def test_the_best_epoch_may_be_one_of_the_earlier_training(epochs):
    """With a rate at which nothing becomes better for some epochs."""
    how = {"patience": 3, "rate": 0.1}
    alone = trained(jobs_of(30), 12, **how)[0]
    best = int(np.argmin(alone.history["val_loss"]))
    assert 0 < best + 1 < len(alone.history["val_loss"])
    with going_on():
        trained(jobs_of(30), best + 1, **how)
        assert_same(trained(jobs_of(30), 12, **how)[0], alone)


def test_a_training_that_has_ended_early_is_not_trained_again(epochs):
    how = {"patience": 1, "rate": 1.0}
    with going_on():
        first = trained(jobs_of(30), 40, **how)[0]
        n_first = len(epochs)
        assert n_first < 40
        for n_epochs in (40, 60):
            assert_same(trained(jobs_of(30), n_epochs, **how)[0], first)
        assert len(epochs) == n_first
        assert len(trained(jobs_of(30), n_first - 1, **how)[0].history["loss"]) == n_first - 1


def test_a_shorter_or_another_training_begins_anew(epochs):
    other = make_data()
    other["targets"]["output"] = other["targets"]["output"] + 1
    with going_on():
        trained(jobs_of(), 3)
        trained(jobs_of(), 2)
        trained(jobs_of(), 3, rate=0.01)
        trained(jobs_of(data=other), 3)
        trained(jobs_of(), 3, callbacks=[keras.callbacks.LambdaCallback()])
    assert len(epochs) == 3 + 2 + 3 + 3 + 3
    trained(jobs_of(), 3)
    assert len(epochs) == 17


def test_a_training_that_a_watcher_has_ended_is_no_beginning(epochs):
    class Ending(_fit.Watchers):
        def end_epoch(self, index, logs, values):
            return True

    with going_on():
        assert len(trained(jobs_of(), 3, watchers=Ending())[0].history["loss"]) == 1
        assert len(trained(jobs_of(), 3)[0].history["loss"]) == 3
    assert len(epochs) == 1 + 3

"""Networks that were trained alone before a fit was stopped are not trained again."""

from dataclasses import replace

import numpy as np
import pytest
from _small import branches, make_table, network_regressor, stack_regressor
from numpy.testing import assert_array_equal

from skstack import MultimodalNetworkRegressor
from skstack._backend import keras
from skstack.caching._keeping import keeping
from skstack.caching._results import FolderResults, MemoryResults
from skstack.training import _fit
from skstack.training._fit import Job, Schedule, Training
from skstack.training._kept import _Watching, trained_once

X, Y = make_table()
SPLITS = [np.arange(32), np.arange(16, 48)]


class Trainings:
    """The networks that are trained alone, the n-th of which may stop it all."""

    def __init__(self, monkeypatch):
        self.done, self.last, self._run = 0, None, _fit._run
        monkeypatch.setattr(_fit, "_run", self)

    def __call__(self, *args):
        if self.done == self.last:
            raise KeyboardInterrupt
        self.done += 1
        return self._run(*args)

    def pop(self):
        """Return how many there were since the last time."""
        done, self.done = self.done, 0
        return done


@pytest.fixture
def trainings(monkeypatch):
    return Trainings(monkeypatch)


def _predicted(results, **params):
    """Cross-fit a network whose folds are trained one after the other, and return predictions of each."""
    network = network_regressor(**{"fold_training": "sequential", **params})
    with keeping(None, results):
        return [fitted.predict(X) for fitted in network.cross_fit(X, Y, SPLITS)]


def test_finished_networks_are_found_and_the_result_is_the_same(trainings, tmp_path):
    expected = _predicted(None)
    assert trainings.pop() == 3
    trainings.last = 2
    with pytest.raises(KeyboardInterrupt):
        _predicted(FolderResults(tmp_path))
    assert trainings.pop() == 2
    trainings.last = None
    found = _predicted(FolderResults(tmp_path))
    assert trainings.pop() == 1
    assert_array_equal(found, expected)


@pytest.fixture(scope="module")
def network():
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])


SETTINGS = {"optimizer": "adam", "loss": {"y": "mse"}, "metrics": {"y": []}}
JOB = Job({"kernel": np.zeros(2)}, {"inputs": {"x": np.ones((4, 2))}}, np.arange(3), np.arange(3, 4), seed=0)
SCHEDULE = Schedule(epochs=2, initial_epoch=0, batch_size=2, patience=None, callbacks=[])


def _is_trained(results, network, settings=SETTINGS, job=JOB, schedule=SCHEDULE):
    """Tell whether a network is trained, rather than found."""
    trained = []
    training = Training(job, settings, schedule, results)
    assert trained_once(network, training, lambda training: trained.append(1) or "it") == "it"
    return bool(trained)


@pytest.mark.parametrize(
    "changed",
    [
        {"settings": {**SETTINGS, "optimizer": keras.optimizers.Adam(0.1)}},
        {"settings": {**SETTINGS, "loss": {"y": "mae"}}},
        {"job": replace(JOB, values={"kernel": np.ones(2)})},
        {"job": replace(JOB, data={"inputs": {"x": np.zeros((4, 2))}})},
        {"job": replace(JOB, validation_data={"inputs": {"x": np.zeros((4, 2))}})},
        {"job": replace(JOB, training_rows=np.arange(2))},
        {"job": replace(JOB, validation_rows=np.arange(2))},
        {"job": replace(JOB, seed=1)},
        {"job": replace(JOB, optimizer_state={"momentum": 1.0})},
        {"schedule": replace(SCHEDULE, epochs=3)},
        {"schedule": replace(SCHEDULE, initial_epoch=1)},
        {"schedule": replace(SCHEDULE, batch_size=3)},
        {"schedule": replace(SCHEDULE, patience=1)},
    ],
)
def test_another_training_is_another_one(network, changed):
    results = MemoryResults()
    assert [_is_trained(results, network) for _ in range(2)] == [True, False]
    assert [_is_trained(results, network, **changed) for _ in range(2)] == [True, False]


def test_what_is_frozen_counts_and_the_index_does_not():
    network, results = (
        keras.Sequential([keras.Input((2,)), keras.layers.Dense(3), keras.layers.Dense(1)]),
        MemoryResults(),
    )
    _is_trained(results, network)
    assert not _is_trained(results, network, job=replace(JOB, index=5, name="fold 5"))
    network.layers[0].trainable = False
    assert _is_trained(results, network)


def test_what_callbacks_see_and_code_of_the_users_own_is_not_kept(network):
    results = MemoryResults()
    for changed in (
        {"schedule": replace(SCHEDULE, callbacks=[keras.callbacks.Callback()])},
        {"settings": {**SETTINGS, "loss": {"y": lambda y_true, y_pred: 0.0}}},
    ):
        assert [_is_trained(results, network, **changed) for _ in range(2)] == [True, True]


def test_a_training_that_somebody_ends_is_not_kept():
    class Ending:
        def end_epoch(self, index, logs, values):
            return True

    watching = _Watching([Ending()])
    assert not watching.wanted_end
    assert watching.end_epoch(0, {}, None)
    assert watching.wanted_end


def test_a_stopped_stack_goes_on_within_a_network(trainings, tmp_path):
    def stack(checkpoint):
        network = MultimodalNetworkRegressor(**network_params)
        return stack_regressor(branches(), network=network, checkpoint=checkpoint)

    network_params = {"head": (4,), "epochs": 1, "batch_size": 64, "early_stopping": False}
    network_params["fold_training"] = "sequential"
    expected = stack(None).fit(X, Y).predict(X)
    trainings.pop()
    trainings.last = 1
    with pytest.raises(KeyboardInterrupt):
        stack(tmp_path).fit(X, Y)
    assert trainings.pop() == 1
    assert any(path.is_dir() for path in tmp_path.iterdir())
    trainings.last = None
    assert_array_equal(stack(tmp_path).fit(X, Y).predict(X), expected)
    assert trainings.pop() == 2
    assert not any(path.is_dir() for path in tmp_path.iterdir())

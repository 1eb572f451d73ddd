"""What backends for clusters have in common, with an engine that pickles calls and runs them in threads."""

import os
import pickle
from concurrent.futures import CancelledError, ThreadPoolExecutor
from threading import Event

import cloudpickle
import numpy as np
import pytest
from _small import make_table
from joblib import Parallel, delayed, effective_n_jobs, parallel_config
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.tree import DecisionTreeRegressor

from skstack import MultimodalStackingRegressor
from skstack.parallel import _cluster
from skstack.parallel._calls import run
from skstack.parallel._cluster import ClusterBackend

NUMBERS = ["area", "rooms"]


class Threads(ClusterBackend):
    """An engine of two threads, which counts bytes and loses tasks on request."""

    _lost = CancelledError

    def __init__(self, n_losses=0):
        super().__init__()
        self.n_losses = n_losses
        self.sent, self.calls, self.cancelled = [], [], []
        self._pool = ThreadPoolExecutor(2)

    def _n_workers(self):
        return 2

    def _send(self, value):
        self.sent.append(value)
        return pickle.dumps(value)

    def _is_lost(self, reference):
        return False

    def _start(self, calls, references):
        self.calls.append(cloudpickle.dumps(calls))
        lost, self.n_losses = self.n_losses > 0, self.n_losses - 1
        work = self._pool.submit(self._work, lost, self.calls[-1], references)
        return work, lambda: self.cancelled.append(work.cancel())

    def _work(self, lost, calls, references):
        if lost:
            raise CancelledError("the worker is gone")
        return run(pickle.loads(calls), *map(pickle.loads, references))


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(_cluster, "_PAUSE", 0.0)


@pytest.fixture(scope="module")
def table():
    return make_table(200)


def _stack(**params):
    tree = DecisionTreeRegressor(max_depth=3, splitter="random")
    parts = [("tree", tree, NUMBERS), ("ridge", Ridge(), NUMBERS)]
    return MultimodalStackingRegressor(parts, **{"cv": 3, "random_state": 0, **params})


def _negative(number):
    return -number


def test_results_come_in_order():
    with parallel_config(backend=Threads()):
        assert Parallel()(delayed(_negative)(number) for number in range(30)) == [-number for number in range(30)]


@pytest.mark.parametrize(("n_jobs", "expected"), [(None, 2), (-1, 2), (1, 1), (7, 2), (-2, 1)])
def test_all_workers_are_used_unless_told_otherwise(n_jobs, expected):
    with parallel_config(backend=Threads()):
        assert effective_n_jobs(n_jobs) == expected


def test_a_single_worker_is_used_rather_than_this_process():
    backend = Threads()
    backend._n_workers = lambda: 1
    with parallel_config(backend=backend):
        Parallel()(delayed(_negative)(number) for number in range(3))
    assert backend.calls


def test_n_jobs_of_0_has_no_meaning():
    with parallel_config(backend=Threads()), pytest.raises(ValueError, match="no meaning"):
        Parallel(n_jobs=0)(delayed(_negative)(number) for number in range(3))


def test_a_stack_is_the_same_and_sends_its_data_once(table):
    X, y = table
    weight = np.linspace(0.5, 1.5, len(y))
    alone = _stack().fit(X, y, sample_weight=weight)
    backend = Threads()
    with parallel_config(backend=backend):
        stack = _stack().fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(stack.oof_predictions_, alone.oof_predictions_)
    np.testing.assert_array_equal(stack.predict(X), alone.predict(X))
    # The columns of each base model, and the target, the weights and the rows of three folds for both; then what the
    # final estimator is fitted to.
    of_base_models, of_final_estimator = backend.sent[:10], backend.sent[10:]
    assert [value.shape for value in of_base_models].count((200, 2)) == 2
    assert [value.shape for value in of_base_models].count((200,)) == 2
    assert not any(hasattr(value, "columns") for value in of_final_estimator)
    assert len(set(map(id, backend.sent))) == len(backend.sent)


def test_what_is_sent_for_each_fit_does_not_grow_with_the_rows():
    n_rows = 20_000
    X, y = make_table(n_rows)
    backend = Threads()
    with parallel_config(backend=backend):
        _stack().fit(X, y, sample_weight=np.ones(n_rows))
    # Less than a number for every tenth row, of however many calls a task is made.
    assert max(map(len, backend.calls)) < 8 * n_rows / 10


def test_a_search_of_scikit_learn_sends_its_data_once(table):
    X, y = table
    search = GridSearchCV(Ridge(), {"alpha": [0.1, 1.0, 10.0]}, cv=3)
    alone = search.fit(X[NUMBERS], y).cv_results_
    backend = Threads()
    with parallel_config(backend=backend):
        together = search.fit(X[NUMBERS], y).cv_results_
    np.testing.assert_array_equal(together["mean_test_score"], alone["mean_test_score"])
    assert len(backend.sent) <= 2 + 2 * 3 + 1  # X, its columns, y, rows of three folds


def _parallel_inside():
    return effective_n_jobs(-1), os.getpid()


def test_what_a_call_would_run_in_parallel_stays_where_it_is():
    with parallel_config(backend=Threads()):
        assert {n_jobs for n_jobs, _ in Parallel()(delayed(_parallel_inside)() for _ in range(2))} == {1}


# --- losses and errors ------------------------------------------------------------------------------------------------


def test_what_is_lost_is_done_again(table):
    X, y = table
    with parallel_config(backend=Threads(n_losses=4)):
        stack = _stack().fit(X, y)
    np.testing.assert_array_equal(stack.predict(X), _stack().fit(X, y).predict(X))


def test_what_is_lost_again_and_again_is_an_error():
    backend = Threads(n_losses=1000)
    with parallel_config(backend=backend), pytest.raises(CancelledError, match="the worker is gone"):
        Parallel(n_jobs=2)(delayed(_negative)(number) for number in [1])
    assert len(backend.calls) == 1 + _cluster._N_RESTARTS


def test_data_that_cannot_be_sent_is_an_error_rather_than_a_wait():
    backend = Threads()
    backend._sent._send = lambda value: 1 / 0
    with parallel_config(backend=backend), pytest.raises(ZeroDivisionError):
        Parallel()(delayed(_negative)(np.arange(number + 3)) for number in range(5))


class Picky(Ridge):
    """Refuses every fit."""

    def fit(self, X, y):
        raise ValueError("not this one")


def test_an_error_says_where_it_came_from(table):
    X, y = table
    stack = MultimodalStackingRegressor([("ridge", Ridge(), NUMBERS), ("picky", Picky(), NUMBERS)], cv=3)
    with parallel_config(backend=Threads()), pytest.raises(ValueError, match="not this one") as caught:
        stack.fit(X, y)
    assert any("in base model 'picky'" in note for note in caught.value.__notes__)
    assert "line" in str(caught.value.__cause__) and "in fit" in str(caught.value.__cause__)


_ALL_SENT, _GO_ON = Event(), Event()


def _fail_or_wait(number):
    if number == 0:
        _ALL_SENT.wait(20)
        raise ValueError("the first")
    _GO_ON.wait(20)


class Counted(Threads):
    """Says when six tasks have been started."""

    def _start(self, calls, references):
        started = super()._start(calls, references)
        if len(self.calls) == 6:
            _ALL_SENT.set()
        return started


def test_an_error_gives_up_the_others():
    backend = Counted()
    with parallel_config(backend=backend), pytest.raises(ValueError, match="the first"):
        Parallel(batch_size=1, pre_dispatch="all")(delayed(_fail_or_wait)(number) for number in range(6))
    _GO_ON.set()
    assert backend.cancelled.count(True) >= 3
    assert not backend._running

"""Stacks, networks and searches on a Ray of two workers on this machine."""

import numpy as np
import pytest
from _mortal import Mortal, assert_searched_alike, learners_stack, search, writeable
from _small import make_table, stack_regressor
from joblib import Parallel, delayed, parallel_config
from joblib.pool import PicklingPool
from sklearn.model_selection import GridSearchCV, ShuffleSplit

from skstack.parallel import RayBackend

ray = pytest.importorskip("ray")
pytestmark = pytest.mark.usefixtures("local_ray")


@pytest.fixture(scope="module")
def table():
    return make_table()


@pytest.fixture
def of_ray():
    """Return what chooses Ray's own backend, which changes joblib's pool of processes for good."""
    from ray.util.joblib import register_ray

    bases = PicklingPool.__bases__
    register_ray()
    yield {"backend": "ray", "n_jobs": 2}
    PicklingPool.__bases__ = bases


def test_a_search_around_a_stack_of_learners_is_the_same(table):
    X, y = table
    alone = search().fit(X, y)
    with parallel_config(backend=RayBackend()):
        assert_searched_alike(search().fit(X, y), alone, X)


def test_a_search_is_the_same_with_the_backend_of_ray(table, of_ray):
    X, y = table
    # It starts new processes for each loop: without refit, there is one.
    alone, there = (search().set_params(refit=False) for _ in range(2))
    alone.fit(X, y)
    with parallel_config(**of_ray):
        there.fit(X, y)
    np.testing.assert_array_equal(there.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"])


def test_learners_that_are_cross_fitted_are_the_same_and_their_data_is_put_once(table, monkeypatch):
    X, y = table
    put = []
    monkeypatch.setattr(ray, "put", lambda value, put_it=ray.put: put.append(value) or put_it(value))
    with parallel_config(backend=RayBackend()):
        stack = learners_stack().fit(X, y)
    np.testing.assert_array_equal(stack.predict(X), learners_stack().fit(X, y).predict(X))
    assert put and len(set(map(id, put))) == len(put)


def test_arrays_arrive_read_only():
    y = np.arange(1000.0)
    with parallel_config(backend=RayBackend()):
        assert Parallel()(delayed(writeable)(y) for _ in range(2)) == [[False]] * 2


@pytest.mark.parametrize(("options", "expected"), [({}, 2), ({"num_cpus": 2}, 2), ({"num_cpus": 0.5}, 4)])
def test_as_many_calls_run_as_the_cluster_has_room_for(options, expected):
    assert RayBackend(**options).effective_n_jobs(None) == expected


def test_a_search_around_networks_is_the_same(table):
    X, y = table
    # One task, so that one worker has to import Keras.
    around = GridSearchCV(stack_regressor(), {"ridge__alpha": [1.0]}, cv=ShuffleSplit(1, random_state=0), refit=False)
    alone = around.fit(X, y).cv_results_["mean_test_score"]
    with parallel_config(backend=RayBackend()):
        np.testing.assert_allclose(around.fit(X, y).cv_results_["mean_test_score"], alone, rtol=1e-4)


def test_a_worker_that_is_killed_costs_a_retry(table, tmp_path):
    X, y = table
    stack = learners_stack(Mortal(str(tmp_path / "marker")))
    with parallel_config(backend=RayBackend()):
        stack.fit(X, y)
    assert (tmp_path / "marker").exists()
    np.testing.assert_array_equal(stack.predict(X), learners_stack().fit(X, y).predict(X))

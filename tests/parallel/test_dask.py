"""Stacks, networks and searches on a Dask cluster of two processes on this machine."""

import numpy as np
import pytest
from _mortal import Mortal, assert_searched_alike, learners_stack, search, writeable
from _small import make_table, stack_regressor
from joblib import Parallel, delayed, parallel_config
from sklearn.model_selection import GridSearchCV, ShuffleSplit

from skstack.parallel import DaskBackend

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def client():
    # A busy machine needs more than 15 s to start a worker again; then the cluster would give it up.
    with (
        dask.config.set({"distributed.deploy.lost-worker-timeout": "5 minutes"}),
        distributed.LocalCluster(2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def table():
    return make_table()


BACKENDS = {
    "of joblib": lambda client, table: {"backend": "dask", "scatter": list(table)},
    "of skstack": lambda client, table: {"backend": DaskBackend(client)},
}


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_search_around_a_stack_of_learners_is_the_same(client, table, backend):
    X, y = table
    alone = search().fit(X, y)
    with parallel_config(**BACKENDS[backend](client, table)):
        assert_searched_alike(search().fit(X, y), alone, X)


def test_learners_that_are_cross_fitted_are_the_same_and_leave_nothing_behind(client, table):
    X, y = table
    backend = DaskBackend()  # finds the client
    with parallel_config(backend=backend):
        stack = learners_stack().fit(X, y)
    np.testing.assert_array_equal(stack.predict(X), learners_stack().fit(X, y).predict(X))
    assert not backend._running


def test_arrays_arrive_read_only(client):
    y = np.arange(1000.0)
    with parallel_config(backend=DaskBackend(client)):
        assert Parallel()(delayed(writeable)(y) for _ in range(2)) == [[False]] * 2


def test_a_search_around_networks_is_the_same(client, table):
    X, y = table
    # One task, so that one worker has to import Keras.
    around = GridSearchCV(stack_regressor(), {"ridge__alpha": [1.0]}, cv=ShuffleSplit(1, random_state=0), refit=False)
    alone = around.fit(X, y).cv_results_["mean_test_score"]
    with parallel_config(backend=DaskBackend(client)):
        np.testing.assert_allclose(around.fit(X, y).cv_results_["mean_test_score"], alone, rtol=1e-4)


def test_a_worker_that_is_killed_costs_a_retry(client, table, tmp_path):
    X, y = table
    alone = learners_stack().fit(X, y)
    stack = learners_stack(Mortal(str(tmp_path / "marker")))
    with parallel_config(backend=DaskBackend(client)):
        stack.fit(X, y)
    assert (tmp_path / "marker").exists()
    np.testing.assert_array_equal(stack.oof_predictions_, alone.oof_predictions_)
    np.testing.assert_array_equal(stack.predict(X), alone.predict(X))

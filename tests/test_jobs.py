"""Several processes and threads at once."""

import os
import subprocess
import sys

import numpy as np
import pytest
from _small import make_table, network_regressor, stack_regressor
from joblib import Parallel, delayed, parallel_config
from sklearn.base import clone
from sklearn.model_selection import cross_val_predict

from skstack import _backend


@pytest.fixture(scope="module")
def table():
    return make_table()


def test_processes_around_a_stack_that_uses_processes(table):
    X, y = table
    stack = stack_regressor(n_jobs=2)
    alone = cross_val_predict(stack, X, y, cv=2)
    with parallel_config("loky", inner_max_num_threads=1):
        together = cross_val_predict(stack, X, y, cv=2, n_jobs=2)
    np.testing.assert_allclose(together, alone, rtol=1e-5)


def test_threads_do_not_disturb_each_other(table):
    X, y = table
    networks = [network_regressor(random_state=seed) for seed in (0, 1, 0, 1)]
    alone = [clone(network).fit(X, y).predict(X) for network in networks]
    together = Parallel(n_jobs=2, backend="threading")(delayed(_fit_predict)(network, X, y) for network in networks)
    np.testing.assert_allclose(together, alone, rtol=1e-5)
    assert not np.allclose(alone[0], alone[1])


def _fit_predict(network, X, y):
    return clone(network).fit(X, y).predict(X)


CROSS_VALIDATE = """
import numpy as np
import pandas as pd
from sklearn.model_selection import cross_validate
from skstack import MultimodalNetworkRegressor
from skstack.branches import TextBranch

X, y = pd.DataFrame({"review": ["fine coat", "red hat"] * 6}), np.arange(12.0)
network = MultimodalNetworkRegressor([("text", TextBranch(dim=2))], epochs=1, early_stopping=False, random_state=0)
results = cross_validate(network, X, y, cv=2, n_jobs=2, return_estimator=True, error_score="raise")
alone = cross_validate(network, X, y, cv=2, return_estimator=True)
for one, other in zip(results["estimator"], alone["estimator"]):
    np.testing.assert_allclose(one.predict(X), other.predict(X), rtol=1e-5)
"""


def test_networks_come_back_from_processes_into_one_that_has_trained_nothing():
    done = subprocess.run([sys.executable, "-c", CROSS_VALIDATE], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ({"OMP_NUM_THREADS": "3"}, "3"),
        ({"OMP_NUM_THREADS": "3", "TF_NUM_INTRAOP_THREADS": "2"}, "2"),
        ({}, None),
    ],
)
def test_a_worker_uses_the_threads_that_joblib_grants_it(monkeypatch, before, expected):
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_FORCE_GPU_ALLOW_GROWTH"):
        monkeypatch.delenv(name, raising=False)
    for name, value in before.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    _backend._share_the_machine()
    assert os.environ.get("TF_NUM_INTRAOP_THREADS") == expected
    assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"

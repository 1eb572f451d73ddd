"""Copies of estimators: by joblib in a new process, deepcopy, clone, and in the cache of ``memory``."""

import copy
import functools
import subprocess
import sys

import joblib
import numpy as np
import pytest
from _small import make_labels, make_table, network_classifier, network_regressor, stack_classifier, stack_regressor
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skstack import MultimodalNetworkClassifier, MultimodalNetworkRegressor

LOAD_AND_PREDICT = """
import sys
import joblib
import numpy as np

folder = sys.argv[1]
fitted, X = joblib.load(f"{folder}/fitted.joblib")
np.savez(f"{folder}/predicted.npz", **{name: estimator.predict(X) for name, estimator in fitted.items()})
probabilities = fitted["classifier stack"].predict_proba(X)
np.savez(f"{folder}/probabilities.npz", probabilities=probabilities)
"""


def _dense_layers():
    return network_regressor().set_params(branches=None)


@pytest.fixture(scope="module")
def table():
    return make_table()


@pytest.fixture(scope="module")
def fitted(table):
    """Fitted networks and stacks by name."""
    X, y = table
    labels = make_labels(y, 3)
    return {
        "regressor network": network_regressor().fit(X, y),
        "network of members": network_regressor(n_members=2).fit(X, y),
        "members that share weights": network_regressor(n_members=2, share_weights=True).fit(X, y),
        "classifier network": network_classifier().fit(X, labels),
        "joint stack": stack_regressor(passthrough=["area"]).fit(X, y),
        "individual stack": stack_regressor(training="individual").fit(X, y),
        "stack with dense layers at its end": stack_regressor(final_estimator=_dense_layers()).fit(X, y),
        "classifier stack": stack_classifier().fit(X, labels),
    }


def test_a_new_process_predicts_the_same(table, fitted, tmp_path):
    X, _ = table
    joblib.dump((fitted, X), tmp_path / "fitted.joblib")
    done = subprocess.run(
        [sys.executable, "-c", LOAD_AND_PREDICT, str(tmp_path)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    predicted = np.load(tmp_path / "predicted.npz")
    for name, estimator in fitted.items():
        expected = estimator.predict(X)
        if expected.dtype.kind == "f":
            assert_allclose(predicted[name], expected, rtol=1e-6, err_msg=name)
        else:
            assert_array_equal(predicted[name], expected, err_msg=name)
    probabilities = np.load(tmp_path / "probabilities.npz")["probabilities"]
    assert_allclose(probabilities, fitted["classifier stack"].predict_proba(X), rtol=1e-6)


@pytest.mark.parametrize("name", ["regressor network", "joint stack"])
def test_a_deep_copy_predicts_the_same_and_goes_its_own_way(table, fitted, name):
    X, y = table
    before = fitted[name].predict(X)
    copied = copy.deepcopy(fitted[name])
    assert_allclose(copied.predict(X), before, rtol=1e-6)
    copied.fit(X, -y)
    assert_array_equal(fitted[name].predict(X), before)
    assert np.abs(copied.predict(X) - before).max() > 0.1


@pytest.mark.parametrize("name", ["classifier network", "individual stack", "stack with dense layers at its end"])
def test_a_clone_has_the_parameters_and_nothing_learned(table, fitted, name):
    X, _ = table
    cloned = clone(fitted[name])
    assert repr(cloned.get_params()) == repr(fitted[name].get_params())
    with pytest.raises(NotFittedError):
        cloned.predict(X)


def test_fitting_leaves_the_given_parts_unfitted(table):
    X, y = table
    stack = stack_regressor(final_estimator=_dense_layers())
    stack.fit(X, y)
    for part in [*dict(stack._named_parts).values(), stack.network, stack.final_estimator]:
        assert not [name for name in vars(part) if name.endswith("_") and not name.endswith("__")]


@pytest.fixture
def trainings(monkeypatch):
    """A list that grows by one whenever a network is cross-fitted."""
    counted = []
    for network_class in (MultimodalNetworkRegressor, MultimodalNetworkClassifier):
        monkeypatch.setattr(network_class, "cross_fit", _counting(network_class.cross_fit, counted))
    return counted


def _counting(fit, counted):
    @functools.wraps(fit)
    def counting(self, *args, **kwargs):
        counted.append(self)
        return fit(self, *args, **kwargs)

    return counting


def test_memory_finds_base_models_again(table, trainings, tmp_path):
    X, y = table
    first = stack_regressor(memory=str(tmp_path)).fit(X, y)
    assert len(trainings) == 1
    again = stack_regressor(memory=str(tmp_path), passthrough=["area"]).fit(X, y)
    assert len(trainings) == 1
    assert_allclose(again.transform(X)[:, :2], first.transform(X), rtol=1e-6)
    stack_regressor(memory=str(tmp_path)).set_params(ridge__alpha=2.0).fit(X, y)
    assert len(trainings) == 1  # another learner leaves the network as it was
    stack_regressor(memory=str(tmp_path)).fit(X, y + 1.0)
    assert len(trainings) == 2


def test_memory_may_be_an_object_and_keeps_parameters_apart(table, trainings, tmp_path):
    X, y = table
    memory = joblib.Memory(tmp_path, verbose=0)
    stack = stack_classifier(memory=memory)
    first = stack.fit(X, make_labels(y)).predict_proba(X)
    assert_allclose(stack.fit(X, make_labels(y)).predict_proba(X), first, rtol=1e-6)
    assert len(trainings) == 1
    stack.set_params(numbers__dropout=0.5).fit(X, make_labels(y))
    assert len(trainings) == 2

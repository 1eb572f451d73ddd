"""Keras models that several networks are built from."""

import numpy as np
import pytest
from _small import make_labels, make_table, network_classifier, network_regressor
from sklearn.base import clone

from skstack.branches import NumericBranch, TextBranch
from skstack.network._assembly import Assembly
from skstack.network._sharing import known_models, sharing_models


@pytest.fixture(scope="module")
def table():
    return make_table()


@pytest.fixture
def built(monkeypatch):
    """Count the models that are built."""
    made, original = [], Assembly.build

    def build(self, *args, **params):
        made.append(original(self, *args, **params))
        return made[-1]

    monkeypatch.setattr(Assembly, "build", build)
    return made


CANDIDATES = (
    {},
    {"random_state": 7},
    {"optimizer__learning_rate": 0.05, "epochs": 2},
    {"early_stopping": True, "patience": 1, "validation_fraction": 0.2},
)


def test_networks_that_differ_in_how_they_are_trained_share_a_model(table, built):
    X, y = table
    alone = [network_regressor(**params).fit(X, y).predict(X) for params in CANDIDATES]
    n_alone = len(built)
    with sharing_models():
        networks = [network_regressor(**params).fit(X, y) for params in CANDIDATES]
    assert len(built) - n_alone == 2  # one for each seed
    assert len({id(network._compiled_call.model) for network in networks}) == 1
    for network, expected in zip(networks, alone, strict=True):
        np.testing.assert_allclose(network.predict(X), expected, rtol=1e-5)
        np.testing.assert_allclose(
            np.ravel(network.model_(network.encode(X))), np.ravel(network._forward(X)), rtol=1e-5
        )
    assert len({id(network.model_) for network in networks}) == len(networks)


def test_a_network_that_shared_a_model_trains_on_with_its_own(table):
    X, y = table
    with sharing_models():
        one, other = (network_regressor(warm_start=True, random_state=seed).fit(X, y) for seed in (0, 1))
    expected = other.predict(X)
    alone = network_regressor(warm_start=True).fit(X, y)
    np.testing.assert_allclose(one.fit(X, y).predict(X), alone.fit(X, y).predict(X), rtol=1e-4)
    np.testing.assert_array_equal(other.predict(X), expected)


@pytest.mark.parametrize(
    "change",
    [
        {"head": (3,)},
        {"dropout": 0.5},
        {"loss": "mae"},
        {"numbers__hidden": (3,)},
        {"place": "drop"},
        {"trainable": {"place": False}},
        {"stages": "individual+joint"},
    ],
    ids=str,
)
def test_networks_that_are_built_otherwise_have_their_own(table, change):
    X, y = table
    if change == {"place": "drop"}:
        changed = network_regressor([("numbers", NumericBranch((4,)), ["area"])])
    else:
        changed = network_regressor().set_params(**change)
    with sharing_models():
        networks = [network_regressor().fit(X, y), changed.fit(X, y)]
    assert networks[0]._compiled_call.model is not networks[1]._compiled_call.model


def test_what_rows_decide_is_a_part_of_what_is_built(table):
    X, y = table
    few = X["city"] != "Celle"
    with sharing_models():
        networks = [network_regressor().fit(X, y), network_regressor().fit(X[few], y[few])]
    assert networks[0]._compiled_call.model is not networks[1]._compiled_call.model


def test_tasks_are_a_part_of_what_is_built(table):
    X, y = table
    with sharing_models():
        two, three = (network_classifier().fit(X, make_labels(y, n)) for n in (2, 3))
    assert two.predict_proba(X).shape[1] == 2
    assert three.predict_proba(X).shape[1] == 3


def test_settings_that_cannot_be_compared_share_nothing(table):
    X, y = table
    vectors = {"bonn": np.ones(2), "celle": np.zeros(2)}
    parts = [("text", TextBranch(vectors=vectors, dim=2, encoder="mean"), "city")]
    with sharing_models():
        one = network_regressor(parts).fit(X, y)
        other = clone(one).fit(X, y)
    assert one._compiled_call.model is not other._compiled_call.model


def test_nothing_is_shared_outside(table):
    X, y = table
    with sharing_models():
        pass
    one, other = (network_regressor().fit(X, y) for _ in range(2))
    assert one.model_ is not other.model_
    assert known_models() is None

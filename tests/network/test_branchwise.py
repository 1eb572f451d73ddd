"""The forward pass of a network in two."""

import numpy as np
import pytest
from _small import branches, make_table, network_regressor
from numpy.testing import assert_allclose, assert_array_equal

from skstack.branches import TextBranch
from skstack.network._branchwise import Branchwise, with_outputs


def _features(parts, X):
    return [parts.features(part, X) for part in parts.branches]


@pytest.mark.parametrize(
    "params",
    [{}, {"fusion": "gated", "modality_dropout": 0.1}, {"n_members": 2}, {"n_members": 2, "share_weights": True}],
)
def test_the_two_parts_are_the_network(params):
    X, y = make_table()
    network = network_regressor(**params).fit(X, y)
    parts = Branchwise(network)
    outputs = parts.outputs(_features(parts, X))
    assert_allclose(with_outputs(network, outputs).predict(X), network.predict(X), rtol=1e-6)


def test_features_are_row_by_row_and_can_be_exchanged_between_rows():
    X, y = make_table()
    texts = ("text", TextBranch(shared=True, merge="average"), ["city", "other"])
    X["other"] = X["city"].iloc[::-1].to_numpy()
    network = network_regressor([*branches()[:1], texts]).fit(X, y)
    parts = Branchwise(network)
    numbers, words = _features(parts, X)
    turned = [{name: rows[::-1] for name, rows in of_member.items()} for of_member in words]
    exchanged = X.assign(city=X["city"].to_numpy()[::-1], other=X["other"].to_numpy()[::-1])
    assert_allclose(
        with_outputs(network, parts.outputs([numbers, turned])).predict(X), network.predict(exchanged), rtol=1e-6
    )


def test_the_network_that_predicts_from_outputs_is_another_one():
    X, y = make_table()
    network = network_regressor().fit(X, y)
    before = network.predict(X)
    parts = Branchwise(network)
    other = with_outputs(network, np.zeros_like(parts.outputs(_features(parts, X))))
    assert other.predict(X).tolist() == [0.0] * len(X)
    assert_array_equal(network.predict(X), before)


def test_a_network_that_was_trained_further_is_seen_as_it_is_now():
    X, y = make_table()
    network = network_regressor().fit(X, y)
    network.model_.set_weights([1.5 * weight for weight in network.model_.get_weights()])
    parts = Branchwise(network)
    outputs = parts.outputs(_features(parts, X))
    assert_allclose(with_outputs(network, outputs).predict(X), network.predict(X), rtol=1e-6)


def test_networks_of_one_architecture_share_what_is_compiled_and_not_their_weights(monkeypatch):
    X, y = make_table()
    first, second = (network_regressor(random_state=seed).fit(X, y) for seed in (0, 1))
    Branchwise(first)
    monkeypatch.setattr("skstack.network._branchwise._built", None)
    parts = Branchwise(second)
    outputs = parts.outputs(_features(parts, X))
    assert_allclose(with_outputs(second, outputs).predict(X), second.predict(X), rtol=1e-6)

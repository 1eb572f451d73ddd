"""Layers of a fitted network that are frozen, and thawed again, between two fits with a warm start."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from _problems import BatchHook
from _small import make_labels, make_table, network_classifier, network_regressor

from skstack.training._values import values_of

#: What makes the compiled loops, and Keras ``fit``, train.
WAYS = {"loops": None, "Keras fit": [BatchHook()]}
TRAINED = ("kernel", "bias", "embeddings")


@pytest.fixture
def fitted(request):
    """A fitted network that goes on at the next fit, with its rows."""
    X, y = make_table()
    network = network_regressor(warm_start=True, epochs=2, batch_size=16, callbacks=WAYS[request.param])
    return network.fit(X, y), X, y


def changed(network, X, y):
    """Fit once more; return the names of the weights that are not the same to a bit."""
    before = values_of(network.model_)
    after = values_of(network.fit(X, y).model_)
    names = [name for name in after if name.endswith(TRAINED)]
    return {name for name in names if not np.array_equal(before[name], after[name])}


def optimizer_state(network):
    """Return what an optimizer goes on with."""
    (member,) = network._trained_members
    return member.optimizer_state


def weights_of(network, prefix=""):
    """Return the names of the trainable weights of a network, of the layers whose names begin like that."""
    return {name for name in values_of(network.model_) if name.endswith(TRAINED) and name.startswith(prefix)}


@pytest.mark.parametrize("fitted", WAYS, indirect=True)
def test_frozen_layers_stay_to_a_bit_and_move_again_later(fitted):
    network, X, y = fitted
    everything, of_branch = weights_of(network), weights_of(network, "numbers_branch/")
    assert 0 < len(of_branch) < len(everything)
    assert changed(network, X, y) == everything
    before = optimizer_state(network)
    network.model_.get_layer("numbers_branch").trainable = False
    assert changed(network, X, y) == everything - of_branch
    frozen = optimizer_state(network)
    assert frozen.others["_iterations"] == before.others["_iterations"] + 6
    for slot, of_weights in frozen.slots.items():
        assert of_weights.keys() == before.slots[slot].keys() - of_branch
    network.model_.get_layer("numbers_branch").trainable = True
    assert changed(network, X, y) == everything
    assert optimizer_state(network).slots["_momentums"].keys() == everything
    assert network.model_.get_layer("numbers_branch").trainable_variables


@pytest.mark.parametrize("fitted", WAYS, indirect=True)
def test_momenta_of_what_stays_trainable_go_on(fitted):
    network, X, y = fitted
    branch = weights_of(network, "numbers_branch/")
    network.model_.get_layer("numbers_branch").trainable = False
    without, anew = (pickle.loads(pickle.dumps(network)) for _ in range(2))
    for slot, part in optimizer_state(network).slots.items():
        optimizer_state(without).slots[slot] = {name: array for name, array in part.items() if name not in branch}
    anew._trained_members = [replace(anew._trained_members[0], optimizer_state=None)]
    on, same, other = (values_of(part.fit(X, y).model_) for part in (network, without, anew))
    for name, value in on.items():
        np.testing.assert_array_equal(value, same[name])
    assert not np.allclose(on["head_1/kernel"], other["head_1/kernel"], rtol=1e-3)


def test_a_network_of_which_nothing_is_trained_stays_as_it_is():
    X, y = make_table()
    network = network_regressor(warm_start=True, batch_size=16).fit(X, y)
    network.model_.trainable = False
    predicted = network.predict(X)
    assert changed(network, X, y) == set()
    np.testing.assert_array_equal(network.predict(X), predicted)
    network.model_.trainable = True
    assert changed(network, X, y) == weights_of(network)


def test_single_layers_of_a_classifier_in_partial_fits():
    X, y = make_table()
    network = network_classifier().fit(X, labels := make_labels(y))
    dense = network.model_.get_layer("numbers_branch").get_layer("dense_1")
    before = values_of(network.model_)
    dense.trainable = False
    after = values_of(network.partial_fit(X, labels).model_)
    frozen = {name for name in weights_of(network) if np.array_equal(before[name], after[name])}
    assert frozen == weights_of(network, "numbers_branch/dense_1/") != set()


def test_learning_rates_that_are_multiplied_later_count():
    X, y = make_table()
    network = network_regressor(warm_start=True, optimizer="sgd").fit(X, y)
    slowed = pickle.loads(pickle.dumps(network))
    slowed.model_.get_layer("head_1").kernel.learning_rate_multiplier = 0.25
    before = values_of(network.model_)
    fast, slow = (values_of(part.fit(X, y).model_) for part in (network, slowed))
    steps = [after["head_1/kernel"] - before["head_1/kernel"] for after in (fast, slow)]
    np.testing.assert_allclose(steps[1], 0.25 * steps[0], rtol=1e-2, atol=1e-7)
    np.testing.assert_array_equal(fast["head_1/bias"], slow["head_1/bias"])


def test_a_fit_without_a_warm_start_begins_with_nothing_frozen():
    X, y = make_table()
    network = network_regressor().fit(X, y)
    expected = values_of(network.model_)
    network.model_.get_layer("numbers_branch").trainable = False
    again = values_of(network.fit(X, y).model_)
    for name, value in expected.items():
        np.testing.assert_array_equal(value, again[name])

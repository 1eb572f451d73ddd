"""Networks of several branches."""

import pickle
import random

import numpy as np
import pandas as pd
import pytest
from _data import mixed_frame
from _networks import BRANCHES, FAST
from sklearn.base import clone, is_classifier, is_regressor

from skstack import MultimodalNetworkClassifier, MultimodalNetworkRegressor
from skstack._scikeras import BaseWrapper
from skstack.branches import NumericBranch
from skstack.training import clear_cache


@pytest.fixture(scope="module")
def data():
    return mixed_frame()


@pytest.fixture(scope="module")
def fitted(data):
    X, y = data
    return MultimodalNetworkRegressor(BRANCHES, **FAST).fit(X, y)


def test_networks_are_scikeras_estimators(fitted):
    assert isinstance(fitted, BaseWrapper)
    assert is_regressor(fitted) and is_classifier(MultimodalNetworkClassifier())


def test_no_branches_means_numbers_in_every_column(data):
    X, y = data
    network = MultimodalNetworkRegressor(head=(), **FAST).fit(X[["area", "rooms"]], y)
    assert [name for name, _, _ in network.branches_] == ["numeric"]
    assert network.predict(X[["area", "rooms"]]).shape == y.shape


# ---------------------------------------------------------------- Keras parts of the user's


def test_early_stopping_restores_the_best_weights(data):
    X, y = data
    network = MultimodalNetworkRegressor(
        BRANCHES, epochs=60, patience=2, validation_fraction=0.3, random_state=0, optimizer__learning_rate=0.3
    ).fit(X, y)
    losses = network.history_["val_loss"]
    assert len(losses) == np.argmin(losses) + 1 + 2 < 60
    shorter = clone(network).set_params(epochs=int(np.argmin(losses)) + 1).fit(X, y)
    np.testing.assert_allclose(network.predict(X), shorter.predict(X), rtol=1e-5)


def test_sample_weight_tells_rows_apart(data):
    X, y = data
    contradicting = pd.concat([X, X]), np.concatenate([y, -y])
    weight = np.repeat([1.0, 1e-3], len(X))
    network = MultimodalNetworkRegressor(BRANCHES, optimizer__learning_rate=0.05, **{**FAST, "epochs": 20})
    assert network.fit(*contradicting, sample_weight=weight).score(X, y) > 0
    assert network.fit(*contradicting, sample_weight=weight[::-1]).score(X, -y) > 0


def test_partial_fit_trains_one_epoch_at_a_time(data):
    X, y = data
    network = MultimodalNetworkRegressor(BRANCHES, **FAST)
    for _ in range(3):
        network.partial_fit(X, y)
    assert len(network.history_["loss"]) == 3
    assert network.history_["loss"][-1] < network.history_["loss"][0]


def test_warm_start_goes_on_where_the_last_fit_ended(data):
    X, y = data
    cold = MultimodalNetworkRegressor(BRANCHES, **FAST).fit(X, y)
    warm = MultimodalNetworkRegressor(BRANCHES, warm_start=True, **FAST).fit(X, y)
    np.testing.assert_array_equal(cold.predict(X), warm.predict(X))
    loss = cold.history_["loss"][-1]
    assert warm.fit(X, y).history_["loss"][0] < loss < cold.fit(X, y).history_["loss"][0]
    assert len(warm.history_["loss"]) == FAST["epochs"]


def test_pickled_network_predicts_and_goes_on_the_same(data, fitted):
    X, y = data
    loaded = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(loaded.predict(X), fitted.predict(X))
    original = pickle.loads(pickle.dumps(fitted))
    for network in (loaded, original):
        network.partial_fit(X, y)
    once_more = pickle.loads(pickle.dumps(original)).partial_fit(X, y)
    np.testing.assert_array_equal(once_more.predict(X), loaded.partial_fit(X, y).predict(X))


def test_random_state_makes_a_fit_repeatable(data):
    X, y = data
    branches = [("numbers", NumericBranch(hidden=(8,), dropout=0.5), ["area", "rooms"])]
    settings = {**FAST, "early_stopping": True}
    first = MultimodalNetworkRegressor(branches, **settings).fit(X, y).predict(X)
    clear_cache()
    again = MultimodalNetworkRegressor(branches, **settings).fit(X, y).predict(X)
    other = MultimodalNetworkRegressor(branches, **{**settings, "random_state": 1}).fit(X, y).predict(X)
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_fit_leaves_the_global_random_state_alone(data):
    import tensorflow as tf

    X, y = data
    draws = []
    for train in (False, True):
        random.seed(1)
        np.random.seed(1)  # noqa: NPY002 - the global state is what is tested
        tf.random.set_seed(1)
        tf.random.normal(())
        if train:
            MultimodalNetworkRegressor(BRANCHES, **{**FAST, "epochs": 1}).fit(X, y)
        draws.append((random.random(), np.random.rand(), float(tf.random.normal(()))))  # noqa: NPY002
    assert draws[0] == draws[1]


def test_random_state_instance_gives_a_new_fit_each_time(data):
    X, y = data
    network = MultimodalNetworkRegressor(BRANCHES, **{**FAST, "random_state": np.random.RandomState(0)})
    assert not np.allclose(network.fit(X, y).predict(X), network.fit(X, y).predict(X))


def test_program_that_trained_other_data_trains_the_same(data):
    X, y = data
    network = MultimodalNetworkRegressor(BRANCHES, **FAST)
    clear_cache()
    alone = network.fit(X, y).predict(X)
    clear_cache()
    network.fit(X, -5 * y + X["area"])
    np.testing.assert_array_equal(network.fit(X, y).predict(X), alone)


def test_inner_validation_parts_can_be_drawn_beforehand(data):
    X, y = data
    network = MultimodalNetworkRegressor(BRANCHES, **{**FAST, "early_stopping": True, "epochs": 4})
    splits, groups = [np.arange(40), np.arange(20, 60)], np.arange(60) // 4
    validation = network.split_validation(y, splits, groups=groups)
    for rows, (training, held_out) in zip([np.arange(60), *splits], validation, strict=True):
        assert sorted([*training, *held_out]) == rows.tolist()
        assert not set(groups[training]) & set(groups[held_out])
    drawn = list(clone(network).cross_fit(X, y, splits, groups=groups))
    given = list(clone(network).cross_fit(X, y, splits, groups=groups, validation=validation))
    for one, other in zip(drawn, given, strict=True):
        np.testing.assert_array_equal(one.predict(X), other.predict(X))
    others = [(part[::-1], held_out) for held_out, part in validation]  # trained on the small parts
    swapped = list(clone(network).cross_fit(X, y, splits, groups=groups, validation=others))
    assert not np.allclose(swapped[1].predict(X), given[1].predict(X))


def test_splits_may_name_rows_twice_and_in_any_order(data):
    X, y = data
    rows = np.array([5, 3, 3, 9, *range(20, 50)])
    network = MultimodalNetworkRegressor(BRANCHES, **{**FAST, "early_stopping": True})
    validation = network.split_validation(y, [rows])
    assert sorted([*validation[1][0], *validation[1][1]]) == sorted(rows)
    _, fold = clone(network).cross_fit(X, y, [rows], validation=validation)
    alone = clone(network).fit(X.iloc[rows], y[rows])
    np.testing.assert_allclose(fold.predict(X), alone.predict(X), rtol=1e-4, atol=1e-4)

"""What a pickled network keeps."""

import pickle

import numpy as np
from _small import make_table, network_regressor

X, Y = make_table()


def test_learning_rates_of_single_weights_come_back():
    network = network_regressor(branch_learning_rate={"place": 0.5}).fit(X, Y)
    network.model_.get_layer("head_1").kernel.learning_rate_multiplier = 0.25
    again = pickle.loads(pickle.dumps(network))
    multipliers = [
        [getattr(v, "learning_rate_multiplier", 1.0) for v in one.model_.variables] for one in (network, again)
    ]
    assert multipliers[0] == multipliers[1]
    assert {0.25, 0.5, 1.0} == set(multipliers[0])


def test_networks_that_are_not_fitted_and_those_of_folds_are_pickled():
    assert pickle.loads(pickle.dumps(network_regressor(epochs=3))).epochs == 3
    fold = list(network_regressor().cross_fit(X, Y, [np.arange(30)]))[1]
    assert (pickle.loads(pickle.dumps(fold)).predict(X) == fold.predict(X)).all()


def test_dropout_goes_on_as_it_would_have():
    network = network_regressor(dropout=0.5).fit(X, Y)
    loaded = [pickle.loads(pickle.dumps(network)).partial_fit(X, Y) for _ in range(2)]
    expected = network.partial_fit(X, Y).predict(X)
    for again in loaded:
        np.testing.assert_array_equal(again.predict(X), expected)

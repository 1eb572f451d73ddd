"""Listening to a network between its epochs."""

import numpy as np
import pytest
from _small import make_table, network_regressor, stack_regressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skstack._epoch_scores import listening


@pytest.fixture(scope="module")
def table():
    return make_table()


def _heard(estimator, table):
    """Return what an estimator predicts after each of its epochs, and at last."""
    X, y = table
    heard = []
    with listening(estimator, lambda now: heard.append(now.predict(X))):
        estimator.fit(X, y)
    return heard, estimator.predict(X)


def test_a_network_predicts_after_each_epoch_and_after_the_last_one_as_at_its_end(table):
    heard, at_last = _heard(network_regressor(epochs=3), table)
    assert len(heard) == 3
    assert not np.allclose(heard[0], heard[1])
    np.testing.assert_allclose(heard[-1], at_last, rtol=1e-5)


def test_a_pipeline_predicts_with_the_steps_before_its_network(table):
    def doubled(X):
        return X.assign(area=2 * X["area"])

    pipeline = make_pipeline(make_pipeline(FunctionTransformer(doubled), network_regressor(epochs=2)))
    heard, at_last = _heard(pipeline, table)
    assert len(heard) == 2
    np.testing.assert_allclose(heard[-1], at_last, rtol=1e-5)


def test_networks_inside_a_stack_are_not_heard(table):
    assert _heard(stack_regressor(), table)[0] == []


@pytest.mark.parametrize("fold_training", ["vectorized", "sequential"])
def test_of_two_members_one_is_heard(table, fold_training):
    assert len(_heard(network_regressor(epochs=2, n_members=2, fold_training=fold_training), table)[0]) == 2


def test_what_a_listener_raises_ends_the_fit_and_leaves_the_network_as_it_was(table):
    network = network_regressor(epochs=3)

    def give_up(now):
        raise KeyboardInterrupt

    with listening(network, give_up), pytest.raises(KeyboardInterrupt):
        network.fit(*table)
    assert not hasattr(network, "model_")
    network.fit(*table)  # and nobody listens any more

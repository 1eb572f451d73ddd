"""Networks of several branches."""

import pickle
import random

import numpy as np
import pandas as pd
import pytest
from _data import mixed_frame
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.metrics import accuracy_score

from skstack import MultimodalNetworkClassifier, MultimodalNetworkRegressor
from skstack._backend import keras
from skstack._scikeras import BaseWrapper
from skstack.branches import CategoricalBranch, ImageBranch, ModelBranch, NumericBranch
from skstack.branches._layers import Dropout
from skstack.training import clear_cache

BRANCHES = [
    ("numbers", NumericBranch(hidden=(8,)), ["area", "rooms"]),
    ("place", CategoricalBranch(), ["zip"]),
]
FAST = {"epochs": 3, "batch_size": 16, "early_stopping": False, "random_state": 0}


@pytest.fixture(scope="module")
def data():
    return mixed_frame()


@pytest.fixture(scope="module")
def fitted(data):
    X, y = data
    return MultimodalNetworkRegressor(BRANCHES, **FAST).fit(X, y)


def labels(y, n_classes=2):
    names = np.array(["low", "high"] if n_classes == 2 else ["low", "middle", "high"])
    return names[np.argsort(np.argsort(y)) * n_classes // len(y)]


# ---------------------------------------------------------------- what is built


def test_networks_are_scikeras_estimators(fitted):
    assert isinstance(fitted, BaseWrapper)
    assert is_regressor(fitted) and is_classifier(MultimodalNetworkClassifier())


def test_model_has_named_inputs_and_a_named_sub_model_per_branch(fitted):
    assert {tensor.name for tensor in fitted.model_.inputs} == {"numbers", "place"}
    for name in ("numbers", "place"):
        assert isinstance(fitted.model_.get_layer(f"{name}_branch"), keras.Model)


def test_head_has_as_many_layers_as_asked_for(data):
    X, y = data
    network = MultimodalNetworkRegressor(BRANCHES, head=(7, 5, 3), dropout=0.1, activation="prelu", **FAST)
    model = network.initialize(X, y).model_
    assert [model.get_layer(f"head_{number}").units for number in (1, 2, 3)] == [7, 5, 3]
    assert sum(isinstance(layer, Dropout) for layer in model.layers) == 3


def test_no_branches_means_numbers_in_every_column(data):
    X, y = data
    network = MultimodalNetworkRegressor(head=(), **FAST).fit(X[["area", "rooms"]], y)
    assert [name for name, _, _ in network.branches_] == ["numeric"]
    assert network.predict(X[["area", "rooms"]]).shape == y.shape


def test_saved_model_predicts_alone_in_the_units_of_the_target(tmp_path, data, fitted):
    X, _ = data
    fitted.model_.save(tmp_path / "model.keras")
    model = keras.saving.load_model(tmp_path / "model.keras")
    encoded = {
        "numbers": X[["area", "rooms"]].to_numpy("float32"),
        "place": fitted.branches_[1][1].encode(X[["zip"]]),
    }
    np.testing.assert_allclose(model.predict(encoded, verbose=0)[:, 0], fitted.predict(X), rtol=1e-5)


# ---------------------------------------------------------------- learning


def test_regressor_learns_from_every_branch():
    X, y = mixed_frame(200)
    photo = ("photo", ImageBranch(size=(8, 8), filters=(4,), hidden=(4,)), ["photo"])
    settings = {**FAST, "epochs": 40, "optimizer__learning_rate": 0.02}
    score = MultimodalNetworkRegressor([*BRANCHES, photo], **settings).fit(X, y).score(X, y)
    assert score > 0.9
    for missing in range(3):
        branches = [part for position, part in enumerate([*BRANCHES, photo]) if position != missing]
        assert MultimodalNetworkRegressor(branches, **settings).fit(X, y).score(X, y) < score - 0.02


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("loss", [None, "categorical_crossentropy", "kl_divergence", "mse"])
def test_classifier_learns(data, n_classes, loss):
    X, y = data[0], labels(data[1], n_classes)
    network = MultimodalNetworkClassifier(BRANCHES, loss=loss, optimizer__learning_rate=0.05, **{**FAST, "epochs": 25})
    probabilities = network.fit(X, y).predict_proba(X)
    assert probabilities.shape == (len(X), n_classes)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(network.predict(X), network.classes_[probabilities.argmax(axis=1)])
    assert accuracy_score(y, network.predict(X)) > 0.8 - 0.1 * (n_classes - 2)


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
def test_margin_losses_give_probabilities(data, loss):
    X, y = data[0], labels(data[1])
    network = MultimodalNetworkClassifier(BRANCHES, loss=loss, optimizer__learning_rate=0.05, **{**FAST, "epochs": 25})
    probabilities = network.fit(X, y).predict_proba(X)
    assert probabilities.min() >= 0 and probabilities.max() <= 1
    assert network.score(X, y) > 0.8


@pytest.mark.parametrize("loss", ["mae", "huber", "log_cosh", "msle", "mape", "poisson"])
def test_regression_losses_learn_in_the_units_of_the_target(data, loss):
    X, y = data
    network = MultimodalNetworkRegressor(BRANCHES, loss=loss, optimizer__learning_rate=0.05, **{**FAST, "epochs": 30})
    assert network.fit(X, 1000 * y).score(X, 1000 * y) > 0.4


def test_several_targets_and_routed_parameters(data):
    X, y = data
    network = MultimodalNetworkRegressor(
        BRANCHES,
        loss="huber",
        loss__delta=0.5,
        metrics=["mae"],
        optimizer="sgd",
        optimizer__momentum=0.9,
        **{**FAST, "epochs": 20},
    )
    both = np.column_stack([y, -100 * y])
    predictions = network.fit(X, both).predict(X)
    assert predictions.shape == both.shape
    assert network.score(X, both) > 0
    # Metrics are in the units of the targets: the mean over both of them.
    first_guess = np.abs(both - both.mean(axis=0)).mean()
    assert 0.05 * first_guess < network.history_["mean_absolute_error"][-1] < 2 * first_guess


def test_target_with_a_large_offset(data):
    X, y = data
    seconds = 1.7e9 + y
    network = MultimodalNetworkRegressor(BRANCHES, optimizer__learning_rate=0.05, **{**FAST, "epochs": 20})
    assert network.fit(X, seconds).score(X, seconds) > 0.3
    assert pickle.loads(pickle.dumps(network)).score(X, seconds) == network.score(X, seconds)


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


def test_class_weight_moves_probabilities_towards_the_heavier_class(data):
    X, y = data[0], labels(data[1])
    # Rows of weight 0 are in no batch, which leaves half the steps.
    network = MultimodalNetworkClassifier(BRANCHES, **{**FAST, "epochs": 20})
    plain = network.fit(X, y).predict_proba(X)[:, 0].mean()
    heavier = network.set_params(class_weight={"low": 1, "high": 0}).fit(X, y).predict_proba(X)
    assert list(network.classes_) == ["high", "low"]
    assert heavier[:, 0].mean() < plain - 0.1


def test_balanced_class_weight_equals_the_weights_it_stands_for(data):
    X, y = data[0], np.where(np.arange(60) % 4 == 0, "rare", "usual")
    balanced = MultimodalNetworkClassifier(BRANCHES, class_weight="balanced", **FAST).fit(X, y)
    by_row = MultimodalNetworkClassifier(BRANCHES, **FAST).fit(X, y, np.where(y == "rare", 2.0, 2 / 3))
    np.testing.assert_allclose(balanced.predict_proba(X), by_row.predict_proba(X), rtol=1e-4)


# ---------------------------------------------------------------- going on


def test_partial_fit_trains_one_epoch_at_a_time(data):
    X, y = data
    network = MultimodalNetworkRegressor(BRANCHES, **FAST)
    for _ in range(3):
        network.partial_fit(X, y)
    assert len(network.history_["loss"]) == 3
    assert network.history_["loss"][-1] < network.history_["loss"][0]


def test_partial_fit_knows_classes_of_later_calls(data):
    X, y = data[0], labels(data[1], 3)
    network = MultimodalNetworkClassifier(BRANCHES, **FAST)
    first = y != "high"
    network.partial_fit(X[first], y[first], classes=["high", "low", "middle"]).partial_fit(X[~first], y[~first])
    assert network.predict_proba(X).shape == (60, 3)


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


# ---------------------------------------------------------------- randomness


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


# ---------------------------------------------------------------- Keras parts of the user's


class CountEpochs(keras.callbacks.Callback):
    """Counts epochs, where the class says how many to stop after."""

    seen = 0

    def __init__(self, stop_after=100):
        super().__init__()
        self.stop_after = stop_after

    def on_epoch_end(self, epoch, logs=None):
        type(self).seen += 1
        self.model.stop_training = epoch + 1 >= self.stop_after


def test_callbacks_as_instances_and_as_classes_with_routed_parameters(data):
    X, y = data
    CountEpochs.seen = 0
    given = CountEpochs(stop_after=2)
    network = MultimodalNetworkRegressor(BRANCHES, callbacks=[given], **FAST).fit(X, y)
    assert CountEpochs.seen == len(network.history_["loss"]) == 2
    assert network.callbacks[0] is given
    assert given.model is None
    routed = MultimodalNetworkRegressor(BRANCHES, callbacks=CountEpochs, callbacks__stop_after=1, **FAST).fit(X, y)
    assert len(routed.history_["loss"]) == 1


def test_optimizer_instance_is_left_as_it_was(data):
    X, y = data
    optimizer = keras.optimizers.Adam(0.01)
    network = MultimodalNetworkRegressor(BRANCHES, optimizer=optimizer, **FAST)
    first = network.fit(X, y).predict(X)
    assert int(optimizer.iterations) == 0
    np.testing.assert_array_equal(network.fit(X, y).predict(X), first)


def build(input_shape):
    return keras.Sequential([keras.Input(input_shape), keras.layers.Dense(6, activation="swish")])


def test_learning_rate_schedule_and_user_model(data):
    X, y = data
    network = MultimodalNetworkRegressor(
        [("mine", ModelBranch(build), ["area", "rooms"])],
        optimizer=keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)),
        **FAST,
    ).fit(X, y)
    assert network.history_["loss"][-1] < network.history_["loss"][0]
    assert pickle.loads(pickle.dumps(network)).predict(X).shape == y.shape


@pytest.mark.parametrize(
    "optimizer", ["sgd", "rmsprop", "adam", "adamw", "adagrad", "adadelta", "adamax", "nadam", "ftrl", "lion"]
)
def test_every_optimizer_by_name(data, optimizer):
    X, y = data
    network = MultimodalNetworkRegressor(optimizer=optimizer, head=(2,), **{**FAST, "epochs": 2})
    X = X[["area"]]
    before = network.initialize(X, y).predict(X)
    assert not np.array_equal(network.fit(X, y).predict(X), before)

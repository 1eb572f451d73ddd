"""Parameters of networks, and what Keras makes of them."""

import inspect
import pickle

import numpy as np
import pytest
from _data import mixed_frame
from _networks import BRANCHES, FAST
from sklearn.base import clone

from skstack import MultimodalNetworkClassifier, MultimodalNetworkRegressor, MultitaskNetwork
from skstack._backend import keras
from skstack.branches import ModelBranch
from skstack.network._parameters import NetworkParameters


@pytest.fixture(scope="module")
def data():
    return mixed_frame()


class CountEpochs(keras.callbacks.Callback):
    """Counts epochs, where the class says how many to stop after."""

    seen = 0

    def __init__(self, stop_after=100):
        super().__init__()
        self.stop_after = stop_after

    def on_epoch_end(self, epoch, logs=None):
        type(self).seen += 1
        self.model.stop_training = epoch + 1 >= self.stop_after


@pytest.mark.parametrize("kind", [MultimodalNetworkRegressor, MultimodalNetworkClassifier, MultitaskNetwork])
def test_every_network_has_the_parameters_that_all_share(kind):
    of_tasks = {"loss", "metrics"} if kind is MultitaskNetwork else set()  # each task has its own
    shared = {n: p.default for n, p in inspect.signature(NetworkParameters).parameters.items() if n not in of_tasks}
    own = {name: parameter.default for name, parameter in inspect.signature(kind).parameters.items()}
    assert {name: default for name, default in own.items() if name in shared} == shared


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
        optimizer=keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.001, 10, 0.9)),
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


@pytest.mark.parametrize("fusion", ["concatenate", "add", "gated", "attention"])
def test_fusion_by_name(data, fusion):
    X, y = data
    network = MultimodalNetworkRegressor(
        BRANCHES, fusion=fusion, optimizer__learning_rate=0.05, **{**FAST, "epochs": 20}
    )
    assert network.fit(X, y).score(X, y) > 0.4


def test_fusion_by_a_layer_of_keras_leaves_the_layer_alone(data):
    X, y = data
    layer = keras.layers.Concatenate(name="mine")
    network = MultimodalNetworkRegressor(BRANCHES, fusion=layer, **FAST)
    again = pickle.loads(pickle.dumps(clone(network).fit(X, y)))
    plain = MultimodalNetworkRegressor(BRANCHES, **FAST).fit(X, y)
    np.testing.assert_allclose(again.predict(X), plain.predict(X), rtol=1e-5)
    assert not layer.built


@pytest.mark.parametrize(
    ("fusion", "kind", "message"),
    [
        ("concat", ValueError, "unknown fusion 'concat'. Did you mean 'concatenate'"),
        (3, ValueError, "'fusion' parameter of MultimodalNetworkRegressor must be"),
        (keras.layers.Add, TypeError, "did you forget the parentheses"),
    ],
)
def test_other_fusions_are_refused_before_training(data, fusion, kind, message):
    with pytest.raises(kind, match=message):
        MultimodalNetworkRegressor(BRANCHES, fusion=fusion, **FAST).fit(*data)

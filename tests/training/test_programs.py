"""Compiled training programs that networks share."""

import threading

import numpy as np
import pytest

from skstack import MultimodalNetworkRegressor
from skstack._backend import keras
from skstack.branches import ModelBranch
from skstack.branches._layers import Dropout
from skstack.training import _programs, clear_cache
from skstack.training._programs import borrowed as _borrowed
from skstack.training._programs import program_key, settings_key


@pytest.fixture(autouse=True)
def empty_cache():
    clear_cache()
    yield
    clear_cache()


def borrowed(network, settings, make):
    return _borrowed(network, settings, make, joins=True)


def _network(units=2, activation="relu", layers=()):
    inputs = keras.Input((3,), name="rows")
    x = keras.layers.Dense(units, activation=activation, name="dense")(inputs)
    for layer in layers:
        x = layer(x)
    return keras.Model(inputs, x, name="network")


def _settings(**changes):
    return {"optimizer": keras.optimizers.Adam(), "loss": "mse", "metrics": [], **changes}


class Maker:
    """Makes compiled copies of a network and counts them."""

    def __init__(self, **params):
        self.params, self.made = params, 0

    def __call__(self):
        self.made += 1
        model = _network(**self.params)
        model.compile("adam", "mse")
        return model


def test_networks_of_one_architecture_share_a_program():
    make = Maker()
    with borrowed(_network(), _settings(), make) as first:
        pass
    with borrowed(_network(), _settings(), make) as second:
        assert second is first
    assert make.made == 1


@pytest.mark.parametrize(
    ("network", "settings"),
    [
        ({"units": 3}, {}),
        ({"activation": "tanh"}, {}),
        ({}, {"optimizer": keras.optimizers.Adam(beta_1=0.5)}),
        ({}, {"optimizer": keras.optimizers.AdamW()}),
        ({}, {"optimizer": keras.optimizers.Adam(weight_decay=0.1)}),
        ({}, {"optimizer": keras.optimizers.SGD()}),
        ({}, {"loss": "mae"}),
        ({}, {"metrics": ["mae"]}),
        ({}, {"loss": keras.losses.Huber(delta=3.0)}),
    ],
)
def test_anything_else_has_a_program_of_its_own(network, settings):
    with borrowed(_network(), _settings(), Maker()) as first:
        pass
    with borrowed(_network(**network), _settings(**settings), Maker(**network)) as second:
        assert second is not first


def test_a_program_is_nobody_elses_until_it_is_given_back():
    make = Maker()
    with borrowed(_network(), _settings(), make) as outer, borrowed(_network(), _settings(), make) as inner:
        assert inner is not outer
    assert make.made == 2


def test_threads_get_programs_of_their_own():
    lent, both_inside = [], threading.Barrier(2, timeout=60)
    networks, makers = [_network(), _network()], [Maker(), Maker()]

    def use(number):
        with borrowed(networks[number], _settings(), makers[number]) as program:
            lent.append(program)
            both_inside.wait()

    threads = [threading.Thread(target=use, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(set(map(id, lent))) == 2


def test_a_program_that_failed_is_not_lent_again():
    make = Maker()
    with pytest.raises(ZeroDivisionError), borrowed(_network(), _settings(), make):
        raise ZeroDivisionError
    with borrowed(_network(), _settings(), make):
        pass
    assert make.made == 2


def test_code_of_the_users_is_compiled_every_time():
    class Own(keras.layers.Layer):
        def call(self, inputs):
            return inputs

    def own_loss(y_true, y_pred):
        return keras.ops.mean(y_true - y_pred, axis=-1)

    def relu(x):
        return 2 * x

    @keras.saving.register_keras_serializable("tests")
    class Schedule(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return 0.1

        def get_config(self):
            return {}

    cases = [
        (_network(layers=[Own()]), {}),
        (_network(layers=[keras.layers.Lambda(lambda x: x)]), {}),
        (_network(), {"loss": own_loss}),
        (_network(activation=relu), {}),
        (_network(), {"metrics": [own_loss]}),
        (_network(), {"optimizer": keras.optimizers.Adam(Schedule())}),
    ]
    for network, settings in cases:
        make = Maker()
        for _ in range(2):
            with borrowed(network, _settings(**settings), make):
                pass
        assert make.made == 2


def test_idle_programs_are_bounded_and_the_oldest_goes(monkeypatch):
    monkeypatch.setattr(_programs._idle, "max_items", 2)
    makers = {units: Maker(units=units) for units in (1, 2, 3)}
    for units in (1, 2, 3, 3, 2, 1):
        with borrowed(_network(units), _settings(), makers[units]):
            pass
    assert [makers[units].made for units in (1, 2, 3)] == [2, 1, 1]


def test_cleared_programs_are_compiled_again():
    make = Maker()
    for _ in range(2):
        with borrowed(_network(), _settings(), make):
            pass
        clear_cache()
    assert make.made == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (keras.optimizers.Adam(), keras.optimizers.Adam(0.5)),
        ("adam", keras.optimizers.Adam(0.5)),
        (keras.optimizers.AdamW(weight_decay=0.1), keras.optimizers.AdamW(weight_decay=0.2)),
    ],
    ids=["instance", "name", "weight decay"],
)
def test_values_are_no_part_of_a_program(first, second):
    network = _network()
    keys = [program_key(network, _settings(optimizer=optimizer)) for optimizer in (first, second)]
    assert keys[0] == keys[1] is not None
    assert settings_key(_settings(optimizer=first)) != settings_key(_settings(optimizer=second))


def test_dropout_rates_are_no_part_of_a_program():
    networks = [_network(layers=[Dropout(rate, name="drop")]) for rate in (0.1, 0.2)]
    keys = [program_key(network, _settings()) for network in networks]
    assert keys[0] == keys[1] is not None
    # Of layers that Keras computes with a constant rate, the rate counts.
    networks = [_network(layers=[keras.layers.Dropout(rate, name="drop")]) for rate in (0.1, 0.2)]
    keys = [program_key(network, _settings()) for network in networks]
    assert keys[0] != keys[1]


def test_names_that_keras_numbers_do_not_count():
    first, second = keras.optimizers.Adam(name="adam"), keras.optimizers.Adam(name="adam_1")
    assert settings_key(_settings(optimizer=first)) == settings_key(_settings(optimizer=second))
    assert settings_key(_settings(loss=lambda y_true, y_pred: 0.0)) is None


def test_a_program_used_by_another_network_leaves_no_trace():
    X = np.random.default_rng(0).normal(size=(12, 3))
    network = MultimodalNetworkRegressor(head=(3,), epochs=2, early_stopping=False, random_state=0)
    expected = network.fit(X, X[:, 0]).predict(X)
    network.set_params(random_state=1).fit(X * 50, X[:, 1] * 1000)
    assert len(_programs._idle) == 1
    np.testing.assert_array_equal(network.set_params(random_state=0).fit(X, X[:, 0]).predict(X), expected)


def test_functions_of_the_users_in_keras_layers_are_told_apart():
    def model_with(factor):
        def activation(x):
            return factor * x

        def build(input_shape):
            layer = keras.layers.Dense(2, activation=activation, name="scaled")
            return keras.Sequential([keras.Input(input_shape, name="mine_input"), layer], name="mine")

        return build

    X = np.random.default_rng(0).normal(size=(12, 3))
    networks = [
        MultimodalNetworkRegressor(
            [("mine", ModelBranch(model_with(factor)))], head=(), epochs=1, early_stopping=False, random_state=0
        ).fit(X, X[:, 0])
        for factor in (1.0, 0.0)
    ]
    # Multiplied by 0, the branch has no gradient: its weights stay where they began.
    kernels = [network.model_.get_layer("mine_branch").get_weights()[0] for network in networks]
    untrained = networks[1].initialize(X, X[:, 0]).model_.get_layer("mine_branch").get_weights()[0]
    np.testing.assert_array_equal(kernels[1], untrained)
    assert not np.array_equal(kernels[0], untrained)

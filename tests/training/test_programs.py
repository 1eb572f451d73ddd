"""Compiled training programs that networks share."""

import threading

import numpy as np
import pytest
from _problems import job_of, make_data, settings_of, train

from skstack import MultimodalNetworkRegressor
from skstack._backend import keras
from skstack.branches import ModelBranch
from skstack.branches._layers import Dropout
from skstack.caching._lru import Cache
from skstack.training import _fit, _programs, clear_cache
from skstack.training._optimizers import rate_multipliers, stateless
from skstack.training._programs import acquired as _acquired
from skstack.training._programs import copy_trainable, program_key, settings_key


@pytest.fixture(autouse=True)
def empty_cache():
    clear_cache()
    yield
    clear_cache()


def acquired(network, settings, make):
    return _acquired(network, settings, make, joins=True)


def _network(units=2, activation="relu", layers=()):
    inputs = keras.Input((3,), name="rows")
    x = keras.layers.Dense(units, activation=activation, name="dense")(inputs)
    for layer in layers:
        x = layer(x)
    return keras.Model(inputs, x, name="network")


def _settings(**changes):
    by_task = {name: {"output": part} for name, part in ({"loss": "mse", "metrics": []} | changes).items()}
    return {**by_task, "optimizer": changes.get("optimizer", keras.optimizers.Adam())}


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
    with acquired(_network(), _settings(), make) as first:
        pass
    with acquired(_network(), _settings(), make) as second:
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
    with acquired(_network(), _settings(), Maker()) as first:
        pass
    with acquired(_network(**network), _settings(**settings), Maker(**network)) as second:
        assert second is not first


def test_a_program_is_nobody_elses_until_it_is_released():
    make = Maker()
    with acquired(_network(), _settings(), make) as outer, acquired(_network(), _settings(), make) as inner:
        assert inner is not outer
    assert make.made == 2


def test_threads_get_programs_of_their_own():
    acquired_programs, both_inside = [], threading.Barrier(2, timeout=60)
    networks, makers = [_network(), _network()], [Maker(), Maker()]

    def use(index):
        with acquired(networks[index], _settings(), makers[index]) as program:
            acquired_programs.append(program)
            both_inside.wait()

    threads = [threading.Thread(target=use, args=(index,)) for index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(set(map(id, acquired_programs))) == 2


def test_a_program_that_failed_is_not_acquired_again():
    make = Maker()
    with pytest.raises(ZeroDivisionError), acquired(_network(), _settings(), make):
        raise ZeroDivisionError
    with acquired(_network(), _settings(), make):
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
        ({"layers": [Own()]}, {}),
        ({"layers": [keras.layers.Lambda(lambda x: x)]}, {}),
        ({}, {"loss": own_loss}),
        ({"activation": relu}, {}),
        ({}, {"metrics": [own_loss]}),
        ({}, {"optimizer": keras.optimizers.Adam(Schedule())}),
    ]
    for params, settings in cases:
        make = Maker(**params)
        for _ in range(2):
            with acquired(_network(**params), _settings(**settings), make):
                pass
        assert make.made == 2


def test_idle_programs_are_bounded_and_the_oldest_goes(monkeypatch):
    monkeypatch.setattr(_programs, "_idle", Cache(max_items=2))
    makers = {units: Maker(units=units) for units in (1, 2, 3)}
    for units in (1, 2, 3, 3, 2, 1):
        with acquired(_network(units), _settings(), makers[units]):
            pass
    assert [makers[units].made for units in (1, 2, 3)] == [2, 1, 1]


def test_cleared_programs_are_compiled_again():
    make = Maker()
    for _ in range(2):
        with acquired(_network(), _settings(), make):
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


def test_an_optimizer_that_has_trained_is_the_same():
    optimizer = keras.optimizers.Adam()
    before = settings_key(_settings(optimizer=optimizer))
    assert settings_key(_settings(optimizer=stateless(optimizer))) == before


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
            [("mine", ModelBranch(model_with(factor)))],
            head=(),
            epochs=1,
            optimizer="adam",
            early_stopping=False,
            random_state=0,
        ).fit(X, X[:, 0])
        for factor in (1.0, 0.0)
    ]
    # Multiplied by 0, the branch has no gradient: its weights stay where they began.
    kernels = [network.model_.get_layer("mine_branch").get_weights()[0] for network in networks]
    untrained = networks[1].initialize(X, X[:, 0]).model_.get_layer("mine_branch").get_weights()[0]
    np.testing.assert_array_equal(kernels[1], untrained)
    assert not np.array_equal(kernels[0], untrained)


@pytest.mark.parametrize("changes", [{"learning_rate": 0.3}, {"weight_decay": 0.2}], ids=str)
def test_candidates_with_other_values_share_a_program(changes, monkeypatch):
    values = {"learning_rate": 0.01, "weight_decay": 0.01}
    clear_cache()
    expected = train([job_of(make_data())], settings_of("AdamW", **{**values, **changes}))[0]
    clear_cache()
    train([job_of(make_data())], settings_of("AdamW", **values))
    compiled = []
    monkeypatch.setattr(_fit, "acquired", _counting(_fit.acquired, compiled))
    again = train([job_of(make_data())], settings_of("AdamW", **{**values, **changes}))[0]
    assert compiled == [0]
    for one, other in zip(again.values.values(), expected.values.values(), strict=True):
        np.testing.assert_array_equal(one, other)


def _counting(acquired, made):
    def counting(network, settings, make, joins):
        made.append(0)

        def counted():
            made[-1] += 1
            return make()

        return acquired(network, settings, counted, joins)

    return counting


def test_dropout_rates_share_a_program(monkeypatch):
    compiled = []
    monkeypatch.setattr(_fit, "acquired", _counting(_fit.acquired, compiled))
    clear_cache()
    losses = [
        train([job_of(make_data(), dropout=rate)], settings_of(), network={"dropout": rate})[0].history["loss"][-1]
        for rate in (0.1, 0.8)
    ]
    assert compiled == [1, 0]
    assert losses[0] < losses[1]


def test_cold_and_warm_programs_train_the_same():
    clear_cache()
    cold, warm = (train([job_of(make_data())], settings_of())[0] for _ in range(2))
    for first, second in zip(cold.values.values(), warm.values.values(), strict=True):
        np.testing.assert_array_equal(first, second)


# ---------------------------------------------------------------- what is trained, and how fast


def _attending():
    """Return a model with a layer whose config says nothing of what is trained inside of it."""
    inputs = keras.Input((4, 3), name="rows")
    x = keras.layers.MultiHeadAttention(2, 2, name="attention")(inputs, inputs)
    return keras.Model(inputs, x, name="network")


def _nested():
    """Return a model with a model inside."""
    inner = keras.Sequential(
        [keras.Input((3,), name="inside"), keras.layers.Dense(3, name="one"), keras.layers.Dense(2, name="two")],
        name="inner",
    )
    inputs = keras.Input((3,), name="rows")
    return keras.Model(inputs, keras.layers.Dense(2, name="last")(inner(inputs)), name="network")


def _key(network):
    return program_key(network, _settings())


def test_what_is_trained_is_a_part_of_the_key():
    keys = {_key(_nested())}
    for names in (["inner"], ["last"], ["inner", "one"], ["inner", "two"]):
        network = _nested()
        layer = network
        for name in names:
            layer = layer.get_layer(name)
        layer.trainable = False
        keys.add(_key(network))
    assert len(keys) == 5
    assert _key(network) in keys
    layer.trainable = True
    assert _key(network) == _key(_nested())


def test_what_is_trained_inside_of_a_layer_is_a_part_of_the_key():
    networks = [_attending() for _ in range(3)]
    networks[0].get_layer("attention").query_dense.trainable = False
    networks[1].get_layer("attention").key_dense.trainable = False
    assert len(set(map(_key, networks))) == 3


def test_rates_of_weights_are_a_part_of_the_key():
    networks = [_network() for _ in range(4)]
    networks[1].get_layer("dense").kernel.learning_rate_multiplier = 0.5
    networks[2].get_layer("dense").kernel.learning_rate_multiplier = 0.25
    networks[3].get_layer("dense").bias.learning_rate_multiplier = 0.25
    assert len(set(map(_key, networks))) == 4
    networks[3].get_layer("dense").bias.learning_rate_multiplier = 1.0
    assert _key(networks[3]) == _key(networks[0])


def _trained_paths(model):
    return [variable.path for variable in model.trainable_variables]


@pytest.mark.parametrize(
    ("frozen", "thawed"),
    [([], []), (["inner"], []), (["one"], []), (["inner"], ["two"]), (["inner", "last"], []), ([], ["inner"])],
    ids=str,
)
def test_a_program_trains_what_the_network_does(frozen, thawed):
    def layer_of(model, name):
        return model.get_layer("inner").get_layer(name) if name in ("one", "two") else model.get_layer(name)

    network, model = _nested(), _nested()
    layer_of(model, "inner").trainable = False  # whatever it is before
    for name in frozen:
        layer_of(network, name).trainable = False
    for name in thawed:
        layer_of(network, name).trainable = True
    copy_trainable(network, model)
    assert _trained_paths(model) == _trained_paths(network)


def test_a_program_trains_what_the_network_does_inside_of_layers():
    network, model = _attending(), _attending()
    network.get_layer("attention").query_dense.trainable = False
    copy_trainable(network, model)
    assert not model.get_layer("attention").query_dense.trainable_variables
    assert len(model.trainable_variables) == len(_attending().trainable_variables) - 2


def test_a_program_learns_at_the_rates_of_the_network():
    network, model = _nested(), _nested()
    network.get_layer("inner").get_layer("two").kernel.learning_rate_multiplier = 0.25
    model.get_layer("last").kernel.learning_rate_multiplier = 0.5  # whatever it is before
    copy_trainable(network, model)
    assert rate_multipliers(model.trainable_variables) == [1.0, 1.0, 0.25, 1.0, 1.0, 1.0]


def test_layers_that_are_frozen_again_have_the_program_they_had():
    made = Maker()
    network = _network()
    programs = []
    for trainable in (True, False, True, False):
        network.get_layer("dense").trainable = trainable
        with acquired(network, _settings(), made) as program:
            programs.append(program)
    assert made.made == 2
    assert programs[0] is programs[2] is not programs[1] is programs[3]

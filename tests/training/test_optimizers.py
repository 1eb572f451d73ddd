"""Optimizers as pure functions, and their state by name."""

import numpy as np
import pytest
from _problems import ALL_OPTIMIZERS, N_ROWS, assert_same, both_ways, job_of, make_data, train_one

from skstack._backend import keras
from skstack.training._layout import Layout
from skstack.training._optimizers import (
    Beginning,
    OptimizerState,
    applied,
    can_join,
    rate_multipliers,
    slots,
    stateless,
    variables_of,
    weights_of,
)
from skstack.training._values import as_arrays

SHAPES = {"first/kernel": (4, 3), "first/bias": (3,), "last/kernel": (3, 1)}


def test_all_optimizers_are_known():
    assert len(ALL_OPTIMIZERS) >= 11
    assert {"Adam", "Adafactor", "Lamb", "SGD"} <= set(ALL_OPTIMIZERS)


@pytest.mark.parametrize(
    "params",
    [
        {"clipnorm": 0.05},
        {"global_clipnorm": 0.05},
        {"clipvalue": 0.01},
        {"weight_decay": 0.1},
        {"optimizer": "SGD", "momentum": 0.9, "nesterov": True},
        {"optimizer": "RMSprop", "centered": True, "momentum": 0.5},
        {"optimizer": "Adam", "amsgrad": True},
        {"learning_rate": 0.5},
    ],
    ids=str,
)
def test_settings_of_optimizers_count(params):
    fast, plain = both_ways(make_data(), **params)
    assert_same(fast, plain)
    default = train_one(make_data(), optimizer=params.get("optimizer", "Adam"))
    assert not np.allclose(fast.values["last/kernel"], default.values["last/kernel"], rtol=1e-6)


def test_learning_rates_on_a_schedule():
    def optimizer():
        return keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=3, decay_rate=0.5))

    fast, plain = both_ways(make_data(), optimizer=optimizer)
    assert_same(fast, plain)
    constant = train_one(make_data(), learning_rate=0.1)
    assert not np.allclose(fast.values["first/kernel"], constant.values["first/kernel"])


@pytest.mark.parametrize("optimizer", ["Adam", "SGD"])
def test_learning_rates_of_weights_are_multiplied(optimizer):
    fast, plain = both_ways(make_data(), {"slowed": 0.25}, optimizer=optimizer)
    assert_same(fast, plain)
    one_step = {"schedule": {"epochs": 1, "batch_size": N_ROWS}, "optimizer": optimizer}
    steps = []
    for slowed in (None, 0.25, 0.0):  # one after the other: none may acquire the program of another
        trained = train_one(make_data(), {"slowed": slowed}, **one_step)
        before = job_of(make_data()).values
        steps.append({name: trained.values[name] - before[name] for name in ("first/kernel", "last/kernel")})
    np.testing.assert_allclose(steps[1]["first/kernel"], 0.25 * steps[0]["first/kernel"], rtol=1e-3, atol=1e-7)
    assert not steps[2]["first/kernel"].any()
    np.testing.assert_allclose(steps[1]["last/kernel"], steps[0]["last/kernel"], rtol=1e-5)


# ---------------------------------------------------------------- the state by name


def variables(shapes=SHAPES, dtype="float32"):
    """Return variables of such shapes, with values of their own."""
    generator = np.random.default_rng(1)
    return [keras.Variable(generator.normal(size=shape), dtype=dtype) for shape in shapes.values()]


def built(optimizer="Adam", shapes=SHAPES, joined=False, **params):
    """Return an optimizer for some variables, or for one vector of all their entries."""
    if isinstance(optimizer, str):
        optimizer = getattr(keras.optimizers, optimizer)(**params)
    weights = variables(shapes)
    optimizer.build(Layout(shapes, shapes if joined else ()).optimized(weights))
    return optimizer


def layout_of(optimizer, shapes):
    """Return how an optimizer that :func:`built` made has weights of such shapes."""
    is_joined = len(weights_of(optimizer)) < len(shapes)
    return Layout(shapes, shapes if is_joined else ())


def drawn(optimizer, seed=2):
    """Return other values for all variables of an optimizer."""
    generator = np.random.default_rng(seed)
    return [
        generator.normal(size=value.shape).astype(value.dtype) if value.dtype.kind == "f" else value + 7
        for value in as_arrays(variables_of(optimizer))
    ]


def state_of(optimizer, shapes=SHAPES, seed=2):
    """Return a state that an optimizer might have after training."""
    return OptimizerState.from_values(optimizer, drawn(optimizer, seed), layout_of(optimizer, shapes))


def assert_equal(state, other):
    """Compare two states."""
    assert state.slots.keys() == other.slots.keys()
    for slot, of_weights in state.slots.items():
        assert list(of_weights) == list(other.slots[slot])
        for name, array in of_weights.items():
            np.testing.assert_array_equal(array, other.slots[slot][name], strict=True)
    assert state.others.keys() == other.others.keys()
    for name, value in state.others.items():
        np.testing.assert_array_equal(value, other.others[name], strict=True)


@pytest.mark.parametrize("optimizer", ALL_OPTIMIZERS)
def test_values_come_back(optimizer):
    one, other = built(optimizer), built(optimizer)
    values = drawn(one)
    state = OptimizerState.from_values(one, values, layout_of(one, SHAPES))
    again = state.to_values(other, layout_of(other, SHAPES), as_arrays(variables_of(other)))
    for first, second in zip(values, again, strict=True):
        np.testing.assert_array_equal(first, second, strict=True)


@pytest.mark.parametrize("optimizer", ["Adam", "Nadam", "Ftrl", "RMSprop", "SGD"])
@pytest.mark.parametrize("way", [(False, True), (True, False), (True, True)], ids=str)
def test_a_state_goes_from_joined_weights_to_separate_ones_and_back(optimizer, way):
    params = {"momentum": 0.9} if optimizer == "SGD" else {}
    one, other = (built(optimizer, joined=joined, **params) for joined in way)
    state = state_of(one)
    assert state.slots or optimizer == "SGD"
    for of_weights in state.slots.values():
        assert {name: array.shape for name, array in of_weights.items()} == SHAPES
    values = state.to_values(other, layout_of(other, SHAPES), as_arrays(variables_of(other)))
    assert [value.shape for value in values] == [tuple(variable.shape) for variable in variables_of(other)]
    assert_equal(OptimizerState.from_values(other, values, layout_of(other, SHAPES)), state)


def test_slots_of_other_shapes_than_their_weights_come_back():
    shapes = {"large": (30, 20), "column": (5, 1), "bias": (7,)}
    one, other = built("Adafactor", shapes), built("Adafactor", shapes)
    values = drawn(one)
    state = OptimizerState.from_values(one, values, layout_of(one, shapes))
    shapes_of_slots = {array.shape for of_weights in state.slots.values() for array in of_weights.values()}
    assert shapes_of_slots > {(30,), (20,), (7,)}
    fresh = as_arrays(variables_of(other))
    for first, second in zip(values, state.to_values(other, layout_of(other, shapes), fresh), strict=True):
        np.testing.assert_array_equal(first, second, strict=True)


def named(optimizer, values, name, shapes):
    """Return what belongs to a weight, by slot."""
    state = OptimizerState.from_values(optimizer, values, layout_of(optimizer, shapes))
    return {slot: of_weights[name] for slot, of_weights in state.slots.items()}


@pytest.mark.parametrize("optimizer", ["Adam", "Adafactor", "Ftrl"])
@pytest.mark.parametrize("joined", [False, True])
def test_a_weight_that_becomes_trainable_begins_fresh_and_others_go_on(optimizer, joined):
    joined = joined and optimizer != "Adafactor"
    fewer = {name: shape for name, shape in SHAPES.items() if name != "first/bias"}
    state = state_of(built(optimizer, fewer, joined), fewer)
    after = built(optimizer, joined=joined)
    fresh = as_arrays(variables_of(after))
    values = state.to_values(after, layout_of(after, SHAPES), fresh)
    for name in SHAPES:
        kept = {slot: of_weights.get(name) for slot, of_weights in state.slots.items()}
        begun = named(after, fresh, name, SHAPES)
        for slot, array in named(after, values, name, SHAPES).items():
            np.testing.assert_array_equal(array, begun[slot] if name == "first/bias" else kept[slot])
    assert_equal_others(state, OptimizerState.from_values(after, values, layout_of(after, SHAPES)))


@pytest.mark.parametrize("joined", [False, True])
def test_a_weight_that_is_frozen_leaves_the_state_of_the_others(joined):
    state = state_of(built("Adam", joined=joined))
    fewer = {name: shape for name, shape in SHAPES.items() if name != "first/bias"}
    after = built("Adam", fewer, joined)
    values = state.to_values(after, layout_of(after, fewer), as_arrays(variables_of(after)))
    for name in fewer:
        for slot, array in named(after, values, name, fewer).items():
            np.testing.assert_array_equal(array, state.slots[slot][name])
    assert_equal_others(state, OptimizerState.from_values(after, values, layout_of(after, fewer)))


def assert_equal_others(state, other):
    """Compare what belongs to no weight."""
    assert state.others.keys() == other.others.keys() >= {"_iterations", "_learning_rate"}
    for name, value in state.others.items():
        np.testing.assert_array_equal(value, other.others[name], strict=True)


def test_the_order_of_the_weights_does_not_count():
    turned = dict(reversed(SHAPES.items()))
    state = state_of(built("Adam", joined=True))
    other = built("Adam", turned)
    values = state.to_values(other, layout_of(other, turned), as_arrays(variables_of(other)))
    for name in SHAPES:
        for slot, array in named(other, values, name, turned).items():
            np.testing.assert_array_equal(array, state.slots[slot][name])


def test_a_scaled_optimizer_has_the_slots_of_the_one_inside():
    scaled = built(keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam()))
    state = state_of(scaled)
    assert state.slots.keys() == state_of(built("Adam")).slots.keys()
    assert {"step_counter", "dynamic_scale", "_iterations"} <= state.others.keys()


# ---------------------------------------------------------------- optimizers as functions


@pytest.mark.parametrize(
    ("optimizer", "params"),
    [("Adam", {"clipnorm": 1.0}), ("Adafactor", {}), ("Lamb", {}), ("Muon", {})],
    ids=str,
)
def test_what_looks_at_tensors_does_not_join_them(optimizer, params):
    if hasattr(keras.optimizers, optimizer):  # Muon is new
        assert not can_join(getattr(keras.optimizers, optimizer)(**params), variables())


def test_what_treats_entries_alike_joins_them():
    for params in ({}, {"global_clipnorm": 1.0}, {"clipvalue": 1.0}, {"weight_decay": 0.1}):
        assert can_join(keras.optimizers.AdamW(**params), variables())


def test_weights_that_differ_are_not_joined():
    adam, weights = keras.optimizers.Adam(), variables()
    assert not can_join(adam, [*weights, keras.Variable(np.ones(2), dtype="float16")])
    slow = variables()
    slow[1].learning_rate_multiplier = 0.5
    assert rate_multipliers(slow) == [1.0, 0.5, 1.0]
    assert not can_join(adam, slow)
    bound = variables()
    bound[0].constraint = keras.constraints.NonNeg()
    assert not can_join(adam, bound)
    assert not can_join(adam, [*weights, keras.Variable(np.zeros((2**10, 2**10)))])  # too many


def test_optimizers_of_others_are_not_joined():
    class Adam(keras.optimizers.Adam):
        """Not that of Keras."""

    assert not can_join(Adam(), variables())


def test_slots_are_the_variables_that_belong_to_a_weight_each():
    optimizer = built("Adam")
    known = variables_of(optimizer)
    for indices in slots(optimizer).values():
        assert [tuple(known[index].shape) for index in indices] == list(SHAPES.values())
    assert slots(optimizer).keys() == {"_momentums", "_velocities"}
    assert slots(built("SGD")) == {}


def test_a_step_is_that_of_keras_and_changes_no_variable():
    plain, pure = built("Nadam"), built(stateless(keras.optimizers.Nadam()))
    gradients = [np.full(shape, 0.5, dtype="float32") for shape in SHAPES.values()]
    plain.apply([keras.ops.convert_to_tensor(gradient) for gradient in gradients])
    before = as_arrays(variables_of(pure))
    tensors = [[keras.ops.convert_to_tensor(array) for array in part] for part in (before, gradients)]
    after, values = applied(pure, *tensors, [variable.value for variable in variables()])
    for one, other in zip(after, plain._trainable_variables, strict=True):
        np.testing.assert_allclose(keras.ops.convert_to_numpy(one), keras.ops.convert_to_numpy(other), rtol=1e-6)
    for one, other in zip(values, variables_of(plain), strict=True):
        np.testing.assert_allclose(keras.ops.convert_to_numpy(one), keras.ops.convert_to_numpy(other), rtol=1e-6)
    for one, other in zip(before, as_arrays(variables_of(pure)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_optimizer_begins_with_the_learning_rate_that_is_wanted():
    optimizer = built("Adam", learning_rate=0.5)
    beginning = Beginning(optimizer)
    for variable in variables_of(optimizer):
        variable.assign(variable + 1)  # what was trained since
    values = beginning.values(as_arrays(variables()), keras.optimizers.Adam(0.25))
    rate = [id(variable) for variable in variables_of(optimizer)].index(id(optimizer._learning_rate))
    assert values[rate] == np.float32(0.25)
    assert not any(value.any() for index, value in enumerate(values) if index != rate)


def test_a_schedule_of_learning_rates_is_left_alone():
    optimizer = built("Adam", learning_rate=keras.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5))
    values = Beginning(optimizer).values(as_arrays(variables()), keras.optimizers.Adam(0.25))
    assert not any(value.any() for value in values)


def test_averages_of_weights_begin_with_the_weights_of_the_network():
    optimizer = built("ScheduleFreeAdamW") if hasattr(keras.optimizers, "ScheduleFreeAdamW") else None
    if optimizer is None:
        pytest.skip("this Keras has no optimizer that begins with the weights")
    weights = [np.full(shape, 3.0, dtype="float32") for shape in SHAPES.values()]
    values = Beginning(optimizer).values(weights, optimizer)
    begun = [[values[index] for index in indices] for indices in slots(optimizer).values() if values[indices[0]].any()]
    assert begun
    for arrays in begun:
        for array, weight in zip(arrays, weights, strict=True):
            np.testing.assert_array_equal(array, weight)

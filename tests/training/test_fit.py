"""Fitting networks: which way of training is taken, and what goes on from an earlier fit."""

import numpy as np
import pytest
from _problems import N_ROWS, BatchHook, assert_same, both_ways, build, job_of, make_data, settings_of, train

from skstack._backend import keras
from skstack.training import _fit, _programs
from skstack.training._fit import Schedule, needs_keras_fit

#: What makes the compiled loops, and Keras ``fit``, train.
WAYS = {"loops": (), "keras": (BatchHook(),)}


@pytest.mark.parametrize(
    "callback", [keras.callbacks.TerminateOnNaN(), keras.callbacks.LambdaCallback(on_train_batch_end=print)], ids=type
)
def test_callbacks_between_batches_need_keras(callback):
    assert needs_keras_fit(settings_of(), Schedule(1, 0, 16, 1, [callback]))
    assert not needs_keras_fit(settings_of(), Schedule(1, 0, 16, 1, []))


@pytest.mark.parametrize(
    "params", [{"use_ema": True, "ema_overwrite_frequency": 2}, {"gradient_accumulation_steps": 2}]
)
def test_what_only_keras_does_is_left_to_keras(params):
    assert needs_keras_fit(settings_of(**params), Schedule(1, 0, 16, 1, []))


@pytest.mark.parametrize("ways", ["fast fast", "fast keras", "keras fast"])
def test_training_goes_on_where_it_ended(ways):
    data = make_data()

    def run(way, state=None, values=None, **schedule):
        job = job_of(data, state=state)
        job.values = values or job.values
        callbacks = [BatchHook()] if way == "keras" else []
        return train([job], settings_of("AdamW"), callbacks=callbacks, **schedule)[0]

    first, second = ways.split()
    half = run(first, epochs=2)
    rest = run(second, half.optimizer_state, half.values, initial_epoch=2, epochs=4)
    whole = run("fast", epochs=4)
    for one, other in zip(rest.values.values(), whole.values.values(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(policy):
    keras.config.set_dtype_policy(policy)
    try:
        fast, plain = both_ways(make_data())
        assert_same(fast, plain, rtol=0.05, atol=0.02)
        assert fast.history["loss"][-1] < fast.history["loss"][0]
        jobs = [job_of(make_data(), np.arange(60)), job_of(make_data(), np.arange(70))]
        for one, job in zip(train(jobs, settings_of(), vectorized=True), jobs, strict=True):
            assert_same(one, train([job], settings_of())[0], rtol=0.05, atol=0.02)
    finally:
        keras.config.set_dtype_policy("float32")


def test_hooks_between_epochs_need_no_keras():
    callbacks = [
        keras.callbacks.EarlyStopping("loss"),
        keras.callbacks.ReduceLROnPlateau("loss"),
        keras.callbacks.LambdaCallback(on_epoch_end=print),
    ]
    assert not needs_keras_fit(settings_of(), Schedule(1, 0, 16, 1, callbacks))


def test_no_way_changes_the_jobs_or_the_settings():
    data = make_data(weighted=True)
    for callbacks in WAYS.values():
        job, settings = job_of(data, n_validation=20), settings_of()
        before = {name: value.copy() for name, value in job.values.items()}
        train([job], settings, callbacks=callbacks)
        for name, value in job.values.items():
            np.testing.assert_array_equal(value, before[name])
        assert settings.keys() == {"optimizer", "loss", "metrics"}
    for kind, part in make_data(weighted=True).items():
        for name, array in part.items():
            np.testing.assert_array_equal(data[kind][name], array)


def test_networks_come_in_the_order_of_the_jobs_one_at_a_time(monkeypatch):
    begun = []

    class Watcher(_fit.Watchers):
        def begin(self, index, n_epochs):
            begun.append(index)

    jobs = [job_of(make_data(), np.arange(N_ROWS - 10 * index)) for index in range(3)]
    for index, job in enumerate(jobs):
        job.index = index
    settings, plan = settings_of(), Schedule(1, 0, 16, 1, [], False, Watcher())

    def make():
        model = build()
        model.compile(settings["optimizer"], settings["loss"]["output"])
        return model

    fits = _fit.fit(build(), settings, make, jobs, plan)
    for index, trained in enumerate(fits):
        assert begun == list(range(index + 1))
        assert_same(trained, train([jobs[index]], settings_of(), epochs=1)[0])


@pytest.mark.parametrize(("n_bytes", "batch_size", "expected"), [(24, 16, 4096), (24, 8192, 8192), (2**20, 16, 256)])
def test_rows_that_are_evaluated_at_once_are_bounded(n_bytes, batch_size, expected):
    data = {"inputs": {"x": np.zeros((2, n_bytes - 4), "uint8")}, "targets": {"output": np.zeros((2, 1), "float32")}}
    assert _fit._validation_batch(data, batch_size) == expected


# ---------------------------------------------------------------- layers that are frozen between two fits

FIRST = {"first/kernel"}


def step(callbacks, before=None, frozen=False, optimizer="Adam", **params):
    """Train for two epochs, from where `before` ended; in all steps but the first the layer `first` may be frozen."""
    network = {"frozen": frozen}
    job = job_of(make_data(), state=before and before.optimizer_state, **network)
    job.values = before.values if before else job.values
    return train([job], settings_of(optimizer, **params), network=network, callbacks=callbacks, epochs=2)[0]


def moved(before, after):
    """Return the names of the trainable weights that are not the same to a bit."""
    names = [name for name in after.values if name.endswith(("kernel", "bias", "gamma", "beta"))]
    return {name for name in names if not np.array_equal(before.values[name], after.values[name])}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("optimizer", ["AdamW", "RMSprop", "Adafactor"])
def test_frozen_weights_stay_to_a_bit_and_move_again_later(way, optimizer):
    callbacks = WAYS[way]
    first = step(callbacks, optimizer=optimizer)
    second = step(callbacks, first, frozen=True, optimizer=optimizer)
    third = step(callbacks, second, optimizer=optimizer)
    weights = {"first/kernel", "last/kernel", "last/bias", "norm/gamma", "norm/beta"}
    assert moved(first, second) == weights - FIRST
    assert moved(second, third) == weights
    for slots in second.optimizer_state.slots.values():
        assert not FIRST & slots.keys()
    assert any(FIRST & slots.keys() for slots in third.optimizer_state.slots.values())


@pytest.mark.parametrize("ways", ["loops loops", "loops keras", "keras loops"])
def test_what_stays_trainable_goes_on_as_if_the_rest_had_never_been_trained(ways):
    one, other = (WAYS[way] for way in ways.split())
    first = step(one)
    state = first.optimizer_state
    go_on = step(other, first, frozen=True)
    # By hand: the momenta of the others alone, as a network has them in which the layer was frozen all along.
    kept = {slot: {name: a for name, a in part.items() if name not in FIRST} for slot, part in state.slots.items()}
    by_hand = step((), _fit.Trained(first.values, type(state)(kept, state.others), {}), frozen=True)
    assert_same(go_on, by_hand)
    assert go_on.optimizer_state.others["_iterations"] == 20
    anew = step((), _fit.Trained(first.values, None, {}), frozen=True)
    assert not np.allclose(go_on.values["last/kernel"], anew.values["last/kernel"], rtol=1e-3)


@pytest.mark.parametrize("way", WAYS)
def test_a_thawed_weight_begins_with_fresh_momenta_beside_those_that_go_on(way):
    first = step((), frozen=True)
    state = first.optimizer_state
    second = step(WAYS[way], first)
    zeros = np.zeros_like(first.values["first/kernel"])
    fresh = {slot: {**part, "first/kernel": zeros} for slot, part in state.slots.items()}
    by_hand = step((), _fit.Trained(first.values, type(state)(fresh, state.others), {}))
    assert_same(second, by_hand)
    for slot, part in second.optimizer_state.slots.items():
        for name, array in part.items():
            np.testing.assert_allclose(array, by_hand.optimizer_state.slots[slot][name], rtol=2e-4, atol=2e-5)


def test_networks_trained_at_once_may_be_frozen_too():
    network = {"frozen": True}
    starts = [step(()), step(())]
    jobs = [job_of(make_data(), state=start.optimizer_state, **network) for start in starts]
    for job, start in zip(jobs, starts, strict=True):
        job.values = start.values
    for one in train(jobs, settings_of(), network=network, vectorized=True, epochs=2):
        assert_same(one, step((), starts[0], frozen=True))


@pytest.mark.parametrize("way", WAYS)
def test_freezing_in_mixed_precision(way):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        first = step(WAYS[way])
        second = step(WAYS[way], first, frozen=True)
        third = step(WAYS[way], second)
    finally:
        keras.config.set_dtype_policy("float32")
    assert "first/kernel" not in moved(first, second)
    assert "first/kernel" in moved(second, third)
    for state, fewer in ((second.optimizer_state, FIRST), (third.optimizer_state, set())):
        assert state.slots.keys() == {"_momentums", "_velocities"}
        for part in state.slots.values():
            assert part.keys() == {"first/kernel", "last/kernel", "last/bias", "norm/gamma", "norm/beta"} - fewer


def test_the_next_fit_gets_the_program(monkeypatch):
    made, original = [], _programs.Program
    monkeypatch.setattr(_programs, "Program", lambda *args: made.append(args) or original(*args))
    _programs._idle.clear()
    for seed in (3, 4):
        train([job_of(make_data(), seed=seed)], settings_of())
    assert len(made) == 1

"""Ways of training: compiled loops, one network at a time or several together, and Keras ``fit``."""

import numpy as np
import pytest
from _problems import (
    ALL_OPTIMIZERS,
    N_ROWS,
    OPTIMIZERS,
    BatchHook,
    assert_same,
    build,
    make_data,
    settings_of,
    task_of,
    train,
)

from skstack._backend import keras
from skstack.training import _engines, _fit, clear_cache
from skstack.training._fit import Schedule, needs_keras_fit


def both_ways(data, network=None, optimizer="Adam", metrics=(), callbacks=(), schedule=None, task=None, **params):
    """Train the same network with compiled loops and with Keras ``fit``."""
    network, schedule, task = network or {}, schedule or {}, task or {}

    def run(*hooks):
        chosen = optimizer() if callable(optimizer) else optimizer
        settings = settings_of(chosen, metrics=metrics() if callable(metrics) else metrics, **params)
        (trained,) = train(
            [task_of(data, **network, **task)], settings, network=network, callbacks=[*callbacks, *hooks], **schedule
        )
        return trained

    return run(), run(BatchHook())


def test_all_optimizers_are_known():
    assert len(ALL_OPTIMIZERS) >= 11
    assert {"Adam", "Adafactor", "Lamb", "SGD"} <= set(ALL_OPTIMIZERS)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_compiled_loops_equal_keras_fit(optimizer):
    data = make_data(weighted=True)
    fast, plain = both_ways(data, optimizer=optimizer)
    assert_same(fast, plain)
    assert not np.allclose(fast.values.trainable[0], build().trainable_variables[0])


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
    default, _ = both_ways(make_data(), optimizer=params.get("optimizer", "Adam"))
    assert not np.allclose(fast.values.trainable[-2], default.values.trainable[-2], rtol=1e-6)


def test_learning_rates_on_a_schedule():
    def optimizer():
        return keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=3, decay_rate=0.5))

    fast, plain = both_ways(make_data(), optimizer=optimizer)
    assert_same(fast, plain)
    constant, _ = both_ways(make_data(), learning_rate=0.1)
    assert not np.allclose(fast.values.trainable[0], constant.values.trainable[0])


def test_categories_and_metrics():
    def metrics():
        return ["mae", keras.metrics.RootMeanSquaredError(name="rmse")]

    fast, plain = both_ways(make_data(categories=True), {"categories": True}, metrics=metrics)
    assert_same(fast, plain)
    assert set(fast.history) == {"loss", "mae", "rmse"}
    np.testing.assert_allclose(fast.history["rmse"], np.sqrt(fast.history["loss"]), rtol=1e-4)


def test_frozen_layers_stay_as_they_are():
    fast, plain = both_ways(make_data(), {"frozen": True})
    assert_same(fast, plain)
    before = task_of(make_data(), frozen=True).values
    np.testing.assert_array_equal(fast.values.carried[0], before.carried[0])


@pytest.mark.parametrize("optimizer", ["Adam", "SGD"])
def test_learning_rates_of_weights_are_multiplied(optimizer):
    fast, plain = both_ways(make_data(), {"slowed": 0.25}, optimizer=optimizer)
    assert_same(fast, plain)
    one_step = {"schedule": {"epochs": 1, "batch_size": N_ROWS}, "optimizer": optimizer}
    steps = []
    for slowed in (None, 0.25, 0.0):  # one after the other: none may borrow the program of another
        trained, _ = both_ways(make_data(), {"slowed": slowed}, **one_step)
        before = task_of(make_data()).values
        steps.append([a - b for a, b in zip(trained.values.trainable, before.trainable, strict=True)])
    np.testing.assert_allclose(steps[1][0], 0.25 * steps[0][0], rtol=1e-3, atol=1e-7)
    assert not steps[2][0].any()
    np.testing.assert_allclose(steps[1][-2], steps[0][-2], rtol=1e-5)


def test_multiplied_learning_rates_of_networks_together():
    data = make_data()
    tasks = [task_of(data, slowed=0.25, seed=seed) for seed in (3, 4)]
    together = train(tasks, settings_of(), network={"slowed": 0.25}, together=True)
    alone = train([tasks[1]], settings_of(), network={"slowed": 0.25})
    assert_same(together[1], alone[0])


@pytest.mark.parametrize("patience", [0, 1, 2])
def test_early_stopping_is_that_of_keras(patience):
    fast, plain = both_ways(
        make_data(), task={"n_validation": 20}, schedule={"epochs": 30, "patience": patience}, learning_rate=0.3
    )
    assert_same(fast, plain)
    n_epochs, best = len(fast.history["val_loss"]), int(np.argmin(fast.history["val_loss"]))
    assert n_epochs < 30
    assert n_epochs == max(best + max(patience, 1) + 1, 2)


def test_best_weights_come_back():
    task = {"n_validation": 20, "seed": 3}
    stopped, _ = both_ways(make_data(), task=task, schedule={"epochs": 30, "patience": 2}, learning_rate=0.3)
    n_best = int(np.argmin(stopped.history["val_loss"])) + 1
    short, _ = both_ways(make_data(), task=task, schedule={"epochs": n_best, "patience": 30}, learning_rate=0.3)
    for one, other in zip(stopped.values.trainable, short.values.trainable, strict=True):
        np.testing.assert_array_equal(one, other)


def test_callbacks_between_epochs():
    def callbacks():
        return [
            keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1)),
            keras.callbacks.EarlyStopping("loss", patience=0, min_delta=1e-3),
        ]

    for one in callbacks():
        assert not _fit._has_batch_hooks(one)
    fast, plain = both_ways(make_data(), callbacks=callbacks(), schedule={"epochs": 25})
    assert_same(fast, plain)
    assert fast.optimizer_state.others[1] == pytest.approx(0.1 / len(fast.history["loss"]))
    assert len(fast.history["loss"]) < 25


def test_callbacks_see_the_network_and_may_change_it():
    seen = []

    class Doubling(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            bias = self.model.get_layer("last").bias
            seen.append(float(keras.ops.convert_to_numpy(bias)[0]))
            bias.assign(bias * 2)

    (trained,) = train([task_of(make_data())], settings_of(), callbacks=[Doubling()])
    assert len(set(seen)) == len(seen) == 4
    assert trained.values.trainable[-1][0] == pytest.approx(2 * seen[-1])


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


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_network_among_others_equals_the_same_alone(optimizer):
    data, network = make_data(weighted=True), {"dropout": 0.3}
    rows = np.arange(N_ROWS)
    # Of 70, 50, 49 and 33 rows: other numbers of whole batches, and other remainders.
    chosen = [rows, rows[20:], rows[:49], rows[::2][:33]]
    tasks = [task_of(data, part, seed=number, **network) for number, part in enumerate(chosen)]
    together = train(tasks, settings_of(optimizer), network=network, together=True)
    for task, one in zip(tasks, together, strict=True):
        (alone,) = train([task], settings_of(optimizer), network=network)
        assert_same(one, alone)


def test_networks_together_stop_each_for_itself():
    data = make_data()
    tasks = [
        task_of(data, np.random.default_rng(seed).permutation(N_ROWS), n_validation=n, seed=seed)
        for seed, n in enumerate([20, 20, 12])
    ]
    settings = settings_of(learning_rate=0.2, metrics=["mae"])
    together = train(tasks, settings, together=True, epochs=25)
    assert len({len(one.history["loss"]) for one in together}) > 1
    for task, one in zip(tasks, together, strict=True):
        (alone,) = train([task], settings_of(learning_rate=0.2, metrics=["mae"]), epochs=25)
        assert_same(one, alone)
        assert len(one.history["val_mae"]) == len(alone.history["val_mae"])


def test_networks_together_with_data_of_their_own():
    first, second = make_data(0, categories=True), make_data(1, categories=True)
    second["inputs"]["x"] = first["inputs"]["x"]
    tasks = [task_of(data, categories=True) for data in (first, second)]
    together = train(tasks, settings_of(), network={"categories": True}, together=True)
    for task, one in zip(tasks, together, strict=True):
        (alone,) = train([task], settings_of(), network={"categories": True})
        assert_same(one, alone)
    assert not np.allclose(together[0].values.trainable[0], together[1].values.trainable[0])


def test_rows_of_others_change_not_a_bit():
    data = make_data()
    rows = np.arange(N_ROWS)
    folds = [rows[:47], rows[20:], rows]

    def run(data, **schedule):
        tasks = [task_of(data, fold, n_validation=10, dropout=0.2) for fold in folds]
        return train(tasks, settings_of(learning_rate=0.05), network={"dropout": 0.2}, together=True, **schedule)

    changed = make_data()
    changed["inputs"]["x"][47:] *= 100
    changed["target"][47:] = 1e6
    for one, other in zip(run(data)[0].values.trainable, run(changed)[0].values.trainable, strict=True):
        np.testing.assert_array_equal(one, other)


def test_fewer_rows_than_a_batch():
    data = make_data()
    tasks = [task_of(data, np.arange(5)), task_of(data, np.arange(9))]
    together = train(tasks, settings_of(), together=True)
    for task, one in zip(tasks, together, strict=True):
        assert_same(one, train([task], settings_of())[0])


def test_networks_with_and_without_validation_rows_are_trained_apart():
    tasks = [task_of(make_data(), n_validation=n) for n in (20, 0)]
    first, second = train(tasks, settings_of(), together=True)
    assert min(first.history["val_loss"]) > 0
    assert set(second.history) == {"loss"}


def test_data_too_large_for_the_device_come_in_pieces(monkeypatch):
    data = make_data(weighted=True)
    whole = train([task_of(data, n_validation=20)], settings_of())[0]
    monkeypatch.setattr(_engines, "_MAX_PLACED", {"processor": 1, "accelerator": 1})
    monkeypatch.setattr(_engines, "_PIECE", 16 * 7 * 4 * 2)  # two batches
    assert_same(train([task_of(data, n_validation=20)], settings_of())[0], whole, rtol=1e-6, atol=1e-7)
    for one in train([task_of(data, n_validation=20)] * 2, settings_of(), together=True):
        assert_same(one, whole)


@pytest.mark.parametrize("changes", [{"learning_rate": 0.3}, {"weight_decay": 0.2}], ids=str)
def test_candidates_with_other_values_share_a_program(changes, monkeypatch):
    values = {"learning_rate": 0.01, "weight_decay": 0.01}
    clear_cache()
    expected = train([task_of(make_data())], settings_of("AdamW", **{**values, **changes}))[0]
    clear_cache()
    train([task_of(make_data())], settings_of("AdamW", **values))
    compiled = []
    monkeypatch.setattr(_fit, "borrowed", _counting(_fit.borrowed, compiled))
    again = train([task_of(make_data())], settings_of("AdamW", **{**values, **changes}))[0]
    assert compiled == [0]
    for one, other in zip(again.values.trainable, expected.values.trainable, strict=True):
        np.testing.assert_array_equal(one, other)


def _counting(borrowed, made):
    def counting(network, settings, make, joins):
        made.append(0)

        def counted():
            made[-1] += 1
            return make()

        return borrowed(network, settings, counted, joins)

    return counting


def test_dropout_rates_share_a_program(monkeypatch):
    compiled = []
    monkeypatch.setattr(_fit, "borrowed", _counting(_fit.borrowed, compiled))
    clear_cache()
    losses = [
        train([task_of(make_data(), dropout=rate)], settings_of(), network={"dropout": rate})[0].history["loss"][-1]
        for rate in (0.1, 0.8)
    ]
    assert compiled == [1, 0]
    assert losses[0] < losses[1]


@pytest.mark.parametrize("ways", ["fast fast", "fast keras", "keras fast"])
def test_training_goes_on_where_it_ended(ways):
    data = make_data()

    def run(way, state=None, values=None, **schedule):
        task = task_of(data, state=state)
        task.values = values or task.values
        callbacks = [BatchHook()] if way == "keras" else []
        return train([task], settings_of("AdamW"), callbacks=callbacks, **schedule)[0]

    first, second = ways.split()
    half = run(first, epochs=2)
    rest = run(second, half.optimizer_state, half.values, initial_epoch=2, epochs=4)
    whole = run("fast", epochs=4)
    for one, other in zip(rest.values.trainable, whole.values.trainable, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(policy):
    keras.config.set_dtype_policy(policy)
    try:
        fast, plain = both_ways(make_data())
        assert_same(fast, plain, rtol=0.05, atol=0.02)
        assert fast.history["loss"][-1] < fast.history["loss"][0]
        tasks = [task_of(make_data(), np.arange(60)), task_of(make_data(), np.arange(70))]
        for one, task in zip(train(tasks, settings_of(), together=True), tasks, strict=True):
            assert_same(one, train([task], settings_of())[0], rtol=0.05, atol=0.02)
    finally:
        keras.config.set_dtype_policy("float32")


def test_cold_and_warm_programs_train_the_same():
    clear_cache()
    cold, warm = (train([task_of(make_data())], settings_of())[0] for _ in range(2))
    for first, second in zip(cold.values.trainable, warm.values.trainable, strict=True):
        np.testing.assert_array_equal(first, second)

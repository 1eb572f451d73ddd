"""When networks are trained in one vectorised program."""

import numpy as np
import pytest
from _problems import BatchHook, build, job_of, make_data, settings_of, train

from skstack._backend import keras
from skstack._layers import Layer
from skstack.training import _rule
from skstack.training._fit import Schedule
from skstack.training._rule import in_groups, is_fused, is_fused_alone, is_vectorized

layers = keras.layers

on_tensorflow = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="JAX compiles by XLA in any case")


pytestmark = pytest.mark.usefixtures("short_trainings_go_together")


def jobs_of(*n_validation):
    """Return jobs on the same data with so many validation rows."""
    data = make_data()
    return [job_of(data, n_validation=n) for n in n_validation]


def asked(network=None, jobs=None, device="processor", vectorized=None, batch_size=16, callbacks=()):
    """Ask the rule about two small dense networks, but for what is given."""
    schedule = Schedule(4, 0, batch_size, 1, list(callbacks), vectorized)
    return is_vectorized(network or build(), jobs or jobs_of(20, 20), schedule, device)


def with_layer(layer, shape=(4, 2)):
    """Return a network that holds a layer."""
    inputs = keras.Input(shape, name="x")
    return keras.Model(inputs, layers.Dense(1)(layers.Flatten()(layer(inputs))))


def test_small_dense_networks_are():
    assert asked() is True


def test_trainings_too_short_to_earn_back_the_longer_trace_are_not(monkeypatch):
    monkeypatch.setattr(_rule, "_MIN_SAVED_STEPS", 4 * 4)  # epochs, steps of 50 rows that one saves the other
    assert asked()
    monkeypatch.setattr(_rule, "_MIN_SAVED_STEPS", 4 * 4 + 1)
    assert not asked()
    assert asked(jobs=jobs_of(20, 20, 20))
    assert asked(vectorized=True)


@pytest.mark.parametrize("vectorized", [None, True])
def test_one_network_is_not(vectorized):
    assert not asked(jobs=jobs_of(20), vectorized=vectorized)


@pytest.mark.parametrize("vectorized", [None, True])
def test_networks_that_callbacks_listen_to_are_not(vectorized):
    assert not asked(callbacks=[BatchHook()], vectorized=vectorized)


def test_networks_that_are_stopped_and_ones_that_are_not_do_not_go_in_step():
    assert not asked(jobs=jobs_of(20, 0), vectorized=True)
    assert asked(jobs=jobs_of(0, 0))
    assert asked(jobs=jobs_of(20, 10))


def test_many_networks_are_trained_in_groups_of_about_the_same_size(monkeypatch):
    jobs = list(range(130))
    assert [len(group) for group in in_groups(build(), jobs)] == [44, 44, 42]
    assert [len(group) for group in in_groups(build(), jobs[:64])] == [64]
    n_weights = sum(int(np.prod(variable.shape)) for variable in build().variables)
    monkeypatch.setattr(_rule, "_MAX_HELD", 16 * n_weights * 2)
    assert in_groups(build(), jobs[:4]) == [[0, 1], [2, 3]]
    monkeypatch.setattr(_rule, "_MAX_HELD", 1)
    assert in_groups(build(), jobs[:2]) == [[0], [1]]


def is_compiled(network=None, jobs=None, device="processor", epochs=4, batch_size=16, patience=None):
    """Ask whether XLA compiles a program of two small dense networks, but for what is given."""
    schedule = Schedule(epochs, 0, batch_size, patience, [])
    return is_fused(network or build(), jobs or jobs_of(20, 20), schedule, device)


@on_tensorflow
def test_xla_compiles_where_there_is_much_to_train(monkeypatch):
    assert not is_compiled()
    n_weights = sum(int(np.prod(variable.shape)) for variable in build().trainable_variables)
    work = 4 * 3 * 2 * n_weights * 16  # epochs, steps of 50 rows, networks, weights, rows of a batch
    monkeypatch.setattr(_rule, "_MIN_FUSED_TRAINING", work)
    assert is_compiled()
    assert not is_compiled(epochs=3)
    assert not is_compiled(batch_size=17)  # two steps
    assert not is_compiled(jobs=jobs_of(20, 25))  # the shorter of the two decides
    assert is_compiled(jobs=jobs_of(20, 25, 20))
    assert not is_compiled(device="accelerator")
    assert not is_compiled(with_layer(layers.Conv1D(3, 2)))
    monkeypatch.setattr(_rule, "_MIN_FUSED_TRAINING", work + 1)
    assert not is_compiled()
    monkeypatch.setattr(_rule, "_MIN_FUSED_STEPS", 12)
    assert is_compiled()


@on_tensorflow
def test_one_network_has_to_be_worth_twice_as_much(monkeypatch):
    def is_compiled_alone(epochs=4, callbacks=(), vectorized=None):
        schedule = Schedule(epochs, 0, 16, None, list(callbacks), vectorized)
        return is_fused_alone(build(), *jobs_of(20), schedule, "processor")

    monkeypatch.setattr(_rule, "_MIN_FUSED_STEPS", 12)
    assert not is_compiled_alone()
    assert is_compiled_alone(epochs=8)
    assert not is_compiled_alone(epochs=8, callbacks=[BatchHook()])
    assert not is_compiled_alone(epochs=8, vectorized=False)
    monkeypatch.setattr(_rule, "_MAX_BYTES", 1)
    assert not is_compiled_alone(epochs=8)


@on_tensorflow
def test_early_stopping_is_expected(monkeypatch):
    monkeypatch.setattr(_rule, "_MIN_FUSED_STEPS", 12)
    monkeypatch.setattr(_rule, "_EXPECTED_EPOCHS", 3)
    assert is_compiled(patience=None)
    assert not is_compiled(patience=1)
    assert is_compiled(patience=1, epochs=10, jobs=jobs_of(0, 0))  # which nothing can stop


@on_tensorflow
def test_larger_networks_are_trained_together_where_xla_compiles(monkeypatch):
    n_weights = sum(int(np.prod(variable.shape)) for variable in build().trainable_variables)
    monkeypatch.setattr(_rule, "_MAX_WORK", {"processor": n_weights * 16 - 1})
    assert not asked()
    monkeypatch.setattr(_rule, "_MIN_FUSED_STEPS", 12)
    assert asked()
    monkeypatch.setattr(_rule, "_MAX_FUSED_WORK", n_weights * 16 - 1)
    assert not asked()


def test_the_wish_of_the_caller_counts():
    large = with_layer(layers.Conv1D(3, 2))
    assert not asked(large)
    assert asked(large, vectorized=True)
    assert not asked(vectorized=False)


def test_weights_times_rows_of_a_batch_are_bounded(monkeypatch):
    network = build()
    n_weights = sum(int(np.prod(variable.shape)) for variable in network.trainable_variables)
    monkeypatch.setattr(_rule, "_MAX_WORK", {"processor": n_weights * 16, "accelerator": n_weights * 32})
    assert asked(network)
    assert not asked(network, batch_size=17)
    assert asked(network, batch_size=32, device="accelerator") is (keras.backend.backend() == "tensorflow")
    network.get_layer("first").trainable = False  # weights that stay cost little
    assert asked(network, batch_size=17)


def test_xla_takes_too_long_on_a_gpu(monkeypatch):
    assert asked(device="accelerator") is (keras.backend.backend() == "tensorflow")
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    assert asked(device="processor")
    assert not asked(device="accelerator")
    assert asked(device="accelerator", vectorized=True)


def test_bytes_of_the_data_are_bounded(monkeypatch):
    jobs = [*jobs_of(20), *jobs_of(20), *jobs_of(20)]  # on data of their own
    n_bytes = 2 * 70 * (5 + 1) * 4
    monkeypatch.setattr(_rule, "_MAX_BYTES", n_bytes)
    assert asked(jobs=jobs[:2])
    assert not asked(jobs=jobs)
    assert asked(jobs=[*jobs[:2], jobs[0]])  # which shares them


class Ours(Layer):
    """A layer that says whether it may be vectorised."""

    def __init__(self, vectorizable):
        super().__init__()
        self.vectorizable = vectorizable

    def call(self, inputs):
        """Return the inputs."""
        return inputs


class Plain(layers.Layer):
    """A layer of somebody who has not heard of us."""

    def call(self, inputs):
        """Return the inputs."""
        return inputs


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (layers.LayerNormalization(), True),
        (layers.Conv1D(3, 2), False),
        (layers.GRU(2, return_sequences=True, unroll=True), False),
        (Ours(True), True),
        (Ours(False), False),
        (Plain(), False),
        (keras.Sequential([keras.Input((4, 2)), layers.Dense(3)]), True),
        (keras.Sequential([keras.Input((4, 2)), layers.Conv1D(3, 2)]), False),  # inside of a model
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_every_layer_has_to_be_as_fast(layer, expected):
    assert asked(with_layer(layer)) is expected


@pytest.mark.parametrize("unroll", [True, False])
def test_loops_that_tensorflow_cannot_vectorise_are_not(unroll):
    possible = unroll or keras.backend.backend() != "tensorflow"
    assert asked(with_layer(layers.GRU(2, return_sequences=True, unroll=unroll)), vectorized=True) is possible


def test_networks_with_and_without_validation_rows_are_trained_apart():
    jobs = [job_of(make_data(), n_validation=n) for n in (20, 0)]
    first, second = train(jobs, settings_of(), vectorized=True)
    assert min(first.history["val_loss"]) > 0
    assert set(second.history) == {"loss"}

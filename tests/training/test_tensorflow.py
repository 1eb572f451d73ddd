"""Compiled loops on the TensorFlow backend."""

import gc
import logging
import weakref

import joblib
import numpy as np
import pytest

from skstack._backend import keras

if keras.backend.backend() != "tensorflow":
    pytest.skip("these are the loops of the TensorFlow backend", allow_module_level=True)

import tensorflow as tf

from skstack.training import _tensorflow
from skstack.training._random import uniform
from skstack.training._tensorflow import (
    Loops,
    _without_remarks,
    densified,
    place,
    stack,
    unstack,
    value_and_gradients,
)

N_ROWS = 10


class Step:
    """Adds up rows and writes down when it is traced."""

    def __init__(self):
        self.traced = 0

    def __call__(self, state, fixed, hyperparameters, batch):
        """Add the batch to the sum, scaled, and count it; what it adds depends on the order."""
        self.traced += 1
        total = hyperparameters["decay"] * state["total"] + tf.reduce_sum(batch["inputs"]["x"], axis=0) + fixed[0]
        return {"total": total, "steps": state["steps"] + 1}


@pytest.fixture
def step():
    return Step()


@pytest.fixture
def loops(step):
    return Loops({"train": step, "evaluate": step})


START = {"total": place(np.zeros(2, "float32")), "steps": place(np.int32(0))}
DECAY, DECAYS = {"decay": place(np.float32(0.5))}, {"decay": place(np.full(2, 0.5, "float32"))}
FIXED = [place(np.float32(0.25))]
X = np.arange(2 * N_ROWS, dtype="float32").reshape(N_ROWS, 2)
DATA = {"inputs": {"x": place(X)}}


def by_hand(rows, batch_size, x=X, fixed=0.25, start=0.0):
    """Return the sum and the number of steps."""
    total, steps = np.full(2, start, "float32"), 0
    for begin in range(0, len(rows), batch_size):
        total, steps = 0.5 * total + x[rows[begin : begin + batch_size]].sum(axis=0) + fixed, steps + 1
    return total, steps


@pytest.mark.parametrize("kind", ["train", "evaluate"])
@pytest.mark.parametrize("rows", [[4, 2, 9, 0, 1, 7, 7], [4, 2, 9], [5], [8, 3, 1, 0, 6, 2]], ids=len)
def test_every_batch_is_a_step_the_last_of_what_is_left(loops, kind, rows):
    state = loops.run(kind, START, FIXED, DECAY, DATA, np.array(rows), 3)
    total, steps = by_hand(np.array(rows), 3)
    np.testing.assert_allclose(state["total"], total)
    assert int(state["steps"]) == steps


def test_any_number_of_rows_goes_through_one_program(loops, step):
    for kind in ("train", "evaluate"):
        loops.run(kind, START, FIXED, DECAY, DATA, np.arange(7), 3)
    traced = step.traced
    larger = {"inputs": {"x": place(np.ones((30, 2), "float32"))}}
    for kind in ("train", "evaluate"):
        state = loops.run(kind, START, FIXED, DECAY, larger, np.arange(29), 3)
        assert int(state["steps"]) == 10
    assert step.traced == traced


def test_values_are_no_part_of_the_program(loops, step):
    first = loops.run("train", START, FIXED, DECAY, DATA, np.arange(7), 3)
    traced = step.traced
    second = loops.run("train", START, [place(np.float32(0.0))], {"decay": place(np.float32(0))}, DATA, np.arange(7), 3)
    assert step.traced == traced
    np.testing.assert_allclose(second["total"], X[6])
    assert not np.allclose(first["total"], second["total"])


@pytest.mark.parametrize("fused", [False, True])
def test_networks_in_step_each_have_rows_and_state_of_their_own(loops, fused):
    shifted = np.concatenate([X, 10 * X])  # of the first network and of the second
    data, offsets = {"inputs": {"x": place(shifted)}}, {"inputs": {"x": place(np.array([0, N_ROWS], "int32"))}}
    rows = np.array([[[0, 1], [4, 2]], [[5, 3], [9, 9]], [[7, 7], [1, 0]]])  # steps, networks, rows
    state = {"total": place(np.array([[0, 0], [1, 1]], "float32")), "steps": place(np.zeros(2, "int32"))}
    fixed = [place(np.array([0.25, 4.0], "float32"))]
    after = loops.run_vectorized("train", state, fixed, DECAYS, data, offsets, rows, fused)
    assert after["steps"].numpy().tolist() == [3, 3]
    for index, (x, constant) in enumerate([(X, 0.25), (10 * X, 4.0)]):
        total, _ = by_hand(rows[:, index].ravel(), 2, x, constant, start=float(index))
        np.testing.assert_allclose(after["total"][index], total)


@pytest.mark.parametrize("n_cores", [1, 2, 3, 8])
def test_threads_share_what_is_fused_and_change_nothing(loops, step, monkeypatch, n_cores):
    for name in ("_n_threads", "cpu_count"):
        monkeypatch.setattr(_tensorflow, name, lambda: n_cores)
    n_networks, rng = 5, np.random.default_rng(0)
    data, offsets = DATA, {"inputs": {"x": place(np.zeros(n_networks, "int32"))}}
    rows = rng.integers(0, N_ROWS, (4, n_networks, 3))
    start, fixed = np.arange(2.0 * n_networks, dtype="float32").reshape(-1, 2), np.arange(5, dtype="float32")
    state = {"total": place(start), "steps": place(np.zeros(n_networks, "int32"))}
    decays = {"decay": place(np.full(n_networks, 0.5, "float32"))}
    for fused in (True, False):
        after = loops.run_vectorized("train", state, [place(fixed)], decays, data, offsets, rows, fused, True)
        assert after["steps"].numpy().tolist() == [4] * n_networks
        for index in range(n_networks):
            total, _ = by_hand(rows[:, index].ravel(), 3, fixed=index, start=0)
            np.testing.assert_allclose(after["total"][index], total + start[index] / 2**4, rtol=1e-5)
    assert step.traced == 1 and n_compiled(loops) == 1


def test_parts_of_networks_do_not_depend_on_the_threads(monkeypatch):
    monkeypatch.setattr(_tensorflow, "cpu_count", lambda: 2)
    for n_threads in ("1", "2"):
        monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", n_threads)
        assert _tensorflow._parts(5) == (3, [0, 2])
    assert _tensorflow._parts(1) == (1, [0])
    monkeypatch.setattr(_tensorflow, "cpu_count", lambda: 64)
    assert _tensorflow._parts(6) == (2, [0, 2, 4])


def test_threads_are_those_of_tensorflow(monkeypatch):
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    assert _tensorflow._n_threads() == joblib.cpu_count()
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "3")
    assert _tensorflow._n_threads() == 3


def in_step(loops, n_rows=N_ROWS, n_steps=3, fused=True):
    """Let two networks go through rows that they share; return the steps that they took."""
    data = {"inputs": {"x": place(np.ones((n_rows, 2), "float32"))}}
    offsets = {"inputs": {"x": place(np.zeros(2, "int32"))}}
    state = {"total": place(np.zeros((2, 2), "float32")), "steps": place(np.zeros(2, "int32"))}
    rows = np.arange(n_steps * 2 * 2).reshape(n_steps, 2, 2) % n_rows
    after = loops.run_vectorized("train", state, [place(np.zeros(2, "float32"))], DECAYS, data, offsets, rows, fused)
    return after["steps"].numpy().tolist()


def n_compiled(loops):
    """Return how many shapes XLA has compiled a loop for."""
    (program,) = loops._fused.values()
    assert program.can_compile
    return len(program.compiled)


def test_xla_compiles_neither_for_numbers_of_rows_nor_for_each_number_of_steps(loops):
    for n_rows, n_steps in [(10, 3), (11, 3), (30, 4)]:
        assert in_step(loops, n_rows, n_steps) == [n_steps, n_steps]
    assert n_compiled(loops) == 1
    assert in_step(loops, n_steps=5) == [5, 5]
    assert n_compiled(loops) == 2
    assert in_step(loops, n_steps=70) == [70, 70]  # 64 at a time
    assert n_compiled(loops) == 3


def test_what_xla_compiled_goes_with_its_program(step, monkeypatch):
    sessions, make = [], tf.compat.v1.Session

    def session(**settings):
        made = make(**settings)
        sessions.append(weakref.ref(made))
        return made

    monkeypatch.setattr(tf.compat.v1, "Session", session)
    loops = Loops({"train": step})
    in_step(loops)
    assert sessions[0]() is not None
    del loops
    gc.collect()
    assert [made() for made in sessions] == [None]


def test_what_xla_cannot_compile_runs_as_a_graph(capfd):
    def step(state, fixed, hyperparameters, batch):
        total = tf.strings.to_number(tf.strings.as_string(batch["inputs"]["x"][0]))
        return {"total": total, "steps": state["steps"] + 1}

    loops = Loops({"train": step})
    assert in_step(loops) == [3, 3]
    (program,) = loops._fused.values()
    assert not program.can_compile
    assert in_step(loops) == [3, 3]  # and is not asked again
    assert capfd.readouterr().err == ""


def test_gradients_of_what_does_not_count_are_0():
    values = [tf.constant([2.0, 3.0]), tf.constant(5.0)]
    rest, gradients = value_and_gradients(lambda parts: (tf.reduce_sum(parts[0] ** 2), "rest"), values)
    assert rest == "rest"
    assert [gradient.numpy().tolist() for gradient in gradients] == [[4, 6], 0]


def test_gradients_of_an_embedding_come_as_a_whole():
    table = tf.ones((4, 2))

    def function(values):
        return tf.reduce_sum(tf.gather(values[0], [1, 1, 3])), None

    _, (gradient,) = value_and_gradients(function, [table])
    assert isinstance(gradient, tf.Tensor)
    assert gradient.numpy()[:, 0].tolist() == [0, 2, 0, 1]


@pytest.mark.parametrize("optimizer", ["Adam", "Adagrad"])
def test_rows_that_occur_twice_are_added_before_they_are_squared(optimizer):
    moved = []
    for whole in (True, False):
        variable = keras.Variable(np.ones((4, 2), "float32"))
        kind = getattr(keras.optimizers, optimizer)(0.1)
        kind = densified(kind) if not whole else kind
        kind.build([variable])
        rows = tf.IndexedSlices(tf.constant([[1.0, 1.0], [3.0, 3.0]]), tf.constant([2, 2]), tf.constant([4, 2]))
        kind.apply([tf.convert_to_tensor(rows) if whole else rows])
        moved.append(variable.numpy())
    np.testing.assert_array_equal(*moved)
    assert type(kind).__name__ == optimizer


def test_tensors_are_stacked_and_come_apart():
    stacked = stack([place(np.zeros(2)), place(np.ones(2))])
    assert [part.numpy().tolist() for part in unstack(stacked)] == [[0, 0], [1, 1]]


def test_tensorflow_is_quiet_within_a_block_only():
    logger = tf.get_logger()
    level = logger.level
    with pytest.raises(ZeroDivisionError), _without_remarks():
        assert logger.level == logging.ERROR
        raise ZeroDivisionError
    assert logger.level == level


@pytest.mark.parametrize("compiled", [{}, {"jit_compile": True}], ids=["graph", "xla"])
def test_random_numbers_are_the_same_however_they_are_compiled(compiled):
    seeds = tf.constant([[7, 2**33], [8, 1]])
    expected = [uniform((3, 5), FixedSeed(seed)) for seed in seeds]
    one_by_one = tf.function(lambda seed, n: uniform((n, 5), FixedSeed(seed)))
    np.testing.assert_array_equal(one_by_one(seeds[0], tf.constant(3)), expected[0])
    together = tf.function(
        lambda seeds: tf.vectorized_map(lambda seed: uniform((3, 5), FixedSeed(seed)), seeds), **compiled
    )
    np.testing.assert_array_equal(together(seeds), expected)


class FixedSeed:
    """Gives one seed, as a generator of seeds does."""

    def __init__(self, seed):
        self._seed = seed

    def next(self, ordered=True):
        """Return the seed."""
        return self._seed

"""Compiled loops on the JAX backend."""

import numpy as np
import pytest

from skstack._backend import keras

if keras.backend.backend() != "jax":
    pytest.skip("these are the loops of the JAX backend: make test-jax", allow_module_level=True)

from jax import numpy as jnp

from skstack.training._jax import Loops, place, stack, unstack, value_and_gradients

N_ROWS = 40
START = {"total": jnp.zeros(2), "steps": jnp.int32(0)}
DECAY, DECAYS = {"decay": jnp.float32(0.5)}, {"decay": jnp.full(2, 0.5, "float32")}
FIXED = [jnp.float32(0.25)]
X = np.arange(2 * N_ROWS, dtype="float32").reshape(N_ROWS, 2)
DATA = {"inputs": {"x": place(X)}}


class Step:
    """Adds up rows and writes down when it is traced."""

    def __init__(self):
        self.traced = 0

    def __call__(self, state, fixed, hyperparameters, batch):
        """Add the batch to the sum, scaled, and count it; what it adds depends on the order."""
        self.traced += 1
        total = hyperparameters["decay"] * state["total"] + batch["inputs"]["x"].sum(axis=0) + fixed[0]
        return {"total": total, "steps": state["steps"] + 1}


@pytest.fixture
def step():
    return Step()


@pytest.fixture
def loops(step):
    return Loops({"train": step, "evaluate": step})


def by_hand(rows, batch_size, x=X, fixed=0.25, start=0.0):
    """Return the sum and the number of steps."""
    total, steps = np.full(2, start, "float32"), 0
    for begin in range(0, len(rows), batch_size):
        total, steps = 0.5 * total + x[rows[begin : begin + batch_size]].sum(axis=0) + fixed, steps + 1
    return total, steps


@pytest.mark.parametrize("kind", ["train", "evaluate"])
@pytest.mark.parametrize("n_rows", [1, 3, 7, 9, 11])
def test_every_batch_is_a_step_the_last_of_what_is_left(loops, kind, n_rows):
    rows = np.random.default_rng(0).permutation(N_ROWS)[:n_rows]
    state = loops.run(kind, START, FIXED, DECAY, DATA, rows, 3)
    total, steps = by_hand(rows, 3)
    np.testing.assert_allclose(state["total"], total, rtol=1e-6)
    assert int(state["steps"]) == steps


def test_numbers_of_steps_up_to_a_power_of_two_share_a_program(loops, step):
    loops.run("train", START, FIXED, DECAY, DATA, np.arange(15), 3)  # 5 steps
    traced = step.traced
    for n_steps in (6, 7, 8):
        state = loops.run("train", START, FIXED, DECAY, DATA, np.arange(3 * n_steps), 3)
        assert int(state["steps"]) == n_steps
    assert step.traced == traced
    loops.run("train", START, FIXED, DECAY, DATA, np.arange(27), 3)  # 9 steps
    assert step.traced > traced


def test_the_number_of_rows_in_the_data_is_no_part_of_a_program(loops, step):
    loops.run("train", START, FIXED, DECAY, DATA, np.arange(9), 3)
    traced = step.traced
    larger = {"inputs": {"x": place(np.ones((N_ROWS + 1, 2), "float32"))}}
    assert int(loops.run("train", START, FIXED, DECAY, larger, np.arange(9), 3)["steps"]) == 3
    assert step.traced == traced


def test_networks_in_step_each_have_rows_and_state_of_their_own(loops):
    data = {"inputs": {"x": place(np.concatenate([X, 10 * X]))}}
    offsets = {"inputs": {"x": place(np.array([0, N_ROWS], "int32"))}}
    rows = np.array([[[0, 1], [4, 2]], [[5, 3], [9, 9]], [[7, 7], [1, 0]]])  # steps, networks, rows
    state = {"total": place(np.array([[0, 0], [1, 1]], "float32")), "steps": place(np.zeros(2, "int32"))}
    fixed = [place(np.array([0.25, 4.0], "float32"))]
    after = loops.run_vectorized("train", state, fixed, DECAYS, data, offsets, rows)
    assert after["steps"].tolist() == [3, 3]
    for index, (x, constant) in enumerate([(X, 0.25), (10 * X, 4.0)]):
        total, _ = by_hand(rows[:, index].ravel(), 2, x, constant, start=float(index))
        np.testing.assert_allclose(after["total"][index], total)


def test_gradients_of_what_does_not_count_are_0():
    values = [jnp.array([2.0, 3.0]), jnp.array(5.0)]
    rest, gradients = value_and_gradients(lambda parts: ((parts[0] ** 2).sum(), 7), values)
    assert rest == 7
    assert [gradient.tolist() for gradient in gradients] == [[4, 6], 0]


def test_tensors_are_stacked_and_come_apart():
    assert [part.tolist() for part in unstack(stack([jnp.zeros(2), jnp.ones(2)]))] == [[0, 0], [1, 1]]

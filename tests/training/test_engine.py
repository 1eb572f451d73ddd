"""Networks in training, one alone driven by hand, several at once; and their data."""

from dataclasses import replace

import numpy as np
import pytest
from _problems import N_ROWS, OPTIMIZERS, BatchHook, assert_same, build, job_of, make_data, settings_of, train

from skstack._backend import keras
from skstack._progress import Watchers
from skstack.training import _engine, _fit
from skstack.training._engine import Data, Engine, Runner, _Joined, gathered, n_bytes, place_once, row_bytes
from skstack.training._fit import Schedule
from skstack.training._listeners import Listeners, NoListeners
from skstack.training._programs import Program
from skstack.training._values import to_array

ROWS = np.arange(N_ROWS)


def program_of(settings):
    """Return a compiled program for small networks."""
    model = build()
    model.compile(optimizer=settings["optimizer"], loss=settings["loss"]["output"])
    return Program(model, joins=True)


@pytest.fixture(scope="module")
def settings():
    return settings_of("SGD", learning_rate=0.05)


@pytest.fixture(scope="module")
def program(settings):
    return program_of(settings)


@pytest.fixture
def engine(program, settings):
    return Engine(program, settings, job_of(make_data()), {})


def weights_of(engine):
    return to_array(engine.state["trainable"][0])


# --- one network ------------------------------------------------------------------------------------------------------


def test_training_moves_the_weights_and_evaluation_does_not(engine):
    before = weights_of(engine)
    (first,) = engine.evaluate([ROWS], 16)
    np.testing.assert_array_equal(weights_of(engine), before)
    engine.train([ROWS], 16)
    assert not np.allclose(weights_of(engine), before)
    (second,) = engine.evaluate([ROWS], 16)
    assert second["loss"] < first["loss"]


def test_the_loss_is_the_mean_over_the_rows(engine):
    model, data = build(), make_data()
    rows = np.arange(33)
    outputs = keras.ops.convert_to_numpy(model({"x": data["inputs"]["x"][rows]}, training=False))
    expected = np.mean((outputs - data["targets"]["output"][rows]) ** 2)
    for batch_size in (5, 16, 64):  # whatever the batches, of which the last is smaller
        (logs,) = engine.evaluate([rows], batch_size)
        assert logs["loss"] == pytest.approx(expected, rel=1e-5)


def test_every_pass_counts_its_own_loss(engine):
    first, second = (engine.evaluate([ROWS], 16)[0]["loss"] for _ in range(2))
    assert first == second


def test_the_rows_count_and_their_order(program, settings):
    def trained(rows):
        engine = Engine(program, settings, job_of(make_data()), {})
        engine.train([rows], 16)
        return weights_of(engine)

    np.testing.assert_array_equal(trained(ROWS), trained(ROWS))
    assert not np.array_equal(trained(ROWS), trained(ROWS[::-1].copy()))
    assert not np.array_equal(trained(ROWS), trained(ROWS[:32]))


def test_the_end_has_the_best_weights_and_the_last_state_of_the_optimizer(engine):
    engine.train([ROWS], 16)
    best = engine.state_of(0)
    engine.train([ROWS], 16)
    last = engine.state_of(0)
    values, state = engine.finish(0, best, last)
    of_last, same_state = engine.finish(0, None, last)
    of_best, earlier_state = engine.finish(0, None, best)
    for name in values:
        np.testing.assert_array_equal(values[name], of_best[name])
    assert not np.array_equal(values["last/kernel"], of_last["last/kernel"])
    steps = [int(one.others["_iterations"]) for one in (state, same_state, earlier_state)]
    assert steps == [10, 10, 5]


def test_what_training_does_not_change_comes_back_as_it_was(program, settings):
    job = job_of(make_data())
    job.values["standardize/center"] = np.full(5, 0.5, dtype="float32")
    engine = Engine(program, settings, job, {})
    engine.train([ROWS], 16)
    values, _ = engine.finish(0, None, engine.state)
    np.testing.assert_array_equal(values["standardize/center"], job.values["standardize/center"])
    assert values.keys() == job.values.keys()


def test_the_learning_rate_is_that_of_the_settings(program):
    engines = [Engine(program, settings_of("SGD", learning_rate=rate), job_of(make_data()), {}) for rate in (0.0, 0.01)]
    moved = []
    for engine in engines:
        before = weights_of(engine)
        engine.train([ROWS], 16)
        moved.append(np.abs(weights_of(engine) - before).max())
    assert moved[0] == 0 < moved[1]


def test_hyperparameters_of_the_settings_are_values_of_the_program():
    values = Runner(program_of(settings_of("AdamW", weight_decay=0.5))).hyperparameters(
        settings_of("AdamW", weight_decay=0.25)
    )
    assert {name: float(to_array(value)) for name, value in values.items()} == {"weight_decay": 0.25}


def test_only_callbacks_are_told_about_epochs(engine):
    assert isinstance(engine.listen(Schedule(1, 0, 16, 1, [])), NoListeners)
    assert isinstance(engine.listen(Schedule(1, 0, 16, 1, [keras.callbacks.Callback()])), Listeners)


# --- several at once --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_network_among_others_equals_the_same_alone(optimizer):
    data, network = make_data(weighted=True), {"dropout": 0.3}
    rows = np.arange(N_ROWS)
    # Of 70, 50, 49 and 33 rows: other numbers of whole batches, and other remainders.
    chosen = [rows, rows[20:], rows[:49], rows[::2][:33]]
    jobs = [job_of(data, part, seed=index, **network) for index, part in enumerate(chosen)]
    together = train(jobs, settings_of(optimizer), network=network, vectorized=True)
    for job, one in zip(jobs, together, strict=True):
        (alone,) = train([job], settings_of(optimizer), network=network)
        assert_same(one, alone)


def test_networks_together_stop_each_for_itself():
    data = make_data()
    jobs = [
        job_of(data, np.random.default_rng(seed).permutation(N_ROWS), n_validation=n, seed=seed)
        for seed, n in enumerate([20, 20, 12])
    ]
    settings = settings_of(learning_rate=0.2, metrics=["mae"])
    together = train(jobs, settings, vectorized=True, epochs=25)
    assert len({len(one.history["loss"]) for one in together}) > 1
    for job, one in zip(jobs, together, strict=True):
        (alone,) = train([job], settings_of(learning_rate=0.2, metrics=["mae"]), epochs=25)
        assert_same(one, alone)
        assert len(one.history["val_mae"]) == len(alone.history["val_mae"])


def test_networks_together_stop_each_for_itself_on_other_data():
    data, other = make_data(weighted=True), make_data(9)
    weights = {"output": np.ones(N_ROWS, dtype="float32")}
    joined = {
        kind: {name: np.concatenate([array, {**other, "weights": weights}[kind][name]]) for name, array in part.items()}
        for kind, part in data.items()
    }
    rows = [np.arange(N_ROWS), np.arange(40)]
    jobs = [job_of(data, part, seed=seed) for seed, part in enumerate(rows)]
    jobs = [replace(job, validation_data=other, validation_rows=np.arange(30)) for job in jobs]
    settings = {"learning_rate": 0.2, "metrics": ["mae"]}
    for vectorized in (True, False):
        trained = train(jobs, settings_of(**settings), vectorized=vectorized, epochs=25)
        for job, one in zip(jobs, trained, strict=True):
            expected = replace(job, data=joined, validation_data=None, validation_rows=N_ROWS + np.arange(30))
            assert_same(one, train([expected], settings_of(**settings), epochs=25)[0])
            (with_keras,) = train([job], settings_of(**settings), epochs=25, callbacks=[BatchHook()])
            assert len(one.history["val_loss"]) == len(with_keras.history["val_loss"]) < 25


def test_networks_together_with_data_of_their_own():
    first, second = make_data(0, categories=True), make_data(1, categories=True)
    second["inputs"]["x"] = first["inputs"]["x"]
    jobs = [job_of(data, categories=True) for data in (first, second)]
    together = train(jobs, settings_of(), network={"categories": True}, vectorized=True)
    for job, one in zip(jobs, together, strict=True):
        (alone,) = train([job], settings_of(), network={"categories": True})
        assert_same(one, alone)
    assert not np.allclose(together[0].values["first/kernel"], together[1].values["first/kernel"])


def test_rows_of_others_change_not_a_bit():
    data = make_data()
    rows = np.arange(N_ROWS)
    folds = [rows[:47], rows[20:], rows]

    def run(data, **schedule):
        jobs = [job_of(data, fold, n_validation=10, dropout=0.2) for fold in folds]
        return train(jobs, settings_of(learning_rate=0.05), network={"dropout": 0.2}, vectorized=True, **schedule)

    changed = make_data()
    changed["inputs"]["x"][47:] *= 100
    changed["targets"]["output"][47:] = 1e6
    for one, other in zip(run(data)[0].values.values(), run(changed)[0].values.values(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_fewer_rows_than_a_batch():
    data = make_data()
    jobs = [job_of(data, np.arange(5)), job_of(data, np.arange(9))]
    together = train(jobs, settings_of(), vectorized=True)
    for job, one in zip(jobs, together, strict=True):
        assert_same(one, train([job], settings_of())[0])


def test_multiplied_learning_rates_of_networks_together():
    data = make_data()
    jobs = [job_of(data, slowed=0.25, seed=seed) for seed in (3, 4)]
    together = train(jobs, settings_of(), network={"slowed": 0.25}, vectorized=True)
    alone = train([jobs[1]], settings_of(), network={"slowed": 0.25})
    assert_same(together[1], alone[0])


def test_watchers_hear_of_each_network_until_its_own_end():
    heard = []

    class Watcher(Watchers):
        def end_epoch(self, index, logs, values):
            heard.append((index, float(values()["last/bias"][0])))
            return len(heard) == 4  # the second epoch of the second network

        def end(self, index):
            heard.append((index, "end"))

    jobs = [job_of(make_data()) for _ in range(2)]
    jobs[1].index = 1
    trained = train(jobs, settings_of(), vectorized=True, watchers=Watcher())
    assert [index for index, _ in heard] == [0, 1, 0, 1, 1, 0, 0, 0]
    assert [what for _, what in heard][4] == [what for _, what in heard][-1] == "end"
    assert [len(one.history["loss"]) for one in trained] == [4, 2]
    for one, bias in zip(trained, (heard[-2][1], heard[3][1]), strict=True):
        assert one.values["last/bias"][0] == bias


def test_joined_arrays_hold_each_array_once():
    first, second = np.arange(3), np.arange(10, 15)
    joined = _Joined([first, second, first])
    assert joined.array.tolist() == [0, 1, 2, 10, 11, 12, 13, 14]
    assert joined.offsets.tolist() == [0, 3, 0]
    assert _Joined([first, first]).array is first


# --- data -------------------------------------------------------------------------------------------------------------


class FakeRunner:
    """What Data needs of a Runner; keeps what it placed."""

    device = "processor"

    def __init__(self):
        self.placed = []

    def place(self, array):
        """Return the array."""
        self.placed.append(array)
        return array


@pytest.fixture
def data():
    """Ten rows of 4 + 8 + 2 bytes."""
    inputs = {"x": np.arange(10, dtype="float32")[:, np.newaxis], "z": np.arange(20, dtype="float32").reshape(10, 2)}
    return {"inputs": inputs, "targets": {"output": np.arange(10, dtype="float16")[:, np.newaxis]}}


def test_sizes_are_those_of_all_arrays(data):
    assert n_bytes(data) == 140
    assert row_bytes(data) == 14
    data["weights"] = {"output": np.ones(10, dtype="float32")}
    assert row_bytes(data) == 18


def test_rows_are_gathered_from_every_array(data):
    part = gathered(data, np.array([7, 2]))
    assert part["inputs"]["x"].tolist() == [[7], [2]]
    assert part["inputs"]["z"].tolist() == [[14, 15], [4, 5]]
    assert part["targets"]["output"].tolist() == [[7], [2]]


def test_small_data_are_placed_once_as_a_whole(data):
    runner, placed = FakeRunner(), {}
    rows = np.array([7, 2, 5])
    for _ in range(2):
        ((there, indices),) = Data(data, runner, placed).pieces(rows, 2)
        assert indices is rows
        assert there["inputs"]["z"] is data["inputs"]["z"]
    assert len(runner.placed) == 3


def test_an_array_that_several_networks_share_is_placed_once(data):
    calls, placed = [], {}

    def place(array):
        calls.append(array)
        return array + 1

    first = place_once(data, place, placed)
    other = {**data, "targets": {"output": data["targets"]["output"].copy()}}
    second = place_once(other, place, placed)
    assert second["inputs"]["x"] is first["inputs"]["x"]
    assert second["targets"]["output"] is not first["targets"]["output"]
    assert len(calls) == 4


@pytest.mark.parametrize("piece", [1, 28, 60])
def test_large_data_come_in_pieces_of_whole_batches(data, piece, monkeypatch):
    monkeypatch.setattr(_engine, "_MAX_PLACED", {"processor": 139, "accelerator": 0})
    monkeypatch.setattr(_engine, "_PIECE", piece)
    rows = np.array([7, 2, 5, 9, 0])
    pieces = list(Data(data, FakeRunner(), {}).pieces(rows, 2))
    size = 4 if piece == 60 else 2
    assert [len(indices) for _, indices in pieces] == [len(rows[start : start + size]) for start in range(0, 5, size)]
    there = np.concatenate([part["inputs"]["x"][indices, 0] for part, indices in pieces])
    np.testing.assert_array_equal(there, rows)
    assert all(len(part["targets"]["output"]) == len(indices) for part, indices in pieces)


def test_data_of_just_the_size_are_placed(data, monkeypatch):
    monkeypatch.setattr(_engine, "_MAX_PLACED", {"processor": 140, "accelerator": 0})
    assert len(list(Data(data, FakeRunner(), {}).pieces(np.arange(10), 2))) == 1


def test_data_too_large_for_the_device_come_in_pieces(monkeypatch):
    data = make_data(weighted=True)
    whole = train([job_of(data, n_validation=20)], settings_of())[0]
    monkeypatch.setattr(_engine, "_MAX_PLACED", {"processor": 1, "accelerator": 1})
    monkeypatch.setattr(_engine, "_PIECE", 16 * 7 * 4 * 2)  # two batches
    assert_same(train([job_of(data, n_validation=20)], settings_of())[0], whole, rtol=1e-6, atol=1e-7)
    for one in train([job_of(data, n_validation=20)] * 2, settings_of(), vectorized=True):
        assert_same(one, whole)


# --- several networks, compiled by XLA --------------------------------------------------------------------------------


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="JAX compiles by XLA in any case")
def test_networks_are_the_same_however_their_steps_are_compiled(monkeypatch):
    """With dropout, an embedding, normalisation over the batch, weights of rows, a metric and early stopping."""
    from skstack.training import _tensorflow

    network = {"dropout": 0.3, "categories": True}
    called, call = [], _tensorflow._Fused.__call__

    def record(program, *tensors):
        called.append(program)
        return call(program, *tensors)

    monkeypatch.setattr(_tensorflow._Fused, "__call__", record)

    def trained():
        data = make_data(weighted=True, categories=True)
        jobs = [job_of(data, n_validation=20 - seed, seed=seed, **network) for seed in range(2)]
        settings = settings_of("AdamW", metrics=[keras.metrics.MeanAbsoluteError()], learning_rate=0.05)
        return train(jobs, settings, network=network, vectorized=True, epochs=6)

    graph = trained()
    assert not called
    monkeypatch.setattr(_fit, "is_fused", lambda *_: True)
    fused = trained()
    assert called[-1].can_compile
    for one, other in zip(graph, fused, strict=True):
        assert_same(one, other)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="JAX compiles by XLA in any case")
def test_a_network_by_itself_is_the_same_however_its_steps_are_compiled(monkeypatch):
    data = make_data()
    alone = train([job_of(data, n_validation=20)], settings_of())[0]
    asked = []
    monkeypatch.setattr(_fit, "is_fused_alone", lambda *_: True)
    monkeypatch.setattr(_fit.VectorizedEngine, "train", _noted(asked, _fit.VectorizedEngine.train))
    assert_same(train([job_of(data, n_validation=20)], settings_of())[0], alone)
    assert asked


def _noted(calls, function):
    def noted(*arguments):
        calls.append(arguments)
        return function(*arguments)

    return noted

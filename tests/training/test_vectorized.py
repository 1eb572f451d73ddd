"""Several networks trained at once: each of them as if it were alone."""

from dataclasses import replace

import numpy as np
import pytest
from _problems import N_ROWS, OPTIMIZERS, BatchHook, assert_same, job_of, make_data, settings_of, train

from skstack._progress import Watchers
from skstack.training._vectorized import _Joined


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

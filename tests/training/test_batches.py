"""The order of rows, and the batches they make."""

import numpy as np
import pytest

from skstack.training import _batches
from skstack.training._batches import Order, in_batches, in_chunks, in_step


def test_the_order_depends_on_seed_and_epoch_alone():
    rows = np.arange(100, 150)
    orders = [Order(rows, seed).at(epoch) for seed in (1, 2) for epoch in (0, 1)]
    for order in orders:
        np.testing.assert_array_equal(np.sort(order), rows)
    assert len({tuple(order) for order in orders}) == 4
    np.random.seed(0)  # noqa: NPY002 - the global generator, which must not count
    np.testing.assert_array_equal(Order(rows, 1).at(1), orders[1])
    np.testing.assert_array_equal(rows, np.arange(100, 150))


def test_without_a_seed_rows_stay_as_they_are():
    rows = np.array([5, 3, 9])
    for epoch in (0, 7):
        np.testing.assert_array_equal(Order(rows, None).at(epoch), rows)


@pytest.mark.parametrize(
    ("n_rows", "expected"),
    [(0, []), (2, [[[0, 1]]]), (3, [[[0, 1, 2]]]), (7, [[[0, 1, 2], [3, 4, 5]], [[6]]])],
)
def test_whole_batches_come_first_and_what_is_left_as_one(n_rows, expected):
    assert [batches.tolist() for batches in in_batches(np.arange(n_rows), 3)] == expected


def test_networks_go_in_step_as_far_as_the_shortest_does():
    (batches,), left = in_step([np.arange(7), np.arange(10, 15)], 2)
    assert batches.tolist() == [[[0, 1], [10, 11]], [[2, 3], [12, 13]]]
    assert [rows.tolist() for rows in left] == [[4, 5, 6], [14]]


def test_fewer_rows_than_a_batch_make_no_step():
    batches, left = in_step([np.arange(7), np.arange(1)], 2)
    assert batches == []
    assert [len(rows) for rows in left] == [7, 1]


def test_what_is_left_is_a_batch_for_all_where_it_is_as_much_for_each():
    (whole, last), left = in_step([np.arange(5), np.arange(10, 15)], 3)
    assert whole.tolist() == [[[0, 1, 2], [10, 11, 12]]]
    assert last.tolist() == [[[3, 4], [13, 14]]]
    assert [len(rows) for rows in left] == [0, 0]
    (whole,), left = in_step([np.arange(4), np.arange(4)], 2)
    assert [len(whole), *map(len, left)] == [2, 0, 0]


@pytest.mark.parametrize(
    ("n_steps", "sizes", "counts"),
    [(1, [1], [1]), (3, [4], [3]), (4, [4], [4]), (64, [64], [64]), (130, [64, 64, 64], [64, 64, 2])],
)
def test_chunks_have_few_numbers_of_steps(n_steps, sizes, counts):
    rows = np.arange(1, n_steps * 6 + 1).reshape(n_steps, 2, 3)
    chunks, counted = zip(*in_chunks(rows, 4, filled_up=True), strict=True)
    assert ([len(chunk) for chunk in chunks], list(counted)) == (sizes, counts)
    np.testing.assert_array_equal(np.concatenate(chunks)[:n_steps], rows)
    assert not np.concatenate(chunks)[n_steps:].any()
    assert [len(chunk) for chunk, _ in in_chunks(rows, 4, filled_up=False)] == counts


def test_chunks_of_large_rows_have_fewer_steps(monkeypatch):
    monkeypatch.setattr(_batches, "_MAX_BYTES", 3 * 6 * 100)  # of three steps, of which two are a power of two
    rows = np.arange(7 * 6).reshape(7, 2, 3)
    assert [n_steps for _, n_steps in in_chunks(rows, 100, filled_up=False)] == [2, 2, 2, 1]
    assert [n_steps for _, n_steps in in_chunks(rows, 1000, filled_up=False)] == [1] * 7

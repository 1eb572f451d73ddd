"""The data of networks in training: on the device as a whole, or in pieces."""

import numpy as np
import pytest
from _problems import assert_same, job_of, make_data, settings_of, train

from skstack.training import _data
from skstack.training._data import Data, gathered, n_bytes, place_once, row_bytes


class Runner:
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
    runner, placed = Runner(), {}
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
    monkeypatch.setattr(_data, "_MAX_PLACED", {"processor": 139, "accelerator": 0})
    monkeypatch.setattr(_data, "_PIECE", piece)
    rows = np.array([7, 2, 5, 9, 0])
    pieces = list(Data(data, Runner(), {}).pieces(rows, 2))
    size = 4 if piece == 60 else 2
    assert [len(indices) for _, indices in pieces] == [len(rows[start : start + size]) for start in range(0, 5, size)]
    there = np.concatenate([part["inputs"]["x"][indices, 0] for part, indices in pieces])
    np.testing.assert_array_equal(there, rows)
    assert all(len(part["targets"]["output"]) == len(indices) for part, indices in pieces)


def test_data_of_just_the_size_are_placed(data, monkeypatch):
    monkeypatch.setattr(_data, "_MAX_PLACED", {"processor": 140, "accelerator": 0})
    assert len(list(Data(data, Runner(), {}).pieces(np.arange(10), 2))) == 1


def test_data_too_large_for_the_device_come_in_pieces(monkeypatch):
    data = make_data(weighted=True)
    whole = train([job_of(data, n_validation=20)], settings_of())[0]
    monkeypatch.setattr(_data, "_MAX_PLACED", {"processor": 1, "accelerator": 1})
    monkeypatch.setattr(_data, "_PIECE", 16 * 7 * 4 * 2)  # two batches
    assert_same(train([job_of(data, n_validation=20)], settings_of())[0], whole, rtol=1e-6, atol=1e-7)
    for one in train([job_of(data, n_validation=20)] * 2, settings_of(), vectorized=True):
        assert_same(one, whole)

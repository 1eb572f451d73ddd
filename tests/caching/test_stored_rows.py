"""Arrays whose rows lie in files."""

import pickle
import sys

import numpy as np
import pytest

from skstack.caching._stored_rows import StoredRows, map_rows

FIRST, SECOND = np.random.default_rng(0).integers(0, 256, size=(2, 4, 2, 3), dtype="uint8")
FILES = np.array([1, 0, 0, 1, 1, 0])
SLOTS = np.array([3, 0, 2, 0, 3, 1])
EXPECTED = np.stack([(FIRST, SECOND)[file][slot] for file, slot in zip(FILES, SLOTS, strict=True)])


@pytest.fixture
def paths(tmp_path):
    paths = [tmp_path / "first", tmp_path / "second"]
    for path, rows in zip(paths, (FIRST, SECOND), strict=True):
        path.write_bytes(rows.tobytes())
    return paths


@pytest.fixture
def stored(paths):
    return StoredRows([(path, map_rows(path, FIRST.shape, "uint8")) for path in paths], FILES, SLOTS, (2, 3))


INDICES = {
    "index": 2,
    "from the end": -1,
    "slice": slice(1, 4),
    "steps": slice(None, None, -2),
    "nothing": slice(0, 0),
    "unordered, repeated": np.array([5, 0, 0, 3, -2]),
    "int32": np.array([4, 1], dtype="int32"),
    "list": [3, 1],
    "empty": np.array([], dtype="int64"),
    "mask": np.array([True, False, True, False, False, True]),
    "table": np.array([[0, 1], [5, 2]]),
}


@pytest.mark.parametrize("rows", INDICES.values(), ids=list(INDICES))
def test_rows_are_chosen_as_from_an_array(stored, rows):
    result = stored[rows]
    np.testing.assert_array_equal(result, EXPECTED[rows])
    assert type(result) is np.ndarray
    assert result.dtype == "uint8"
    assert result.flags.writeable


@pytest.mark.parametrize("rows", [6, -7, [0, 6], (0, 1), np.array([True])])
def test_rows_that_are_not_there_are_an_error(stored, rows):
    with pytest.raises(IndexError):
        stored[rows]


def test_it_looks_like_an_array(stored):
    assert (len(stored), stored.shape, stored.ndim) == (6, EXPECTED.shape, 3)
    assert (stored.dtype, stored.size, stored.nbytes) == (EXPECTED.dtype, EXPECTED.size, EXPECTED.nbytes)
    assert repr(stored) == "<StoredRows of shape (6, 2, 3) and dtype uint8 in 2 files>"


def test_it_becomes_an_array(stored):
    np.testing.assert_array_equal(np.asarray(stored), EXPECTED)
    assert np.asarray(stored, dtype="float32").dtype == "float32"
    with pytest.raises(ValueError, match="without a copy"):
        stored.__array__(copy=False)


def test_pickling_takes_the_places_and_not_the_rows(paths):
    places = np.zeros(1000, dtype="int64")
    stored = StoredRows([(paths[0], map_rows(paths[0], (1, 4, 6), "uint8"))], places, places, (4, 6))
    pickled = pickle.dumps(stored)
    assert len(pickled) < stored.nbytes
    np.testing.assert_array_equal(pickle.loads(pickled)[[0, 999]], FIRST.reshape(1, 4, 6)[[0, 0]])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not remove files that are mapped")
def test_files_removed_meanwhile_are_read_on_but_not_unpickled(stored, paths):
    pickled = pickle.dumps(stored)
    paths[1].unlink()
    np.testing.assert_array_equal(stored[:], EXPECTED)
    with pytest.raises(FileNotFoundError, match=r"second', which pickled rows lie in, is gone .* Encode the images"):
        pickle.loads(pickled)


def test_files_cut_off_are_not_unpickled(stored, paths):
    pickled = pickle.dumps(stored)
    del stored
    paths[1].write_bytes(SECOND.tobytes()[:-1])
    with pytest.raises(FileNotFoundError, match="gone or cut off"):
        pickle.loads(pickled)


BLANK = np.array([True, False, False, True, False, False])


def test_blanked_rows_read_as_zeros(stored):
    expected = np.where(BLANK[:, np.newaxis, np.newaxis], np.uint8(0), EXPECTED)
    rows = stored.blanked(BLANK)
    assert isinstance(rows, StoredRows)
    np.testing.assert_array_equal(rows, expected)
    np.testing.assert_array_equal(rows[[3, 1, 0, 1]], expected[[3, 1, 0, 1]])
    np.testing.assert_array_equal(stored, EXPECTED)  # the given ones stay as they are
    np.testing.assert_array_equal(rows.blanked(~BLANK), np.zeros_like(EXPECTED))


def test_blanked_rows_stay_blank_when_pickled(stored):
    rows = stored.blanked(BLANK)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(rows)), rows)


PLACES = np.array([[5, 0, -1], [-1, -1, -1], [2, 2, 3]])


def test_rows_in_other_places_are_read_as_from_an_array(stored):
    expected = EXPECTED[PLACES]
    expected[PLACES < 0] = 0
    arranged = stored.rearranged(PLACES)
    assert arranged.shape == (3, 3, 2, 3)
    assert (arranged.size, arranged.nbytes, len(arranged)) == (expected.size, expected.nbytes, 3)
    np.testing.assert_array_equal(arranged, expected)
    np.testing.assert_array_equal(arranged[[2, 0]], expected[[2, 0]])
    np.testing.assert_array_equal(arranged[1], expected[1])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(arranged)), expected)
    assert stored.shape == EXPECTED.shape


def test_rows_of_several_places_are_blanked_as_a_whole(stored):
    blank = stored.rearranged(PLACES).blanked([True, False, False])
    assert not blank[0].any()
    np.testing.assert_array_equal(blank[2], EXPECTED[PLACES[2]])

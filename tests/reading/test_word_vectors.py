"""Files of pretrained vectors."""

import gzip

import numpy as np
import pytest

from skstack.reading._word_vectors import find_vectors

LINES = "coat 1 2.5\nhat -3 0.5\nold hat 7 8\nhat 5 5\nshoe 9 9\n"


@pytest.mark.parametrize("header", ["", "5 2\n"])
@pytest.mark.parametrize("compressed", [False, True])
def test_vectors_are_read_from_text_files(tmp_path, header, compressed):
    path = tmp_path / ("vectors.txt.gz" if compressed else "vectors.txt")
    path.write_bytes(gzip.compress((header + LINES).encode()) if compressed else (header + LINES).encode())
    found = find_vectors(str(path), ["hat", "old", "coat", "glove"])
    assert {token: vector.tolist() for token, vector in found.items()} == {"coat": [1, 2.5], "hat": [-3, 0.5]}
    assert found["hat"].dtype == "float32"


def test_vectors_are_taken_from_a_mapping():
    found = find_vectors({"hat": [1, 2], "coat": np.array([3, 4])}, ["coat", "shoe"])
    assert {token: vector.tolist() for token, vector in found.items()} == {"coat": [3, 4]}


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ({"shoe": [1.0]}, ValueError, "none of the 2 tokens of the training rows has a vector in the given mapping"),
        ({"hat": [1.0], "coat": [1.0, 2.0]}, ValueError, r"of one length, got \[\(1,\), \(2,\)\]"),
        ({"hat": 1.0}, ValueError, "vectors should be one-dimensional"),
        ("coat 1 2\nhat 1 x\n", ValueError, "line 2 of .*vectors.txt' holds no vector of 2 numbers"),
        ("coat 1 2\nhat 1\n", ValueError, "line 2 of .* holds no vector of 2 numbers"),
        ("coat 1 2\nhat 1 nan\n", ValueError, "line 2 of .* holds no vector of 2 numbers"),
        ("shoe 1 2\n", ValueError, "none of the 2 tokens of the training rows has a vector in file .*vectors.txt"),
        ("", ValueError, "none of the 2 tokens"),
        (None, FileNotFoundError, "there is no file of vectors .*vectors.txt"),
    ],
)
def test_vectors_that_cannot_be_used_are_refused(tmp_path, source, error, message):
    if not isinstance(source, dict):
        path = tmp_path / "vectors.txt"
        if source is not None:
            path.write_text(source)
        source = path
    with pytest.raises(error, match=message):
        find_vectors(source, ["hat", "coat"])

"""Files that are whole or not there."""

import os

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skstack.caching._result_files import MISSING, is_of_other_format, read, write

THING = {"weights": np.arange(1000.0), "name": "ridge"}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.kept"


def test_what_is_written_is_read(path):
    assert read(path) is MISSING
    write(path, 1)
    write(path, THING)
    found = read(path)
    assert_array_equal(found["weights"], THING["weights"])
    assert [file.name for file in path.parent.iterdir()] == ["a.kept"]


def _cut(content):
    return content[: len(content) // 2]


def _flipped(content):
    place = len(content) * 3 // 4
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        _cut,
        _flipped,
        lambda content: content[:20],
        lambda content: b"",
        lambda content: content + b"x",
        lambda content: b"PK\x03\x04 somebody else's file",
        lambda content: content.replace(b"result 1", b"result 2", 1),
    ],
)
def test_damaged_and_foreign_files_are_removed(path, damage):
    write(path, THING)
    path.write_bytes(damage(path.read_bytes()))
    assert read(path) is MISSING
    assert not path.exists()


def test_a_file_of_another_format_is_known(path):
    assert not is_of_other_format(path)
    write(path, THING)
    assert not is_of_other_format(path)
    path.write_bytes(path.read_bytes().replace(b"result 1", b"result 7", 1))
    assert is_of_other_format(path)
    path.write_bytes(b"something else")
    assert not is_of_other_format(path)


def test_what_cannot_be_unpickled_any_more_is_missing(path, monkeypatch):
    monkeypatch.setattr(np, "gone", type("gone", (), {"__module__": "numpy", "__qualname__": "gone"}), raising=False)
    write(path, np.gone())
    monkeypatch.delattr(np, "gone")
    assert read(path) is MISSING


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_what_fails_on_the_way_leaves_what_was_there(path, monkeypatch, call):
    write(path, "before")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(OSError, match="No space left"):
        write(path, THING)
    monkeypatch.undo()
    assert read(path) == "before"
    assert [file.name for file in path.parent.iterdir()] == ["a.kept"]


def test_half_a_file_of_a_killed_process_is_written_over(path):
    path.with_name("a.kept.part").write_bytes(b"half" * 1000)
    write(path, "whole")
    assert read(path) == "whole"
    assert not path.with_name("a.kept.part").exists()

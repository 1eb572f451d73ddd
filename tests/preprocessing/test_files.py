"""Files that cells name; tests/branches/test_every_branch.py tests the branches that read them."""

import os
from pathlib import Path, PurePath

import pytest

from skstack.preprocessing._files import path_of, read_file


@pytest.mark.parametrize("cell", [None, 3, b"bytes", float("nan"), ["a"]])
def test_other_cells_name_no_path(cell):
    assert path_of(cell) is None


@pytest.mark.parametrize("wrap", [str, Path, PurePath])
def test_paths_start_from_root(tmp_path, wrap):
    assert path_of(wrap("a/b")) == os.path.join("a", "b")
    assert path_of(wrap("a/b"), tmp_path) == os.path.join(tmp_path, "a", "b")
    assert path_of(wrap(tmp_path / "a"), tmp_path) == str(tmp_path / "a")


@pytest.mark.parametrize("cell", ["../a", "sub/../../a", os.path.abspath("a")])
def test_root_holds_paths_unless_told_otherwise(tmp_path, cell):
    with pytest.raises(ValueError, match=r"path '.*' leads out of root='.*'; allow_outside_root=True allows it\."):
        path_of(cell, tmp_path)
    assert path_of(cell, tmp_path, allow_outside_root=True) == os.path.join(tmp_path, cell)
    assert path_of(cell) == cell


def test_root_may_be_relative(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert path_of(str(tmp_path / "root" / "a"), "root") == str(tmp_path / "root" / "a")
    assert path_of("a", "") == "a"
    with pytest.raises(ValueError, match="leads out of root='root'"):
        path_of("../a", Path("root"))


def test_a_link_in_a_circle_is_left_to_reading(tmp_path):
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(OSError, match="circle"):
        read_file(path_of("circle", tmp_path), "image")


def test_names_that_are_no_utf_8_are_read_where_the_system_has_them(tmp_path):
    name = os.fsdecode(b"caf\xe9")
    try:
        (tmp_path / name).write_bytes(b"content")
    except OSError:
        pytest.skip("this file system has no names that are no UTF-8")
    assert read_file(path_of(name, tmp_path), "image") == b"content"


@pytest.mark.parametrize("name", ["gone", "file/below", "folder", ""])
def test_what_is_no_file_is_told_by_its_kind(tmp_path, name):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileNotFoundError, match=r"there is no sound file '.*'"):
        read_file(path_of(name, tmp_path), "sound")

"""Files that cells name; tests/branches/test_every_branch.py tests the branches that read them."""

import os
from pathlib import Path, PurePath

import pytest

from skstack.reading import _files
from skstack.reading._files import file_key, path_of, read_file


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
    with pytest.raises(FileNotFoundError, match=r"there is no audio file '.*'"):
        read_file(path_of(name, tmp_path), "audio")


# --- whether a file has changed ---------------------------------------------------------------------------------------


def test_a_file_that_changes_has_another_key(tmp_path, monkeypatch):
    monkeypatch.setattr(_files, "_TIME_STAMP_STEP", -(10**18))
    path = tmp_path / "file"
    path.write_bytes(b"12")
    os.utime(path, ns=(10**18, 10**18))
    keys = [file_key(path), file_key(str(path))]
    path.write_bytes(b"123")
    os.utime(path, ns=(10**18, 10**18))
    keys.append(file_key(path))
    os.utime(path, ns=(10**18, 10**18 + 1))
    keys.append(file_key(path))
    (tmp_path / "other").hardlink_to(path)
    keys.append(file_key(tmp_path / "other"))
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4


def test_relative_paths_are_told_apart_by_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.setattr(_files, "_TIME_STAMP_STEP", -(10**18))
    (tmp_path / "file").write_bytes(b"1")
    monkeypatch.chdir(tmp_path)
    assert file_key("file") == file_key(tmp_path / "file")


def test_a_file_changed_a_moment_ago_has_no_key(tmp_path):
    (tmp_path / "file").write_bytes(b"1")
    assert file_key(tmp_path / "file") is None
    os.utime(tmp_path / "file", ns=(10**18, 10**18))  # what is written in a moment could be given this time too
    assert file_key(tmp_path / "file") is None

"""The folder of caches: where it is, what it may take, and whose it is."""

import os
import stat
import sys
from pathlib import Path

import pytest

from skstack.caching._folder import StoreError, private_file, private_folder, private_opener, store_bytes, store_folder


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"SKSTACK_CACHE": "{home}/own"}, "own"),
        ("linux", {"SKSTACK_CACHE": "~/own"}, "own"),
        ("linux", {"XDG_CACHE_HOME": "{home}/xdg"}, "xdg/skstack"),
        ("linux", {}, ".cache/skstack"),
        ("darwin", {"XDG_CACHE_HOME": "{home}/xdg"}, "Library/Caches/skstack"),
        ("win32", {"LOCALAPPDATA": "{home}/local"}, "local/skstack/cache"),
        ("win32", {}, "AppData/Local/skstack/cache"),
    ],
)
def test_folder_is_that_of_the_platform_or_the_variable(tmp_path, monkeypatch, platform, variables, expected):
    monkeypatch.setattr(sys, "platform", platform)
    for name in ("SKSTACK_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(home=tmp_path))
    assert store_folder("images-2") == tmp_path / expected / "images-2"


def test_a_user_without_a_home_has_no_cache(monkeypatch):
    def homeless(path):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", homeless)
    with pytest.raises(StoreError, match="no folder for a cache: Could not determine home"):
        store_folder("images-2")


@pytest.mark.parametrize(("value", "expected"), [(None, 10**10), ("", 10**10), ("20e9", 2 * 10**10), ("0", 0)])
def test_size_comes_from_the_variable(monkeypatch, value, expected):
    monkeypatch.delenv("SKSTACK_CACHE_SIZE", raising=False)
    if value is not None:
        monkeypatch.setenv("SKSTACK_CACHE_SIZE", value)
    assert store_bytes() == expected


@pytest.mark.parametrize("value", ["10 GB", "-1", "nan", "inf"])
def test_a_size_that_is_no_number_of_bytes_is_an_error(monkeypatch, value):
    monkeypatch.setenv("SKSTACK_CACHE_SIZE", value)
    with pytest.raises(ValueError, match=f"SKSTACK_CACHE_SIZE should be a number of bytes.*got '{value}'"):
        store_bytes()


# --- whose it is ------------------------------------------------------------------------------------------------------

posix = pytest.mark.skipif(os.name != "posix", reason="Windows keeps rights in access lists, not in modes")


def _mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def umask():
    """Let everybody do everything with what is made."""
    before = os.umask(0)
    yield
    os.umask(before)


@posix
@pytest.mark.usefixtures("umask")
def test_what_is_made_is_private_whatever_the_umask(tmp_path):
    private_folder(tmp_path / "new" / "folder")
    private_file(tmp_path / "file")
    with open(tmp_path / "opened", "w", opener=private_opener) as file:
        file.write("content")
    assert _mode(tmp_path / "new") == _mode(tmp_path / "new" / "folder") == 0o700
    assert _mode(tmp_path / "file") == _mode(tmp_path / "opened") == 0o600


@posix
def test_access_to_what_is_there_is_narrowed(tmp_path):
    (tmp_path / "folder").mkdir(mode=0o755)
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "file").chmod(0o444)
    private_folder(tmp_path / "folder")
    private_file(tmp_path / "file")
    assert (_mode(tmp_path / "folder"), _mode(tmp_path / "file")) == (0o700, 0o400)
    assert (tmp_path / "file").read_bytes() == b"content"


@posix
def test_what_belongs_to_somebody_else_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    for make in (private_folder, private_file):
        with pytest.raises(PermissionError, match="belongs to somebody else"):
            make(tmp_path / "new")

"""Decoding whole columns of images, in memory and on disk."""

import os
import subprocess
import sys
import warnings
from operator import attrgetter
from pathlib import Path

import numpy as np
import PIL
import pytest
from PIL import Image

from skstack.caching import _image_store
from skstack.caching._lru import LRU
from skstack.caching._stored_rows import StoredRows
from skstack.preprocessing import clear_image_cache
from skstack.reading import _files, _image_columns, _images, _threads
from skstack.reading._image_cells import ImageCells
from skstack.reading._image_columns import read_column

IMAGES = np.random.default_rng(0).integers(0, 256, size=(10, 4, 6, 3), dtype="uint8")
IMAGE_BYTES = IMAGES[0].nbytes


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache folder of its own, which columns of more than three images go to, in chunks of two."""
    monkeypatch.setenv("SKSTACK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(_image_columns, "_STORE_FROM", 3 * IMAGE_BYTES)
    monkeypatch.setattr(_image_columns, "_CHUNK_BYTES", 2 * IMAGE_BYTES)
    monkeypatch.setattr(_images, "pixel_cache", LRU(2**20, size_of=attrgetter("nbytes")))
    monkeypatch.setattr(_image_columns, "pixel_cache", _images.pixel_cache)
    _image_columns._warn_once.cache_clear()
    return tmp_path / "cache"


@pytest.fixture
def paths(tmp_path):
    paths = [tmp_path / f"{index}.png" for index in range(len(IMAGES))]
    for path, image in zip(paths, IMAGES, strict=True):
        Image.fromarray(image).save(path)
    return paths


@pytest.fixture
def decoded(monkeypatch):
    """Return a list that grows with every decoding."""
    calls, decode = [], _images._decode

    def counting(content, where):
        calls.append(where)
        return decode(content, where)

    monkeypatch.setattr(_images, "_decode", counting)
    return calls


def _read(cells, size=(4, 6), channels=3, resize="pad", **kwargs):
    return read_column(
        list(cells), size=size, channels=channels, resize=resize, name_row=lambda row: f"row {row}", **kwargs
    )[0]


# --- in memory or on disk ---------------------------------------------------------------------------------------------


def test_small_columns_stay_in_memory(paths, cache):
    pixels = _read(paths[:3])
    assert type(pixels) is np.ndarray
    np.testing.assert_array_equal(pixels, IMAGES[:3])
    assert not cache.exists()


def test_large_columns_go_to_the_disk(paths):
    pixels = _read(paths)
    assert isinstance(pixels, StoredRows)
    np.testing.assert_array_equal(pixels, IMAGES)
    assert pixels.dtype == "uint8"


def test_columns_that_may_not_go_to_the_disk_stay_in_memory(paths, cache):
    assert type(_read(paths, store=False)) is np.ndarray
    assert not cache.exists()


def test_every_kind_of_cell_goes_to_the_disk(paths):
    cells = [str(paths[0]), paths[1].read_bytes(), Image.fromarray(IMAGES[2]), IMAGES[3], IMAGES[4] / 255]
    np.testing.assert_array_equal(_read(cells), IMAGES[:5])


@pytest.mark.parametrize("resize", ["pad", "crop", "stretch"])
def test_pixels_are_the_same_as_in_memory(paths, resize):
    how = {"size": (5, 5), "channels": 1, "resize": resize}
    np.testing.assert_array_equal(_read(paths, **how), _read(paths, **how, store=False))


def test_a_chunk_at_a_time_is_in_memory(paths, monkeypatch):
    added, add = [], _image_store.PixelStore.add

    def counting(store, digests, images, files):
        added.append(len(images))
        return add(store, digests, images, files)

    monkeypatch.setattr(_image_store.PixelStore, "add", counting)
    _read(paths)
    assert added == [2] * 5


# --- decoded once -----------------------------------------------------------------------------------------------------


def test_images_are_decoded_once(paths, decoded):
    for cells in (paths, paths[2:8], [*paths[5:], *paths[:5]]):
        _read(cells)
    assert len(decoded) == len(IMAGES)


def test_content_counts_and_not_the_path(tmp_path, paths, decoded):
    (tmp_path / "copies").mkdir()
    copies = [tmp_path / "copies" / path.name for path in paths]
    for path, copy in zip(paths, copies, strict=True):
        copy.write_bytes(path.read_bytes())
    pairs = [path for pair in zip(paths, copies, strict=True) for path in pair]  # copies in the same chunk
    np.testing.assert_array_equal(_read(pairs), IMAGES.repeat(2, axis=0))
    _read([path.read_bytes() for path in paths])
    assert len(decoded) == len(IMAGES)


def test_every_way_of_fitting_is_kept_apart(paths, decoded):
    ways = [{"size": (8, 8), "resize": resize} for resize in ("pad", "crop", "stretch")]
    ways += [{"size": (4, 12)}, {"size": (8, 8), "channels": 1}]
    results = [np.asarray(_read(paths, **way)).tobytes() for way in ways]
    assert len(set(results)) == 5
    assert [np.asarray(_read(paths, **way)).tobytes() for way in ways] == results
    assert len(decoded) == 5 * len(paths)


def test_another_version_of_pillow_decodes_anew(paths, decoded, monkeypatch):
    _read(paths)
    monkeypatch.setattr(PIL, "__version__", "0.0")
    _read(paths)
    assert len(decoded) == 2 * len(paths)


def test_arrays_of_equal_bytes_and_other_shapes_are_kept_apart():
    wide, high = np.arange(8, dtype="uint8").reshape(2, 4), np.arange(8, dtype="uint8").reshape(4, 2)
    cells = [wide, high] * 10
    np.testing.assert_array_equal(_read(cells, size=(3, 3)), _read(cells, size=(3, 3), store=False))


def _forbid_reading(monkeypatch):
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} was read"))


@pytest.mark.usefixtures("paths")
def test_files_that_have_not_changed_are_not_even_read(tmp_path, monkeypatch):
    monkeypatch.setattr(_files, "_TIME_STAMP_STEP", -(10**18))  # their time stamps would be too new
    names = [f"{index}.png" for index in range(len(IMAGES))]
    _read(names, root=tmp_path)
    _forbid_reading(monkeypatch)
    np.testing.assert_array_equal(_read(names, root=tmp_path), IMAGES)
    monkeypatch.chdir(tmp_path)
    np.testing.assert_array_equal(_read(names), IMAGES)


@pytest.mark.parametrize("trusted", [True, False], ids=["old stamps", "new stamps"])
def test_a_changed_file_is_decoded_anew(paths, monkeypatch, trusted):
    if trusted:
        monkeypatch.setattr(_files, "_TIME_STAMP_STEP", -(10**18))
    _read(paths)
    before = paths[3].stat()
    Image.fromarray(255 - IMAGES[3]).save(paths[3])
    if trusted:
        os.utime(paths[3], ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    np.testing.assert_array_equal(_read(paths)[3], 255 - IMAGES[3])


def test_the_same_name_in_another_folder_is_another_file(tmp_path, paths, monkeypatch):
    monkeypatch.setattr(_files, "_TIME_STAMP_STEP", -(10**18))
    (tmp_path / "other").mkdir()
    for path, image in zip(paths, 255 - IMAGES, strict=True):
        Image.fromarray(image).save(tmp_path / "other" / path.name)
    names = [path.name for path in paths]
    np.testing.assert_array_equal(_read(names, root=tmp_path), IMAGES)
    np.testing.assert_array_equal(_read(names, root=tmp_path / "other"), 255 - IMAGES)


def test_a_file_that_changes_while_it_is_read_gives_no_wrong_image_to_others(paths, monkeypatch):
    paths[1].write_bytes(paths[0].read_bytes())
    read = ImageCells.read

    def change_between(column, function, rows):
        result = read(column, function, rows)
        if function != column.decode and 0 in rows:
            Image.fromarray(IMAGES[9]).save(paths[0])  # after it was hashed, before it is decoded
        return result

    monkeypatch.setattr(ImageCells, "read", change_between)
    expected = IMAGES.copy()
    expected[0], expected[1] = IMAGES[9], IMAGES[0]
    np.testing.assert_array_equal(_read(paths), expected)
    np.testing.assert_array_equal(_read(paths), expected)


NO_DECODING = """
import sys
import numpy as np
from skstack.reading import _image_columns, _images

_image_columns._STORE_FROM = 0
_images._decode = None
pixels, _ = _image_columns.read_column(
    sys.argv[1:], size=(4, 6), channels=3, resize="pad", name_row=lambda row: f"row {row}"
)
print(np.asarray(pixels).sum())
"""


def test_another_process_decodes_nothing(paths):
    _read(paths)
    command = [sys.executable, "-c", NO_DECODING, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (done.stdout, done.stderr) == (f"{IMAGES.sum()}\n", "")


def test_clearing_forgets_memory_and_disk(paths, decoded):
    _read(paths), _read(paths[:3])
    clear_image_cache()
    assert len(_images.pixel_cache) == 0
    _read(paths), _read(paths[:3])
    assert len(decoded) == 2 * (len(paths) + 3)


# --- what cannot be read ----------------------------------------------------------------------------------------------


def _cut(path):
    path.write_bytes(path.read_bytes()[:60])


@pytest.mark.parametrize("store", [True, False])
@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 4, 1, 3, 0]], ids=str)
@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (Path.unlink, FileNotFoundError, r"^row {}: there is no image file '.*{}\.png'"),
        (_cut, ValueError, r"^row {}: image file '.*{}\.png' cannot be decoded"),
    ],
)
def test_the_first_bad_row_is_named_in_any_order(paths, monkeypatch, store, order, spoil, error, message):
    monkeypatch.setattr(_image_columns, "_shuffled", lambda chunks: [chunks[index] for index in order])
    for row in (3, 5, 8):
        spoil(paths[row])
    with pytest.raises(error, match=message.format(3, 3)):
        _read(paths, store=store)


@pytest.mark.parametrize(
    ("cell", "error", "message"),
    [
        (None, ValueError, r"row 5: the image is missing \(None\)"),
        (3.5, TypeError, "row 5: expected an image"),
        (b"no image", ValueError, "row 5: the image bytes cannot be decoded"),
        (IMAGES[0][..., :2], ValueError, r"row 5: .* got shape \(4, 6, 2\)"),
        ("no\0path", ValueError, "row 5: no file can have the name"),
        ("no \ud800 path", ValueError, "row 5: no file can have the name"),
        (os.devnull, ValueError, "row 5: image file .* is no regular file"),
        ("", FileNotFoundError, "row 5: there is no image file"),
    ],
)
def test_bad_cells_of_large_columns_are_named(paths, cell, error, message):
    with pytest.raises(error, match=message):
        _read([*paths[:5], cell, *paths[5:]])


def test_what_the_store_remembers_is_no_way_out_of_root(tmp_path, paths, monkeypatch):
    monkeypatch.setattr(_files, "_TIME_STAMP_STEP", -(10**18))
    _read(paths)
    (tmp_path / "root").mkdir()
    cells = [f"../{path.name}" for path in paths]
    with pytest.raises(ValueError, match=r"row 0: the path .* leads out of root"):
        _read(cells, root=tmp_path / "root")
    np.testing.assert_array_equal(_read(cells, root=tmp_path / "root", allow_outside_root=True), IMAGES)
    pixels = _read(cells, root=tmp_path / "root", on_error="missing")
    assert not pixels[:].any()


def test_other_pixels_of_a_later_version_are_not_mixed_up(paths, decoded, monkeypatch):
    _read(paths)
    monkeypatch.setattr(_images, "_VERSION", 0)
    _read(paths)
    assert len(decoded) == 2 * len(paths)


def test_what_was_decoded_before_an_error_is_not_decoded_again(paths, decoded, monkeypatch):
    monkeypatch.setattr(_image_columns, "_shuffled", list)
    content = paths[8].read_bytes()
    paths[8].write_bytes(b"no image")
    with pytest.raises(ValueError, match="row 8"):
        _read(paths)
    paths[8].write_bytes(content)
    del decoded[:]
    np.testing.assert_array_equal(_read(paths), IMAGES)
    assert len(decoded) == 2  # those of the last chunk


@pytest.mark.parametrize("store", [True, False])
def test_what_cannot_be_read_may_count_as_missing(paths, decoded, store):
    expected, bad = IMAGES.copy(), [0, 3, 6, 7]
    expected[bad] = 0
    paths[0].unlink(), _cut(paths[3]), _cut(paths[6]), paths[7].write_bytes(paths[6].read_bytes())
    for _ in range(2):
        pixels, unreadable = read_column(
            paths, size=(4, 6), channels=3, resize="pad", store=store, on_error="missing", name_row=str
        )
        assert isinstance(pixels, StoredRows) == store
        np.testing.assert_array_equal(pixels, expected)
        assert np.flatnonzero(unreadable).tolist() == bad
    n_decodings = [sum(str(path) in where for where in decoded) for path in paths]
    assert n_decodings.count(1) == 6  # those that can be read, once
    with pytest.raises(TypeError, match="row 1: expected an image"):
        _read([paths[1], 3.5] * 5, store=store, on_error="missing")


def test_copies_are_read_where_the_first_of_them_vanishes(paths, monkeypatch):
    paths[1].write_bytes(paths[0].read_bytes())
    read = ImageCells.read

    def vanish_between(column, function, rows):
        result = read(column, function, rows)
        if function != column.decode and 0 in rows:
            paths[0].unlink()
        return result

    monkeypatch.setattr(ImageCells, "read", vanish_between)
    pixels = _read(paths, on_error="missing")
    np.testing.assert_array_equal(pixels[:3], [np.zeros_like(IMAGES[0]), IMAGES[0], IMAGES[2]])


# --- without a usable folder ------------------------------------------------------------------------------------------


def _read_with_warning(paths, message):
    with pytest.warns(UserWarning, match=message) as caught:
        pixels = _read(paths)
    assert len(caught) == 1
    assert type(pixels) is np.ndarray
    np.testing.assert_array_equal(pixels, IMAGES)


def test_a_folder_that_cannot_be_written_is_replaced_by_memory_with_one_warning(paths, cache):
    cache.write_bytes(b"no folder")
    _read_with_warning(paths, r"the cache of images in .* cannot be used.* Images are decoded into memory; ")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(_read(paths), IMAGES)


def test_a_full_disk_is_replaced_by_memory(paths, monkeypatch):
    written = []

    def fill_up(descriptor):
        written.append(descriptor)
        if len(written) == 3:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(_image_store.os, "fsync", fill_up)
    _read_with_warning(paths, "No space left on device")


def test_a_damaged_index_begins_anew(paths, cache):
    _read(paths)
    (cache / "images-2" / "index.sqlite").write_bytes(b"no database" * 100)
    with pytest.warns(UserWarning, match="cache of images in .* has a damaged index and begins anew") as told:
        pixels = _read(paths)
    assert len(told) == 1
    assert isinstance(pixels, StoredRows)
    np.testing.assert_array_equal(pixels, IMAGES)


@pytest.mark.parametrize("trusted", [True, False], ids=["old stamps", "new stamps"])
def test_damaged_pixels_are_decoded_again(paths, cache, decoded, monkeypatch, trusted):
    monkeypatch.setattr(_files, "_TIME_STAMP_STEP", -(10**18) if trusted else 10**18)
    _read(paths)
    (segment,) = cache.glob("images-2/*.u8")
    content = bytearray(segment.read_bytes())
    content[3 * IMAGE_BYTES + 5] ^= 255
    segment.write_bytes(content)
    del decoded[:]
    with pytest.warns(UserWarning, match="is damaged; images that are decoded again: 1") as told:
        np.testing.assert_array_equal(_read(paths), IMAGES)
    assert len(told) == len(decoded) == 1
    np.testing.assert_array_equal(_read(paths), IMAGES)
    assert len(decoded) == 1


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps rights in access lists, not in modes")
def test_a_folder_of_somebody_else_is_replaced_by_memory(paths, monkeypatch):
    _read(paths)
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    _read_with_warning(paths, "belongs to somebody else.* Images are decoded into memory; ")


def test_a_column_larger_than_the_cache_is_decoded_into_memory(paths, monkeypatch):
    monkeypatch.setenv("SKSTACK_CACHE_SIZE", str(IMAGES.nbytes - 1))
    _read_with_warning(paths, "more than the .* MB of the cache of images")
    monkeypatch.setenv("SKSTACK_CACHE_SIZE", str(IMAGES.nbytes))
    np.testing.assert_array_equal(_read(paths), IMAGES)


def test_a_cache_of_size_zero_is_none(paths, cache, monkeypatch):
    monkeypatch.setenv("SKSTACK_CACHE_SIZE", "0")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert type(_read(paths)) is np.ndarray
    assert not cache.exists()


def test_threads_give_the_same_pixels(paths, monkeypatch):
    monkeypatch.setattr(_threads, "cpu_count", lambda: 8)
    monkeypatch.setattr(_threads, "_BLOCK", 2)
    monkeypatch.setattr(_image_columns, "_CHUNK_BYTES", 2**20)
    np.testing.assert_array_equal(_read(paths * 3), np.tile(IMAGES, (3, 1, 1, 1)))
    np.testing.assert_array_equal(_read(paths * 3, store=False), np.tile(IMAGES, (3, 1, 1, 1)))

"""The cells of a column of images."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from skstack.reading import _files, _image_cells
from skstack.reading._image_cells import ImageCells

IMAGES = np.random.default_rng(0).integers(0, 256, size=(4, 4, 6, 3), dtype="uint8")


@pytest.fixture
def paths(tmp_path):
    paths = [tmp_path / f"{index}.png" for index in range(len(IMAGES))]
    for path, image in zip(paths, IMAGES, strict=True):
        Image.fromarray(image).save(path)
    return paths


def _column(cells, **kwargs):
    settings = {"size": (4, 6), "channels": 3, "resize": "pad", "name_row": "row {}".format}
    return ImageCells(cells, **{**settings, **kwargs})


def _nothing(files):
    return [None] * len(files)


def test_images_are_read_and_decoded(paths):
    column = _column([paths[0], IMAGES[1], paths[2].read_bytes(), Image.open(paths[3])])
    assert (len(column), column.shape) == (4, (4, 6, 3))
    np.testing.assert_array_equal(column.read(column.pixels, range(4)), IMAGES)
    np.testing.assert_array_equal([image for _, image in column.read(column.decode, [3, 1])], IMAGES[[3, 1]])
    np.testing.assert_array_equal([image for _, image in column.read_ahead(column.decode, [2, 0])], IMAGES[[2, 0]])


def test_images_are_brought_to_the_shape_asked_for(paths):
    column = _column(paths, size=(3, 5), channels=1, resize="stretch")
    assert column.pixels(0).shape == column.decode(0)[1].shape == column.shape == (3, 5, 1)
    np.testing.assert_array_equal(column.pixels(0), column.decode(0)[1])


def test_digests_tell_contents_apart(paths):
    paths[1].write_bytes(paths[0].read_bytes())
    column = _column([*paths, paths[0].read_bytes(), IMAGES[0]])
    digests, new = column.digests(range(6), _nothing)
    assert digests[0] == digests[1] == digests[4]
    assert len(set(digests)) == 4  # an array has a digest of its own
    assert new == {}  # the files are too new to be trusted
    assert digests[3] == column.decode(3)[0]


def test_files_that_are_remembered_are_not_read(paths, monkeypatch):
    monkeypatch.setattr(_files, "_TIME_STAMP_STEP", -(10**18))
    column, asked = _column([*paths, IMAGES[0], paths[1]]), []
    digests, new = column.digests(range(6), _nothing)
    assert sorted(new.values()) == sorted(digests[:4])

    def remembered(files):
        asked.append(files)
        return [new[file] for file in files]

    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} was read"))
    assert column.digests(range(6), remembered) == (digests, {})
    assert column.digests([5, 2], remembered) == ([digests[1], digests[2]], {})
    assert [len(files) for files in asked] == [4, 2]


@pytest.mark.parametrize(("cell", "root"), [("gone.png", None), ("no\0path", None), ("../out.png", "root")])
def test_cells_that_cannot_be_read_have_no_digest(paths, cell, root):
    cells, paths_of = [paths[0].read_bytes(), cell], {"root": root and paths[0].parent / root}
    digests, _ = _column(cells, on_error="missing", **paths_of).digests(range(2), _nothing)
    assert digests[0] is not None
    assert digests[1] is None
    with pytest.raises((ValueError, OSError), match=r"^row 1: "):
        _column(cells, **paths_of).digests(range(2), _nothing)


@pytest.mark.parametrize("reader", ["read", "read_ahead"])
def test_pil_images_are_read_by_one_thread(paths, monkeypatch, reader):
    for name in ("map_in_threads", "map_ahead"):
        monkeypatch.setattr(_image_cells, name, lambda *_: pytest.fail("threads share an image"))
    same = Image.open(paths[0])
    column = _column([same] * 20)
    images = [image for _, image in getattr(column, reader)(column.decode, range(20))]
    np.testing.assert_array_equal(images, IMAGES[[0] * 20])

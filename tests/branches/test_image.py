"""Branches of pictures."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from skstack import MultimodalNetworkRegressor
from skstack._backend import keras
from skstack.branches import ImageBranch
from skstack.preprocessing import _image_columns, _images, tensor_column
from skstack.preprocessing._rows import StoredRows

PICTURES = np.random.default_rng(0).integers(0, 256, size=(4, 8, 8, 3), dtype="uint8")


def _branch(**kwargs):
    return ImageBranch(**{"size": (8, 8), "filters": (2,), "hidden": (), **kwargs})


def _frame(*cells, **kwargs):
    column = np.empty(len(cells), dtype=object)
    for position, cell in enumerate(cells):
        column[position] = cell
    return pd.DataFrame({"photo": pd.Series(column, **kwargs)})


@pytest.fixture
def folder(tmp_path):
    """A folder with a file for each picture."""
    for number, picture in enumerate(PICTURES):
        Image.fromarray(picture).save(tmp_path / f"{number}.png")
    return tmp_path


def _names(index=None):
    return pd.DataFrame({"photo": [f"{number}.png" for number in range(4)]}, index=index)


def _encode(X, **kwargs):
    return _branch(**kwargs).fit(X).encode(X)


def test_paths_start_from_root(folder):
    np.testing.assert_array_equal(_encode(_names(), root=folder), PICTURES)
    np.testing.assert_array_equal(_encode(_names().to_numpy(dtype=object), root=str(folder)), PICTURES)
    np.testing.assert_array_equal(_encode(_names().astype("category"), root=folder), PICTURES)


def test_kinds_of_cells_may_be_mixed(folder):
    content = (folder / "1.png").read_bytes()
    X = _frame("0.png", content, Image.fromarray(PICTURES[2]), PICTURES[3] / 255)
    np.testing.assert_array_equal(_encode(X, root=folder), PICTURES)


def test_arrays_of_unequal_shapes_and_dtypes_are_brought_to_one_size():
    X = _frame(PICTURES[0], PICTURES[1][:4], PICTURES[2][..., 0], PICTURES[3] / 255)
    encoded = _encode(X)
    assert encoded.shape == (4, 8, 8, 3)
    np.testing.assert_array_equal(encoded[[0, 3]], PICTURES[[0, 3]])


@pytest.mark.parametrize(
    "wrap",
    [np.asarray, lambda array: pd.DataFrame({"photo": tensor_column(array)}), lambda array: _frame(*array)],
    ids=["array", "tensor column", "object column"],
)
@pytest.mark.parametrize("change", [lambda p: p, lambda p: p.astype("int32"), lambda p: p / 255, lambda p: p[:, ::2]])
def test_tensors_are_read_from_every_container(wrap, change):
    encoded = _encode(wrap(change(PICTURES)), resize="stretch")
    assert encoded.dtype == "uint8"
    if change(PICTURES).shape == PICTURES.shape:
        np.testing.assert_array_equal(encoded, PICTURES)
    else:
        expected = Image.fromarray(PICTURES[1, ::2]).resize((8, 8), Image.Resampling.BILINEAR)
        np.testing.assert_array_equal(encoded[1], expected)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_grey_arrays_need_no_axis_of_channels(channels):
    grey = PICTURES[..., 0]
    expected = np.repeat(grey[..., np.newaxis], channels, axis=3)
    if channels == 4:
        expected[..., 3] = 255
    np.testing.assert_array_equal(_encode(grey, channels=channels), expected)
    np.testing.assert_array_equal(_encode(grey[..., np.newaxis], channels=channels), expected)


def test_pixels_that_fit_are_not_copied():
    assert np.shares_memory(_encode(PICTURES), PICTURES)


@pytest.mark.parametrize(("resize", "dark"), [("pad", True), ("crop", False), ("stretch", False)])
def test_resize_is_passed_on(resize, dark):
    white = np.full((1, 4, 8, 3), 255, dtype="uint8")
    assert (_encode(white, resize=resize).min() == 0) == dark


def test_pictures_are_decoded_once_for_all_fits(folder, monkeypatch):
    decoded, decode = [], _images._decode

    def counting(content, where):
        decoded.append(where)
        return decode(content, where)

    monkeypatch.setattr(_images, "_decode", counting)
    _images.pixel_cache.clear()
    network = MultimodalNetworkRegressor([("photo", _branch(root=folder))], head=(), epochs=1, early_stopping=False)
    for y in ([1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0]):
        network.fit(_names(), y).predict(_names())
    assert len(decoded) == len(PICTURES)


@pytest.fixture
def disk(tmp_path, monkeypatch):
    """A cache folder that columns of any size go to."""
    monkeypatch.setenv("SKSTACK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(_image_columns, "_STORE_FROM", 0)
    return tmp_path / "cache"


@pytest.mark.usefixtures("disk")
def test_large_columns_lie_on_disk(folder):
    for X in (_names(), _names().to_numpy(dtype=object), _names().astype("category"), _frame(*PICTURES)):
        encoded = _encode(X, root=folder)
        assert isinstance(encoded, StoredRows)
        np.testing.assert_array_equal(encoded, PICTURES)
    assert _encode(_names(), root=folder, channels=1).shape == (4, 8, 8, 1)


@pytest.mark.parametrize("wrap", [np.asarray, lambda array: pd.DataFrame({"photo": tensor_column(array)})])
def test_tensors_are_not_copied_to_the_disk(disk, wrap):
    np.testing.assert_array_equal(_encode(wrap(PICTURES / 255)), PICTURES)
    assert not disk.exists()


def _damage(folder):
    (folder / "2.png").write_bytes((folder / "2.png").read_bytes()[:60])


def _empty(folder):
    (folder / "2.png").write_bytes(b"")


def _delete(folder):
    (folder / "2.png").unlink()


@pytest.mark.parametrize("size", ["small", "large"])
@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (_delete, FileNotFoundError, r"row 2: there is no image file '.*2\.png'"),
        (_damage, ValueError, r"row 2: image file '.*2\.png' cannot be decoded"),
        (_empty, ValueError, r"row 2: image file '.*2\.png' cannot be decoded"),
    ],
)
def test_row_and_path_of_a_bad_file_are_named(folder, request, spoil, error, message, size):
    if size == "large":
        request.getfixturevalue("disk")
    spoil(folder)
    with pytest.raises(error, match=message):
        _encode(_names(), root=folder)
    with pytest.raises(error, match=message.replace("row 2", r"row 2 \(index 'r'\)")):
        _encode(_names(index=list("pqrs")), root=folder)


GOOD = PICTURES[0]

BAD_CELLS = {
    "None": (_frame(GOOD, None), ValueError, r"row 1: the image is missing \(None\)"),
    "NaN": (_frame("x.png", np.nan).iloc[[1]], ValueError, r"row 0 \(index 1\): the image is missing \(nan\)"),
    "number": (_frame(GOOD, 3.5), TypeError, "row 1: expected an image"),
    "numbers": (pd.DataFrame({"photo": [1.0, 2.0]}), TypeError, "row 0: expected an image"),
    "bytes": (_frame(GOOD, b"no picture"), ValueError, "row 1: the image bytes cannot be decoded"),
    "channels": (_frame(GOOD, GOOD[..., :2]), ValueError, r"row 1: .* 1, 3 or 4 channels, got shape \(8, 8, 2\)"),
    "range": (_frame(GOOD, GOOD + 1.0), ValueError, "row 1: expected pixels from 0 to 1"),
    "range, array": (np.stack([GOOD / 255, GOOD + 1.0]), ValueError, "row 1: expected pixels from 0 to 1"),
    "NaN, array": (np.stack([GOOD / 255, GOOD * np.nan]), ValueError, "row 1: expected pixels from 0 to 1"),
    "channels, array": (PICTURES[..., :2], ValueError, r"1, 3 or 4 channels, got cells of shape \(8, 8, 2\)"),
    "videos": (PICTURES[np.newaxis], ValueError, r"got cells of shape \(4, 8, 8, 3\)"),
    "vectors": (pd.DataFrame({"photo": tensor_column(GOOD[0])}), ValueError, r"got cells of shape \(3,\)"),
    "two columns": (_names().assign(other="x"), ValueError, "one column of images, got 2 columns; give each column"),
    "table": (np.zeros((3, 5)), ValueError, "one column of images, got 5 columns"),
}


@pytest.mark.parametrize(("X", "error", "message"), BAD_CELLS.values(), ids=list(BAD_CELLS))
def test_bad_cells_are_named(X, error, message):
    with pytest.raises(error, match=message):
        _encode(X)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"size": (8, 4), "filters": (2, 2, 2)}, r"size=\(8, 4\) should be at least 8 pixels each way"),
        ({"size": (8,)}, "'size' should be height and width"),
        ({"size": (8, 8, 3)}, "'size' should be height and width"),
        ({"size": (8, 0)}, "'size' should be a tuple of positive integers"),
        ({"size": 8}, "'size' parameter"),
        ({"channels": 2}, "'channels' parameter"),
        ({"resize": "zoom"}, "'resize' parameter"),
        ({"pooling": "mean"}, "'pooling' parameter"),
        ({"filters": (2, -1)}, "'filters' should be a tuple of positive integers"),
        ({"root": 3}, "'root' parameter"),
    ],
)
def test_settings_that_make_no_network_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        _branch(**parameters).fit(PICTURES)


@pytest.mark.parametrize(("pooling", "length"), [("avg", 5), ("max", 5), ("flatten", 2 * 2 * 5)])
def test_blocks_halve_and_pooling_makes_a_vector(pooling, length):
    model = _branch(filters=(3, 5), pooling=pooling).fit(PICTURES).build("photo")
    assert model.get_layer("halve_2").output.shape == (None, 2, 2, 5)
    assert model.output_shape == (None, length)


def test_activation_and_normalisation_reach_the_convolutions():
    model = _branch(batch_norm=True, activation="prelu", dropout=0.2, hidden=(3,)).fit(PICTURES).build("photo")
    names = [layer.name for layer in model.layers]
    block = ["rescale", "conv_1", "conv_1_norm", "conv_1_prelu", "halve_1", "pool", "pool_dropout"]
    assert names[1:8] == block
    assert names[8:] == ["dense_1", "dense_1_norm", "dense_1_prelu", "dense_1_dropout"]


def test_pixels_are_scaled_inside_the_model():
    model = _branch().fit(PICTURES).build("photo")
    scaled = keras.Model(model.input, model.get_layer("rescale").output)
    black_and_white = np.stack([np.zeros((8, 8, 3), "uint8"), np.full((8, 8, 3), 255, "uint8")])
    outputs = keras.ops.convert_to_numpy(scaled(black_and_white))
    np.testing.assert_allclose([outputs[0].max(), outputs[1].min()], [-1.0, 1.0], atol=1e-6)


def test_no_blocks_are_a_network_of_the_pixels():
    assert _branch(filters=(), pooling="flatten").fit(PICTURES).build("photo").output_shape == (None, 192)

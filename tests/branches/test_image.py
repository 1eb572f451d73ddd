"""Branches of images."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.base import clone

from skstack import MultimodalNetworkRegressor
from skstack._backend import keras
from skstack.branches import ImageBranch
from skstack.caching._stored_rows import StoredRows
from skstack.preprocessing import tensor_column
from skstack.reading import _image_columns, _images

IMAGES = np.random.default_rng(0).integers(0, 256, size=(4, 8, 8, 3), dtype="uint8")


def _branch(**kwargs):
    return ImageBranch(**{"size": (8, 8), "filters": (2,), "hidden": (), **kwargs})


def _frame(*cells, **kwargs):
    column = np.empty(len(cells), dtype=object)
    for position, cell in enumerate(cells):
        column[position] = cell
    return pd.DataFrame({"photo": pd.Series(column, **kwargs)})


@pytest.fixture
def folder(tmp_path):
    """A folder with a file for each image."""
    for number, image in enumerate(IMAGES):
        Image.fromarray(image).save(tmp_path / f"{number}.png")
    return tmp_path


def _names(index=None):
    return pd.DataFrame({"photo": [f"{number}.png" for number in range(4)]}, index=index)


def _encode(X, **kwargs):
    return _branch(**kwargs).fit(X).encode(X)


def test_paths_start_from_root(folder):
    np.testing.assert_array_equal(_encode(_names(), root=folder), IMAGES)
    np.testing.assert_array_equal(_encode(_names().to_numpy(dtype=object), root=str(folder)), IMAGES)
    np.testing.assert_array_equal(_encode(_names().astype("category"), root=folder), IMAGES)


def test_kinds_of_cells_may_be_mixed(folder):
    content = (folder / "1.png").read_bytes()
    X = _frame("0.png", content, Image.fromarray(IMAGES[2]), IMAGES[3] / 255)
    np.testing.assert_array_equal(_encode(X, root=folder), IMAGES)


def test_arrays_of_unequal_shapes_and_dtypes_are_brought_to_one_size():
    X = _frame(IMAGES[0], IMAGES[1][:4], IMAGES[2][..., 0], IMAGES[3] / 255)
    encoded = _encode(X)
    assert encoded.shape == (4, 8, 8, 3)
    np.testing.assert_array_equal(encoded[[0, 3]], IMAGES[[0, 3]])


@pytest.mark.parametrize(
    "wrap",
    [np.asarray, lambda array: pd.DataFrame({"photo": tensor_column(array)}), lambda array: _frame(*array)],
    ids=["array", "tensor column", "object column"],
)
@pytest.mark.parametrize("change", [lambda p: p, lambda p: p.astype("int32"), lambda p: p / 255, lambda p: p[:, ::2]])
def test_tensors_are_read_from_every_container(wrap, change):
    encoded = _encode(wrap(change(IMAGES)), resize="stretch")
    assert encoded.dtype == "uint8"
    if change(IMAGES).shape == IMAGES.shape:
        np.testing.assert_array_equal(encoded, IMAGES)
    else:
        expected = Image.fromarray(IMAGES[1, ::2]).resize((8, 8), Image.Resampling.BILINEAR)
        np.testing.assert_array_equal(encoded[1], expected)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_grey_arrays_need_no_axis_of_channels(channels):
    grey = IMAGES[..., 0]
    expected = np.repeat(grey[..., np.newaxis], channels, axis=3)
    if channels == 4:
        expected[..., 3] = 255
    np.testing.assert_array_equal(_encode(grey, channels=channels), expected)
    np.testing.assert_array_equal(_encode(grey[..., np.newaxis], channels=channels), expected)


def test_pixels_that_fit_are_not_copied():
    assert np.shares_memory(_encode(IMAGES), IMAGES)


@pytest.mark.parametrize(("resize", "dark"), [("pad", True), ("crop", False), ("stretch", False)])
def test_resize_is_passed_on(resize, dark):
    white = np.full((1, 4, 8, 3), 255, dtype="uint8")
    assert (_encode(white, resize=resize).min() == 0) == dark


def test_images_are_decoded_once_for_all_fits(folder, monkeypatch):
    decoded, decode = [], _images._decode

    def counting(content, where):
        decoded.append(where)
        return decode(content, where)

    monkeypatch.setattr(_images, "_decode", counting)
    _images.pixel_cache.clear()
    network = MultimodalNetworkRegressor([("photo", _branch(root=folder))], head=(), epochs=1, early_stopping=False)
    for y in ([1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0]):
        network.fit(_names(), y).predict(_names())
    assert len(decoded) == len(IMAGES)


@pytest.fixture
def disk(tmp_path, monkeypatch):
    """A cache folder that columns of any size go to."""
    monkeypatch.setenv("SKSTACK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(_image_columns, "_STORE_FROM", 0)
    return tmp_path / "cache"


@pytest.mark.usefixtures("disk")
def test_large_columns_lie_on_disk(folder):
    for X in (_names(), _names().to_numpy(dtype=object), _names().astype("category"), _frame(*IMAGES)):
        encoded = _encode(X, root=folder)
        assert isinstance(encoded, StoredRows)
        np.testing.assert_array_equal(encoded, IMAGES)
    assert _encode(_names(), root=folder, channels=1).shape == (4, 8, 8, 1)


@pytest.mark.parametrize("wrap", [np.asarray, lambda array: pd.DataFrame({"photo": tensor_column(array)})])
def test_tensors_are_not_copied_to_the_disk(disk, wrap):
    np.testing.assert_array_equal(_encode(wrap(IMAGES / 255)), IMAGES)
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


GOOD = IMAGES[0]

BAD_CELLS = {
    "number": (_frame(GOOD, 3.5), TypeError, "row 1: expected an image"),
    "numbers": (pd.DataFrame({"photo": [1.0, 2.0]}), TypeError, "row 0: expected an image"),
    "bytes": (_frame(GOOD, b"no image"), ValueError, "row 1: the image bytes cannot be decoded"),
    "channels": (_frame(GOOD, GOOD[..., :2]), ValueError, r"row 1: .* 1, 3 or 4 channels, got shape \(8, 8, 2\)"),
    "range": (_frame(GOOD, GOOD + 1.0), ValueError, "row 1: expected pixels from 0 to 1"),
    "range, array": (np.stack([GOOD / 255, GOOD + 1.0]), ValueError, "row 1: expected pixels from 0 to 1"),
    "NaN, array": (
        np.stack([GOOD / 255, np.where(GOOD > 100, np.nan, 0.5)]),
        ValueError,
        "row 1: expected pixels from 0 to 1",
    ),
    "channels, array": (IMAGES[..., :2], ValueError, r"1, 3 or 4 channels, got cells of shape \(8, 8, 2\)"),
    "videos": (IMAGES[np.newaxis], ValueError, r"got cells of shape \(4, 8, 8, 3\)"),
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
        _branch(**parameters).fit(IMAGES)


@pytest.mark.parametrize(("pooling", "length"), [("avg", 5), ("max", 5), ("flatten", 2 * 2 * 5)])
def test_blocks_halve_and_pooling_makes_a_vector(pooling, length):
    model = _branch(filters=(3, 5), pooling=pooling).fit(IMAGES).build("photo")
    assert model.get_layer("halve_2").output.shape == (None, 2, 2, 5)
    assert model.output_shape == (None, length)


def test_activation_and_normalisation_reach_the_convolutions():
    model = _branch(batch_norm=True, activation="prelu", dropout=0.2, hidden=(3,)).fit(IMAGES).build("photo")
    names = [layer.name for layer in model.layers]
    block = ["rescale", "conv_1", "conv_1_norm", "conv_1_prelu", "halve_1", "pool", "pool_dropout"]
    assert names[1:8] == block
    assert names[8:] == ["dense_1", "dense_1_norm", "dense_1_prelu", "dense_1_dropout"]


def test_pixels_are_scaled_inside_the_model():
    model = _branch().fit(IMAGES).build("photo")
    scaled = keras.Model(model.input, model.get_layer("rescale").output)
    black_and_white = np.stack([np.zeros((8, 8, 3), "uint8"), np.full((8, 8, 3), 255, "uint8")])
    outputs = keras.ops.convert_to_numpy(scaled(black_and_white))
    np.testing.assert_allclose([outputs[0].max(), outputs[1].min()], [-1.0, 1.0], atol=1e-6)


def test_no_blocks_are_a_network_of_the_pixels():
    assert _branch(filters=(), pooling="flatten").fit(IMAGES).build("photo").output_shape == (None, 192)


# --- augmentation -----------------------------------------------------------------------------------------------------


AUGMENTATIONS = ("flip", "rotation", "zoom", "translation", "contrast")


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_images_are_changed_in_training_only(name):
    images = np.repeat(IMAGES[:1], 8, axis=0)
    model = _branch(augment=(name,)).fit(images).build("photo")
    changed = keras.Model(model.input, model.layers[1].output)
    np.testing.assert_array_equal(changed(images, training=False), images)
    first, second = (np.asarray(changed(images, training=True)) for _ in range(2))
    assert first.shape == images.shape
    assert 0 <= first.min() <= first.max() <= 255
    assert not np.array_equal(first, second)
    assert any(not np.array_equal(first[0], other) for other in first[1:])  # each in its own way
    np.testing.assert_array_equal(model(images, training=False)[0], model(images, training=False)[1])


def test_strengths_are_taken_or_as_documented():
    model = _branch(augment={"flip": "both", "zoom": 0.3, "contrast": 0.5}).fit(IMAGES).build("photo")
    affine, contrast = (model.get_layer(name) for name in ("random_affine", "random_contrast"))
    assert (affine.flip, affine.rotation, affine.zoom, affine.translation) == ("both", 0.0, 0.3, 0.0)
    assert contrast.contrast == 0.5
    model = _branch(augment=AUGMENTATIONS).fit(IMAGES).build("photo")
    affine, contrast = (model.get_layer(name) for name in ("random_affine", "random_contrast"))
    assert (affine.flip, affine.rotation, affine.zoom, affine.translation) == ("horizontal", 0.05, 0.1, 0.1)
    assert contrast.contrast == 0.2


@pytest.mark.parametrize("fold_training", ["sequential", "vectorized"])
def test_augmentation_trains_in_compiled_loops(fold_training):
    network = MultimodalNetworkRegressor(
        [("photo", _branch(augment=AUGMENTATIONS))],
        head=(),
        epochs=2,
        batch_size=2,
        early_stopping=False,
        fold_training=fold_training,
        random_state=0,
    )
    y = np.arange(4.0)
    everything, fold = clone(network).cross_fit(IMAGES, y, [np.arange(3)])
    plain = clone(network).set_params(photo__augment=None).fit(IMAGES, y)
    assert everything.history_["loss"] != plain.history_["loss"]
    np.testing.assert_allclose(
        fold.predict(IMAGES), clone(network).fit(IMAGES[:3], y[:3]).predict(IMAGES), rtol=1e-3, atol=1e-4
    )
    np.testing.assert_array_equal(fold.predict(IMAGES), fold.predict(IMAGES))


def test_augmenting_layers_can_be_saved(tmp_path):
    model = _branch(augment=AUGMENTATIONS).fit(IMAGES).build("photo")
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0), rtol=1e-5)
    assert loaded.get_layer("random_affine").get_config() == model.get_layer("random_affine").get_config()
    assert loaded.get_layer("random_contrast").contrast == 0.2


# --- a backbone -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("trainable", "n_trained"), [(True, 2), (1, 2), ("con*", 2)])
def test_a_backbone_is_trained_whatever_its_owner_froze(trainable, n_trained):
    backbone = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3, name="conv", trainable=False)])
    branch = ImageBranch(backbone=backbone, preprocess="tf", trainable=trainable, hidden=()).fit(IMAGES)
    assert len(branch.build("photo").trainable_variables) == n_trained
    assert not backbone.trainable_variables


def test_false_of_numpy_freezes_a_backbone_too():
    backbone = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3)])
    branch = ImageBranch(backbone=backbone, preprocess="tf", trainable=np.False_).fit(IMAGES)
    assert branch.encode(IMAGES).shape == (4, 2)

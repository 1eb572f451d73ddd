"""Decoding and resizing images."""

import io
import struct
import warnings
from operator import attrgetter
from pathlib import PurePath

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageFile, ImageOps

from skstack.caching._lru import LRU
from skstack.reading import _images
from skstack.reading._images import as_uint8, read_pixels

RGB = np.random.default_rng(0).integers(0, 256, size=(4, 6, 3), dtype="uint8")
HALVES = np.zeros((2, 4, 3), dtype="uint8")
HALVES[:, :2] = 200  # bright on the left, dark on the right


@pytest.fixture(autouse=True)
def fresh_cache(monkeypatch):
    monkeypatch.setattr(_images, "pixel_cache", LRU(2**20, size_of=attrgetter("nbytes")))


def _read(cell, size=(4, 6), channels=3, resize="stretch", **paths):
    return read_pixels(cell, size=size, channels=channels, resize=resize, **paths)


def _file(image, format="png", **kwargs):
    content = io.BytesIO()
    image.save(content, format, **kwargs)
    return content.getvalue()


# --- what a cell can be -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [str, lambda path: path, lambda path: PurePath(path)], ids=["str", "Path", "PurePath"])
def test_paths_are_read(tmp_path, wrap):
    (tmp_path / "house.png").write_bytes(_file(Image.fromarray(RGB)))
    np.testing.assert_array_equal(_read(wrap(tmp_path / "house.png")), RGB)


def test_relative_paths_start_from_root(tmp_path):
    (tmp_path / "house.png").write_bytes(_file(Image.fromarray(RGB)))
    np.testing.assert_array_equal(_read("house.png", root=tmp_path), RGB)
    np.testing.assert_array_equal(_read(str(tmp_path / "house.png"), root=tmp_path), RGB)


@pytest.mark.parametrize("wrap", [bytes, bytearray])
def test_bytes_are_decoded(wrap):
    np.testing.assert_array_equal(_read(wrap(_file(Image.fromarray(RGB)))), RGB)


@pytest.mark.parametrize(
    "cell", [RGB, RGB.astype("int64"), RGB / 255, (RGB / 255).astype("float32"), Image.fromarray(RGB)]
)
def test_arrays_and_pil_images_are_taken(cell):
    np.testing.assert_array_equal(_read(cell), RGB)


def test_grey_images_get_the_channels_asked_for():
    grey = RGB[..., 0]
    np.testing.assert_array_equal(_read(grey, channels=1), grey[..., np.newaxis])
    np.testing.assert_array_equal(_read(grey[..., np.newaxis], channels=1), grey[..., np.newaxis])
    np.testing.assert_array_equal(_read(grey), np.repeat(grey[..., np.newaxis], 3, axis=2))


def test_narrow_grey_images_are_not_taken_for_channels():
    np.testing.assert_array_equal(_read(RGB[0], size=(6, 3), channels=1), RGB[0][..., np.newaxis])


def test_alpha_is_dropped_or_added():
    opaque = np.dstack([RGB, np.full(RGB.shape[:2], 255, dtype="uint8")])
    np.testing.assert_array_equal(_read(opaque), RGB)
    np.testing.assert_array_equal(_read(RGB, channels=4), opaque)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "LA", "1"])
def test_pil_images_and_files_of_any_mode_give_the_same(mode):
    # Black and white are what every mode can show.
    pixels = np.where(RGB[..., :1] > 127, np.uint8(255), np.uint8(0)).repeat(3, axis=2)
    image = Image.fromarray(pixels).convert(mode)
    np.testing.assert_array_equal(_read(image), pixels)
    np.testing.assert_array_equal(_read(_file(image, "tiff")), pixels)


def test_palette_keeps_its_colours():
    image = Image.new("P", (6, 4))
    image.putpalette([0, 0, 0, 250, 100, 10])
    image.paste(1, (0, 0, 3, 4))
    for cell in (image, _file(image)):
        pixels = _read(cell)
        np.testing.assert_array_equal(pixels[:, :3], np.broadcast_to([250, 100, 10], (4, 3, 3)))
        np.testing.assert_array_equal(pixels[:, 3:], 0)


def test_images_stand_upright_as_their_exif_data_say():
    upright = Image.fromarray(RGB)
    exif = Image.Exif()
    exif[0x0112] = 6  # shot with the camera turned: to be rotated by 90 degrees clockwise
    content = _file(upright.rotate(90, expand=True), exif=exif)
    np.testing.assert_array_equal(_read(content), RGB)
    np.testing.assert_array_equal(_read(Image.open(io.BytesIO(content))), RGB)


def test_sixteen_bits_are_scaled_to_eight():
    deep = np.array([[0, 257, 32896, 65535]], dtype="uint16")
    content = _file(Image.fromarray(deep))
    for cell in (content, Image.open(io.BytesIO(content))):
        np.testing.assert_array_equal(_read(cell, size=(1, 4), channels=1)[..., 0], [[0, 1, 128, 255]])


def test_sixteen_bits_of_a_portable_grey_map_are_scaled_to_eight():
    values = np.array([0, 257, 32896, 65535], dtype=">u2")
    for most, factor in ((65535, 1), (6553, 10)):
        content = b"P5 4 1 %d\n" % most + (values // factor).astype(">u2").tobytes()
        for cell in (content, Image.open(io.BytesIO(content))):
            np.testing.assert_allclose(_read(cell, size=(1, 4), channels=1)[0, :, 0], [0, 1, 128, 255], atol=1)


def _tiff(values, bits, sample_format=1):
    """Return a TIFF file of one row, which Pillow has no way to write."""
    content = values.tobytes() if bits != 12 else bytes.fromhex("".join(f"{value:03x}" for value in values))
    tags = {256: len(values), 257: 1, 258: bits, 259: 1, 262: 1, 273: 8, 278: 1, 279: len(content), 339: sample_format}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    start = 8 + len(content)
    return b"II*\0" + struct.pack("<I", start) + content + struct.pack("<H", len(tags)) + entries + bytes(4)


GREY = np.array([0, 1, 128, 255])
DEEP = {
    "12 bits": _tiff(-(-GREY * 4095 // 255), 12),
    "16 bits": _tiff((GREY * 257).astype("<u2"), 16),
    "16 bits, signed": _tiff(GREY.astype("<i2"), 16, 2),
    "32 bits": _tiff(GREY.astype("<u4"), 32),
    "32 bits, signed": _tiff(GREY.astype("<i4"), 32, 2),
    "floats": _tiff((GREY / 255).astype("<f4"), 32, 3),
}


@pytest.mark.parametrize("content", DEEP.values(), ids=list(DEEP))
def test_no_depth_of_a_tiff_file_comes_out_black(content):
    for cell in (content, Image.open(io.BytesIO(content))):
        np.testing.assert_array_equal(_read(cell, size=(1, 4), channels=1)[0, :, 0], GREY)


@pytest.mark.parametrize("mode", ["F", "I"])
def test_pil_images_of_floats_and_large_integers_are_scaled_as_arrays_of_them(mode):
    values = GREY[np.newaxis].astype("int32")
    image = Image.fromarray(values if mode == "I" else (values / 255).astype("float32"))
    assert image.mode == mode
    np.testing.assert_array_equal(_read(image, size=(1, 4), channels=1)[0, :, 0], GREY)


UNSCALED = {
    "floats to 255": (_tiff(GREY.astype("<f4"), 32, 3), r"pixels from 0 to 1 .* float32, got 0\.0 to 255\.0\.$"),
    "NaN": (_tiff(np.array([0, np.nan, 1, 1], "<f4"), 32, 3), "pixels from 0 to 1 .* float32, got nan"),
    "32 bits": (_tiff((GREY * 257).astype("<i4"), 32, 2), r"pixels from 0 to 255 .* int32, got 0 to 65535\.$"),
    "negative": (_tiff(-GREY.astype("<i4"), 32, 2), "pixels from 0 to 255 .* int32, got -255 to 0"),
}


@pytest.mark.parametrize(("content", "message"), UNSCALED.values(), ids=list(UNSCALED))
def test_files_whose_values_have_no_known_scale_are_an_error(content, message):
    with pytest.raises(ValueError, match=f"the image bytes cannot be decoded: expected {message}"):
        _read(content)
    with pytest.raises(ValueError, match=f"^expected {message}"):
        _read(Image.open(io.BytesIO(content)))


def test_deep_images_stand_upright_too():
    deep = Image.fromarray(np.arange(6, dtype="uint16").reshape(2, 3) * 257)
    exif = Image.Exif()
    exif[0x0112] = 6
    content = _file(deep.rotate(90, expand=True), exif=exif)
    for cell in (content, Image.open(io.BytesIO(content))):
        np.testing.assert_array_equal(_read(cell, size=(2, 3), channels=1)[..., 0], np.arange(6).reshape(2, 3))


def test_an_image_of_the_user_is_left_as_it_is():
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.open(io.BytesIO(_file(Image.fromarray(RGB), exif=exif)))
    _read(image)
    assert image.size == (6, 4)
    assert image.getexif()[0x0112] == 6


# --- fitting another shape --------------------------------------------------------------------------------------------


def test_pad_keeps_everything_and_adds_black():
    padded = _read(HALVES, size=(8, 8), resize="pad")
    assert not padded[:2].any()
    assert not padded[6:].any()
    assert (padded[2:6, :2] == 200).all()
    assert (padded[2:6, 6:] == 0).all()


@pytest.mark.parametrize("shape", [(1, 10_000, 3), (10_000, 1, 3), (3, 999, 3)])
def test_pad_leaves_a_line_of_a_image_that_is_far_longer_than_wide(shape):
    padded = _read(np.full(shape, 200, dtype="uint8"), size=(64, 64), resize="pad")
    assert (padded.reshape(-1, 3) == 200).all(axis=1).sum() == 64
    assert (padded == 0).sum() == padded.size - 64 * 3


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pad_is_that_of_pillow_for_other_images(channels):
    generator = np.random.default_rng(0)
    for height, width, *size in generator.integers(1, 40, size=(50, 4)).tolist():
        if min(size[0] * width / height, size[1] * height / width) < 1:
            continue
        image = Image.fromarray(generator.integers(0, 256, (height, width, 3), dtype="uint8"))
        image = image.convert({1: "L", 3: "RGB", 4: "RGBA"}[channels])
        expected = np.asarray(ImageOps.pad(image, size[::-1], Image.Resampling.BILINEAR)).reshape(*size, channels)
        np.testing.assert_array_equal(_read(image, size=tuple(size), channels=channels, resize="pad"), expected)


def test_crop_keeps_the_centre_and_its_proportions():
    image = np.zeros((2, 6, 3), dtype="uint8")
    image[:, 2:4] = 90
    assert (_read(image, size=(2, 2), resize="crop") == 90).all()
    assert (_read(image, size=(4, 4), resize="crop")[1:3, 1:3] == 90).all()


def test_stretch_fills_the_whole_area():
    stretched = _read(HALVES, size=(8, 8), resize="stretch")
    assert (stretched[:, :2] == 200).all()
    assert (stretched[:, 6:] == 0).all()


# --- what cannot be read ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", [None, np.nan, np.float32("nan"), pd.NA, pd.NaT])
def test_missing_cells_are_an_error(missing):
    with pytest.raises(ValueError, match="the image is missing"):
        _read(missing)


@pytest.mark.parametrize("cell", [3, 2.5, [[1, 2]], {"path": "x"}])
def test_other_types_are_an_error(cell):
    with pytest.raises(TypeError, match=r"expected an image: a path, an array .*, a PIL image or bytes, got"):
        _read(cell)


BAD_ARRAYS = {
    "vector": (np.zeros(3), r"got shape \(3,\)"),
    "channels": (np.zeros((4, 4, 2)), r"with 1, 3 or 4 channels, got shape \(4, 4, 2\)"),
    "batch": (np.zeros((1, 4, 4, 3)), r"got shape \(1, 4, 4, 3\)"),
    "empty": (np.zeros((0, 4, 3)), r"got shape \(0, 4, 3\)"),
    "large": (np.full((2, 2), 256), "expected pixels from 0 to 255 .* dtype int64, got 256 to 256"),
    "negative": (np.full((2, 2), -1.0), r"expected pixels from 0 to 1 .* dtype float64, got -1\.0 to -1\.0"),
    "float 255": (RGB.astype("float32"), "expected pixels from 0 to 1 in an image array of dtype float32, got"),
    "NaN": (np.full((2, 2), np.nan), "got nan to nan"),
}


@pytest.mark.parametrize(("array", "message"), BAD_ARRAYS.values(), ids=list(BAD_ARRAYS))
def test_arrays_that_are_no_image_are_an_error(array, message):
    with pytest.raises(ValueError, match=message):
        _read(array)


def test_arrays_of_text_are_an_error():
    with pytest.raises(TypeError, match="expected an image array of numbers, got dtype <U1"):
        as_uint8(np.array([["a", "b"]]))


def test_booleans_are_black_and_white():
    np.testing.assert_array_equal(as_uint8(np.array([[True, False]])), [[[255], [0]]])


def test_missing_file_is_named(tmp_path):
    for path in (tmp_path / "no.png", tmp_path):
        with pytest.raises(FileNotFoundError, match=r"there is no image file '.*'") as info:
            _read(path)
        assert str(path) in str(info.value)


@pytest.mark.parametrize("format", ["png", "jpeg", "gif", "bmp"])
def test_truncated_file_is_named(tmp_path, format):
    large = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype="uint8"))
    content = _file(large, format)
    path = tmp_path / "half"
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"image file '.*half' cannot be decoded: "):
        _read(path)


@pytest.mark.parametrize(
    ("limit", "size"),
    [(23, "6 x 4 pixels, more than 23"), (12, "6 x 4 pixels, more than 12"), (11, r"24 pixels\) exceeds limit of 22")],
)
@pytest.mark.parametrize("action", ["ignore", "error"])  # of Pillow's own warning
def test_a_image_of_more_pixels_than_the_limit_is_not_decoded(tmp_path, monkeypatch, limit, size, action):
    (tmp_path / "large.png").write_bytes(_file(Image.fromarray(RGB)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: pytest.fail("it was decoded"))
    size = "24 pixels" if action == "error" else size
    with warnings.catch_warnings():
        warnings.simplefilter(action, Image.DecompressionBombWarning)
        with pytest.raises(ValueError, match=rf"'.*large\.png' is too large.*{size}.*PIL\.Image\.MAX_IMAGE_PIXELS is"):
            _read(tmp_path / "large.png")


@pytest.mark.parametrize("limit", [24, None])
def test_the_limit_of_pixels_can_be_raised(monkeypatch, limit):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    np.testing.assert_array_equal(_read(_file(Image.fromarray(RGB))), RGB)


@pytest.mark.parametrize("content", [b"", b"no image at all"])
def test_bytes_that_are_no_image_are_an_error(content):
    with pytest.raises(ValueError, match="the image bytes cannot be decoded"):
        _read(content)


def test_damaged_png_is_an_error():
    content = bytearray(_file(Image.fromarray(RGB)))
    content[20:60] = bytes(40)
    with pytest.raises(ValueError, match="the image bytes cannot be decoded"):
        _read(content)


# --- the cache --------------------------------------------------------------------------------------------------------


@pytest.fixture
def decoded(monkeypatch):
    """Return a list that grows with every decoding."""
    calls, decode = [], _images._decode

    def counting(content, where):
        calls.append(where)
        return decode(content, where)

    monkeypatch.setattr(_images, "_decode", counting)
    return calls


def test_a_file_is_decoded_once(tmp_path, decoded):
    (tmp_path / "house.png").write_bytes(_file(Image.fromarray(RGB)))
    for _ in range(3):
        np.testing.assert_array_equal(_read(tmp_path / "house.png"), RGB)
    assert len(decoded) == 1


def test_content_counts_and_not_the_path(tmp_path, decoded):
    first, second = tmp_path / "a.png", tmp_path / "b.png"
    first.write_bytes(_file(Image.fromarray(RGB)))
    second.write_bytes(first.read_bytes())
    _read(first), _read(second), _read(first.read_bytes())
    assert len(decoded) == 1
    first.write_bytes(_file(Image.fromarray(255 - RGB)))
    np.testing.assert_array_equal(_read(first), 255 - RGB)


def test_every_way_of_fitting_is_kept_apart(decoded):
    content = _file(Image.fromarray(HALVES))
    ways = [((8, 8), 3, "pad"), ((8, 8), 3, "crop"), ((8, 8), 3, "stretch"), ((8, 8), 1, "pad"), ((4, 4), 3, "pad")]
    results = [_read(content, *way).tobytes() for way in ways]
    assert len(set(results)) == len(decoded) == 5
    assert [_read(content, *way).tobytes() for way in ways] == results
    assert len(decoded) == 5


def test_arrays_of_equal_bytes_and_other_shapes_are_kept_apart():
    wide = np.arange(8, dtype="uint8").reshape(2, 4)
    assert not np.array_equal(_read(wide, size=(3, 3), channels=1), _read(wide.reshape(4, 2), size=(3, 3), channels=1))


def test_errors_are_not_remembered(tmp_path):
    path = tmp_path / "late.png"
    with pytest.raises(FileNotFoundError):
        _read(path)
    path.write_bytes(_file(Image.fromarray(RGB)))
    np.testing.assert_array_equal(_read(path), RGB)

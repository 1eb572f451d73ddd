"""Decoding and resizing images, once for each content."""

import io
from hashlib import blake2b
from operator import attrgetter

import numpy as np
import pandas as pd
import PIL
from PIL import Image, ImageOps

from ..caching._lru import LRU
from ._files import path_of, read_file

#: Pillow's mode for each number of channels.
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}

#: Number that goes up whenever this file gives other pixels for the same image.
_VERSION = 2

#: Tag of a TIFF file that says how many bits a value has.
_BITS_PER_SAMPLE = 258


#: Shared by all branches of the process: folds, outer folds and search candidates meet the same images again.
pixel_cache = LRU(2**29, size_of=attrgetter("nbytes"))


def read_pixels(cell, *, size, channels, resize, root=None, allow_outside_root=False):
    """Return one image as an array.

    Parameters
    ----------
    cell : str, path-like, bytes, PIL.Image.Image or ndarray of shape (height, width) or (height, width, channels)
        Integer arrays hold 0 to 255, floating ones 0 to 1.
    size : tuple of int
        Height and width in pixels.
    channels : {1, 3, 4}
        Grey, RGB or RGBA.
    resize : {"pad", "crop", "stretch"}
        How an image of another shape is fitted.
    root : str or path-like, default=None
        Folder that relative paths start from.
    allow_outside_root : bool, default=False
        Whether a path may lead out of that folder.

    Returns
    -------
    pixels : ndarray of shape (*size, channels), dtype uint8

    Raises
    ------
    FileNotFoundError
        If there is no file at the path.
    ValueError
        If the file or bytes are no image that can be decoded, the array none that can be one, or the path may not be
        read.
    TypeError
        If the cell is of another type.
    """
    cell = _as_array(cell)
    if isinstance(cell, np.ndarray) and cell.shape == (*size, channels):
        return cell
    digest, decode = load(cell, root, allow_outside_root)
    return pixel_cache.get((digest, size, channels, resize), lambda: fitted(decode(), size, channels, resize))


def way_of_decoding(resize):
    """Return a text that is another one wherever the same image may become other pixels."""
    return f"{resize}, Pillow {PIL.__version__}, {_VERSION}"


def load(cell, root=None, allow_outside_root=False):
    """Read one image without decoding it.

    Parameters
    ----------
    cell, root, allow_outside_root
        As for :func:`read_pixels`, which says also what is raised.

    Returns
    -------
    digest : bytes
        The same for images of the same content.
    decode : callable
        Returns the image, which :func:`fitted` takes.
    """
    cell = _as_array(cell)
    if isinstance(cell, np.ndarray):
        image = cell.squeeze(-1) if cell.shape[-1] == 1 else cell
        digest = blake2b(cell.tobytes(), digest_size=16, key=repr(cell.shape).encode())
        return digest.digest(), lambda: Image.fromarray(image)
    content, where = _content(cell, root, allow_outside_root)
    return blake2b(content, digest_size=16).digest(), lambda: _decode(content, where)


def as_uint8(array):
    """Return an array of pixels as uint8 with an axis of channels.

    Parameters
    ----------
    array : ndarray of shape (height, width) or (height, width, channels)
        Integers from 0 to 255 or floats from 0 to 1; grey without an axis of channels.

    Returns
    -------
    pixels : ndarray of shape (height, width, channels), dtype uint8
    """
    shape = array.shape
    array = array[..., np.newaxis] if array.ndim == 2 else array
    if array.ndim != 3 or array.shape[-1] not in _MODES or not array.size:
        raise ValueError(
            "expected an image array of shape (height, width) or (height, width, channels) with 1, 3 or 4 channels, "
            f"got shape {shape}."
        )
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind not in "biuf":
        raise TypeError(f"expected an image array of numbers, got dtype {array.dtype}.")
    top = 1 if array.dtype.kind in "bf" else 255
    if not (np.min(array) >= 0 and np.max(array) <= top):  # NaN fails too
        raise ValueError(
            f"expected pixels from 0 to {top} in an image array of dtype {array.dtype}, "
            f"got {np.min(array)} to {np.max(array)}."
        )
    return np.round(array * (255 // top)).astype("uint8")


def _as_array(cell):
    """Return a PIL image or array as an array of pixels, and any other cell as it is."""
    if isinstance(cell, Image.Image):
        cell = _plain(cell)
        cell = np.asarray(cell if cell.mode in _MODES.values() else cell.convert("RGB"))
    return as_uint8(cell) if isinstance(cell, np.ndarray) else cell


def _content(cell, root, allow_outside_root):
    """Return the bytes of a file, or of bytes in a cell, and what to call them in an error."""
    if isinstance(cell, (bytes, bytearray)):
        return bytes(cell), "the image bytes"
    if pd.api.types.is_scalar(cell) and pd.isna(cell):
        raise ValueError(f"the image is missing ({cell!r}).")
    path = path_of(cell, root, allow_outside_root)
    if path is None:
        raise TypeError(
            "expected an image: a path, an array of shape (height, width, channels), a PIL image or bytes, "
            f"got {cell!r}."
        )
    return read_file(path, "image"), f"image file {path!r}"


def _decode(content, where):
    try:
        image = Image.open(io.BytesIO(content))
        _check_size(image)
        image.load()
        return _plain(image, in_place=True)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(
            f"{where} is too large to be decoded: {str(error).rstrip('.')}. PIL.Image.MAX_IMAGE_PIXELS is the limit; "
            "set it to a larger number, or None, in every process that decodes."
        ) from error
    except (OSError, SyntaxError, ValueError) as error:
        # Pillow raises SyntaxError for some broken PNG files.
        raise ValueError(f"{where} cannot be decoded: {str(error).rstrip('.')}.") from error


def _check_size(image):
    """Raise for an image that Pillow only warns of."""
    width, height = image.size
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and width * height > limit:
        raise Image.DecompressionBombError(f"it has {width} x {height} pixels, more than {limit}")


def _plain(image, in_place=False):
    """Return an image turned upright as its EXIF data say, with 8 bits per channel."""
    white = _white(image)  # of the file, which a turned image knows no more
    image = ImageOps.exif_transpose(image, in_place=in_place) or image
    if white is not None:  # Pillow would clip the values at 255 rather than scale them
        image = Image.fromarray((np.clip(np.asarray(image, "int64"), 0, white) * 255 // white).astype("uint8"))
    elif image.mode in ("F", "I"):
        image = Image.fromarray(as_uint8(np.asarray(image)).squeeze(-1))  # no scale but that of an array of these
    return image


def _white(image):
    """Return the value of white in an image of up to 16 bits; None for other kinds."""
    if image.mode.startswith("I;16"):
        bits = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (16,))
        return 2 ** bits[0] - 1
    # What Pillow reads from these files as 32 bits has 16.
    return 2**16 - 1 if image.mode == "I" and image.format in ("PNG", "PPM") else None


def fitted(image, size, channels, resize):
    """Return an image as an array of shape (*size, channels) and dtype uint8."""
    if image.mode != _MODES[channels]:
        image = image.convert(_MODES[channels])
    height, width = size
    if image.size != (width, height):
        fit = {"pad": _padded, "crop": ImageOps.fit, "stretch": Image.Image.resize}[resize]
        image = fit(image, (width, height), Image.Resampling.BILINEAR)
    return np.asarray(image, dtype="uint8").reshape(height, width, channels)


def _padded(image, size, method):
    """Return an image scaled to fit into a size, with black around it."""
    # One line at least: of an image that is far longer than wide, ImageOps.pad leaves nothing.
    inner = (
        min(size[0], max(1, round(image.width / image.height * size[1]))),
        min(size[1], max(1, round(image.height / image.width * size[0]))),
    )
    padded = Image.new(image.mode, size)
    corner = [round((outer - side) / 2) for outer, side in zip(size, inner, strict=True)]
    padded.paste(image.resize(inner, method), tuple(corner))
    return padded

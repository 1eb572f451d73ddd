"""Decoding and resizing pictures, once for each content."""

import io
import os
import threading
from collections import OrderedDict
from hashlib import blake2b
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageOps

#: Pillow's mode for each number of channels.
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


class ContentCache:
    """The most recently used arrays by their content, up to a number of bytes; safe to use from several threads.

    Parameters
    ----------
    max_bytes : int
        What the pictures may take together.
    """

    def __init__(self, max_bytes):
        self.max_bytes = max_bytes
        self._pixels = OrderedDict()
        self._n_bytes = 0
        self._lock = threading.Lock()

    def __len__(self):
        return len(self._pixels)

    def get(self, key, make):
        """Return the pixels kept under `key`, calling `make` where there are none."""
        with self._lock:
            if key in self._pixels:
                self._pixels.move_to_end(key)
                return self._pixels[key]
        pixels = make()
        with self._lock:
            if key not in self._pixels:
                self._pixels[key] = pixels
                self._n_bytes += pixels.nbytes
            while self._n_bytes > self.max_bytes:
                self._n_bytes -= self._pixels.popitem(last=False)[1].nbytes
        return pixels

    def clear(self):
        """Forget every picture."""
        with self._lock:
            self._pixels.clear()
            self._n_bytes = 0


#: Shared by all branches of the process: folds, outer folds and search candidates meet the same pictures again.
pixel_cache = ContentCache(max_bytes=2**29)


def read_pixels(cell, *, size, channels, resize, root=None):
    """Return one picture as an array.

    Parameters
    ----------
    cell : str, path-like, bytes, PIL.Image.Image or ndarray of shape (height, width) or (height, width, channels)
        Integer arrays hold 0 to 255, floating ones 0 to 1.
    size : tuple of int
        Height and width in pixels.
    channels : {1, 3, 4}
        Grey, RGB or RGBA.
    resize : {"pad", "crop", "stretch"}
        How a picture of another shape is fitted.
    root : str or path-like, default=None
        Folder that relative paths start from.

    Returns
    -------
    pixels : ndarray of shape (*size, channels), dtype uint8

    Raises
    ------
    FileNotFoundError
        If there is no file at the path.
    ValueError
        If the file or bytes are no picture that can be decoded, or the array none that can be one.
    TypeError
        If the cell is of another type.
    """
    cell = _as_array(cell)
    if isinstance(cell, np.ndarray) and cell.shape == (*size, channels):
        return cell
    digest, decode = load(cell, root)
    return pixel_cache.get((digest, size, channels, resize), lambda: fitted(decode(), size, channels, resize))


def load(cell, root=None):
    """Read one picture without decoding it.

    Parameters
    ----------
    cell, root
        As for :func:`read_pixels`, which says also what is raised.

    Returns
    -------
    digest : bytes
        The same for pictures of the same content.
    decode : callable
        Returns the picture, which :func:`fitted` takes.
    """
    cell = _as_array(cell)
    if isinstance(cell, np.ndarray):
        image = cell.squeeze(-1) if cell.shape[-1] == 1 else cell
        digest = blake2b(cell.tobytes(), digest_size=16, key=repr(cell.shape).encode())
        return digest.digest(), lambda: Image.fromarray(image)
    content, where = _content(cell, root)
    return blake2b(content, digest_size=16).digest(), lambda: _decode(content, where)


def path_of(cell, root=None):
    """Return the path that a cell names, or None for a cell of another kind."""
    if not isinstance(cell, (str, PathLike)):
        return None
    return os.path.join("" if root is None else root, cell)


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


def _content(cell, root):
    """Return the bytes of a file, or of bytes in a cell, and what to call them in an error."""
    if isinstance(cell, (bytes, bytearray)):
        return bytes(cell), "the image bytes"
    if pd.api.types.is_scalar(cell) and pd.isna(cell):
        raise ValueError(f"the image is missing ({cell!r}).")
    path = path_of(cell, root)
    if path is None:
        raise TypeError(
            "expected an image: a path, an array of shape (height, width, channels), a PIL image or bytes, "
            f"got {cell!r}."
        )
    try:
        return Path(path).read_bytes(), f"image file {path!r}"
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise FileNotFoundError(f"there is no image file {path!r}.") from error


def _decode(content, where):
    try:
        image = Image.open(io.BytesIO(content))
        image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        # Pillow raises SyntaxError for some broken PNG files.
        raise ValueError(f"{where} cannot be decoded: {error}.") from error
    return _plain(image)


def _plain(image):
    """Return an image turned upright as its EXIF data say, with 8 bits per channel."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16 bits, which Pillow would clip at 255 rather than scale
        image = Image.fromarray(np.clip(np.asarray(image) // 257, 0, 255).astype("uint8"))
    return image


def fitted(image, size, channels, resize):
    """Return an image as an array of shape (*size, channels) and dtype uint8."""
    image = image.convert(_MODES[channels])
    height, width = size
    if image.size != (width, height):
        fit = {"pad": ImageOps.pad, "crop": ImageOps.fit, "stretch": Image.Image.resize}[resize]
        image = fit(image, (width, height), Image.Resampling.BILINEAR)
    return np.asarray(image, dtype="uint8").reshape(height, width, channels)

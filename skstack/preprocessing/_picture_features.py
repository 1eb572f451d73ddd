"""Features of columns of pictures, each picture passing through the backbone once."""

from functools import cached_property
from hashlib import blake2b

import numpy as np
import PIL.Image

from ._embedding_cache import add, computed_once, find
from ._image_columns import CELL_ERRORS, UNREADABLE, ahead, cell_file_key, map_in_threads
from ._images import fitted, load, way_of_decoding

#: Pictures that one process computes before it looks what others have done: some batches of the backbone.
_BLOCK = 32


def picture_features(cells, backbone, *, resize, on_error="raise", name_row, **paths):
    """Return the features of pictures, computing those that were never computed before.

    Parameters
    ----------
    cells : list
        As :func:`~skstack.preprocessing._images.read_pixels` takes each one.
    backbone : Backbone
    resize : {"pad", "crop", "stretch"}
    on_error : {"raise", "missing"}, default="raise"
        Whether a file that is not there, may not be read or cannot be decoded is an error.
    name_row : callable
        Names a row, by its position, for an error message.
    **paths : dict
        ``root`` and ``allow_outside_root``, as for :func:`~skstack.preprocessing._files.path_of`.

    Returns
    -------
    features : ndarray of shape (len(cells), n_features), dtype float32
        0 for pictures that cannot be read.
    unreadable : ndarray of bool of shape (len(cells),)
        Which pictures these are; none of them with ``on_error="raise"``.

    Raises
    ------
    FileNotFoundError, ValueError, TypeError
        As :func:`~skstack.preprocessing._images.read_pixels`, naming the row.
    """
    read = _Reader(cells, paths, resize, backbone.shape, on_error, name_row)
    rows = {}  # of each content
    for row, digest in enumerate(read.digests):
        if digest is not None:
            rows.setdefault(digest, []).append(row)
    way = way_of_decoding(resize).encode() + backbone.features_key
    keys = [blake2b(digest + way, digest_size=16).digest() for digest in rows]
    firsts = [alike[0] for alike in rows.values()]
    values = computed_once(
        keys,
        lambda positions: _compute(backbone, read, [firsts[position] for position in positions]),
        n_bytes=4 * backbone.n_features,
        block=_BLOCK,
        on_disk=not backbone.has_user_code,
    )
    features = np.zeros((len(cells), backbone.n_features), dtype="float32")
    unreadable = np.ones(len(cells), dtype=bool)
    for value, alike in zip(values, rows.values(), strict=True):
        if value is not None:
            features[alike] = np.frombuffer(value, dtype="float32")
            unreadable[alike] = False
    return features, unreadable


def _compute(backbone, read, rows):
    """Return the features of some rows as bytes, None for a picture that cannot be read."""
    readable = []

    def pictures():
        # The backbone takes the first pictures while the others are decoded.
        for row, picture in zip(rows, read.pictures(rows), strict=True):
            if picture is not None:
                readable.append(row)
                yield picture

    features = backbone.features(pictures())
    values = {row: vector.tobytes() for row, vector in zip(readable, features, strict=True)}
    return [values.get(row) for row in rows]


class _Reader:
    """Reads the pictures of a column; see :func:`picture_features`."""

    def __init__(self, cells, paths, resize, shape, on_error, name_row):
        self.cells, self._paths, self._on_error, self._name_row = cells, paths, on_error, name_row
        self._fit = {"size": shape[:2], "channels": shape[2], "resize": resize}
        # Rows may share a PIL image, which reads its file when it is first used and is not made for threads.
        self._threads = not any(isinstance(cell, PIL.Image.Image) for cell in cells)

    @cached_property
    def digests(self):
        """Digests of the contents, None for a cell that cannot be read."""
        keys = [cell_file_key(cell, **self._paths) for cell in self.cells]
        known = {key for key in keys if key}
        known = dict(zip(known, find(list(known)), strict=True))
        digests = [known.get(key) for key in keys]
        unknown = [row for row, digest in enumerate(digests) if digest is None]
        read = (map_in_threads if self._threads else _map)(self._digest, unknown)
        for row, digest in zip(unknown, read, strict=True):
            digests[row] = digest
        add({keys[row]: digests[row] for row in unknown if keys[row] and digests[row]})
        return digests

    def pictures(self, rows):
        """Yield the pictures of some rows, None for one that cannot be read."""
        return (ahead if self._threads else map)(self._picture, rows)

    def _digest(self, row):
        return self._named(row, lambda: load(self.cells[row], **self._paths)[0])

    def _picture(self, row):
        def read():
            digest, decode = load(self.cells[row], **self._paths)
            if digest != self.digests[row]:
                raise ValueError("the picture was changed while it was read.")
            return fitted(decode(), **self._fit)

        return self._named(row, read)

    def _named(self, row, read):
        try:
            return read()
        except CELL_ERRORS as error:
            if self._on_error == "missing" and isinstance(error, UNREADABLE):
                return None
            raise type(error)(f"{self._name_row(row)}: {error}") from error


def _map(function, items):
    return list(map(function, items))

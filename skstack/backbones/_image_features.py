"""Features of columns of images, each image passing through the backbone once."""

from hashlib import blake2b

import numpy as np

from ..caching._features import add, computed_once, find
from ..reading._image_cells import ImageCells
from ..reading._images import way_of_decoding

#: Images that one process computes before it looks what others have done: some batches of the backbone.
_BLOCK = 32


def image_features(cells, backbone, *, resize, on_error="raise", name_row, **paths):
    """Return the features of images, computing those that were never computed before.

    Parameters
    ----------
    cells : list
        As :func:`~skstack.reading._images.read_pixels` takes each one.
    backbone : Backbone
    resize : {"pad", "crop", "stretch"}
    on_error : {"raise", "missing"}, default="raise"
        Whether a file that is not there, may not be read or cannot be decoded is an error.
    name_row : callable
        Names a row, by its position, for an error message.
    **paths : dict
        ``root`` and ``allow_outside_root``, as for :func:`~skstack.reading._files.path_of`.

    Returns
    -------
    features : ndarray of shape (len(cells), n_features), dtype float32
        0 for images that cannot be read.
    unreadable : ndarray of bool of shape (len(cells),)
        Which images these are; none of them with ``on_error="raise"``.

    Raises
    ------
    FileNotFoundError, ValueError, TypeError
        As :func:`~skstack.reading._images.read_pixels`, naming the row.
    """
    height, width, channels = backbone.shape
    column = ImageCells(
        cells, size=(height, width), channels=channels, resize=resize, on_error=on_error, name_row=name_row, **paths
    )
    digests, new = column.digests(range(len(column)), find)
    add(new)
    rows = {}  # of each content
    for row, digest in enumerate(digests):
        if digest is not None:
            rows.setdefault(digest, []).append(row)
    way = way_of_decoding(resize).encode() + backbone.features_key
    keys = [blake2b(digest + way, digest_size=16).digest() for digest in rows]
    firsts = [alike[0] for alike in rows.values()]
    values = computed_once(
        keys,
        lambda positions: _compute(backbone, column, digests, [firsts[position] for position in positions]),
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


def _compute(backbone, column, digests, rows):
    """Return the features of some rows as bytes, None for an image that cannot be read."""
    readable = []

    def decode(row):
        digest, image = column.decode(row)
        if digest != digests[row]:
            raise ValueError("the image was changed while it was read.")
        return image

    def images():
        # The backbone takes the first images while the others are decoded.
        for row, image in zip(rows, column.read_ahead(decode, rows), strict=True):
            if image is not None:
                readable.append(row)
                yield image

    features = backbone.features(images())
    values = {row: vector.tobytes() for row, vector in zip(readable, features, strict=True)}
    return [values.get(row) for row in rows]

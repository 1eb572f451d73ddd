"""Decoding whole columns of images: in memory, or into a store on disk when they are many."""

import math
import random
import warnings
from functools import cache

import numpy as np

from ..caching._folder import StoreError, store_bytes
from ..caching._image_store import PixelStore, clear_store
from ._image_cells import ImageCells
from ._images import pixel_cache, way_of_decoding
from ._read_rows import CELL_ERRORS

#: Columns that take more bytes than this when decoded go to the disk.
_STORE_FROM = 2**25

#: Bytes of decoded images that are in memory on their way to the disk.
_CHUNK_BYTES = 2**22


def clear_image_cache():
    r"""Forget all decoded images, in this process and on disk.

    A column of images that takes up to 32 MB when decoded is decoded in memory, and each process keeps the 512 MB
    of images it used last. A larger column of paths, bytes or PIL images is decoded into files on disk, from where
    training reads it piece by piece: folds, searches and other processes find the images there, by the content of
    their files and the way of decoding. Files whose path, size and times of change are as before are not even read.

    The files lie in the user's folder for caches: ``~/.cache/skstack`` (or ``$XDG_CACHE_HOME/skstack``),
    ``~/Library/Caches/skstack`` on macOS and ``%LOCALAPPDATA%\\skstack\\cache`` on Windows. Two environment
    variables change that, whenever they are set:

    - ``SKSTACK_CACHE``: another folder.
    - ``SKSTACK_CACHE_SIZE``: bytes that the files may take together, 10e9 by default; images that were not used
      for longest make room. With 0 nothing is written to the disk.

    Nobody but the user can read the folder, and one that belongs to somebody else is not used, so that each user needs
    one of their own. Every image has a checksum: one that was damaged on the disk is decoded again, with a warning.
    Where the folder cannot be used, or a column does not fit, images are decoded into memory with a warning. It is
    safe to clear the cache while networks are trained: images in use stay readable.

    Raises
    ------
    RuntimeError
        If the files cannot be removed.

    Examples
    --------
    >>> from skstack.preprocessing import clear_image_cache
    >>> clear_image_cache()
    """
    pixel_cache.clear()
    clear_store()


def read_column(cells, *, size, channels, resize, store=True, on_error="raise", name_row, **paths):
    """Decode a column of images.

    Parameters
    ----------
    cells, size, channels, resize, on_error, name_row, **paths
        As for :class:`~skstack.reading._image_cells.ImageCells`.
    store : bool, default=True
        Whether a large column may go to the disk.

    Returns
    -------
    pixels : ndarray or StoredRows of shape (len(cells), *size, channels), dtype uint8
        Black for images that cannot be read.
    unreadable : ndarray of bool of shape (len(cells),)
        Which images these are; none of them with ``on_error="raise"``.

    Raises
    ------
    FileNotFoundError, ValueError, TypeError
        As :func:`~skstack.reading._images.read_pixels`, naming the row.
    """
    column = ImageCells(
        cells, size=size, channels=channels, resize=resize, on_error=on_error, name_row=name_row, **paths
    )
    if store and _n_bytes(column) > _STORE_FROM and store_bytes():
        try:
            return _on_disk(column)
        except StoreError as error:
            _warn_once(
                f"{error} Images are decoded into memory; the documentation of "
                "skstack.preprocessing.clear_image_cache says how to choose the folder and its size."
            )
    return _in_memory(column)


def _n_bytes(column):
    return len(column) * math.prod(column.shape)


def _in_memory(column):
    pixels = np.zeros((len(column), *column.shape), dtype="uint8")

    def read(row):
        pixels[row] = column.pixels(row)
        return True

    is_read = column.read(read, range(len(column)))
    return pixels, np.array([done is None for done in is_read], dtype=bool)


def _on_disk(column):
    if _n_bytes(column) > store_bytes():
        raise StoreError(f"A column takes more than the {store_bytes() / 1e6:.0f} MB of the cache of images.")
    with PixelStore(way_of_decoding(column.resize), column.shape) as store:
        places = np.empty((len(column), 2), dtype="int64")
        starts = range(0, len(column), max(1, _CHUNK_BYTES // math.prod(column.shape)))
        chunks = [range(start, min(start + starts.step, len(column))) for start in starts]

        def fill(chunks):
            for rows in chunks:
                places[rows.start : rows.stop] = _places(column, store, rows)

        # Processes that decode the same column at the same time share the work, as each finds what the others have
        # done and they seldom do the same.
        for rows in _shuffled(chunks):
            try:
                fill([rows])
            except CELL_ERRORS:
                fill(chunks[: chunks.index(rows)])  # an error there names an earlier row
                raise
        return store.rows(places), places[:, 0] < 0


def _places(column, store, rows):
    """Return where the images of some rows lie in the store, -1 for unreadable ones, decoding those not there yet."""
    digests, files = column.digests(rows, store.digests)
    contents = [digest for digest in dict.fromkeys(digests) if digest is not None]
    places = {digest: place for digest, place in zip(contents, store.find(contents), strict=True) if place[0] >= 0}
    absent = _absent(digests, places)
    while files or absent:
        decoded = column.read(column.decode, [rows[index] for index in absent.values()])
        for index, found in zip(absent.values(), decoded, strict=True):
            digests[index] = None if found is None else found[0]  # another one where the file has changed meanwhile
        images = dict(found for found in decoded if found is not None)
        pixels = np.array(list(images.values()), dtype="uint8").reshape(-1, *column.shape)
        places.update(zip(images, store.add(list(images), pixels, files), strict=True))
        files, absent = {}, _absent(digests, places)
    return [places.get(digest, (-1, -1)) for digest in digests]


def _absent(digests, places):
    """Return the index of the first row of each content that has no place yet."""
    absent = {}
    for index, digest in enumerate(digests):
        if digest is not None and digest not in places:
            absent.setdefault(digest, index)
    return absent


def _shuffled(items):
    # Not by the global generators: they are the user's.
    return random.SystemRandom().sample(items, len(items))


@cache
def _warn_once(message):
    warnings.warn(message, stacklevel=2)

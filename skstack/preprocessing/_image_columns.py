"""Decoding whole columns of pictures: in memory, or into a store on disk when they are many."""

import math
import multiprocessing
import random
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial

import numpy as np
import PIL.Image
from joblib import cpu_count

from ._files import path_of
from ._images import fitted, load, pixel_cache, read_pixels, way_of_decoding
from ._store import PixelStore, StoreError, clear_store, file_key, store_bytes

#: Columns that take more bytes than this when decoded go to the disk.
_STORE_FROM = 2**25

#: Bytes of decoded pictures that are in memory on their way to the disk.
_CHUNK_BYTES = 2**22

#: Threads that decode, at most, and the number of pictures that a thread takes at a time.
_MAX_THREADS, _BLOCK = 4, 16

#: What a file or array that is no picture raises, and what any cell that is none does.
UNREADABLE = (ValueError, OSError)
CELL_ERRORS = (*UNREADABLE, TypeError)


def clear_image_cache():
    r"""Forget all decoded pictures, in this process and on disk.

    A column of pictures that takes up to 32 MB when decoded is decoded in memory, and each process keeps the 512 MB
    of pictures it used last. A larger column of paths, bytes or PIL images is decoded into files on disk, from where
    training reads it piece by piece: folds, searches and other processes find the pictures there, by the content of
    their files and the way of decoding. Files whose path, size and times of change are as before are not even read.

    The files lie in the user's folder for caches: ``~/.cache/skstack`` (or ``$XDG_CACHE_HOME/skstack``),
    ``~/Library/Caches/skstack`` on macOS and ``%LOCALAPPDATA%\\skstack\\cache`` on Windows. Two environment
    variables change that, whenever they are set:

    - ``SKSTACK_CACHE``: another folder.
    - ``SKSTACK_CACHE_SIZE``: bytes that the files may take together, 10e9 by default; pictures that were not used
      for longest make room. With 0 nothing is written to the disk.

    Nobody but the user can read the folder, and one that belongs to somebody else is not used, so that each user needs
    one of their own. Every picture has a checksum: one that was damaged on the disk is decoded again, with a warning.
    Where the folder cannot be used, or a column does not fit, pictures are decoded into memory with a warning. It is
    safe to clear the cache while networks are trained: pictures in use stay readable.

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
    """Decode a column of pictures.

    Parameters
    ----------
    cells : list
        As :func:`~skstack.preprocessing._images.read_pixels` takes each one.
    size, channels, resize
        As for :func:`~skstack.preprocessing._images.read_pixels`.
    store : bool, default=True
        Whether a large column may go to the disk.
    on_error : {"raise", "missing"}, default="raise"
        Whether a file that is not there, may not be read or cannot be decoded is an error.
    name_row : callable
        Names a row, by its position, for an error message.
    **paths : dict
        ``root`` and ``allow_outside_root``, as for :func:`~skstack.preprocessing._files.path_of`.

    Returns
    -------
    pixels : ndarray or StoredRows of shape (len(cells), *size, channels), dtype uint8
        Black for pictures that cannot be read.
    unreadable : ndarray of bool of shape (len(cells),)
        Which pictures these are; none of them with ``on_error="raise"``.

    Raises
    ------
    FileNotFoundError, ValueError, TypeError
        As :func:`~skstack.preprocessing._images.read_pixels`, naming the row.
    """
    column = _Column(cells, (*size, channels), resize, paths, on_error, name_row)
    if store and column.n_bytes > _STORE_FROM and store_bytes():
        try:
            return column.on_disk(), column.unreadable
        except StoreError as error:
            _warn_once(
                f"{error} Pictures are decoded into memory; the documentation of "
                "skstack.preprocessing.clear_image_cache says how to choose the folder and its size."
            )
    return column.in_memory(), column.unreadable


class _Column:
    """Pictures of a column; see :func:`read_column`."""

    def __init__(self, cells, shape, resize, paths, on_error, name_row):
        self.cells, self.shape, self.resize, self.name_row = list(cells), shape, resize, name_row
        self._paths = paths
        self.unreadable = np.zeros(len(cells), dtype=bool)
        self._on_error = on_error
        self._fit = {"size": shape[:2], "channels": shape[2], "resize": resize}
        # Rows may share a PIL image, which reads its file when it is first used and is not made for threads.
        self._map_cells = map if any(isinstance(cell, PIL.Image.Image) for cell in cells) else map_in_threads

    @property
    def n_bytes(self):
        return len(self.cells) * math.prod(self.shape)

    def in_memory(self):
        pixels = np.empty((len(self.cells), *self.shape), dtype="uint8")

        def read(row):
            pixels[row] = read_pixels(self.cells[row], **self._paths, **self._fit)

        rows = range(len(self.cells))
        self._with_blanks(rows, lambda: self._map(read, rows))
        return pixels

    def _with_blanks(self, rows, work):
        """Do work on some rows; where unreadable ones are not an error, again with black pictures instead of them."""
        try:
            return work()
        except UNREADABLE:
            if self._on_error == "raise":
                raise
        readable = list(self._map_cells(self._is_readable, rows))
        for row, is_readable in zip(rows, readable, strict=True):
            if not is_readable:
                self.cells[row], self.unreadable[row] = np.zeros(self.shape, dtype="uint8"), True
        return work()

    def _is_readable(self, row):
        try:
            load(self.cells[row], **self._paths)[1]()
        except UNREADABLE:
            return False
        return True

    def on_disk(self):
        if self.n_bytes > store_bytes():
            raise StoreError(f"A column takes more than the {store_bytes() / 1e6:.0f} MB of the cache of pictures.")
        with PixelStore(way_of_decoding(self.resize), self.shape) as store:
            places = np.empty((len(self.cells), 2), dtype="int64")
            starts = range(0, len(self.cells), max(1, _CHUNK_BYTES // math.prod(self.shape)))
            chunks = [range(start, min(start + starts.step, len(self.cells))) for start in starts]

            def fill(chunks):
                for rows in chunks:
                    places[rows.start : rows.stop] = self._with_blanks(rows, partial(self._places, store, rows))

            # Processes that decode the same column at the same time share the work, as each finds what the others
            # have done and they seldom do the same.
            for rows in _shuffled(chunks):
                try:
                    fill([rows])
                except CELL_ERRORS:
                    fill(chunks[: chunks.index(rows)])  # an error there names an earlier row
                    raise
            return store.rows(places)

    def _places(self, store, rows):
        """Return where the pictures of some rows lie in the store, decoding those that are not there."""
        digests, files = self._digests(store, rows)
        places = store.find(digests)
        while files or (places < 0).any():
            absent = np.flatnonzero(places[:, 0] < 0)
            firsts = list({digests[number]: number for number in absent[::-1]}.values())  # one row for each content
            decoded = self._map(self._decode, [rows[number] for number in firsts])
            for number, (digest, _) in zip(firsts, decoded, strict=True):
                digests[number] = digest  # another one where the file has changed in the meantime
            pictures = dict(decoded)
            pixels = np.array(list(pictures.values()), dtype="uint8").reshape(-1, *self.shape)
            added = dict(zip(pictures, store.add(list(pictures), pixels, files), strict=True))
            for number in absent:
                places[number] = added.get(digests[number], -1)
            files = {}
        return places

    def _digests(self, store, rows):
        """Return digests of the contents of rows, and those of files that the store is to remember."""
        keys = [cell_file_key(self.cells[row], **self._paths) for row in rows]
        digests = store.digests(keys)
        unknown = [number for number, digest in enumerate(digests) if digest is None]
        read = self._map(lambda row: load(self.cells[row], **self._paths)[0], [rows[number] for number in unknown])
        for number, digest in zip(unknown, read, strict=True):
            digests[number] = digest
        return digests, {keys[number]: digests[number] for number in unknown if keys[number]}

    def _decode(self, row):
        digest, decode = load(self.cells[row], **self._paths)
        return digest, fitted(decode(), **self._fit)

    def _map(self, function, rows):
        """Return what a function gives for each row, with errors that name the row."""

        def named(row):
            try:
                return function(row)
            except CELL_ERRORS as error:
                raise type(error)(f"{self.name_row(row)}: {error}") from error

        return list(self._map_cells(named, rows))


def cell_file_key(cell, **paths):
    """Return what changes with the file of a cell; None for a cell that is no file, or a file to be read again."""
    try:
        path = path_of(cell, **paths)
        return path and file_key(path)
    except CELL_ERRORS:
        return None  # reading the cell says what is wrong with it


def shares_processors():
    """Tell whether others compute beside this thread: the workers of joblib and multiprocessing."""
    return bool(multiprocessing.parent_process()) or threading.current_thread() is not threading.main_thread()


def ahead(function, items):
    """Yield what a function gives for each item; where there are processors for it, threads are some items ahead."""
    if len(items) < 2 or shares_processors():
        yield from map(function, items)
        return
    with ThreadPoolExecutor(min(_MAX_THREADS, cpu_count())) as pool:
        yield from pool.map(function, items)


def map_in_threads(function, items):
    """Return ``list(map(function, items))``, in several threads if there are many items."""
    if len(items) <= _BLOCK or shares_processors():
        return list(map(function, items))
    blocks = [items[start : start + _BLOCK] for start in range(0, len(items), _BLOCK)]
    with ThreadPoolExecutor(min(_MAX_THREADS, cpu_count())) as pool:
        return [result for results in pool.map(lambda block: list(map(function, block)), blocks) for result in results]


def _shuffled(items):
    # Not by the global generators: they are the user's.
    return random.SystemRandom().sample(items, len(items))


@cache
def _warn_once(message):
    warnings.warn(message, stacklevel=2)

"""The cells of a column of images, read row by row."""

import PIL.Image

from ._files import file_key, path_of
from ._images import fitted, load, read_pixels
from ._read_rows import CELL_ERRORS, read_rows
from ._threads import map_ahead, map_in_threads


class ImageCells:
    """Images of a column, which are brought to one shape.

    Parameters
    ----------
    cells : sequence
        As :func:`~skstack.reading._images.read_pixels` takes each one.
    size, channels, resize
        As for :func:`~skstack.reading._images.read_pixels`.
    on_error : {"raise", "missing"}, default="raise"
        Whether a file that is not there, may not be read or cannot be decoded is an error.
    name_row : callable
        Names a row, by its position, for an error message.
    **paths : dict
        ``root`` and ``allow_outside_root``, as for :func:`~skstack.reading._files.path_of`.
    """

    def __init__(self, cells, *, size, channels, resize, on_error="raise", name_row, **paths):
        self.shape = (*size, channels)
        self.resize = resize
        self._cells = list(cells)
        self._fit = {"size": size, "channels": channels, "resize": resize}
        self._paths = paths
        self._how = {"on_error": on_error, "name_row": name_row}
        # Rows may share a PIL image, which reads its file when it is first used and is not made for threads.
        self._in_threads = not any(isinstance(cell, PIL.Image.Image) for cell in self._cells)

    def __len__(self):
        return len(self._cells)

    def read(self, function, rows):
        """Return what a function gives for each of some rows, None for one that is unreadable and counts as missing."""
        return list(read_rows(function, rows, **self._how, map_rows=map_in_threads if self._in_threads else map))

    def read_ahead(self, function, rows):
        """Return an iterator over the same, which reads some rows ahead of the one that is asked for."""
        return read_rows(function, rows, **self._how, map_rows=map_ahead if self._in_threads else map)

    def pixels(self, row):
        """Return the image of a row, from memory if it was decoded before."""
        return read_pixels(self._cells[row], **self._paths, **self._fit)

    def decode(self, row):
        """Return a digest of the content of a row, and the image that was decoded from it."""
        digest, decode = load(self._cells[row], **self._paths)
        return digest, fitted(decode(), **self._fit)

    def digests(self, rows, find):
        """Return digests of the contents of rows, reading only files that may have changed.

        Parameters
        ----------
        rows : sequence of int
        find : callable
            Returns the digest that is remembered for each of some files, None where there is none. It is given a list
            of what :func:`~skstack.reading._files.file_key` says of them.

        Returns
        -------
        digests : list of bytes or None
            None for a cell that cannot be read.
        new : dict of bytes to bytes
            What should be remembered of files for the next time.
        """
        keys = {row: key for row in rows if (key := self._file_key(row))}
        files = list(dict.fromkeys(keys.values()))
        remembered = dict(zip(files, find(files), strict=True))
        digests = {row: remembered.get(keys.get(row)) for row in rows}
        unknown = [row for row in rows if digests[row] is None]
        digests.update(zip(unknown, self.read(self._digest, unknown), strict=True))
        new = {keys[row]: digests[row] for row in unknown if row in keys and digests[row] is not None}
        return list(digests.values()), new

    def _digest(self, row):
        return load(self._cells[row], **self._paths)[0]

    def _file_key(self, row):
        """Return what changes with the file of a row; None for a cell that is no file, or a file to be read again."""
        try:
            path = path_of(self._cells[row], **self._paths)
            return path and file_key(path)
        except CELL_ERRORS:
            return None  # reading the cell says what is wrong with it

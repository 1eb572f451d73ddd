"""The loop over rows whose cells may be unreadable: errors name the row, or the row counts as missing."""

#: What a cell raises whose file or content cannot be read: one of these counts as missing if that is wished for.
UNREADABLE = (ValueError, OSError)

#: What any cell that cannot be read raises: besides, one of another type, and a format that needs another package.
CELL_ERRORS = (*UNREADABLE, TypeError, ImportError)


def read_rows(read, rows, *, on_error, name_row, map_rows=map):
    """Return an iterator over what `read` gives for each of some rows.

    Parameters
    ----------
    read : callable
        Takes a row, and raises some of `CELL_ERRORS` if its cell cannot be read.
    rows : sequence of int
        Positions of the rows.
    on_error : {"raise", "missing"}
        Whether a cell whose file or content cannot be read is an error, or gives None.
    name_row : callable
        Names a row, by its position, for an error message.
    map_rows : callable, default=map
        Calls a function for each row: one of :mod:`skstack.reading._threads` reads several at a time.

    Returns
    -------
    values : iterable of object

    Raises
    ------
    ValueError, OSError, TypeError, ImportError
        As `read`, naming the row.
    """

    def read_or_name(row):
        try:
            return read(row)
        except CELL_ERRORS as error:
            if on_error == "missing" and isinstance(error, UNREADABLE):
                return None
            raise type(error)(f"{name_row(row)}: {error}") from error

    return map_rows(read_or_name, rows)

"""The loop over rows whose cells may be unreadable."""

import pytest

from skstack.reading._read_rows import read_rows

CELLS = ["0", ValueError("no image"), "2", FileNotFoundError("no file"), "4"]


def _read_rows(cells, **kwargs):
    def read(row):
        if isinstance(cells[row], Exception):
            raise cells[row]
        return int(cells[row])

    return list(read_rows(read, range(len(cells)), name_row="row {}".format, **kwargs))


def test_every_row_is_read():
    assert _read_rows(["0", "1", "2"], on_error="raise") == [0, 1, 2]
    assert _read_rows([], on_error="raise") == []


@pytest.mark.parametrize("error", [ValueError, OSError, FileNotFoundError, PermissionError, TypeError, ImportError])
def test_errors_name_the_row(error):
    with pytest.raises(error, match=r"^row 1: what is wrong$") as raised:
        _read_rows(["0", error("what is wrong"), "2"], on_error="raise")
    assert type(raised.value.__cause__) is error


def test_unreadable_cells_may_count_as_missing():
    assert _read_rows(CELLS, on_error="missing") == [0, None, 2, None, 4]


@pytest.mark.parametrize("error", [TypeError, ImportError])
def test_cells_of_another_kind_and_missing_packages_never_count_as_missing(error):
    with pytest.raises(error, match="row 1: "):
        _read_rows(["0", error("of another kind")], on_error="missing")


@pytest.mark.parametrize("on_error", ["raise", "missing"])
def test_other_errors_are_left_as_they_are(on_error):
    with pytest.raises(ZeroDivisionError, match=r"^by zero$"):
        _read_rows([ZeroDivisionError("by zero")], on_error=on_error)


def test_rows_are_read_as_the_caller_maps_them():
    asked = []

    def backwards(function, rows):
        for row in reversed(rows):
            asked.append(row)
            yield function(row)

    assert _read_rows(CELLS, on_error="missing", map_rows=backwards) == [4, None, 2, None, 0]
    assert asked == [4, 3, 2, 1, 0]

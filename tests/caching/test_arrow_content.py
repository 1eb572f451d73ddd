"""Cells of Arrow arrays, whatever lies beside them."""

import datetime
import decimal

import numpy as np
import pyarrow as pa
import pytest

from skstack.caching._arrow_content import arrow_content
from skstack.caching._content import digest

CELLS = {
    "int64": [1, None, 3, 4],
    "double": [1.0, None, float("nan"), 4.0],
    "bool": [True, None, False, True],
    "string": ["a", None, "", "äöü"],
    "large_string": ["a", None, "", "äöü"],
    "string_view": ["a", None, "", "äöü"],
    "binary": [b"a", None, b"", b"bc"],
    "date32": [datetime.date(2026, 1, day) if day else None for day in (1, 0, 3, 4)],
    "list": [[1, 2], None, [], [3]],
    "tensor": [[1.0, 2.0], None, [3.0, 4.0], [5.0, 6.0]],
    "struct": [{"a": 1, "b": "x"}, None, {"a": 2, "b": None}, {"a": 3, "b": "z"}],
    "dictionary": ["x", None, "y", "x"],
    "decimal": [decimal.Decimal("1.5"), None, decimal.Decimal("2.5"), decimal.Decimal("3.5")],
}
TYPES = {
    "list": pa.list_(pa.int64()),
    "tensor": pa.list_(pa.float64(), 2),
    "struct": pa.struct({"a": pa.int64(), "b": pa.string()}),
    "dictionary": pa.dictionary(pa.int8(), pa.string()),
    "decimal": pa.decimal128(5, 2),
}


def _array(kind, cells):
    return pa.array(cells, TYPES.get(kind) or kind)


@pytest.mark.parametrize("kind", CELLS)
def test_content_is_that_of_the_cells_and_each_cell_counts(kind):
    cells = CELLS[kind]
    whole = _array(kind, cells)
    expected = digest(arrow_content(whole))
    assert expected is not None
    sliced = _array(kind, [cells[3], *cells, cells[0]])[1:5]
    chunked = pa.chunked_array([whole[:1], whole[1:]])
    assert digest(arrow_content(sliced)) == digest(arrow_content(chunked)) == expected
    for place in range(4):
        changed = [*cells[:place], None if cells[place] is not None else cells[0], *cells[place + 1 :]]
        assert digest(arrow_content(_array(kind, changed))) != expected


def test_what_stands_in_missing_cells_does_not_count():
    def with_garbage(value):
        return pa.Array.from_buffers(pa.int64(), 2, [pa.py_buffer(b"\x01"), pa.py_buffer(np.array([5, value]))])

    assert with_garbage(1).to_pylist() == with_garbage(2).to_pylist() == [5, None]
    assert digest(arrow_content(with_garbage(1))) == digest(arrow_content(with_garbage(2)))


def test_cells_are_not_taken_for_others_that_look_alike_in_memory():
    arrays = [pa.array(["ab", "c"]), pa.array(["a", "bc"]), pa.array([b"ab", b"c"]), pa.array([[1], [2, 3]])]
    arrays += [pa.array([[1, 2], [3]]), pa.array([1, 2, 3]), pa.array([], "string"), pa.array([], "int64")]
    assert len({digest(arrow_content(array)) for array in arrays}) == len(arrays)


def test_tables_count_by_names_and_columns():
    table = pa.table({"a": [1, 2], "b": ["x", "y"]})
    assert digest(table) == digest(pa.concat_tables([table[:1], table[1:]])) is not None
    assert digest(table) != digest(table.rename_columns(["a", "c"]))

"""Cells that hold several items."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from skstack.preprocessing import tensor_column
from skstack.reading._cells import row_name
from skstack.reading._items import Items, first_list, is_list

LISTS = [["a", "b", "c"], [], ["d", None], None, "e", [None, " ", "f", np.nan]]


def column(cells, **options):
    return pd.DataFrame({"photos": pd.Series(cells, dtype=object, **options)})


@pytest.mark.parametrize(
    "cell", [["a"], ("a", "b"), [], [np.nan], np.array(["a"]), np.array(["a", None], dtype=object)]
)
def test_lists(cell):
    assert is_list(cell)


@pytest.mark.parametrize(
    "cell", ["a", b"a", None, np.nan, [1.0, 2.0], (np.nan, 2), np.zeros(3), np.zeros((4, 5, 5, 3))]
)
def test_what_is_no_list(cell):
    assert not is_list(cell)


def test_an_array_of_more_dimensions_than_an_item_is_a_list():
    assert is_list(np.zeros((4, 5, 5, 3)), item_ndim=3)
    assert not is_list(np.zeros((5, 5, 3)), item_ndim=3)


def test_the_first_list_of_a_table_is_found():
    X = pd.DataFrame({"a": [1, 2], "b": ["x", ["y", "z"]]})
    assert first_list(X) == ("'b'", 1, 2)
    assert first_list(X.to_numpy(dtype=object)) == ("1", 1, 2)
    assert first_list(X[["a"]]) is None
    assert first_list(pd.DataFrame({"a": [[[1.0, 2.0], [3.0, 4.0]]]})) is None
    assert first_list(np.zeros((2, 3, 3))) is None


CONTAINERS = {
    "lists": column(LISTS),
    "tuples": column([tuple(cell) if isinstance(cell, list) else cell for cell in LISTS]),
    "arrays": column([np.array(cell, dtype=object) if isinstance(cell, list) else cell for cell in LISTS]),
    "array of objects": column(LISTS).to_numpy(),
    "Arrow": pd.DataFrame(
        {
            "photos": pd.array(
                pa.array([["e"] if cell == "e" else cell for cell in LISTS[:5]]), pd.ArrowDtype(pa.list_(pa.string()))
            )
        }
    ),
}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_items_stand_one_below_the_other(kind):
    X = CONTAINERS[kind]
    items = Items(X, 16)
    assert items.table.iloc[:, 0].tolist() == [*"abcde", *"f"][: 5 if kind == "Arrow" else 6]
    assert items.rows.tolist() == [0, 0, 0, 2, 4, 5][: len(items.table)]
    assert items.n_items.tolist() == [3, 0, 1, 0, 1, 1][: len(X)]


def test_the_first_items_are_taken():
    items = Items(column(LISTS), 2)
    assert items.table["photos"].tolist() == [*"abdef"]
    assert items.n_items.tolist() == [3, 0, 1, 0, 1, 1]


def test_several_tensors_in_a_cell():
    tensors = np.arange(2 * 3 * 4, dtype="uint8").reshape(2, 3, 2, 2)
    for X in (tensors, pd.DataFrame({"photos": tensor_column(tensors)}), column(list(tensors))):
        items = Items(X, 2, item_ndim=2)
        np.testing.assert_array_equal(np.stack(items.table.iloc[:, 0]), tensors[:, :2].reshape(4, 2, 2))
        assert items.n_items.tolist() == [3, 3]


def test_messages_name_item_and_row():
    items = Items(column(LISTS, index=list("stuvwx")), 16)
    assert row_name(items.table, 2) == "item 2 of row 0 (index 's')"
    assert row_name(items.table.iloc[[5]], 0) == "item 2 of row 5 (index 'x')"
    assert row_name(items.table, 4) == "row 4 (index 'w')"
    assert row_name(Items(column(LISTS).to_numpy(), 16).table, 3) == "item 0 of row 2"


def test_several_columns_are_refused():
    with pytest.raises(ValueError, match="expected one column of lists, got 2 columns"):
        Items(np.full((3, 2), "a", dtype=object), 4)


def test_places_repeat_the_items_behind_the_last():
    items = Items(column([["a", "b", "c"], None, ["d", "e"]]), 16)
    places, empty = items.places(4, np.zeros(5, dtype=bool))
    np.testing.assert_array_equal(places, [[0, 1, 2, 0], [-1, -1, -1, -1], [3, 4, 3, 4]])
    np.testing.assert_array_equal(empty, [[0, 0, 0, 1], [1, 1, 1, 1], [0, 0, 1, 1]])


def test_unreadable_items_leave_no_place():
    items = Items(column([["a", "b", "c"], ["d"], ["e", "f"]]), 16)
    places, empty = items.places(3, np.array([False, True, False, True, True, False]))
    np.testing.assert_array_equal(places, [[0, 2, 0], [-1, -1, -1], [5, 5, 5]])
    np.testing.assert_array_equal(empty, [[0, 0, 1], [1, 1, 1], [0, 1, 1]])


def test_a_surplus_is_told_with_its_first_row():
    items = Items(column(LISTS, index=list("stuvwx")), 2)
    with pytest.warns(
        UserWarning, match=r"1 of 6 rows hold more than the 2 items .* such as row 0 \(index 's'\) with 3"
    ):
        items.warn_of_surplus(2)
    items.warn_of_surplus(3)

"""The columns of a table and what they hold."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from _data import plain_table
from scipy import sparse

from skstack.suggestion._columns import describe_columns

RNG = np.random.default_rng(0)

KINDS = {
    "row": "id",
    "source": "constant",
    "code": "id",
    "area": "numeric",
    "power": "numeric_text",
    "experience": "numeric_text",
    "cost": "numeric_text",
    "heated": "boolean",
    "color": "categorical",
    "zip": "categorical",
    "sold": "date",
    "review": "text",
    "tags": "text",
    "team_1": "entity",
    "team_2": "entity",
}


def _kinds(X, kinds=None):
    return {column.key: column.kind for column in describe_columns(X, kinds)}


@pytest.mark.parametrize("container", [pd.DataFrame, pl.DataFrame, pd.DataFrame.convert_dtypes])
def test_a_table_of_many_kinds(container):
    assert _kinds(container(plain_table()[0])) == KINDS


def test_columns_without_names_are_named_by_position():
    X = plain_table()[0]
    # Without a name a running number may be more, and whole numbers are no codes.
    expected = KINDS | {"row": "numeric", "zip": "numeric"}
    assert _kinds(X.to_numpy(dtype=object)) == dict(enumerate(expected.values()))
    assert list(_kinds(X.set_axis(range(15), axis=1))) == list(range(15))


def test_numbers_of_an_array_have_no_kinds_of_their_own():
    X = np.column_stack([RNG.integers(0, 3, 50), np.arange(50), np.ones(50), np.full(50, np.nan)])
    expected = ["numeric", "numeric", "constant", "constant"]
    assert list(_kinds(X).values()) == expected
    assert list(_kinds(sparse.csr_matrix(X[:, :3])).values()) == expected[:3]
    assert list(_kinds(np.zeros((50, 28, 28), "uint8"))) == [None]


def test_what_the_user_says_of_a_column_counts():
    said = {"row": "numeric", "zip": "numeric", "experience": "categorical", "color": "drop", "team_1": "text"}
    assert _kinds(plain_table()[0], said) == KINDS | said | {"team_2": "categorical"}
    columns = {column.key: column for column in describe_columns(plain_table()[0], {**said, "color": "numeric_text"})}
    assert columns["color"].details["n_numbers"] == 2
    assert columns["zip"].reason == "as 'kinds' says"
    assert columns["zip"].details["plain"] and not columns["experience"].details["plain"]


def test_a_kind_that_was_found_anyway_keeps_what_was_found():
    X = plain_table()[0]
    before, after = (describe_columns(X, kinds)[10] for kinds in (None, {"sold": "date"}))
    assert after.details == before.details and after.details["date_format"] == "%d/%m/%Y"


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        ({"zipp": "categorical"}, r"'kinds' names 'zipp', which is no column of X\. Did you mean 'zip'\? Columns are"),
        ({"zip": "categoricl"}, r"says 'categoricl' of column 'zip'.*Did you mean 'categorical'\? Kinds are: \['num"),
        ({3: "numeric"}, "'kinds' names 3, which is no column of X"),
    ],
)
def test_unknown_columns_and_kinds_are_an_error(kinds, message):
    with pytest.raises(ValueError, match=message):
        describe_columns(plain_table()[0], kinds)


def test_entities_are_said_or_have_names_in_common():
    clubs = [f"club {letter}" for letter in "ABCDEFGHIJKLMNOP"]
    X = pd.DataFrame({"a": RNG.choice(clubs, 99), "b": RNG.choice(clubs, 99), "c": RNG.choice(clubs[:3], 99)})
    assert _kinds(X) == {"a": "entity", "b": "entity", "c": "categorical"}
    assert _kinds(X, {"c": "entity"})["c"] == "entity"
    assert _kinds(X, {"b": "categorical"}) == dict.fromkeys("abc", "categorical")


def test_whole_numbers_name_the_same_things_if_their_columns_are_called_alike():
    numbers = RNG.integers(0, 30, (4, 200))
    X = pd.DataFrame(numbers.T, columns=["team_1", "team_2", "score_1", "age"])
    kinds = _kinds(X)
    assert kinds == {"team_1": "entity", "team_2": "entity", "score_1": "numeric", "age": "numeric"}


def _codes(codes, **more):
    X = pd.DataFrame({"code": codes} | more)
    return {column.key: (column.kind, column.details.get("ordered", False)) for column in describe_columns(X)}


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([92270 + 7 * (x % 50) for x in range(300)], True),
        ([f"{x % 60:05}" for x in range(300)], True),  # zeros in front make categories of numbers
        (pd.Categorical([f"{92270 + 7 * (x % 50)}" for x in range(300)]), True),
        (pd.Categorical([92270 + 7 * (x % 50) for x in range(300)]), True),
        (pd.Categorical([f"A{x % 50}" for x in range(300)]), False),
        (pd.Categorical([*(f"{x % 50}" for x in range(299)), "none"]), False),
        (pd.Categorical([f"{x % 12}" for x in range(300)]), False),  # so few have a vector each
    ],
)
def test_categories_that_are_whole_numbers_are_counted_with_beside(codes, expected):
    assert _codes(codes) == {"code": ("categorical", expected)}


def test_what_the_user_calls_categories_are_nothing_else():
    X = pd.DataFrame({"zip": [92270 + 7 * (x % 50) for x in range(300)]})
    columns = {True: describe_columns(X)[0], False: describe_columns(X, {"zip": "categorical"})[0]}
    assert [column.details.get("ordered", False) for column in columns.values()] == [True, False]
    assert columns[True].reason.endswith(", and numbers")


def test_names_that_columns_share_are_no_numbers():
    teams = {f"team_{side}": [1000 + 3 * ((x + side) % 50) for x in range(300)] for side in (1, 2)}
    assert {kind for kind, ordered in _codes(range(300), **teams).values() if ordered} == set()

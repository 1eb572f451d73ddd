"""Columns that the target can be read off."""

import numpy as np
import pandas as pd
import pytest

from skstack.suggestion._columns import describe_columns
from skstack.suggestion._giveaways import find_giveaways
from skstack.suggestion._targets import describe_targets

RNG = np.random.default_rng(0)
N = 200
NUMBERS = RNG.normal(size=N)
CLASSES = RNG.choice(["good", "bad", "ugly"], N)


def _found(column, y):
    X = pd.DataFrame({"noise": RNG.normal(size=N), "column": column})
    return find_giveaways(describe_columns(X), X, describe_targets(y))


@pytest.mark.parametrize(
    ("column", "y"),
    [
        (NUMBERS, NUMBERS),
        (3 * NUMBERS + 7, NUMBERS),
        (np.exp(NUMBERS), NUMBERS),
        (np.where(NUMBERS == NUMBERS.max(), 1e300, NUMBERS), NUMBERS),
        ([f"{x:.4f} $" for x in np.exp(NUMBERS)], NUMBERS),
        (CLASSES, CLASSES),
        (pd.Series(CLASSES).map({"good": "A", "bad": "B", "ugly": "C"}), CLASSES),
        (pd.factorize(CLASSES)[0] + RNG.uniform(0, 0.5, N), CLASSES),
        (np.where(NUMBERS > 0, 1.5 + NUMBERS, NUMBERS - 1), NUMBERS > 0),
        (np.round(NUMBERS, 1).astype(str), np.round(NUMBERS, 1)),
        ([f"{n} pieces at {x:.4f}" for n, x in enumerate(np.exp(NUMBERS))], NUMBERS),
        (pd.Timestamp("2020") + pd.to_timedelta(100 * NUMBERS, unit="D"), NUMBERS),
        (pd.Series(pd.date_range("2020", periods=N)).where(CLASSES == "bad"), CLASSES == "bad"),
        ([f"closed for reason {x}" if c == "bad" else None for x, c in enumerate(CLASSES)], CLASSES == "bad"),
    ],
)
def test_columns_that_give_the_target_away_are_found(column, y):
    assert list(_found(column, y)) == [1]


@pytest.mark.parametrize(
    ("column", "y"),
    [
        (NUMBERS + RNG.normal(0, 0.3, N), NUMBERS),
        (RNG.permutation(NUMBERS), NUMBERS),
        (np.where(RNG.random(N) < 0.9, CLASSES, "bad"), CLASSES),
        ([f"x{number}" for number in range(N)], CLASSES),
        (np.arange(N), CLASSES),
        (pd.date_range("2020", periods=N), np.sin(np.arange(N) / 30)),  # changes slowly
        ([f"bought for reason {x}" if x % 3 else None for x in range(N)], CLASSES),
    ],
)
def test_columns_that_merely_help_are_not(column, y):
    assert not _found(column, y)


def test_a_table_that_is_sorted_by_its_target_has_a_telling_row_number():
    assert list(_found(np.arange(N), np.sort(NUMBERS))) == [1]


def test_wide_tables_are_looked_through_as_well():
    X = pd.DataFrame(RNG.normal(size=(N, 210))).add_prefix("noise ").assign(column=np.exp(NUMBERS), good=NUMBERS > 0)
    columns = describe_columns(X)
    assert list(find_giveaways(columns, X, describe_targets(NUMBERS))) == [210]
    assert list(find_giveaways(columns, X, describe_targets(NUMBERS > 0))) == [210, 211]


def test_few_rows_say_nothing():
    X = pd.DataFrame({"column": NUMBERS[:40]})
    assert not find_giveaways(describe_columns(X), X, describe_targets(NUMBERS[:40]))


def test_rows_without_a_target_and_missing_cells_are_no_hindrance():
    y = np.where(np.arange(N) % 5 == 0, np.nan, NUMBERS)
    assert list(_found(np.where(np.arange(N) % 7 == 1, np.nan, NUMBERS), y)) in ([], [1])
    assert list(_found(NUMBERS, y)) == [1]


def test_each_of_several_targets_is_looked_at():
    X = pd.DataFrame({"column": NUMBERS})
    found = find_giveaways(
        describe_columns(X), X, describe_targets(pd.DataFrame({"a": RNG.normal(size=N), "b": NUMBERS}))
    )
    assert found == {0: "it names the target 'b' one to one"} or "target 'b'" in found[0]

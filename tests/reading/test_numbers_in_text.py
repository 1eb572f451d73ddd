"""Numbers that stand in texts."""

import decimal

import numpy as np
import pandas as pd
import pytest

from skstack.reading._numbers_in_text import (
    extracted,
    numbers_in,
    text_columns,
    with_numbers,
    without_numbers,
    words_around,
)

NAN = np.nan


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1198 cc", [1198]),
        ("24 years experience", [24]),
        ("87 bhp @ 6000 rpm", [87, 6000]),
        ("$1,200.50", [1200.5]),
        ("1,234,567", [1234567]),
        ("-5 C", [-5]),
        ("10-20", [10, 20]),
        ("10k-20k", [10000, 20000]),
        ("1.5M views", [1.5e6]),
        ("$5m", [5e6]),
        ("2h 5m", [2, 5]),  # minutes
        ("5 mm", [5]),
        ("£10 million", [1e7]),
        ("12x30 cm", [12, 30]),
        ("5'8\"", [5, 8]),
        ("98%", [98]),
        (".5 l", [0.5]),
        ("1e-3", [0.001]),
        ("12,50 EUR", [12.5]),
        ("-7,5%", [-7.5]),
        ("1.234,56", [1234.56]),
        ("0,125", [0.125]),
        ("48,8566", [48.8566]),
        ("12,50, 13,75", [12.5, 13.75]),
        ("12,345", [12345]),
        ("3,4,5", [3]),  # a list
        ("(1,200)", [-1200]),
        ("$(5.5)", [-5.5]),
        ("(1, 2)", [1, 2]),
        ("A123", []),  # a code
        ("ratio x-3", [3]),  # a dash
        ("none", []),
    ],
)
def test_numbers_are_found_in_texts(text, numbers):
    assert numbers_in(text) == pytest.approx(numbers)


def test_texts_without_their_numbers_are_alike():
    assert without_numbers("87 bhp @ 6000 rpm") == without_numbers("109 bhp @ 4,500 rpm") == "# bhp @ # rpm"


def test_words_around_numbers_are_alike_for_one_and_several():
    assert words_around("3 Weeks, 5%") == words_around("1 week 7") == "# week #"
    assert words_around("19.67 km/kg") != words_around("19.67 kmpl")


def test_each_cell_gives_as_many_numbers_as_are_asked_for():
    cells = pd.Series(["3 of 5", "7", None, NAN, "many", 4, 2.5, decimal.Decimal("1.5"), "1 2 3", float("inf")])
    expected = [[3, 5], [7, NAN], *[[NAN, NAN]] * 3, [4, NAN], [2.5, NAN], [1.5, NAN], [1, 2], [NAN, NAN]]
    np.testing.assert_array_equal(extracted(cells, 2), expected)
    np.testing.assert_array_equal(extracted(cells, 1)[:, 0], np.array(expected)[:, 0])


def test_columns_of_texts_become_several_and_others_stay():
    X = pd.DataFrame({"power": ["87 bhp @ 6000 rpm", "74 bhp"], "year": [2017, 2014]}, index=[5, 7])
    assert text_columns(X) == [True, False]
    table = with_numbers(X, [True, False], 2)
    assert list(table.columns) == ["power", "power (2)", "year"] and list(table.index) == [5, 7]
    np.testing.assert_array_equal(table, [[87, 6000, 2017], [74, NAN, 2014]])
    assert text_columns(X.to_numpy()) == [True, True]
    np.testing.assert_array_equal(with_numbers(X.to_numpy(), [True, True], 1), [[87, 2017], [74, 2014]])

"""Numbers that stand in texts, such as those of "1198 cc", "$1,200", "87 bhp @ 6000 rpm" and "10k-20k"."""

import re

import numpy as np
import pandas as pd

# Not behind a letter, a digit or a decimal point: "A123" is a code, and "1.2.3" a version. "12x30" holds two numbers. A
# minus behind a digit or a letter is a dash.
_NUMBER = re.compile(
    r"(?:(?<![^\W\d])|(?<=\d[xX]))(?<!\d)(?<!\d[.,])(?P<money>(?<=[$€£¥₹]))?"
    r"(?P<number>(?P<comma>-?(?![1-9]\d{0,2},\d{3}(?!\d))(?:\d{1,3}(?:\.\d{3})+|\d+),\d+(?![.,]?\d))"
    r"|-?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:[eE][+-]?\d+)?|-?\.\d+)"
    r"(?P<times>(?:(?(money)[kmbKMB]|[kKMB])|bn|mn)(?![^\W_])|\s?(?i:thousand|million|billion))?",
)

#: A single number in parentheses, as book-keepers write negative ones.
_LOSS = re.compile(r"^\s*[$€£¥₹]?\(\s*[$€£¥₹]?\s*[\d.,]+\s*\)\s*$")

_TIMES = {"k": 1e3, "t": 1e3, "m": 1e6, "b": 1e9}  # by the first letter


def numbers_in(text):
    """Return the numbers in a text, in their order.

    Commas part thousands; a single one that cannot is a decimal comma, as in 12,50, 0,125 and 1.234,5. K, M and B (m
    only behind the sign of a currency: it may be metres or minutes), thousand, million and billion behind a number
    multiply it.

    Parameters
    ----------
    text : str

    Returns
    -------
    numbers : list of float
    """
    found = _NUMBER.finditer(text)
    sign = -1 if _LOSS.match(text) else 1
    return [sign * _value(m) * _TIMES.get((m["times"] or " ").strip()[:1].lower(), 1) for m in found]


def _value(match):
    number = match["number"]
    return float(number.replace(".", "").replace(",", ".") if match["comma"] else number.replace(",", ""))


def without_numbers(text):
    """Return a text with "#" in the place of each number."""
    return _NUMBER.sub("#", text)


def words_around(text):
    """Return the words of a text around its numbers, alike for one thing and several of them.

    Parameters
    ----------
    text : str

    Returns
    -------
    words : str
        "# week" for "3 weeks".
    """
    words = re.findall(r"#|[^\W\d_]+", without_numbers(text).lower())
    return " ".join(word.removesuffix("s") if len(word) > 3 else word for word in words)


def extracted(column, n_numbers):
    """Return the first numbers of each cell.

    Parameters
    ----------
    column : Series or ndarray of shape (n_rows,)
        Of texts and numbers; what is neither is missing.
    n_numbers : int
        How many are taken of a cell, at most.

    Returns
    -------
    numbers : ndarray of shape (n_rows, n_numbers)
        NaN where a cell has fewer.
    """
    cells = pd.Series(column).astype(object)
    codes, distinct = pd.factorize(cells, use_na_sentinel=True)
    table = np.full((len(distinct) + 1, n_numbers), np.nan)
    for position, cell in enumerate(distinct):
        numbers = _of_cell(cell)[:n_numbers]
        table[position, : len(numbers)] = numbers
    return table[codes]  # a missing cell has code -1, which is the last row


def text_columns(X):
    """Tell of each column of a DataFrame or array whether numbers have to be looked for in its cells."""
    if isinstance(X, pd.DataFrame):
        return [not (pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype)) for dtype in X.dtypes]
    return [X.dtype.kind not in "biuf"] * X.shape[1]


def with_numbers(X, are_texts, n_numbers):
    """Return a table in which the numbers that stand in texts have columns of their own.

    Parameters
    ----------
    X : DataFrame or ndarray of shape (n_rows, n_columns)
    are_texts : list of bool
        Of each column, whether it becomes `n_numbers` columns; others stay as they are.
    n_numbers : int

    Returns
    -------
    table : DataFrame of shape (n_rows, n_others + n_numbers * n_texts)
    """
    X = X if isinstance(X, pd.DataFrame) else pd.DataFrame(X)
    columns, names = [], []
    for position, is_text in enumerate(are_texts):
        column, name = X.iloc[:, position], X.columns[position]
        if is_text:
            columns += [pd.Series(numbers, index=X.index) for numbers in extracted(column, n_numbers).T]
            names += [name] + [f"{name} ({place})" for place in range(2, n_numbers + 1)]
        else:
            columns.append(column)
            names.append(name)
    return pd.concat(columns, axis=1).set_axis(names, axis=1)


def _of_cell(cell):
    if isinstance(cell, str):
        return [number for number in numbers_in(cell) if np.isfinite(number)]
    try:
        number = float(cell)
    except (TypeError, ValueError, OverflowError):
        return []
    return [number] if np.isfinite(number) else []

"""Columns from which the target can be read off, which are often the target in another form."""

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from ..reading._cells import numbers
from ..reading._dates import read_dates, split_days
from ..reading._missing import missing_rows
from ..reading._numbers_in_text import extracted

#: Rows that are looked at, of wide tables fewer.
_ROWS, _FEWEST_ROWS, _CELLS = 5000, 500, 400_000

#: Columns from which on a table is wide.
_WIDE = 200

#: With fewer rows a column is near the target by chance.
_MIN_ROWS = 50

#: R2, or the part of the errors of the most frequent class that is gone, from which on a column is said to give the
#: target away.
_NEARLY_PERFECT = 0.99

_KINDS = ("numeric", "numeric_text", "boolean", "categorical", "entity", "date", "text", "id")


def find_giveaways(columns, table, targets):
    """Return the columns that predict a target nearly perfectly each by itself.

    Parameters
    ----------
    columns : list of Column
    table : DataFrame of shape (n_samples, n_columns)
    targets : list of Target

    Returns
    -------
    found : dict of int to str
        By position, how the column does.
    """
    if len(table) < _MIN_ROWS:
        return {}
    n_rows = min(len(table), _ROWS, max(_FEWEST_ROWS, _CELLS // max(len(columns), 1)))
    rows = np.unique(np.linspace(0, len(table) - 1, n_rows).astype(int))
    found = {}
    for column in columns:
        if column.kind not in _KINDS:
            continue
        for target in targets:
            cells = table.iloc[rows, column.position]
            said = _compare(column, cells, target, target.values[rows], len(columns) > _WIDE)
            if said:
                found[column.position] = said
                break
    return found


def _compare(column, cells, target, values, is_wide):
    known = pd.notna(values)
    if known.sum() < _MIN_ROWS or len(pd.unique(values[known])) < 2:
        return None
    cells, values = cells[known], values[known]
    said = "" if target.name is None else f" {target.name!r}"
    if _is_one_to_one(cells, values) and column.kind != "id":
        return f"it names the target{said} one to one"
    # What changes slowly with time is near what it was the day before.
    follows = is_wide or (column.kind == "date" and not target.has_classes)
    for codes in _as_numbers(column, cells):
        if follows and not _is_monotone(codes, values):
            continue
        score = _score(codes, values, target.has_classes)
        if score >= _NEARLY_PERFECT:
            return f"it alone predicts the target{said} with a score of {score:.3f}"
    return None


def _is_one_to_one(cells, values):
    """Tell whether each cell goes with one value and each value with one cell, some of them more than once."""
    left, right = (pd.factorize(each, use_na_sentinel=False)[0] for each in (cells.astype(str), values))
    n_pairs = len(np.unique(np.stack([left, right]), axis=1).T)
    return n_pairs == left.max() + 1 == right.max() + 1 and n_pairs <= 0.5 * len(left)


def _as_numbers(column, cells):
    """Return arrays of numbers that a tree can part: of the cells, or of which cells are there."""
    if column.kind in ("numeric", "boolean") and column.details.get("plain"):
        return [cells.to_numpy(dtype="float64", na_value=np.nan)]
    if column.kind == "numeric_text":
        return list(extracted(cells, column.details.get("n_numbers", 1)).T)
    if column.kind == "numeric":
        return [numbers(cells.to_frame())[:, 0]]
    if column.kind == "date":
        dates = read_dates(cells.to_frame(), column.name, cells, column.details.get("date_format"), "missing")
        return [split_days(dates.instants)[0]]
    if column.kind == "text":
        missing = missing_rows(cells.to_frame())
        return [missing.astype(float)] if missing.any() else []
    if column.kind == "id":
        values = pd.to_numeric(cells, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
        return [values] if np.isfinite(values).all() else []
    return [pd.factorize(cells.astype(str))[0].astype(float)] if column.n_distinct <= 0.2 * len(cells) else []


def _is_monotone(codes, values):
    """Tell whether numbers rise or fall with a target, more or less: a thousand columns are too many for trees."""
    ranks = pd.DataFrame({"codes": codes, "values": pd.factorize(values, sort=True)[0]}).rank()
    return abs(ranks["codes"].corr(ranks["values"])) > 0.8


def _score(codes, values, has_classes):
    """Return how well a tree predicts rows that it has not seen from one column: 1 at best, 0 for a constant."""
    codes = np.clip(np.nan_to_num(codes, nan=-1e30), -1e30, 1e30).astype("float32")[:, np.newaxis]
    if has_classes:
        labels = pd.factorize(values)[0]
        counts = np.bincount(labels)
        if counts.min() < 3:
            labels, codes = labels[counts[labels] >= 3], codes[counts[labels] >= 3]
            if len(np.unique(labels)) < 2:
                return 0.0
        tree, folds = (
            DecisionTreeClassifier(max_leaf_nodes=256, random_state=0),
            StratifiedKFold(3, shuffle=True, random_state=0),
        )
        predicted = cross_val_predict(tree, codes, labels, cv=folds)
        missed = 1 - np.bincount(labels).max() / len(labels)
        return 1 - (predicted != labels).mean() / missed
    values = values.astype("float64")
    tree, folds = DecisionTreeRegressor(min_samples_leaf=2, random_state=0), KFold(3, shuffle=True, random_state=0)
    ranks = pd.Series(values).rank().to_numpy()  # which heavy tails do not rule
    predicted = cross_val_predict(tree, codes, ranks, cv=folds)
    return 1 - np.mean((predicted - ranks) ** 2) / np.var(ranks)

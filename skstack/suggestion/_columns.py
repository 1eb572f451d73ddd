"""The columns of a table and the kinds of data that they hold."""

import os
import re
from numbers import Number

import numpy as np
import pandas as pd
from scipy import sparse

from .._columns import branch_columns, is_table
from .._suggestions import did_you_mean
from ..reading._cells import spelled_number
from ._inference import infer, infer_shape
from ._kinds import KINDS, SAID, Column

#: What a column of a kind is described by where the user says the kind, and the cells do not say more.
_DEFAULTS = {"numeric_text": {"n_numbers": 2}, "date": {"date_format": None}}

#: Different names from which on columns may share what they name.
_MIN_ENTITIES = 10

#: Categories from which on whole numbers are counted with beside, too.
_MIN_CODES = 13

#: So many different words are enough.
_ENOUGH_TERMS = 1000

_NAMES_THING = re.compile(
    r"team|player|user|person|item|airport|station|driver|club|country|city|word|node|artist|home|away|source|target|"
    r"sender|receiver|buyer|seller|origin|dest|winner|loser|opponent|drug|gene|protein|(^|_)id",
    re.IGNORECASE,
)


def describe_columns(X, kinds=None, root=None):
    """Say of each column of a table what it holds.

    Parameters
    ----------
    X : DataFrame, ndarray of shape (n_samples, n_features, ...) or sparse matrix
    kinds : dict of str or int to str, default=None
        Kinds of columns that are known, by name or position.
    root : str or path-like, default=None
        Folder that relative paths start from.

    Returns
    -------
    columns : list of Column

    Raises
    ------
    ValueError
        If `kinds` names no column of X, or no kind.
    """
    root = None if root is None else os.fspath(root)
    if not is_table(X) and X.ndim > 2:
        _check_kinds(kinds, [])
        kind, reason, details = infer_shape(X.shape[1:], X.dtype)
        return [Column(None, 0, "all", kind, reason, len(X), details)]
    names = list(X.columns) if is_table(X) else list(range(X.shape[1]))
    keys = names if all(isinstance(name, str) for name in names) else list(range(len(names)))
    kinds = _check_kinds(kinds, keys)
    is_matrix = not is_table(X) and X.dtype.kind in "biuf"  # sparse ones among them
    table = None if is_matrix else _as_frame(X)
    found = _of_matrix(X) if is_matrix else _of_table(table, names, root)
    columns = [
        Column(key, position, str(name), *one)
        for position, (key, name, one) in enumerate(zip(keys, names, found, strict=True))
    ]
    for column in columns:
        if column.key in kinds:
            _correct(column, kinds[column.key])
    if not is_matrix:
        _find_entities(columns, table, kinds)
        _find_codes(columns, table, kinds)
    for column in columns:
        # The kind first: pandas 2 cannot tell whether tensors are numbers.
        column.details["plain"] = column.kind in ("numeric", "boolean") and bool(
            is_matrix or pd.api.types.is_numeric_dtype(table.dtypes.iloc[column.position])
        )
        if column.kind == "text":
            cells = table.iloc[:, column.position]
            column.details["n_terms"] = _count_terms(cells, column.details.get("chars"))
            column.details["n_characters"] = cells.dropna().astype("str").str.len().mean()
    return columns


def _count_terms(cells, chars):
    """Count the different words in texts, or runs of three characters, as far as there may be too few."""
    terms = set()
    for cell in cells.dropna():
        text = cell if isinstance(cell, str) else str(cell)
        terms.update(text[i : i + 3] for i in range(len(text) - 2)) if chars else terms.update(
            re.findall(r"\w\w+", text.lower())
        )
        if len(terms) > _ENOUGH_TERMS:
            break
    return len(terms)


def _as_frame(X):
    table = branch_columns(X, None)
    return table if isinstance(table, pd.DataFrame) else pd.DataFrame(table)


def _of_table(table, names, root):
    """Return what the columns of a table hold."""
    return [infer(table.iloc[:, position], _spoken(name), root) for position, name in enumerate(names)]


def _of_matrix(X):
    """Return what the columns of a matrix hold: numbers, or always the same."""
    return [_matrix_column(X[:, [position]]) for position in range(X.shape[1])]


def _spoken(name):
    return name if isinstance(name, str) else ""


def _matrix_column(column):
    if sparse.issparse(column):
        is_constant = column.min() == column.max()
    else:
        is_constant = (column == column[0]).all() or np.isnan(column.astype("float64")).all()
    return ("constant", "the same in every row", 1, {}) if is_constant else ("numeric", "numbers", 0, {})


def _check_kinds(kinds, keys):
    """Return the kinds that the user says by key, or raise if one is unknown."""
    kinds = dict(kinds or {})
    for key, kind in kinds.items():
        if key not in keys:
            hint = did_you_mean(key, [key for key in keys if isinstance(key, str)])
            raise ValueError(f"'kinds' names {key!r}, which is no column of X.{hint} Columns are: {_listed(keys)}.")
        if kind not in KINDS:
            hint = did_you_mean(kind, KINDS)
            raise ValueError(f"'kinds' says {kind!r} of column {key!r}, which is no kind.{hint} Kinds are: {[*KINDS]}.")
    return kinds


def _listed(keys):
    shown = ", ".join(repr(key) for key in keys[:30])
    return f"[{shown}, ... {len(keys) - 30} more]" if len(keys) > 30 else f"[{shown}]"


def _correct(column, kind):
    """Write what the user says of a column over what was inferred."""
    if column.kind != kind:
        known = {name: column.details[name] for name in ("items", "channels") if name in column.details}
        column.details = {**_DEFAULTS.get(kind, {}), **known}
        column.kind = kind
    column.reason = SAID


# --- names that columns share -----------------------------------------------------------------------------------------


def _find_entities(columns, table, kinds):
    """Give columns that name the same things the kind "entity" and the number of their group."""
    said = [column for column in columns if column.kind == "entity"]
    for column in said:
        column.details["group"] = 0
    candidates = [column for column in columns if _may_be_entity(column) and column.key not in kinds]
    groups = []
    for column in candidates:
        values = set(table.iloc[:, column.position].dropna().unique().tolist())
        for group in groups:
            if _is_alike(column, values, *group[0]):
                group.append((column, values))
                break
        else:
            groups.append([(column, values)])
    for number, group in enumerate((group for group in groups if len(group) > 1), start=1):
        others = [column.name for column, _ in group]
        for column, _ in group:
            column.kind, column.details = "entity", {"group": number}
            column.reason = f"the same names as in {[name for name in others if name != column.name]}"


def _may_be_entity(column):
    if column.n_distinct < _MIN_ENTITIES or column.details.get("words"):
        return False
    return column.kind == "categorical" or (column.kind == "numeric" and bool(_NAMES_THING.search(column.name)))


def _is_alike(column, values, other, other_values):
    """Tell whether two columns name the same things: most names of the one with fewer are names of the other."""
    are_numbers = all(isinstance(next(iter(each)), Number) for each in (values, other_values))
    if are_numbers:  # which are alike by chance
        stems = {re.sub(r"[\d_\s]+|home|away|winner|loser", "", each.name.lower()) for each in (column, other)}
        if len(stems) > 1:
            return False
    return len(values & other_values) >= 0.5 * max(len(values), len(other_values))


# --- names that are numbers -------------------------------------------------------------------------------------------


def _find_codes(columns, table, kinds):
    """Mark categories that are whole numbers: near zip codes, and others of lists that have an order, may be alike."""
    for column in columns:
        if column.kind == "categorical" and column.n_distinct >= _MIN_CODES and column.key not in kinds:
            codes = table.iloc[:, column.position].dropna().unique()
            if all(
                re.fullmatch(r"\d{1,15}", spelled_number(code) if isinstance(code, Number) else str(code).strip())
                for code in codes
            ):
                column.details["ordered"] = True
                column.reason += ", and numbers"

"""Branches for the columns of a table."""

import re

from ..branches import (
    AudioBranch,
    CategoricalBranch,
    DateBranch,
    EntityBranch,
    ImageBranch,
    NumericBranch,
    SequenceBranch,
    TextBranch,
)
from ._kinds import MANY_CATEGORIES

#: Columns of texts that have vocabularies of their own, at most.
_MAX_TEXTS = 5


def suggest_branches(columns, image_root=None, backbone=None):
    """Return a branch for each kind of data among the columns of a table.

    Parameters
    ----------
    columns : list of Column
    image_root : str or path-like, default=None
        Folder that relative paths start from.
    backbone : str, path-like or keras.Model, default=None
        For columns of images.

    Returns
    -------
    parts : list of (str, Branch, list or None)
    """
    if columns and columns[0].key is None:  # an array of arrays
        return [_of_array(column, image_root, backbone) for column in columns if column.is_used]
    by_kind = {}
    for column in columns:
        by_kind.setdefault(column.kind, []).append(column)
    return _of_tables(by_kind) + _of_files(by_kind, image_root, backbone)


def _of_array(column, image_root, backbone):
    branch = {"image": _image, "audio": _audio, "sequence": _sequence}[column.kind]
    return column.kind, branch(column, image_root, backbone), None


def _of_tables(by_kind):
    """Return branches of numbers, categories, dates and texts."""
    parts = []
    numbers = _sorted(by_kind.get("numeric", []) + [c for c in by_kind.get("boolean", []) if _is_number(c)])
    _add(parts, "numbers", NumericBranch(), numbers)
    in_texts = by_kind.get("numeric_text", [])
    _add(parts, "numbers_in_text", NumericBranch(extract=max((n_numbers(c) for c in in_texts), default=1)), in_texts)
    categories = by_kind.get("categorical", []) + [c for c in by_kind.get("boolean", []) if not _is_number(c)]
    few = [column for column in categories if column.n_distinct <= MANY_CATEGORIES]
    many = [column for column in categories if column.n_distinct > MANY_CATEGORIES]
    _add(parts, "categories", CategoricalBranch(), _sorted(few))
    _add(parts, "many_categories", CategoricalBranch(min_frequency=2), many)
    codes = [column for column in categories if column.details.get("ordered")]
    _add(parts, "codes", NumericBranch(extract=1), codes)  # rows to come may hold texts
    groups = {}
    for column in by_kind.get("entity", []):
        groups.setdefault(column.details.get("group", 0), []).append(column)
    for number, group in enumerate(groups.values(), start=1):
        _add(parts, f"entities_{number}" if len(groups) > 1 else "entities", EntityBranch(), group)
    ways = {}
    for column in by_kind.get("date", []):
        # Texts may be anything in rows to come.
        on_error = "missing" if column.details.get("are_texts") else "raise"
        way = {"date_format": column.details["date_format"], "tz": column.details.get("tz"), "on_error": on_error}
        ways.setdefault(tuple(way.values()), (way, []))[1].append(column)
    for number, (way, dates) in enumerate(ways.values(), start=1):
        branch = DateBranch(**way)
        _add(parts, f"dates_{number}" if len(ways) > 1 else "dates", branch, dates)
    _add_texts(parts, by_kind.get("text", []) + [c for c in [*many, *in_texts] if c.details.get("words")])
    return parts


def _add_texts(parts, columns):
    """Add a branch for each column of texts; of too many, those that are read by word get one with a vocabulary."""
    plain = [column for column in columns if not column.details.get("chars") and not column.details.get("items")]
    if len(plain) > _MAX_TEXTS:
        _add(parts, "texts", TextBranch(join=False), plain)
        columns = [column for column in columns if column not in plain]
    for column in columns:
        _add(parts, _name("text", column, parts), _text(column), [column])


def _of_files(by_kind, image_root, backbone):
    """Return branches of images, recordings and sequences, each column with one of its own."""
    makers = {"image": _image, "audio": _audio, "sequence": _sequence}
    parts = []
    for kind, maker in makers.items():
        for column in by_kind.get(kind, []):
            _add(parts, _name(kind, column, parts), maker(column, image_root, backbone), [column])
    return parts


def _add(parts, name, branch, columns):
    if columns:
        parts.append((name, branch, [column.key for column in columns]))


def _name(kind, column, parts):
    """Return a name for the branch of a column, which layers of a network and parameters can have."""
    plain = re.sub(r"\W+|_{2,}", "_", column.name).strip("_") or str(column.position)
    taken = {name for name, _, _ in parts}
    name = f"{kind}_{plain}"
    return name if name not in taken else f"{name}_{column.position}"


def _sorted(columns):
    return sorted(columns, key=lambda column: column.position)


def _is_number(column):
    return column.details.get("plain", False)


def n_numbers(column):
    """Return how many numbers stand in a cell of a column."""
    return column.details.get("n_numbers", 1)


def _text(column):
    items = {"item_pooling": "avg"} if column.details.get("items") else {}
    return TextBranch("char", "cnn", **items) if column.details.get("chars") else TextBranch(**items)


def _items(column):
    return {"item_pooling": "avg"} if column.details.get("items") else {}


def _image(column, image_root, backbone):
    pretrained = {} if backbone is None else {"backbone": backbone}
    if "channels" in column.details:  # arrays, which cannot be broken
        return ImageBranch(**pretrained, channels=column.details["channels"], **_root(image_root), **_items(column))
    # Of many files some are broken. A stack warns of them.
    return ImageBranch(**pretrained, **_root(image_root), on_error="missing", **_items(column))


def _audio(column, image_root, backbone):
    return AudioBranch(**_root(image_root), on_error="missing", **_items(column))


def _root(image_root):
    return {} if image_root is None else {"root": image_root}


def _sequence(column, image_root, backbone):
    return SequenceBranch()

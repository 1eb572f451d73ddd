"""Checks of what held-out rows have to do with training rows, which scores then tell nothing of."""

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import is_classifier, is_regressor

from .._columns import branch_columns
from ..model_selection._duplicates import duplicate_groups
from ..suggestion._giveaways import find_giveaways
from ..suggestion._targets import describe_targets
from ._check import NotApplicable

#: How many times more pairs of equal rows than by chance there have to be.
_MORE_THAN_CHANCE = 10

#: Part of all rows that one group of equal images may hold. More of them look alike where they are drawings or spectra,
#: which a hash made for photos does not tell apart.
_MAX_ALIKE = 0.1

#: Examples in a message.
_SHOWN = 3


def leaking_groups(checked):
    """Say which groups stand on both sides of a split."""
    checked.need_splits()
    if checked.groups is None:
        raise NotApplicable("No groups are given.")
    torn, n_folds = _torn(np.asarray(checked.groups), checked.splits)
    if not len(torn):
        return []
    return [
        f"{_count(len(torn), 'group')} ({_examples(torn)}) with rows on both sides of a split, in {n_folds} of "
        f"{len(checked.splits)} folds: scores tell what the stack remembers of a group. Split by group, such as by "
        "cv=GroupKFold(5) and fit(X, y, groups=groups)."
    ]


def duplicates(checked):
    """Say which rows, or images, stand on both sides of a split."""
    checked.need_splits()
    images = [column.position for column in checked.columns if column.kind == "image"]
    # Images that nobody reads are in a folder that nobody has named.
    lacking = [column.position for column in checked.columns if column.details.get("lacks_files")]
    others = [column.position for column in checked.columns if column.position not in (*images, *lacking)]
    found = []
    if images:
        same = duplicate_groups(checked.X, images, root=checked.image_root, allow_outside_root=True)
        if np.bincount(same).max() <= max(_MAX_ALIKE * len(same), 2):
            found += _said(same, checked.splits, "have images that look the same")
    if others:
        cells = duplicate_groups(checked.X, others)
        targets = np.asarray(checked.y).reshape(len(cells), -1).T
        targets = [pd.factorize(target, use_na_sentinel=False)[0] for target in targets]  # a gap is a value too
        same = np.unique([cells, *targets], axis=1, return_inverse=True)[1].ravel()
        alone = [duplicate_groups(checked.X, [position]) for position in others]
        if _pairs(same) > _MORE_THAN_CHANCE * _by_chance([*alone, *targets]):
            but = " (but for images)" if images or lacking else ""
            found += _said(same, checked.splits, f"have the same cells{but} and target")
    return found


def giveaways(checked):
    """Say which columns predict the target nearly perfectly each by itself."""
    if sparse.issparse(checked.X) or np.ndim(checked.X) > 2:
        raise NotApplicable("X is no table.")
    table = branch_columns(checked.X, None)
    table = table if isinstance(table, pd.DataFrame) else pd.DataFrame(table)
    kinds = {"classification": is_classifier, "regression": is_regressor}  # or several, which their values tell
    task = next((kind for kind, is_it in kinds.items() if is_it(checked.stack)), None)
    found = find_giveaways(checked.columns, table, describe_targets(checked.y, task))
    return [
        f"Column {checked.columns[position].name!r} may give the target away: {how}. If it is not known when rows are "
        "predicted, leave it out."
        for position, how in found.items()
    ]


# --- what splits tear apart -------------------------------------------------------------------------------------------


def _torn(groups, splits):
    """Return the groups that stand on both sides of a split, and in how many splits there are some."""
    of_splits = [np.intersect1d(groups[training], groups[held_out]) for training, held_out in splits]
    return np.unique(np.concatenate(of_splits)), sum(len(found) > 0 for found in of_splits)


def _said(same, splits, what):
    torn, n_folds = _torn(same, splits)
    if not len(torn):
        return []
    rows = [np.flatnonzero(same == group)[:2].tolist() for group in torn[:_SHOWN]]
    examples = ", ".join(f"{one} and {other}" for one, other in rows)
    examples += ", ..." if len(torn) > _SHOWN else ""
    return [
        f"{_count(int(np.isin(same, torn).sum()), 'row')} that {what} as others on both sides of a split (by position "
        f"{examples}), in {n_folds} of {len(splits)} folds. Give "
        "skstack.model_selection.duplicate_groups(X) as groups to a splitter such as GroupKFold, or leave them out."
    ]


def _count(number, what):
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _examples(groups):
    return ", ".join(repr(group) for group in groups[:_SHOWN].tolist()) + (", ..." if len(groups) > _SHOWN else "")


def _pairs(groups):
    """Return how many pairs of rows are in a group."""
    counts = np.bincount(groups)
    return (counts * (counts - 1) / 2).sum()


def _by_chance(columns):
    """Return how many pairs of rows would be the same if columns had nothing to do with each other."""
    n_rows = len(columns[0])
    pairs = n_rows * (n_rows - 1) / 2
    return pairs * np.prod([_pairs(groups) / pairs for groups in columns])

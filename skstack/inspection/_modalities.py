"""Modalities of a fitted estimator: groups of columns of the table."""

import numpy as np
from scipy import sparse
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .._columns import is_table, resolve_columns
from .._pipelines import last_of, unwrapped
from ..stacking._base import BaseStacking
from ..stacking._predicting import base_models
from ..tasks._multitask import TaskView
from ._tables import as_rows
from ._views import has_parts, is_network, with_its_columns


def check_inspected(estimator, X):
    """Return the fitted estimator, the best one of a search, and X as a table or an array of columns, or raise."""
    estimator = unwrapped(estimator)
    check_is_fitted(estimator)
    X = as_rows(X)
    if sparse.issparse(X):
        raise TypeError("X is a sparse matrix, whose cells cannot be missing: give a dense array or a DataFrame.")
    if len(X.shape) < 2:
        raise ValueError(f"X should be a table with rows and columns, got an array of shape {X.shape}.")
    return estimator, with_its_columns(estimator, X) if has_parts(estimator) else X


def modalities_of(estimator, X, modalities=None):
    """Return the columns of each modality as positions in X.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    X : DataFrame or ndarray of shape (n_samples, n_features)
    modalities : dict of str to columns, default=None
        ``None`` asks the parts of the estimator. Each branch stands for a modality of its columns; branches that share
        columns are one. Columns that learners alone read are modalities of these, in the same way.

    Returns
    -------
    modalities : dict of str to list of int

    Raises
    ------
    ValueError
        If a column is in two modalities or in none of X, or there are no parts to ask.
    """
    if modalities is not None:
        return _given(X, modalities)
    readers = list(readers_of(estimator, X, list(range(X.shape[1]))))
    found = _united([(name, columns) for name, columns, is_branch in readers if is_branch])
    covered = {column for columns in found.values() for column in columns}
    rest = [(name, [c for c in columns if c not in covered]) for name, columns, is_branch in readers if not is_branch]
    return _united([*found.items(), *((name, columns) for name, columns in rest if columns)])


def column_names(X, positions):
    """Return the names of columns of a table, or their positions in an array."""
    return [X.columns[position] for position in positions] if is_table(X) else list(positions)


def _given(X, modalities):
    if not isinstance(modalities, dict) or not modalities:
        raise ValueError(f"'modalities' should be a dict of names and columns with at least one, got {modalities!r}.")
    odd = [name for name in modalities if not isinstance(name, str)]
    if odd:
        raise ValueError(f"names of 'modalities' should be strings, got {odd[0]!r}.")
    found, owner = {}, {}
    for name, columns in modalities.items():
        try:
            positions = resolve_columns(X, columns)
        except ValueError as error:
            raise ValueError(f"modality {name!r}: {error}") from error
        found[name] = list(range(X.shape[1])) if positions is None else np.atleast_1d(positions).tolist()
        if not found[name]:
            raise ValueError(f"modality {name!r} has no columns.")
        for position in found[name]:
            if owner.setdefault(position, name) != name:
                column = column_names(X, [position])[0]
                raise ValueError(f"column {column!r} is in two modalities, {owner[position]!r} and {name!r}.")
    return found


def readers_of(estimator, X, columns):
    """Yield the name of each part that reads columns of X, these columns, and whether it is a branch."""
    estimator = unwrapped(estimator)
    if isinstance(estimator, TaskView):
        yield from readers_of(estimator.estimator, X, columns)
    elif isinstance(estimator, Pipeline):
        yield from readers_of(estimator[-1], X, columns_of_last_step(estimator, X))
    elif isinstance(estimator, BaseStacking):
        for model in base_models(estimator):
            yield from _readers_within(model, X, _chosen(columns, model.positions))
    elif is_network(estimator):
        for part in estimator.branches_:
            yield part.name, _chosen(columns, part.positions), True
    else:
        raise ValueError(
            f"{type(estimator).__name__} is neither a stack nor a network, whose parts say what a modality is: give "
            "'modalities', a dict of names and columns."
        )


def _readers_within(model, X, columns):
    """Return the same of a base model: of its parts, or of itself where it has none that are known to read columns."""
    fitted = model.fitted[0]
    try:
        return list(readers_of(fitted, X, columns)) if has_parts(last_of(fitted)) else [(model.name, columns, False)]
    except ValueError:  # within a pipeline that makes other columns
        return [(model.name, columns, False)]


def _chosen(columns, positions):
    return columns if positions is None else [columns[position] for position in np.atleast_1d(positions)]


def columns_of_last_step(pipeline, X):
    """Return which columns of X the last step of a pipeline gets, by their names."""
    names = list(getattr(unwrapped(pipeline[-1]), "feature_names_in_", []))
    known = list(X.columns) if is_table(X) else []
    if not names or any(name not in known for name in names):
        raise ValueError(
            "the steps before the last one of the Pipeline change the names of columns, so that nobody knows what its "
            "parts read: give 'modalities', a dict of names and columns of X."
        )
    return [known.index(name) for name in names]


def _united(parts):
    """Return parts by name; those that share columns are one, called like the one that holds all, if there is one."""
    groups = []
    for name, columns in parts:
        shared = [group for group in groups if group[1] & set(columns)]
        groups = [group for group in groups if not any(group is other for other in shared)]
        members = [member for group in shared for member in group[0]] + [(name, set(columns))]
        groups.append((members, set().union(*(columns for _, columns in members))))
    united = {}
    for members, columns in groups:
        united[_free_name(_name_of(members, columns), united)] = sorted(columns)
    return united


def _name_of(members, columns):
    whole = [name for name, own in members if own == columns]
    return whole[0] if whole else "+".join(dict.fromkeys(name for name, _ in members))


def _free_name(name, taken):
    number, free = 2, name
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free

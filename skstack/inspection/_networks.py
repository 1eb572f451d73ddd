"""The networks of an estimator that a branch is in, and the columns of X that they get."""

from typing import NamedTuple

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._columns import resolve_columns, select_columns
from .._parts import split_part
from .._suggestions import did_you_mean
from ..network._base import MultimodalNetwork


class FoundNetwork(NamedTuple):
    """A fitted network, and the columns that it gets of the table that the estimator around it takes."""

    network: MultimodalNetwork
    columns: object

    def rows(self, X):
        """Return the columns of X that the network gets."""
        return X if self.columns is None else select_columns(X, resolve_columns(X, self.columns))

    def branch_columns(self, branch, X):
        """Return the columns of X that a branch of the network gets."""
        return self._part(branch).columns_of(self.rows(X))

    def positions(self, branch, X):
        """Return the positions of these columns in X."""
        outer = range(X.shape[1]) if self.columns is None else np.atleast_1d(resolve_columns(X, self.columns))
        inner = self._part(branch).positions
        return [int(outer[place]) for place in (range(len(outer)) if inner is None else np.atleast_1d(inner))]

    def _part(self, branch):
        return next(part for part in self.network.branches_ if part.name == branch)


def find_networks(estimator, branch=None):
    """Return the networks that predict with a branch: one, or one for each fold of a stack with ``refit="folds"``.

    Parameters
    ----------
    estimator : estimator
        A fitted network or stack, or a search around one. Of a stack it is the first base model that has the branch: in
        joint training the network of all branches.
    branch : str, default=None
        Name of a branch; ``None`` is for estimators with one network.

    Returns
    -------
    found : list of FoundNetwork

    Raises
    ------
    ValueError
        If there is no such branch, or no network.
    """
    estimator = getattr(estimator, "best_estimator_", estimator)
    check_is_fitted(estimator)
    if isinstance(estimator, MultimodalNetwork):
        models = {type(estimator).__name__: [FoundNetwork(estimator, None)]}
    else:
        models = _networks_in(estimator)
    if not models:
        raise ValueError(f"{type(estimator).__name__} has no network that one could look into.")
    if branch is None:
        if len(models) > 1:
            raise ValueError(f"the stack has several networks, {[*models]}: name a branch.")
        return next(iter(models.values()))
    names = {name: found for found in reversed(models.values()) for name in _branches(found)}
    if branch not in names:
        known = [*dict.fromkeys(name for found in models.values() for name in _branches(found))]
        raise ValueError(f"there is no branch {branch!r}.{did_you_mean(branch, known)} Branches are {known}.")
    return names[branch]


def _branches(found):
    return [part.name for part in found[0].network.branches_]


def _networks_in(stack):
    """Return the networks among the base models of a stack, by the name of the base model."""
    fitted = getattr(stack, "fold_estimators_", None) or getattr(stack, "named_estimators_", {})
    parts = [split_part(part) for part in getattr(stack, "suggestion_", None) or stack.estimators or []]
    columns = {name: columns for name, part, columns in parts if isinstance(part, MultimodalNetwork)}
    models = {}
    for name, model in fitted.items():
        found = [FoundNetwork(one, columns.get(name)) for one in (model if isinstance(model, list) else [model])]
        if all(isinstance(one.network, MultimodalNetwork) for one in found):
            models[name] = found
    return models

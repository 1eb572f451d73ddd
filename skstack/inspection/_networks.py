"""The networks of an estimator that a branch is in, and the columns of X that they get."""

from typing import NamedTuple

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .._columns import resolve_columns, select_columns
from .._parts import split_part
from .._pipelines import last_of, unwrapped
from .._suggestions import did_you_mean
from ..branches._base import Branch
from ..network._base import MultimodalNetwork
from ..tasks._multitask import TaskView
from ._named_outputs import outputs_in, own_outputs


class FoundNetwork(NamedTuple):
    """A fitted network, and what the estimators around it make of rows and of what it predicts.

    Parameters
    ----------
    network : MultimodalNetwork
    way : tuple, default=()
        What rows go through before the network, from the outside in: columns that are chosen, and pipelines.
    outputs : list of NamedOutput, default=None
        What it predicts, in the words of the outermost estimator; ``None`` for its own words.
    """

    network: MultimodalNetwork
    way: tuple = ()
    outputs: list | None = None

    def rows(self, X):
        """Return the rows that the network gets."""
        for step in self.way:
            X = step.transform(X) if isinstance(step, Pipeline) else select_columns(X, resolve_columns(X, step))
        return X

    def branch_columns(self, branch, X):
        """Return the columns of X that a branch of the network gets."""
        return self._part(branch).columns_of(self.rows(X))

    def positions(self, branch, X):
        """Return the positions of these columns in X, or raise if another estimator makes them of those of X."""
        places = np.arange(X.shape[1])
        for step in self.way:
            if isinstance(step, Pipeline):
                raise ValueError(
                    f"branch {branch!r} gets what a Pipeline within the estimator makes of X, so that its cells are "
                    "not in X: give the Pipeline itself."
                )
            chosen = resolve_columns(X, step)
            X, places = select_columns(X, chosen), np.atleast_1d(places[slice(None) if chosen is None else chosen])
        inner = self._part(branch).positions
        return [int(place) for place in (places if inner is None else places[np.atleast_1d(inner)])]

    def behind(self, step):
        """Return the network as it is found in an estimator that lets rows go through a step before."""
        return self if step is None else self._replace(way=(step, *self.way))

    def within(self, stack):
        """Return the network in the words of a stack that it is a base model of."""
        return self._replace(outputs=outputs_in(stack, self._outputs, self.network.tasks_))

    def for_task(self, name):
        """Return the network as one of a single task."""
        return self._replace(outputs=[output for output in self._outputs if output.name == name])

    @property
    def first_output(self):
        """What to explain where nobody says it: the first of several outputs, or None where there is one."""
        first, *others = self._outputs
        if others:
            return first.name
        return 0 if first.classes is None and self.network.tasks_[first.task].n_units_ > 1 else None

    @property
    def _outputs(self):
        return own_outputs(self.network.tasks_) if self.outputs is None else self.outputs

    def _part(self, branch):
        return next(part for part in self.network.branches_ if part.name == branch)


def find_networks(estimator, branch=None):
    """Return the networks that predict with a branch: one, or one for each fold of a stack with ``refit="folds"``.

    Parameters
    ----------
    estimator : estimator
        A fitted network or stack, one of its tasks, a pipeline that ends in one, or a search around one. Of a stack it
        is the first base model that has the branch: in joint training the network of all branches.
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
    models = networks_in(estimator)
    if not models:
        raise ValueError(f"{type(last_of(estimator)).__name__} has no network that one could look into.")
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


def networks_in(estimator):
    """Return the networks in an estimator by the name of the base model; of one that is none, by the class."""
    estimator = unwrapped(estimator)
    if isinstance(estimator, Pipeline):
        before = estimator[:-1] if len(estimator) > 1 else None
        return _each(networks_in(estimator[-1]), lambda found: found.behind(before))
    if isinstance(estimator, TaskView):
        return _each(networks_in(estimator.estimator), lambda found: found.for_task(estimator.task))
    check_is_fitted(estimator)
    if isinstance(estimator, MultimodalNetwork):
        return {type(estimator).__name__: [FoundNetwork(estimator)]}
    return _networks_in_stack(estimator)


def _networks_in_stack(stack):
    """Return the networks among the base models of a stack, and in these, by the name of the base model."""
    fitted = getattr(stack, "fold_estimators_", None) or getattr(stack, "named_estimators_", {})
    parts = getattr(stack, "suggestion_", None) or getattr(stack, "estimators", None) or []
    columns = {name: columns for name, part, columns in map(split_part, parts) if not isinstance(part, Branch)}
    models = {}
    for name, model in fitted.items():
        inside = [networks_in(one) for one in (model if isinstance(model, list) else [model]) if _may_hold_some(one)]
        for own in inside[0] if inside else ():
            found = [one.behind(columns.get(name)).within(stack) for of_fold in inside for one in of_fold[own]]
            models[name if len(inside[0]) == 1 else f"{name}__{own}"] = found
    return models


def _may_hold_some(model):
    """Tell whether there may be networks in a base model."""
    model = unwrapped(model)
    kinds = (MultimodalNetwork, Pipeline, TaskView)
    return isinstance(model, kinds) or hasattr(model, "fold_estimators_") or hasattr(model, "named_estimators_")


def _each(models, change):
    return {name: [change(one) for one in found] for name, found in models.items()}

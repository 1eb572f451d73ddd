"""Fitted estimators as they are when they see other cells in some columns of the rows.

A stack asks each base model for its rows, and a base model says the same again as long as the columns that it reads are
the same: each is asked once for every combination of its own columns, not of all. A network computes the features of
each branch once, and what is behind the fusion for every combination.
"""

from dataclasses import replace
from functools import partial
from numbers import Integral

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin, is_classifier

from .._columns import check_table, select_columns
from .._protocols import CrossFitter
from ..stacking._base import BaseStacking
from ..stacking._predicting import base_models, seeing
from ..tasks._multitask import MultitaskMixin, TaskView
from ._tables import mixed, rows_of_predictions

#: What is remembered of what an estimator says of rows.
_METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "predict_tasks")


def is_network(estimator):
    """Tell whether an estimator is a fitted network of branches."""
    return isinstance(estimator, CrossFitter) and hasattr(estimator, "branches_")


def has_parts(estimator):
    """Tell whether an estimator is a fitted stack or network, whose parts read columns, or one as a view of a task."""
    return isinstance(estimator, (BaseStacking, TaskView)) or is_network(estimator)


def with_its_columns(estimator, X):
    """Return X, or raise unless it has the columns that a stack or network was fitted with."""
    return check_table(estimator.estimator if isinstance(estimator, TaskView) else estimator, X, reset=False)


def answering(estimator, ask):
    """Return a fitted estimator like another one, whose methods that predict answer without a look at the rows.

    Parameters
    ----------
    estimator : estimator
        Fitted; stays as it is.
    ask : callable
        Called with the name of the method, and further arguments by name.
    """
    same = object.__new__(type(estimator))
    vars(same).update(vars(estimator))
    for name in _METHODS:
        # Of several tasks, predictions follow from those by task, which alone have a mean.
        follows = name != "predict_tasks" and isinstance(estimator, MultitaskMixin)
        if hasattr(estimator, name) and not follows:
            vars(same)[name] = _method(name, ask)
    if not has_parts(estimator):
        # That of a pipeline, say, asks its last step.
        kind = ClassifierMixin if is_classifier(estimator) else RegressorMixin
        vars(same)["score"] = partial(kind.score, same)
    return same


def _method(name, ask):
    def method(X, **params):
        return ask(name, **params)

    method.__name__ = name  # by which scikit-learn's scorers tell what it returns
    return method


def views_of(estimator, X, source, positions=None):
    """Return what makes views of a fitted estimator.

    Parameters
    ----------
    estimator : estimator
    X : DataFrame or ndarray of shape (n_samples, n_features)
    source : DataFrame or ndarray of shape (n_source_rows, n_features)
        Rows whose cells are seen in the place of those of X.
    positions : list of int, int or None
        The columns of X that the estimator gets; ``None`` for all.

    Returns
    -------
    views : Views
    """
    if isinstance(estimator, BaseStacking):
        kind = StackViews
    elif is_network(estimator):
        kind = NetworkViews
    elif isinstance(estimator, TaskView):
        kind = TaskViews
    else:
        kind = Views
    return kind(estimator, X, source, positions)


class Views:
    """Makes views of an estimator of which nothing is known but its columns; see :func:`views_of`."""

    def __init__(self, estimator, X, source, positions=None):
        self.estimator, self.X, self.source, self.positions = estimator, X, source, positions
        self.columns = _as_list(positions, X.shape[1])
        self._known, self._mixed, self._rows = {}, {}, None

    def view(self, absent, rows):
        """Return the estimator as it is when it sees cells of other rows in some columns.

        Parameters
        ----------
        absent : frozenset of int
            Positions of these columns of X.
        rows : ndarray of int of shape (n_samples,)
            For each row of X, whose cells of `source` are seen.

        Returns
        -------
        view : estimator
            Predicts what it sees, whatever it is given.
        """
        absent = absent & frozenset(self.columns)

        def ask(method, **params):
            return self._ask(method, self.table(absent, rows), params) if params else self.predict(method, absent, rows)

        return answering(self.estimator, ask)

    def table(self, absent, rows):
        """Return the columns of the estimator as it sees them."""
        X = mixed(self.X, self.source, rows, absent) if absent else self.X
        return select_columns(X, self.positions)

    def predict(self, method, absent, rows):
        """Return what a method of the estimator says; it is asked once for the same cells."""
        if not absent:
            return self._once((method, "X"), lambda: self._ask(method, self.table(absent, rows)))
        if len(absent) == len(self.columns):
            source = select_columns(self.source, self.positions)
            return rows_of_predictions(self._once((method, "source"), lambda: self._ask(method, source)), rows)
        self._forget(rows)
        key = method, absent
        if key not in self._mixed:
            self._mixed[key] = self._ask(method, self.table(absent, rows))
        return self._mixed[key]

    def _ask(self, method, X, params=None):
        return getattr(self.estimator, method)(X, **params or {})

    def _once(self, key, make):
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]

    def _forget(self, rows):
        """Forget what was said of cells that are mixed in another way."""
        if rows is not self._rows:
            self._mixed, self._rows = {}, rows


class StackViews(Views):
    """Makes views of a stack."""

    def __init__(self, estimator, X, source, positions=None):
        super().__init__(estimator, X, source, positions)
        X, source = (check_table(estimator, select_columns(rows, positions), reset=False) for rows in (X, source))
        self.X, self.source, self.positions = X, source, None
        self._models = base_models(estimator)
        self._of_models = [
            [views_of(fitted, X, source, model.positions) for fitted in model.fitted] for model in self._models
        ]

    def view(self, absent, rows):
        """Return the stack as it is when it sees cells of other rows in some columns."""
        own = frozenset(place for place, column in enumerate(self.columns) if column in absent)
        models = []
        for model, of_model in zip(self._models, self._of_models, strict=True):
            seen = [views.view(own, rows) for views in of_model]
            models.append(replace(model, estimator=seen[0], fold_models=seen if model.fold_models else None))
        return seeing(self.estimator, models, self.table(own, rows))


class NetworkViews(Views):
    """Makes views of a network."""

    def __init__(self, estimator, X, source, positions=None):
        from ..network._branchwise import Branchwise

        super().__init__(estimator, X, source, positions)
        X, source = (check_table(estimator, select_columns(rows, positions), reset=False) for rows in (X, source))
        self.X, self.source, self.positions = X, source, None
        self._network = Branchwise(estimator)
        self._own = [_as_list(part.positions, X.shape[1]) for part in self._network.branches]

    def view(self, absent, rows):
        """Return the network as it is when it sees cells of other rows in some columns."""
        from ..network._branchwise import with_outputs

        own = frozenset(place for place, column in enumerate(self.columns) if column in absent)
        return with_outputs(self.estimator, self._outputs(own, rows))

    def _outputs(self, absent, rows):
        self._forget(rows)
        if absent not in self._mixed:
            features = [self._features(index, absent, rows) for index in range(len(self._own))]
            self._mixed[absent] = self._network.outputs(features)
        return self._mixed[absent]

    def _features(self, index, absent, rows):
        """Return the features of a branch."""
        part, own = self._network.branches[index], self._own[index]
        absent = absent & frozenset(own)
        if not absent:
            return self._once((index, "X"), lambda: self._network.features(part, self.X))
        if len(absent) == len(set(own)):
            features = self._once((index, "source"), lambda: self._network.features(part, self.source))
            return [{name: values[rows] for name, values in of_member.items()} for of_member in features]
        if (index, absent) not in self._mixed:
            self._mixed[index, absent] = self._network.features(part, self.table(absent, rows))
        return self._mixed[index, absent]


class TaskViews(Views):
    """Makes views of one task of an estimator of several."""

    def __init__(self, estimator, X, source, positions=None):
        super().__init__(estimator, X, source, positions)
        self._all_tasks = views_of(estimator.estimator, X, source, positions)

    def view(self, absent, rows):
        """Return the task of the estimator as it is when it sees cells of other rows in some columns."""
        return type(self.estimator)(self._all_tasks.view(absent, rows), self.estimator.task)


def _as_list(positions, n_columns):
    if positions is None:
        return list(range(n_columns))
    return [positions] if isinstance(positions, Integral) else np.asarray(positions).tolist()

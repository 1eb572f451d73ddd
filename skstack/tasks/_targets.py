"""The targets of some rows, by task, with the weight of each row."""

import numpy as np
import pandas as pd

from .._columns import is_table
from .._parts import naming
from .._suggestions import did_you_mean

#: What the only task of an estimator is called, and its output.
ONLY = "output"


class Targets:
    """Checked targets of rows.

    Parameters
    ----------
    tasks : dict of str to Task
        By name.
    y : dict of str to array-like of shape (n_samples,) or (n_samples, n_outputs)
        By the name of the task.
    sample_weight : ndarray of shape (n_samples,), default=None

    Attributes
    ----------
    y : dict of str to ndarray
    weights : dict of str to ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Weight of each row, or of each of its targets where single ones are missing, in the loss of each task; empty
        where all rows are alike.
    """

    def __init__(self, tasks, y, sample_weight=None):
        self.tasks = tasks
        self.sample_weight = sample_weight
        self.y = {}
        for name, task in tasks.items():
            with self._naming(name):
                self.y[name] = task.check(y[name])
        weights = {name: task.row_weight(self.y[name], sample_weight) for name, task in tasks.items()}
        self.weights = {} if all(weight is None for weight in weights.values()) else self._filled(weights)

    def _naming(self, name):
        return naming(f"target {name!r}" if len(self.tasks) > 1 else "")

    def _filled(self, weights):
        ones = np.ones(len(self), dtype="float32")
        return {name: ones if weight is None else weight for name, weight in weights.items()}

    def __len__(self):
        return len(next(iter(self.y.values())))

    @property
    def row_weight(self):
        """What a row counts in what is learned from columns, or None where all are alike.

        The mean of its weights, missing targets apart: the columns of a row that lacks one are as good as others.
        """
        if not self.weights:
            return None
        weights = np.column_stack(list(self.weights.values()))
        return weights.sum(axis=1) / np.maximum((weights > 0).sum(axis=1), 1)

    def weighted_rows(self):
        """Return the indices of the rows that have a weight."""
        weight = self.row_weight
        rows = np.arange(len(self)) if weight is None else np.flatnonzero(weight > 0)
        if not len(rows):
            raise ValueError("every row has weight 0: there is nothing to learn from.")
        return rows

    def stratify_labels(self):
        """Return the labels of the first task that has some, or None."""
        labels = (task.stratify_labels(self.y[name]) for name, task in self.tasks.items())
        return next((of_task for of_task in labels if of_task is not None), None)

    def fit(self, rows, losses):
        """Let the tasks learn from some rows.

        Parameters
        ----------
        rows : ndarray of int
        losses : dict of str to keras.losses.Loss or callable
        """
        for name, task in self.tasks.items():
            weight = self.weights[name][rows] if self.weights else None
            with self._naming(name):
                task.fit(self.y[name], rows, weight, losses.get(name))

    def encode(self):
        """Return what the losses of a network take: ``targets`` and, where rows have weights, ``weights``."""
        encoded = {"targets": {name: task.encode(self.y[name]) for name, task in self.tasks.items()}}
        return encoded | ({"weights": self.weights} if self.weights else {})


def target_names(y):
    """Return the names of the columns of a target: those of a table, or "output_0", "output_1" and so on.

    Parameters
    ----------
    y : DataFrame or array-like of shape (n_samples,) or (n_samples, n_outputs)
        That of one column of no name is "output".
    """
    if is_table(y):
        return [str(name) for name in y.columns]
    if np.asarray(y).ndim == 1:
        return [str(getattr(y, "name", None) or ONLY)]
    return [f"{ONLY}_{index}" for index in range(n_columns(y))]


def n_columns(y):
    """Return the number of columns of a target, 1 if it has no second axis.

    Parameters
    ----------
    y : DataFrame or array-like of shape (n_samples,) or (n_samples, n_outputs)
    """
    shape = np.asarray(y).shape
    return shape[1] if len(shape) > 1 else 1


def by_name(y, names):
    """Return the columns of a target by the names of the tasks.

    Parameters
    ----------
    y : DataFrame or array-like of shape (n_samples, n_outputs)
        The columns of a table are found by their names, those of anything else by their order.
    names : list of str

    Returns
    -------
    columns : dict of str to Series or ndarray of shape (n_samples,)

    Raises
    ------
    ValueError
        If there is no column of a name, or an array has another number of columns.
    """
    if is_table(y):
        labels = {str(label): label for label in y.columns}
        absent = [name for name in names if name not in labels]
        if absent:
            raise ValueError(f"y has no column {absent[0]!r}.{did_you_mean(absent[0], labels)} It has {list(labels)}.")
        return {name: y[labels[name]] for name in names}
    if len(names) == 1 and np.asarray(y).ndim == 1:
        return {names[0]: y}
    # A list of rows may hold classes beside numbers, of which NumPy would make text.
    y = pd.DataFrame(y).to_dict("series") if isinstance(y, (list, tuple)) else dict(enumerate(_matrix(y).T))
    if len(y) != len(names):
        raise ValueError(f"y has {len(y)} columns, but there are {len(names)} tasks: {names}.")
    return dict(zip(names, y.values(), strict=True))


def side_by_side(columns):
    """Return columns of classes as one array: of objects, where text and numbers would otherwise all become text."""
    is_mixed = len({column.dtype.kind == "U" for column in columns}) > 1
    return np.column_stack([column.astype(object) for column in columns] if is_mixed else columns)


def _matrix(y):
    y = np.asarray(y)
    return y[:, np.newaxis] if y.ndim == 1 else y

"""The targets of some rows, by task, with the weight of each row."""

import numpy as np

from .._parts import naming


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
    weights : dict of str to ndarray of shape (n_samples,)
        Weight of each row in the loss of each task; empty where all rows are alike.
    """

    def __init__(self, tasks, y, sample_weight=None):
        self.tasks = tasks
        self.sample_weight = sample_weight
        self.y = {}
        for name, task in tasks.items():
            with naming(f"target {name!r}" if len(tasks) > 1 else ""):
                self.y[name] = task.check(y[name])
        weights = {name: task.row_weight(self.y[name], sample_weight) for name, task in tasks.items()}
        self.weights = {} if all(weight is None for weight in weights.values()) else self._filled(weights)

    def _filled(self, weights):
        ones = np.ones(len(self), dtype="float32")
        return {name: ones if weight is None else weight for name, weight in weights.items()}

    def __len__(self):
        return len(next(iter(self.y.values())))

    @property
    def row_weight(self):
        """What a row counts in what is learned from columns: the mean of its weights, or None where all are alike."""
        return np.mean(list(self.weights.values()), axis=0) if self.weights else None

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
            task.fit(self.y[name], rows, weight, losses.get(name))

    def encode(self):
        """Return what the losses of a network take: ``targets`` and, where rows have weights, ``weights``."""
        encoded = {"targets": {name: task.encode(self.y[name]) for name, task in self.tasks.items()}}
        return encoded | ({"weights": self.weights} if self.weights else {})

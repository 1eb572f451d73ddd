"""Several tasks as one, with a column of the target for each: what a stack predicts that has more than one target."""

from types import SimpleNamespace

import numpy as np

from .._parts import naming
from ._targets import by_name


class SeveralTasks:
    """A task for each column of the target, with what stacks ask of a :class:`~skstack.tasks._base.Task`.

    Checked targets are dicts by the name of the task. Encoded labels are a table of a column each, in which classes are
    positions and NaN stands for what is missing.

    Parameters
    ----------
    tasks : dict of str to Task

    Attributes
    ----------
    has_gaps_ : bool
        Whether some rows lack a target.
    """

    methods = ("predict_proba", "decision_function", "predict")

    def __init__(self, tasks):
        self.tasks = tasks
        self.has_gaps_ = any(task.has_gaps_ for task in tasks.values())

    @property
    def has_classes(self):
        """Whether all targets are classes."""
        return all(task.has_classes for task in self.tasks.values())

    @property
    def classes_(self):
        """The classes of each task, or None for one that has none."""
        return [getattr(task, "classes_", None) for task in self.tasks.values()]

    def check(self, y):
        """Return the checked target of each task by its name; see Task."""
        checked = {}
        for name, column in by_name(y, list(self.tasks)).items():
            task = self.tasks[name]
            with naming(f"target {name!r}"):
                checked[name] = task.check(column)
            task.has_gaps_ = task.present(checked[name]) is not None
        self.has_gaps_ = any(task.has_gaps_ for task in self.tasks.values())
        return checked

    def fit(self, y):
        """Let each task learn from a checked target."""
        for name, task in self.tasks.items():
            with naming(f"target {name!r}"):
                task.fit(y[name])
        return self

    def stratify_labels(self, y):
        """Return None: folds cannot hold the classes of several targets in proportion."""

    def encode_labels(self, y):
        """Return a column for each task; see Task."""
        return np.column_stack([task.encode_labels(y[name]) for name, task in self.tasks.items()])

    def decode_labels(self, predictions):
        """Return the values of each target by the name of its task, from a column for each."""
        decoded = {}
        for (name, task), column in zip(self.tasks.items(), np.asarray(predictions).T, strict=True):
            decoded[name] = task.decode_labels(column.astype(int) if task.has_classes else column)
        return decoded

    def probabilities(self, estimator, predictions):
        """Return the probabilities of the classes of each task, which all have some, as a list."""
        parts = zip(self.tasks.values(), self._parts(estimator, predictions), strict=True)
        return [task.probabilities(of_task, predicted) for task, (of_task, predicted) in parts]

    def prediction_columns(self, estimator, predictions, method):
        """Return the columns that each task makes of its predictions, side by side; see Task."""
        if method == "predict":
            return np.asarray(predictions).reshape(len(predictions), -1)
        columns = []
        parts = self._parts(estimator, predictions, method)
        for task, (of_task, predicted) in zip(self.tasks.values(), parts, strict=True):
            one_column = predicted.ndim == 1 and method != "decision_function"
            columns.append(task.prediction_columns(of_task, predicted, "predict" if one_column else _plain(method)))
        return np.hstack(columns)

    def prediction_names(self, prefix, n_columns):
        """Return the names of these columns, those of their tasks among them."""
        names = []
        for name, task in self.tasks.items():
            n_classes = len(task.classes_) if task.has_classes else 1
            names.extend(task.prediction_names(f"{prefix}_{name}", n_classes if n_classes > 2 else 1))
        if len(names) == n_columns:
            return names
        if len(self.tasks) == n_columns:  # of a base model that predicts classes rather than probabilities
            return [f"{prefix}_{name}" for name in self.tasks]
        return [f"{prefix}{index}" for index in range(n_columns)]

    def _parts(self, estimator, predictions, method="predict_proba"):
        """Return for each task what tells its classes, and its predictions."""
        if isinstance(predictions, dict):
            return [(_knowing(getattr(estimator.for_task(n), "classes_", ())), predictions[n]) for n in self.tasks]
        if isinstance(predictions, list):
            return [(_knowing(known), table) for known, table in zip(estimator.classes_, predictions, strict=True)]
        if method == "decision_function":
            return [(_knowing(()), column) for column in predictions.T]
        # Of two classes each, as of several labels: the probability of the second one.
        return [(_knowing((0, 1)), np.column_stack([1 - column, column])) for column in predictions.T]


def _plain(method):
    return "predict_proba" if method == "predict_tasks" else method


def _knowing(classes):
    return SimpleNamespace(classes_=np.asarray(classes, dtype=int))

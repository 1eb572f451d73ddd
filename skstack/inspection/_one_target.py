"""One target of a stack, among what its models predict."""

import numpy as np
from sklearn.base import is_classifier

from .._suggestions import did_you_mean
from ..stacking._predicting import base_models
from ..tasks._classification import of_both_classes
from ..tasks._quantiles import QuantileTask
from ..tasks._several import SeveralTasks
from ..tasks._targets import by_name


def targets_of(stack):
    """Return the names or positions of the targets of a fitted stack, of which there are none if there is only one."""
    task = stack._task
    if isinstance(task, SeveralTasks):
        return [*task.tasks]
    if is_classifier(stack):
        return [*range(len(stack.classes_))] if isinstance(stack.classes_, list) else []
    if isinstance(task, QuantileTask):
        return []
    n_targets = max(columns.stop - columns.start for columns in stack.member_columns_.values())
    return [*range(n_targets)] if n_targets > 1 else []


class OneTarget:
    """The only target of a stack, or one of several.

    Parameters
    ----------
    stack : estimator
        Fitted.
    target : str or int, default=None
        See :func:`targets_of`.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,) or None
        Its classes, if it has some.

    Raises
    ------
    ValueError
        If there is no such target, or several and none is named.
    """

    def __init__(self, stack, target=None):
        self._stack, self._target, self._names = stack, target, targets_of(stack)
        self._check()
        self.classes = self._classes()

    def _check(self):
        if isinstance(self._stack._task, QuantileTask):
            raise ValueError("this stack predicts several values for each row, quantiles, of which none is drawn.")
        if self._target is None and self._names:
            raise ValueError(
                "this stack predicts several values for each row: one target can be drawn at a time, give 'target', "
                f"one of {self._names}."
            )
        if self._target is not None and self._target not in self._names:
            known = f"should be one of {self._names}" if self._names else "is for stacks of several targets"
            hint = did_you_mean(self._target, self._names)
            raise ValueError(f"'target' {known}, got {self._target!r}.{hint}")

    def _classes(self):
        task = self._stack._task
        if isinstance(task, SeveralTasks):
            return getattr(task.tasks[self._target], "classes_", None)
        if not is_classifier(self._stack):
            return None
        return self._stack.classes_ if self._target is None else self._stack.classes_[self._target]

    def column(self, y):
        """Return the target among all of some rows."""
        if self._target is None:
            return y
        if isinstance(self._stack._task, SeveralTasks):
            return np.asarray(by_name(y, self._names)[self._target])
        return np.asarray(y)[:, self._target]

    def of_stack(self, X):
        """Return what the stack predicts of it: numbers, classes or probabilities of all classes."""
        stack, place = self._stack, None if self._target is None else self._names.index(self._target)
        if hasattr(stack, "predict_tasks"):
            return stack.predict_tasks(X)[self._target]
        if not hasattr(stack, "predict_proba"):
            predictions = np.asarray(stack.predict(X))
            return predictions if place is None else predictions[:, place]
        probabilities = stack.predict_proba(X)
        if place is None or isinstance(probabilities, list):
            return probabilities if place is None else probabilities[place]
        return of_both_classes(probabilities[:, place])

    def of_members(self, columns):
        """Return what base models predict of it, those that do, from the columns that the final estimator gets."""
        tasks = {model.name: model.task for model in base_models(self._stack)}
        methods = zip(self._stack.member_columns_.items(), self._stack.stack_method_, strict=True)
        found = {name: self.decoded(columns[:, place], method, tasks[name]) for (name, place), method in methods}
        return {name: values for name, values in found.items() if values is not None}

    def decoded(self, columns, method, task=None):
        """Return numbers, classes or probabilities of all classes from columns of a model, which say it shorter.

        Parameters
        ----------
        columns : ndarray of shape (n_samples, n_columns)
        method : str
            Of the model, that they come from.
        task : Task, default=None
            What it predicts; ``None`` for all that the stack does.
        """
        columns = columns[:, self._own(self._stack._task if task is None else task, columns.shape[1])]
        if not columns.shape[1]:
            return None
        if self.classes is None:
            return columns[:, 0].astype("float64")
        n_classes = len(self.classes)
        if method in ("predict_proba", "predict_tasks") and columns.shape[1] == (1 if n_classes == 2 else n_classes):
            return of_both_classes(columns) if n_classes == 2 else columns
        if method == "decision_function":
            places = columns.argmax(axis=1) if columns.shape[1] > 1 else (columns[:, 0] > 0).astype(int)
        else:
            places = np.nan_to_num(columns[:, 0]).astype(int)
        return self.classes[places]

    def _own(self, task, n_columns):
        """Return which columns of predictions are about it."""
        if self._target is None:
            return slice(None)
        if isinstance(task, SeveralTasks):
            return np.flatnonzero(np.array(task.column_tasks(n_columns)) == self._target)
        return [self._target]

"""What estimators of several tasks have in common: predictions by task, and each task as an estimator of its own."""

from abc import ABC, abstractmethod

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .._pipelines import last_of
from .._suggestions import did_you_mean
from ._targets import by_name


def _predicts_classes(estimator):
    """Tell whether an estimator has a task with classes, or may get one."""
    return any(task.has_classes for task in getattr(estimator, "tasks_", {}).values()) or not hasattr(
        estimator, "tasks_"
    )


class MultitaskMixin(ABC):
    """Predictions by task of an estimator whose attribute ``tasks_`` holds the fitted tasks by name."""

    @abstractmethod
    def predict_tasks(self, X):
        """Predict what each task has to say of rows: numbers, or probabilities of classes.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data.

        Returns
        -------
        predictions : dict of str to ndarray of shape (n_samples,) or (n_samples, n_classes)
            By the name of the task.
        """

    @property
    def classes_(self):
        """The classes of each task that has some, by its name."""
        return {name: task.classes_ for name, task in self.tasks_.items() if task.has_classes}

    def predict(self, X):
        """Predict the target of each task.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data.

        Returns
        -------
        y : DataFrame of shape (n_samples, n_tasks)
            Numbers in the units of their target, and the most probable classes; with the index of X, if X has one.
        """
        predictions = self.predict_tasks(X)
        columns = {
            name: task.predict(predictions[name]) if task.has_classes else predictions[name]
            for name, task in self.tasks_.items()
        }
        return pd.DataFrame(columns, index=X.index if hasattr(X, "iloc") else None)

    @available_if(_predicts_classes)
    def predict_proba(self, X):
        """Predict the probabilities of the classes of each task that has some.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data.

        Returns
        -------
        probabilities : dict of str to ndarray of shape (n_samples, n_classes)
            By the name of the task, in the order of ``classes_``.
        """
        predictions = self.predict_tasks(X)
        return {name: predictions[name] for name, task in self.tasks_.items() if task.has_classes}

    def score(self, X, y, sample_weight=None):
        """Return the mean of the scores of the tasks: R2 of numbers, accuracy of classes.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data.
        y : DataFrame or array-like of shape (n_samples, n_tasks)
            True targets; each task counts the rows that have its own.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        score : float
        """
        predictions, columns = self.predict(X), by_name(y, list(self.tasks_))
        scores = [
            task.score(task.check(columns[name]), predictions[name].to_numpy(), sample_weight)
            for name, task in self.tasks_.items()
        ]
        return float(np.mean(scores))

    def for_task(self, task):
        """Return this estimator as a fitted regressor or classifier for one of its tasks.

        scikit-learn's scorers and displays take it: ``ConfusionMatrixDisplay.from_estimator(network.for_task("won"),
        X, y["won"])``.

        Parameters
        ----------
        task : str
            The name of the task.

        Returns
        -------
        view : estimator
            Predicts with this estimator, fitted again or not; its own ``fit`` does nothing.
        """
        check_is_fitted(self)
        return view_of_task(self, self.tasks_, task)


def fitted_tasks(estimator):
    """Return the fitted tasks by name of an estimator of several, which may stand at the end of pipelines or searches.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    Returns
    -------
    tasks : dict of str to Task

    Raises
    ------
    TypeError
        If it is no such estimator.
    """
    inner = last_of(estimator)
    if not hasattr(inner, "tasks_"):
        raise TypeError(f"{estimator!r} does not predict several tasks.")
    return inner.tasks_


def view_of_task(estimator, tasks, task):
    """Return an estimator as a regressor or classifier for one of the tasks that it predicts.

    Parameters
    ----------
    estimator : estimator
        Fitted; predicts a column for each task.
    tasks : dict of str to Task
        Fitted.
    task : str

    Returns
    -------
    view : estimator
    """
    if task not in tasks:
        raise ValueError(f"there is no task {task!r}.{did_you_mean(task, tasks)} Known are {[*tasks]}.")
    return (_ClassificationView if tasks[task].has_classes else _RegressionView)(estimator, task)


class TaskView(BaseEstimator):
    """One task of a fitted estimator of several."""

    def __init__(self, estimator, task):
        self.estimator = estimator
        self.task = task

    def fit(self, X, y):
        """Leave the estimator as it is."""
        return self

    def predict(self, X):
        """Predict the target of the task."""
        return self.estimator.predict(X)[self.task].to_numpy()

    def __sklearn_is_fitted__(self):
        return True


class _RegressionView(RegressorMixin, TaskView):
    """A task that predicts numbers."""


class _ClassificationView(ClassifierMixin, TaskView):
    """A task that predicts classes."""

    @property
    def classes_(self):
        return self.estimator.classes_[self.task]

    def predict_proba(self, X):
        """Predict the probabilities of the classes of the task."""
        return self.estimator.predict_proba(X)[self.task]

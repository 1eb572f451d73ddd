"""Scorers of single tasks, for scikit-learn's cross-validation and searches."""

import numpy as np
import pandas as pd
from sklearn.metrics import get_scorer

from .._compat import take
from ._multitask import fitted_tasks, view_of_task
from ._targets import by_name

#: What a task is scored by where nothing is said.
_DEFAULTS = {"regressor": "r2", "classifier": "accuracy"}


class TaskScorer:
    """A scorer of one task; see :func:`make_task_scorer`."""

    def __init__(self, task, scoring):
        self.task = task
        self.scoring = scoring

    def __repr__(self):
        return f"make_task_scorer({self.task!r}, {self.scoring!r})"

    def __call__(self, estimator, X, y, **params):
        """Return the score of an estimator of several tasks, or a pipeline or search that ends with one.

        The rows count that have the target of this one.
        """
        tasks = fitted_tasks(estimator)
        view = view_of_task(estimator, tasks, self.task)
        column = by_name(y, list(tasks))[self.task]
        rows = np.flatnonzero(pd.notna(np.asarray(column)))
        if not len(rows):
            raise ValueError(f"none of the {len(column)} rows to score has a target of the task {self.task!r}.")
        scoring = _DEFAULTS[view.__sklearn_tags__().estimator_type] if self.scoring is None else self.scoring
        scorer = get_scorer(scoring) if isinstance(scoring, str) else scoring
        truth = np.asarray(np.asarray(column)[rows].tolist())  # of their own type, without what stands for gaps
        params = {name: take(value, rows, axis=0) for name, value in params.items() if value is not None}
        return scorer(view, take(X, rows, axis=0), truth, **params)


def make_task_scorer(task, scoring=None):
    """Make a scorer of one task of an estimator of several.

    Parameters
    ----------
    task : str
        The name of the task.
    scoring : str or callable, default=None
        A scorer of scikit-learn or its name, such as "neg_log_loss"; ``None`` is "r2" for numbers and "accuracy" for
        classes.

    Returns
    -------
    scorer : callable
        Takes an estimator, X and y, of which the rows count that have a target of the task.

    See Also
    --------
    make_task_scorers : Several at once.

    Examples
    --------
    >>> from skstack.tasks import make_task_scorer
    >>> make_task_scorer("won", "neg_log_loss")
    make_task_scorer('won', 'neg_log_loss')
    """
    return TaskScorer(task, scoring)


def make_task_scorers(scoring):
    """Make scorers of several tasks, as ``scoring`` of :func:`~sklearn.model_selection.cross_validate`.

    Parameters
    ----------
    scoring : dict of str to str, callable or list of str
        What each task is scored by; see :func:`make_task_scorer`.

    Returns
    -------
    scorers : dict of str to callable
        By names such as ``"won_neg_log_loss"``, or that of the task for a callable or ``None``.

    Examples
    --------
    >>> from skstack.tasks import make_task_scorers
    >>> scorers = make_task_scorers({"score_diff": "neg_mean_absolute_error", "won": ["accuracy", "neg_log_loss"]})
    >>> sorted(scorers)
    ['score_diff_neg_mean_absolute_error', 'won_accuracy', 'won_neg_log_loss']
    """
    scorers = {}
    for task, given in scoring.items():
        for one in given if isinstance(given, (list, tuple)) else [given]:
            scorers[f"{task}_{one}" if isinstance(one, str) else task] = TaskScorer(task, one)
    return scorers

"""What a user says of the tasks of a network or a stack of several: by a name, or by an object where there is more."""

from graphlib import CycleError, TopologicalSorter
from numbers import Real

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions

from .._doc_links import DocLinkMixin
from .._parts import check_instance, naming
from .._suggestions import SuggestingParams, did_you_mean
from ._base import FEATURES
from ._classification import ClassificationTask
from ._regression import RegressionTask


class TaskSpec(DocLinkMixin, SuggestingParams, BaseEstimator):
    """What regression and classification have in common."""

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        "loss": [str, callable, None],
        "weight": [Interval(Real, 0, None, closed="neither")],
        "metrics": [list, None],
        "inputs": [str, list, tuple, None],
    }

    def make_task(self, owner):
        """Return the task of predicting a target of this kind.

        Parameters
        ----------
        owner : str
            What messages call the estimator.
        """
        self._validate_params()
        task = self._bare_task(owner)
        task.loss, task.metrics, task.loss_weight = self.loss, self.metrics, float(self.weight)
        task.inputs = (self.inputs,) if isinstance(self.inputs, str) else tuple(self.inputs or ())
        return task


class Regression(TaskSpec):
    """A task of :class:`~skstack.MultitaskNetwork`: predict numbers.

    Rows may lack the number (NaN): they have no weight in the loss of this task.

    Parameters
    ----------
    loss : str, keras.losses.Loss or callable, default=None
        A Keras loss; ``None`` is "mean_squared_error". Squared, absolute, Huber and log-cosh losses are computed on the
        standardised target, so that losses of tasks in different units can be added.
    weight : float, default=1.0
        What the loss counts beside those of the other tasks.
    metrics : list of str or keras.metrics.Metric, default=None
        Keras metrics, in the target's own units, to be followed in ``history_``.
    inputs : str or list of str, default=None
        Names of other tasks whose outputs this one is computed from, instead of the features of the row; "features"
        among them adds these. It gets a number as the network computes it, with mean 0 and deviation 1, and the
        probabilities of classes.

    See Also
    --------
    Classification : Predict classes.

    Examples
    --------
    >>> from skstack.tasks import Regression
    >>> Regression(loss="mae", weight=2.0)
    Regression(loss='mae', weight=2.0)
    """

    def __init__(self, *, loss=None, weight=1.0, metrics=None, inputs=None):
        self.loss = loss
        self.weight = weight
        self.metrics = metrics
        self.inputs = inputs

    def _bare_task(self, owner):
        return RegressionTask(allow_missing=True)


class Classification(TaskSpec):
    """A task of :class:`~skstack.MultitaskNetwork`: predict one of several classes.

    Rows may lack their class (NaN or None): they have no weight in the loss of this task.

    Parameters
    ----------
    loss : str, keras.losses.Loss or callable, default=None
        A Keras loss; ``None`` is the cross-entropy.
    weight : float, default=1.0
        What the loss counts beside those of the other tasks.
    metrics : list of str or keras.metrics.Metric, default=None
        Keras metrics to be followed in ``history_``.
    class_weight : dict or "balanced", default=None
        Weight of each class in the loss; "balanced" makes it inversely proportional to its frequency.
    inputs : str or list of str, default=None
        Names of other tasks whose outputs this one is computed from, instead of the features of the row; "features"
        among them adds these. It gets a number as the network computes it, with mean 0 and deviation 1, and the
        probabilities of classes.

    See Also
    --------
    Regression : Predict numbers.

    Examples
    --------
    >>> from skstack.tasks import Classification
    >>> Classification(inputs="score_diff")
    Classification(inputs='score_diff')
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        **TaskSpec._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(self, *, loss=None, weight=1.0, metrics=None, class_weight=None, inputs=None):
        self.loss = loss
        self.weight = weight
        self.metrics = metrics
        self.class_weight = class_weight
        self.inputs = inputs

    def _bare_task(self, owner):
        return ClassificationTask(owner, self.class_weight, allow_missing=True)


#: Kinds of tasks by their short names.
KINDS = {"regression": Regression, "classification": Classification}


def find_specs(specs, columns, owner):
    """Return what each column of a target is for.

    Parameters
    ----------
    specs : dict of str to str or TaskSpec
        By the name of the column; the kind of one that is not named is inferred, see :func:`inferred`.
    columns : dict of str to Series or ndarray of shape (n_samples,)
    owner : str
        What messages call the estimator.

    Returns
    -------
    found : dict of str to TaskSpec

    Raises
    ------
    ValueError, TypeError
        If there is no column of a name, or a task is not what it should be, naming it.
    """
    unknown = [name for name in specs if name not in columns]
    if unknown:
        hint = did_you_mean(unknown[0], columns)
        raise ValueError(f"'tasks' of {owner} name {unknown[0]!r}, which is no column of y.{hint} It has {[*columns]}.")
    found = {}
    for name, column in columns.items():
        with naming(f"task {name!r} of {owner}"):
            found[name] = inferred(column) if specs.get(name) is None else as_spec(specs[name])
    return found


def make_tasks(specs, owner):
    """Return the tasks that specifications ask for.

    Parameters
    ----------
    specs : dict of str to TaskSpec
    owner : str
        What messages call the estimator.

    Returns
    -------
    tasks : dict of str to Task

    Raises
    ------
    ValueError, TypeError
        If a parameter of one cannot be used, naming the task.
    """
    tasks = {}
    for name, spec in specs.items():
        with naming(f"task {name!r} of {owner}"):
            tasks[name] = spec.make_task(owner)
    for name in tasks:
        with naming(f"task {name!r} of {owner}"):
            _check_inputs(name, tasks)
    in_order(tasks)
    return tasks


def as_spec(spec):
    """Return what a user gave for a task, a short name or an object, as an object."""
    check_instance(spec, "a task")
    if isinstance(spec, str):
        if spec not in KINDS:
            raise ValueError(f"unknown task {spec!r}.{did_you_mean(spec, KINDS)} Known are {sorted(KINDS)}.")
        return KINDS[spec]()
    if not isinstance(spec, TaskSpec):
        raise TypeError(f"should be one of {sorted(KINDS)} or an object of skstack.tasks, got {spec!r}.")
    return spec


def inferred(column):
    """Return the kind of task that a column of a target is for.

    Text, categories, truth values and numbers of two values are classes; other numbers are numbers.

    Parameters
    ----------
    column : Series or ndarray of shape (n_samples,)
    """
    values = pd.Series(np.asarray(column)).dropna().infer_objects()
    is_number = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    is_category = isinstance(getattr(column, "dtype", None), pd.CategoricalDtype)
    return Regression() if is_number and not is_category and values.nunique() > 2 else Classification()


def _check_inputs(name, tasks):
    """Raise unless what a task is computed from are other tasks."""
    known = [*(other for other in tasks if other != name), FEATURES]
    for wanted in tasks[name].inputs:
        if wanted not in known:
            hint = did_you_mean(wanted, known)
            raise ValueError(f"'inputs' name {wanted!r}, which is no other task.{hint} Known are {known}.")
    if FEATURES in tasks and FEATURES in tasks[name].inputs:
        raise ValueError(f"{FEATURES!r} in 'inputs' stands for those of the row: call the task of this name otherwise.")


def in_order(tasks):
    """Return the names of tasks in an order in which each comes behind those that it is computed from.

    Parameters
    ----------
    tasks : dict of str to Task

    Raises
    ------
    ValueError
        If tasks are computed from each other in a circle.
    """
    graph = {name: [other for other in task.inputs if other != FEATURES] for name, task in tasks.items()}
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise ValueError(f"tasks are computed from each other in a circle: {' -> '.join(error.args[1])}.") from None

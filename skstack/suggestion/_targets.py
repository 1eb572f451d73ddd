"""What is predicted, as far as suggestions go by it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._columns import is_table
from ..tasks._specs import Classification, inferred
from ..tasks._targets import by_name, target_names

#: Rows of a class, so that ten folds and a tenth set aside in each leave some on either side.
_MIN_OF_CLASS = 20


@dataclass
class Target:
    """A target.

    Parameters
    ----------
    name : str or None
        None for the only one.
    values : ndarray of shape (n_samples,)
    has_classes : bool
    """

    name: object
    values: np.ndarray
    has_classes: bool

    @property
    def n_classes(self):
        """Number of classes, 1 for numbers."""
        return max(len(self._counts), 1)

    @property
    def can_be_divided(self):
        """Whether rows of every class can be set aside in every fold."""
        return not len(self._counts) or self._counts.min() >= _MIN_OF_CLASS

    @property
    def _counts(self):
        return pd.Series(self.values).value_counts().to_numpy() if self.has_classes else np.empty(0)

    def is_skewed(self, tail):
        """Tell whether these are positive numbers of a skewness of at least `tail`, and their logarithms of less."""
        if self.has_classes:
            return False
        values = pd.Series(self.values).dropna().astype("float64")
        if values.min() <= 0 or values.nunique() < 10:
            return False
        skew = values.skew()
        return bool(skew > tail and abs(np.log(values).skew()) < skew)


def describe_targets(y, task=None):
    """Return the targets of y.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    task : {"regression", "classification"}, dict of str to one of them, or None, default=None
        What is predicted, by the name of the column for several targets. ``None`` goes by the values: text, categories,
        truth values and numbers of two values are classes, other numbers are numbers.

    Returns
    -------
    targets : list of Target
    """
    values = np.asarray(y)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 1:
        columns = {None: values}
    else:
        columns = by_name(y, list(task) if isinstance(task, dict) and not is_table(y) else target_names(y))
    kinds = task if isinstance(task, dict) else dict.fromkeys(columns, task)
    if isinstance(task, dict) and None in columns:
        kinds = {None: next(iter(task.values()))}
    return [Target(name, np.asarray(column), _has_classes(kinds.get(name), column)) for name, column in columns.items()]


def _has_classes(kind, column):
    if kind is None:
        kind = "classification" if isinstance(inferred(column), Classification) else "regression"
    return kind == "classification"

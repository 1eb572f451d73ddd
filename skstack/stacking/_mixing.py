"""The final estimator of a stack: the features and the rows that it gets, and fitting it."""

from copy import copy
from numbers import Integral

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold
from sklearn.utils import compute_sample_weight

from .._columns import branch_columns, is_table, resolve_columns, select_columns
from .._compat import take
from .._parts import naming, noting
from .._validation import rows_of
from ..reading._cells import numbers
from ._per_target import PerTarget
from ._splits import params_of_rows, predicted_rows

#: Folds for what cannot be estimated with the splits of the stack.
_N_OWN_FOLDS = 5


class FinalFeatures:
    """What the final estimator gets: predictions of the base models, missing indicators, columns passed through.

    Parameters
    ----------
    X : DataFrame, array or sparse matrix of shape (n_samples, ...)
        The training rows.
    passthrough : bool or columns
        See :class:`~skstack.MultimodalStackingRegressor`.
    """

    def __init__(self, X, passthrough):
        self.passes = passthrough is not False
        self._passed = resolve_columns(X, _columns(passthrough))

    def check_passed(self, X, final):
        """Raise if a column is passed through that the final estimator cannot read, naming it.

        An estimator of scikit-learn or ours that holds no others reads numbers, unless it has a parameter for
        categories; what any other one reads is not known.
        """
        shallow, deep = final.get_params(deep=False), final.get_params(deep=True)
        known = type(final).__module__.partition(".")[0] in ("sklearn", __name__.partition(".")[0])
        if not self.passes or not known or len(shallow) < len(deep) or "categorical_features" in shallow:
            return
        if is_table(X) or (X.ndim == 2 and X.dtype == object):
            with naming(f"passthrough to the final estimator {type(final).__name__}"):
                numbers(branch_columns(X, self._passed))

    def learn(self, prefix, models, predictions, missing):
        """Learn how the columns are called, and for which branches there are indicators.

        Parameters
        ----------
        prefix : str
            Begins the name of each prediction.
        models : list of BaseModel
        predictions : list of ndarray of shape (n_samples, n_columns)
            Of each base model.
        missing : dict of str to ndarray of bool
            By the name of a branch, which rows it has nothing for; only those of which there are any are indicated.
        """
        self.indicated = [name for name, rows in missing.items() if rows.any()]
        self.names = []
        for model, columns in zip(models, predictions, strict=True):
            self.names.extend(model.task.prediction_names(f"{prefix}_{model.name}", columns.shape[1]))
        self.names.extend(f"missingindicator_{name}" for name in self.indicated)

    def join(self, X, predictions, missing):
        """Return the features.

        Parameters
        ----------
        X : DataFrame, array or sparse matrix of shape (n_samples, ...)
        predictions : list of ndarray of shape (n_samples, n_columns)
            Of each base model.
        missing : dict of str to ndarray of bool of shape (n_samples,)
            By the name of each indicated branch, which rows it has nothing for.

        Returns
        -------
        features : ndarray, sparse matrix or DataFrame of shape (n_samples, n_features)
            Of the kind of X, if columns of it are passed through.
        """
        indicators = [missing[name].astype("float64")[:, np.newaxis] for name in self.indicated]
        stacked = np.hstack([*predictions, *indicators])
        if not self.passes:
            return stacked
        passed = select_columns(X, self._passed)
        if sparse.issparse(passed):
            return sparse.hstack([stacked, passed], format=passed.format)
        if not is_table(passed):
            if passed.ndim != 2:
                raise ValueError(f"passthrough needs columns, but X has rows of shape {passed.shape[1:]}.")
            return np.hstack([stacked, passed])
        passed = passed if hasattr(passed, "iloc") else passed.to_pandas()
        return pd.concat([pd.DataFrame(stacked, index=passed.index, columns=self.names), passed], axis=1)

    def names_out(self, input_features):
        """Return the name of each feature, for the names of the columns of X."""
        if not self.passes:
            return np.asarray(self.names, dtype=object)
        passed = input_features if self._passed is None else input_features[self._passed]
        return np.asarray([*self.names, *passed], dtype=object)


def _columns(passthrough):
    if isinstance(passthrough, (bool, np.bool_)):
        return None
    return [passthrough] if isinstance(passthrough, (str, Integral)) else passthrough


def missing_rows(models, X):
    """Return which rows of X each branch has nothing for, by the name of the branch.

    Parameters
    ----------
    models : list of BaseModel
        Fitted.
    X : DataFrame, array or sparse matrix of shape (n_samples, ...)
    """
    return {
        name: rows for model in models if model.has_branches for name, rows in model.fitted[0].missing_rows(X).items()
    }


class OutOfFold:
    """The rows that base models predicted out of fold, which a final estimator is fitted to.

    Folds in time order never predict the earliest rows, say.

    Parameters
    ----------
    task : Task
        What the stack predicts.
    models : list of BaseModel
    predictions : list of ndarray of shape (n_samples, n_columns)
        Of each base model.
    features : ndarray, sparse matrix or DataFrame of shape (n_samples, n_features)
        What the final estimator gets.
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Encoded labels.
    splits : list of (ndarray, ndarray) or None
        Of the stack.
    sample_weight, groups : array-like of shape (n_samples,) or None
    fit_params : dict
        Further arguments of ``fit`` of the final estimator.
    class_weight : dict or "balanced", default=None
        By encoded labels; what rows count in scores beside their own weight.

    Attributes
    ----------
    splits : list of (ndarray, ndarray)
        Positions among these rows: to fit on and to judge what was fitted. In time order the first fold leaves nothing
        to fit on, and others may lack a class. Where no split is left, or there was none, rows are split by group, by
        class or in their order.
    """

    def __init__(
        self, task, models, predictions, features, y, splits, sample_weight, groups, fit_params, class_weight=None
    ):
        n_samples = len(y)
        rows = np.arange(n_samples) if splits is None else predicted_rows(splits)
        self._rows, self._n_samples = rows, n_samples
        some = len(rows) < n_samples
        self._models, self._class_weight = models, class_weight
        self.task = task
        self.methods = {model.name: model.method for model in models}
        self.averaged = [model.name for model in models if model.can_be_averaged]
        self.scored = [model.name for model in models if self.task.predicts_same(model.estimator)]
        self.predictions = {m.name: columns[rows] for m, columns in zip(models, predictions, strict=True)}
        self.features = take(features, rows, axis=0) if some else features
        self.fit_params = params_of_rows(fit_params, rows, n_samples) if some else fit_params
        self.y, self.sample_weight = y[rows], rows_of(sample_weight, rows)
        self.groups = None if groups is None else np.asarray(groups)[rows]
        self.splits = self._nested(splits or [], rows) or self._own_splits()

    @property
    def weight_params(self):
        """Arguments of ``fit`` of what takes weights."""
        return {} if self.sample_weight is None else {"sample_weight": self.sample_weight}

    @property
    def score_weight(self):
        """What each row counts in scores, or None where all are alike."""
        if self._class_weight is None:
            return self.sample_weight
        of_class = compute_sample_weight(self._class_weight, self.y)
        return of_class if self.sample_weight is None else of_class * self.sample_weight

    def members(self):
        """Return the predictions that can be averaged, side by side."""
        return np.hstack([self.predictions[name] for name in self.averaged])

    def spread(self, columns):
        """Return columns of these rows for all rows that these were taken from, NaN for the others."""
        spread = np.full((self._n_samples, columns.shape[1]), np.nan)
        spread[self._rows] = columns
        return spread

    def of_task(self, name):
        """Return the same for one of several tasks, by the rows that have its target.

        Parameters
        ----------
        name : str

        Returns
        -------
        data : OutOfFold
        rows : ndarray of int
            Which of these rows it holds.
        places : ndarray of int
            Where the columns of its members stand among the predictions of all base models.
        """
        y = self.y[:, list(self.task.tasks).index(name)]
        rows, view = np.flatnonzero(~np.isnan(y)), copy(self)
        view._rows, view._n_samples = rows, len(y)
        view.task = self.task.tasks[name]
        view.y = y[rows].astype(int) if view.task.has_classes else y[rows]
        view.sample_weight, view.groups = rows_of(self.sample_weight, rows), rows_of(self.groups, rows)
        view.predictions, view.methods, places, n_before = {}, {}, [], 0
        for model in self._models:
            columns = self.predictions[model.name]
            owned = np.flatnonzero(np.array(model.task.column_tasks(columns.shape[1])) == name)
            if len(owned):
                view.predictions[model.name] = columns[rows][:, owned]
                view.methods[model.name] = _method_for(name, view.task, model)
                if view.task.can_average(view.methods[model.name]):
                    places.extend(n_before + owned)
            n_before += columns.shape[1]
        view.averaged = [model for model, method in view.methods.items() if view.task.can_average(method)]
        view.scored = list(view.predictions)
        view.splits = view._nested(self.splits, rows) or view._own_splits()
        return view, rows, np.array(places, dtype=int)

    def _nested(self, splits, rows):
        known = [tuple(part[np.isin(part, rows)] for part in split) for split in splits]
        nested = [tuple(np.searchsorted(rows, part) for part in split) for split in known]
        return [split for split in nested if len(split[1]) and self._suffices(split[0])]

    def _suffices(self, rows):
        """Tell whether something can be fitted to rows: there are several, of all classes if rows have one each."""
        if self.task.has_classes and self.y.ndim == 1:
            return len(np.unique(self.y[rows])) == len(np.unique(self.y))
        return len(rows) > 1

    def _own_splits(self):
        splitter, n_units = KFold, len(self.y)
        if self.groups is not None:
            splitter, n_units = GroupKFold, len(np.unique(self.groups))
        elif self.task.has_classes and self.y.ndim == 1:
            splitter, n_units = StratifiedKFold, np.unique(self.y, return_counts=True)[1].min()
        if n_units < 2:
            return []
        splits = splitter(min(_N_OWN_FOLDS, n_units)).split(self.y, self.y, self.groups)
        return [split for split in splits if self._suffices(split[0])]


def _method_for(name, task, model):
    """Return by which method a base model of several tasks has predicted one of them."""
    if model.method != "predict_tasks":
        return model.method
    if not task.has_classes:
        return "predict"
    alone = model.estimator.estimators[name] if isinstance(model.estimator, PerTarget) else None
    return "predict_proba" if alone is None or hasattr(alone, "predict_proba") else "predict"


def fit_final(final, data, stages):
    """Fit the final estimator and return it.

    Parameters
    ----------
    final : estimator
    data : OutOfFold
    stages : Stages
        Are told of it.
    """
    with stages.stage("final estimator", 1) as stage, stage.whole().fitting(final, data.features, data.y):
        with noting("in the final estimator"):
            return final.fit(data.features, data.y, **data.fit_params)

"""Learners and final estimators that are fitted to each of several targets by itself, on the rows that have it."""

import numpy as np
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags

from .._compat import num_samples, take
from .._protocols import TakesGaps
from .._seed_ensemble import SeedEnsemble
from ..tasks._multilabel import MultilabelTask
from ..tasks._several import SeveralTasks
from ._routing import last_step
from ._splits import params_of_rows


class PerTarget(BaseEstimator):
    """An estimator for each of several targets.

    Parameters
    ----------
    estimators : dict of str or int to estimator
        By the name of the target.
    columns : list of int
        The column of y that each of them is fitted to, where it is not NaN.
    features : list of (ndarray of int or None), default=None
        The columns of X that each of them gets; ``None`` for all.

    Attributes
    ----------
    estimators_ : dict of str or int to estimator
        Fitted.
    """

    def __init__(self, estimators, columns, features=None):
        self.estimators = estimators
        self.columns = columns
        self.features = features

    def fit(self, X, y, sample_weight=None, **fit_params):
        """Fit each estimator to its target.

        Parameters
        ----------
        X : DataFrame, array or sparse matrix of shape (n_samples, n_features)
        y : ndarray of shape (n_samples, n_targets)
        sample_weight : array-like of shape (n_samples,), default=None
        **fit_params : dict
            Of each estimator; what has a value per row is cut to the rows of the target.

        Returns
        -------
        self : PerTarget
        """
        if sample_weight is not None:
            fit_params["sample_weight"] = sample_weight
        self.estimators_ = {}
        for index, (name, estimator) in enumerate(self.estimators.items()):
            self.estimators_[name] = self._fit_one(index, name, estimator, X, y[:, self.columns[index]], fit_params)
        return self

    def _fit_one(self, index, name, estimator, X, y, fit_params):
        rows = np.flatnonzero(~np.isnan(y))
        if not len(rows):
            raise ValueError(f"none of the {len(y)} rows to learn from has a value of target {name!r}.")
        X, fit_params = self._seen(index, X), fit_params | self._validation_of(index, fit_params)
        if len(rows) < len(y):
            fit_params = params_of_rows(fit_params, rows, num_samples(X))
            X, y = take(X, rows, axis=0), y[rows]
        return clone(estimator).fit(X, y.astype(int) if is_classifier(estimator) else y, **fit_params)

    def _validation_of(self, index, fit_params):
        """Return the rows to validate on that have a target, as far as an estimator is given some."""
        if "y_val" not in fit_params:
            return {}
        y_val = fit_params["y_val"][:, self.columns[index]]
        rows = np.flatnonzero(~np.isnan(y_val))
        cut = {
            name: take(fit_params[name], rows, axis=0) for name in ("X_val", "sample_weight_val") if name in fit_params
        }
        if "X_val" in cut:
            cut["X_val"] = self._seen(index, cut["X_val"])
        return {**cut, "y_val": y_val[rows]}

    def replace(self, name, fitted, features):
        """Put another fitted estimator, that gets some columns of X, in the place of that of a target."""
        places = [None] * len(self.estimators) if self.features is None else list(self.features)
        places[list(self.estimators).index(name)] = features
        self.features = places
        self.estimators_[name] = fitted

    def _seen(self, index, X):
        features = None if self.features is None else self.features[index]
        return X if features is None else take(X, features, axis=1)

    @property
    def classes_(self):
        """The classes of each estimator, as a list."""
        return [estimator.classes_ for estimator in self.estimators_.values()]

    @property
    def n_features_in_(self):
        """Number of columns seen during fit."""
        return next(iter(self.estimators_.values())).n_features_in_

    def predict(self, X):
        """Return the prediction of each estimator, of shape (n_samples, n_targets)."""
        return np.column_stack(self._each("predict", X))

    def predict_proba(self, X):
        """Return a list of the probabilities of each estimator."""
        return self._each("predict_proba", X)

    def decision_function(self, X):
        """Return a list of the decision functions of each estimator."""
        return self._each("decision_function", X)

    def _each(self, method, X):
        parts = enumerate(self.estimators_.values())
        return [getattr(estimator, method)(self._seen(index, X)) for index, estimator in parts]

    def predict_tasks(self, X):
        """Return the best that each estimator has to say, probabilities first, by the name of its target."""
        predictions = {}
        for index, (name, estimator) in enumerate(self.estimators_.items()):
            method = "predict_proba" if hasattr(estimator, "predict_proba") else "predict"
            predictions[name] = getattr(estimator, method)(self._seen(index, X))
        return predictions

    def for_task(self, name):
        """Return the estimator of a target."""
        return self.estimators_[name]


def for_targets(estimator, task, labels):
    """Return an estimator as it is to be fitted to labels: itself, or one of it for each target.

    Parameters
    ----------
    estimator : estimator
        A learner or final estimator.
    task : Task or SeveralTasks
    labels : ndarray of shape (n_samples,) or (n_samples, n_targets)
    """
    if labels.ndim == 1 or isinstance(estimator, TakesGaps):
        return estimator
    is_fitted = isinstance(last_step(estimator)[1], FrozenEstimator)  # gaps are nothing to it
    if (is_fitted or not task.has_gaps_) and (_takes_several(estimator, task) or _holds_others(estimator)):
        return estimator
    return per_target(estimator, task, labels.shape[1])


def per_target(estimator, task, n_targets=None):
    """Return one of an estimator for each target; itself where it is that already.

    Parameters
    ----------
    estimator : estimator
    task : Task or SeveralTasks
    n_targets : int, default=None
        Of a task that does not say it.
    """
    if isinstance(estimator, PerTarget):
        return estimator
    names = list(task.tasks) if isinstance(task, SeveralTasks) else list(range(n_targets))
    return PerTarget(dict.fromkeys(names, estimator), list(range(len(names))))


def _takes_several(estimator, task):
    """Tell whether an estimator takes several targets by what its tags say."""
    tags = get_tags(last_step(estimator)[1])
    of_labels = isinstance(task, MultilabelTask) and tags.classifier_tags is not None
    return tags.target_tags.multi_output or (of_labels and tags.classifier_tags.multi_label)


def _holds_others(estimator):
    """Tell whether an estimator holds another one, which may take what its tags do not tell."""
    last = last_step(estimator)[1]
    if isinstance(last, SeedEnsemble):  # whose tags are those of its estimator
        return not is_classifier(last) and _holds_others(last.estimator)
    return len(last.get_params(deep=False)) < len(last.get_params(deep=True))

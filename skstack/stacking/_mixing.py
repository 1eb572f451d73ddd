"""The final estimator of a stack: the features that it gets, and fitting it."""

from numbers import Integral

import numpy as np
import pandas as pd
from scipy import sparse

from .._columns import branch_columns, is_table, resolve_columns, select_columns
from .._parts import naming, noting
from ..reading._cells import numbers
from ._cross_fit import params_of_rows


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
        name: rows for model in models if model.has_branches for name, rows in model.estimator.missing_rows(X).items()
    }


def fit_final(final, features, y, rows, fit_params, stages):
    """Fit the final estimator to the rows that base models predicted out of fold, and return it.

    Parameters
    ----------
    final : estimator
    features : ndarray, sparse matrix or DataFrame of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Encoded labels.
    rows : ndarray of int
        Folds in time order never predict the earliest rows, say.
    fit_params : dict
        Further arguments of ``fit``.
    stages : Stages
        Are told of it.
    """
    if len(rows) < len(y):
        features = features.iloc[rows] if isinstance(features, pd.DataFrame) else features[rows]
        fit_params = params_of_rows(fit_params, rows, len(y))
        y = y[rows]
    with stages.stage("final estimator", 1) as stage, stage.whole().fitting(final, features, y):
        with noting("in the final estimator"):
            return final.fit(features, y, **fit_params)

"""What a fitted stack does with rows: predictions of its base models, and what stands on top of them."""

import numpy as np
import pandas as pd
from sklearn.base import TransformerMixin
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.validation import check_is_fitted

from .._columns import check_table
from .._compat import check_feature_names_in, routing_enabled
from .._parts import noting
from ._mixing import missing_rows


class Predicting(TransformerMixin):  # which wraps `transform` for `set_output` in the class that defines it
    """What is behind ``transform`` and the methods of a stack that predict."""

    @property
    def n_features_in_(self):
        """Number of columns seen during fit; as in scikit-learn's stacking, the first learner may have none."""
        if not hasattr(self, "final_estimator_"):
            raise AttributeError(f"{type(self).__name__} object has no attribute n_features_in_")
        if self._models[0].positions is None and not hasattr(self._models[0].fitted[0], "n_features_in_"):
            first = type(self._models[0].estimator).__name__
            raise AttributeError(f"{first!r} object has no attribute 'n_features_in_'")
        return self._n_features_in

    @n_features_in_.setter
    def n_features_in_(self, n_features):
        self._n_features_in = n_features

    def _check_predict_data(self, X):
        check_is_fitted(self, "final_estimator_")
        return self._check_columns(X)

    def _check_columns(self, X):
        """Return X, checked to have the columns of the training rows."""
        X = check_table(self, X, reset=False)
        if X.shape[1] != self._n_features_in:
            owner = type(self).__name__
            raise ValueError(f"X has {X.shape[1]} features, but {owner} is expecting {self._n_features_in}.")
        if self.estimators is None and isinstance(X, np.ndarray) and hasattr(self, "feature_names_in_"):
            # Suggested learners know columns by their names. Of an array each column has a type of its own again.
            return pd.DataFrame(X, columns=self.feature_names_in_).infer_objects()
        return X

    def _features_of(self, X):
        """Return what the final estimator gets for checked rows."""
        predictions = [model.predict(X) for model in self._models]
        missing = missing_rows(self._models, X) if self._features.indicated else {}
        return self._features.join(X, predictions, missing)

    def _members_of(self, X):
        """Return the predictions that a guard averages."""
        return np.hstack([model.predict(X) for model in self._models if model.name in self._averaged])

    def transform(self, X):
        """Return the predictions of the base models, missing indicators and the columns that are passed through.

        Parameters
        ----------
        X : DataFrame, array-like or sparse matrix of shape (n_samples, n_features)
            Rows of data.

        Returns
        -------
        predictions : ndarray or sparse matrix of shape (n_samples, n_columns)
            What the final estimator gets from the models that predict, which have seen the training rows: those it was
            fitted on are in ``oof_predictions_``.
        """
        features = self._features_of(self._check_predict_data(X))
        return features.to_numpy() if isinstance(features, pd.DataFrame) else features

    def get_feature_names_out(self, input_features=None):
        """Get the names of the columns that :meth:`transform` returns.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns of X, where they have none of their own; used with `passthrough` only.

        Returns
        -------
        names : ndarray of str objects
            Class, base model and index of each prediction, the missing indicators, then the names of the columns
            passed through.
        """
        check_is_fitted(self, "final_estimator_")
        input_features = check_feature_names_in(self, input_features, generate_names=self._features.passes)
        return self._features.names_out(input_features)

    def _predict_final(self, X, method, params):
        X = self._check_predict_data(X)
        features = self._features_of(X) if self._averaged is None else self._members_of(X)
        if params and routing_enabled():
            params = process_routing(self, method, **params).final_estimator[method]
        with noting("in the final estimator"):
            return getattr(self.final_estimator_, method)(features, **params)


def base_models(stack):
    """Return the fitted base models of a stack, in the order of their predictions in ``oof_predictions_``."""
    return list(stack._models)


def seeing(stack, models, X):
    """Return a fitted stack with other base models, which sees the same rows whatever it is asked to predict.

    Parameters
    ----------
    stack : estimator
        Fitted; stays as it is.
    models : list of BaseModel
        In the places of those of the stack.
    X : DataFrame, array or sparse matrix of shape (n_samples, n_features)
        Checked rows, for missing indicators and columns that are passed through.
    """
    same = object.__new__(type(stack))
    vars(same).update(vars(stack), _models=models, _check_predict_data=lambda _: X)
    return same

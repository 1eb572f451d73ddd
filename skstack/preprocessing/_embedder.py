"""What embedders of images and of texts have in common."""

from abc import ABCMeta, abstractmethod
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from .._columns import branch_columns, check_table, is_table
from .._compat import check_feature_names_in, fit_context, take
from .._doc_links import DocLinkMixin
from ..reading._missing import missing_rows

#: Parameter constraints of every embedder.
CONSTRAINTS = {
    "n_components": [
        Interval(Integral, 1, None, closed="left"),
        Interval(Real, 0, 1, closed="neither"),
        None,
    ],
    "add_indicator": ["boolean"],
    "random_state": ["random_state"],
}


class Embedder(DocLinkMixin, TransformerMixin, BaseEstimator, metaclass=ABCMeta):
    """Features of each column by a frozen model, the mean of the training rows where a cell is missing, and PCA."""

    @abstractmethod
    def _start(self):
        """Get the model ready; return what :meth:`_embed` needs of it."""

    @abstractmethod
    def _embed(self, model, X):
        """Return the features of a table of one column, none of it missing, and which rows cannot be read after all.

        Parameters
        ----------
        model : object
            From :meth:`_start`.
        X : DataFrame of one column or ndarray

        Returns
        -------
        features : ndarray of shape (n_samples, n_features), dtype float32
        missing : ndarray of bool of shape (n_samples,)
        """

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn the means of the features and, if wished for, their principal components.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_columns)
            Rows to learn from.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted embedder.
        """
        self._fit(X)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None):
        """Fit to rows and return their features.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_columns)
            Rows to learn from.
        y : None
            Ignored.

        Returns
        -------
        features : ndarray of shape (n_samples, n_features), dtype float32
            See :meth:`transform`.
        """
        return self._joined(self._fit(X))

    def transform(self, X):
        """Return the features of rows.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_columns)
            The columns that `fit` saw.

        Returns
        -------
        features : ndarray of shape (n_samples, n_features), dtype float32
            Those of the first column, then those of the second, and so on; last, if wished for, the indicators.
        """
        check_is_fitted(self)
        columns = self._columns(check_table(self, X, reset=False))
        return self._joined(list(self._embedded(columns)))

    def _fit(self, X):
        X = check_table(self, X, reset=True)
        columns = self._columns(X)
        names = list(X.columns) if is_table(X) else [f"x{index}" for index in range(len(columns))]
        embedded = []
        self.means_, self.reducers_ = [], []
        for name, (features, missing) in zip(names, self._embedded(columns), strict=True):
            if missing.all():
                raise ValueError(f"every cell of column {name!r} is missing or unreadable.")
            present = features[~missing]
            self.means_.append(present.mean(axis=0, dtype="float64").astype("float32"))
            self.reducers_.append(self._reducer().fit(present) if self.n_components is not None else None)
            embedded.append((features, missing))
        self.n_features_per_column_ = [features.shape[1] for features, _ in embedded]
        self._names = names
        self._indicated = [index for index, (_, missing) in enumerate(embedded) if missing.any()]
        return embedded

    def _reducer(self):
        return PCA(self.n_components, random_state=self.random_state)

    def _columns(self, X):
        """Return the columns, each as a table."""
        if not is_table(X) and X.ndim > 2:
            return [X]
        return [branch_columns(X, [position]) for position in range(X.shape[1])]

    def _embedded(self, columns):
        """Yield the features of each column, None if there is no cell, and which rows have none."""
        model = self._start()
        for X in columns:
            missing = missing_rows(X)
            if missing.all():
                yield None, missing
                continue
            if missing.any():
                # A row that is there, rather than one row less, so that errors name rows as the caller knows them.
                X = take(X, np.where(missing, np.argmin(missing), np.arange(len(missing))), axis=0)
            features, unreadable = self._embed(model, X)
            yield features, missing | unreadable

    def _joined(self, embedded):
        parts = []
        for (features, missing), mean, reducer in zip(embedded, self.means_, self.reducers_, strict=True):
            if missing.any():
                features = np.where(missing[:, np.newaxis], mean, np.zeros_like(mean) if missing.all() else features)
            parts.append(features if reducer is None else reducer.transform(features).astype("float32", copy=False))
        if self.add_indicator:
            parts += [embedded[index][1][:, np.newaxis].astype("float32") for index in self._indicated]
        return np.concatenate(parts, axis=1)

    def get_feature_names_out(self, input_features=None):
        """Return the names of the features.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns; by default those that `fit` saw.

        Returns
        -------
        names : ndarray of str objects
            ``"image_0"``, ``"image_1"``, ... for a column "image"; with PCA ``"image_pca0"``, ...; then
            ``"image_missing"`` for each indicator.
        """
        check_is_fitted(self)
        names = self._names if input_features is None else list(input_features)
        if hasattr(self, "feature_names_in_") or len(self._names) == self.n_features_in_:
            names = list(check_feature_names_in(self, input_features))
        of_features = [
            f"{name}_{index}" if reducer is None else f"{name}_pca{index}"
            for name, width, reducer in zip(names, self.n_features_per_column_, self.reducers_, strict=True)
            for index in range(width if reducer is None else reducer.n_components_)
        ]
        of_indicators = [f"{names[index]}_missing" for index in self._indicated] if self.add_indicator else []
        return np.array([*of_features, *of_indicators], dtype=object)

    @property
    def _n_features_out(self):
        return len(self.get_feature_names_out())

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.two_d_array = True
        tags.transformer_tags.preserves_dtype = []
        return tags

"""Learners that fail, in a file that needs no Keras: other processes that fit them would take seconds to import it."""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LinearRegression


class Interrupted(LinearRegression):
    """Is interrupted in the fit to some number of rows."""

    def __init__(self, n_rows=None):
        super().__init__()
        self.n_rows = n_rows

    def fit(self, X, y, sample_weight=None):
        """Fit, or raise what Ctrl+C does."""
        if self.n_rows is None or len(y) == self.n_rows:
            raise KeyboardInterrupt
        return super().fit(X, y, sample_weight)


class Picky(RegressorMixin, BaseEstimator):
    """Refuses to be fitted to so many rows, or to predict them."""

    def __init__(self, refuses=0):
        self.refuses = refuses

    def fit(self, X, y):
        """Refuse, or remember nothing."""
        if len(X) == self.refuses:
            raise LookupError("no")
        self.fitted_ = True
        return self

    def predict(self, X):
        """Refuse, or predict 1."""
        if len(X) == self.refuses:
            raise LookupError("no")
        return np.ones(len(X))

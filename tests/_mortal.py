"""What tests of clusters share, in a file that the workers can import: it imports no Keras."""

import os
import signal
from pathlib import Path

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.tree import DecisionTreeRegressor

from skstack import MultimodalStackingRegressor

NUMBERS = ["area", "rooms"]


class Mortal(Ridge):
    """A ridge regression whose first fit of all kills its process, which the file `marker` stands for."""

    def __init__(self, marker=None, alpha=1.0):
        super().__init__(alpha)
        self.marker = marker

    def fit(self, X, y):
        """Die, or fit."""
        try:
            Path(self.marker).touch(exist_ok=False)
        except FileExistsError:
            return super().fit(X, y)
        os.kill(os.getpid(), signal.SIGKILL)


def learners_stack(last=None, **params):
    """Return a stack of learners, one of which draws random numbers."""
    tree = DecisionTreeRegressor(max_depth=3, splitter="random")
    parts = [("tree", tree, NUMBERS), ("last", Ridge() if last is None else last, NUMBERS)]
    return MultimodalStackingRegressor(parts, **{"cv": 3, "random_state": 0, **params})


def assert_searched_alike(search, alone, X):
    """Check that a search on a cluster found what it finds in one process, bit for bit."""
    for name in ("split0_test_score", "split1_test_score", "rank_test_score"):
        np.testing.assert_array_equal(search.cv_results_[name], alone.cv_results_[name])
    np.testing.assert_array_equal(search.best_estimator_.oof_predictions_, alone.best_estimator_.oof_predictions_)
    np.testing.assert_array_equal(search.predict(X), alone.predict(X))


def search():
    """Return a search of scikit-learn around a stack of learners."""
    return GridSearchCV(learners_stack(), {"last__alpha": [0.1, 100.0]}, cv=2)


def writeable(*values):
    """Tell which arrays may be written to."""
    return [np.asarray(value).flags.writeable for value in values]


class Watchful(Ridge):
    """A ridge regression that remembers whether it might have written into what it was fitted to."""

    def fit(self, X, y):
        """Look, and fit."""
        self.writeable_ = writeable(X, y)
        return super().fit(X, y)

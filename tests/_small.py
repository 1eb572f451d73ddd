"""A small table, and small networks and stacks over it, that many tests share.

The networks are alike wherever a test does not ask for something else: they then share one compiled training program.
"""

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge

from skstack import (
    MultimodalNetworkClassifier,
    MultimodalNetworkRegressor,
    MultimodalStackingClassifier,
    MultimodalStackingRegressor,
)
from skstack.branches import CategoricalBranch, NumericBranch

N_ROWS = 48
TRAINING = {"head": (4,), "epochs": 1, "batch_size": 64, "early_stopping": False}


def make_table(n_rows=N_ROWS, seed=0):
    """Return a table of numbers and categories with an index of its own, and numbers that depend on all columns."""
    generator = np.random.default_rng(seed)
    X = pd.DataFrame({"area": generator.normal(size=n_rows), "rooms": generator.integers(1, 6, n_rows).astype(float)})
    X["city"] = generator.choice(["Aachen", "Bonn", "Celle"], n_rows)
    X.index = np.arange(n_rows) + 100
    y = X["area"] + 0.5 * X["rooms"] + 2.0 * (X["city"] == "Bonn") + 0.1 * generator.normal(size=n_rows)
    return X, y.to_numpy()


def make_labels(y, n_classes=2):
    """Return class names, equally frequent, in the order of the numbers y."""
    ranks = np.argsort(np.argsort(y))
    return np.array(["cheap", "fair", "dear"])[ranks * n_classes // len(y)]


def branches():
    """Return a branch for the numbers and one for the categories."""
    return [
        ("numbers", NumericBranch((4,), scale="standard", embedding=None, dropout=0.0), ["area", "rooms"]),
        ("place", CategoricalBranch(dim=2), ["city"]),
    ]


def network_regressor(parts=None, **params):
    """Return an unfitted network."""
    parts = branches() if parts is None else parts
    return MultimodalNetworkRegressor(parts, **{**TRAINING, "random_state": 0, **params})


def network_classifier(parts=None, **params):
    """Return an unfitted network."""
    parts = branches() if parts is None else parts
    return MultimodalNetworkClassifier(parts, **{**TRAINING, "random_state": 0, **params})


def stack_regressor(parts=None, **params):
    """Return an unfitted stack, of two branches and a learner unless other parts are given."""
    parts = [*branches(), ("ridge", Ridge(), ["area", "rooms"])] if parts is None else parts
    template = MultimodalNetworkRegressor(**TRAINING)
    return MultimodalStackingRegressor(parts, **{"network": template, "cv": 2, "random_state": 0, **params})


def stack_classifier(parts=None, **params):
    """Return an unfitted stack, of two branches and a learner unless other parts are given."""
    parts = [*branches(), ("logistic", LogisticRegression(), ["area", "rooms"])] if parts is None else parts
    template = MultimodalNetworkClassifier(**TRAINING)
    return MultimodalStackingClassifier(parts, **{"network": template, "cv": 2, "random_state": 0, **params})


class Recorder(LinearRegression):
    """A linear regression that keeps the rows and the weights it was fitted to."""

    def fit(self, X, y, sample_weight=None):
        """Fit and remember."""
        self.seen_X_, self.seen_y_, self.seen_weight_ = X, y, sample_weight
        return super().fit(X, y, sample_weight)

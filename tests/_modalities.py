"""Fitted estimators over a small table of three kinds of data, one of them noise, that tests of inspection share."""

from functools import cache

import numpy as np
from _small import TRAINING, make_labels, make_table
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from skstack import (
    MultimodalNetworkRegressor,
    MultimodalStackingClassifier,
    MultimodalStackingRegressor,
)
from skstack.branches import CategoricalBranch, NumericBranch

NUMBERS, PLACE, NOISE = ["area", "rooms"], ["city"], ["noise"]
MODALITIES = {"numbers": NUMBERS, "place": PLACE, "noise": NOISE}


def table(n_rows=96, seed=0):
    """Return a table with a column that says nothing, and a target that depends on the others."""
    X, y = make_table(n_rows, seed)
    X["noise"] = np.random.default_rng(seed + 1).normal(size=n_rows)
    return X, y


def parts():
    """Return a branch for each kind of data and two learners, of which one reads columns of two branches."""
    numbers = {"scale": "standard", "embedding": None, "dropout": 0.0}
    return [
        ("numbers", NumericBranch((4,), **numbers), NUMBERS),
        ("place", CategoricalBranch(dim=2), PLACE),
        ("noise", NumericBranch((2,), **numbers), NOISE),
        ("boosting", HistGradientBoostingRegressor(max_iter=10, min_samples_leaf=5), [*NUMBERS, *NOISE]),
        ("ridge", make_pipeline(SimpleImputer(), Ridge()), NUMBERS),
    ]


@cache
def stack(**params):
    """Return a fitted stack whose final estimator counts every base model."""
    X, y = table()
    network = MultimodalNetworkRegressor(**{**TRAINING, "epochs": 20}, optimizer__learning_rate=0.05)
    params = {"network": network, "cv": 2, "random_state": 0, "final_estimator": Ridge(), **params}
    return MultimodalStackingRegressor(parts(), **params).fit(X, y)


@cache
def classifier():
    """Return a fitted stack of learners for two classes that takes missing cells."""
    X, y = table()
    boosting = HistGradientBoostingClassifier(max_iter=10, min_samples_leaf=5)
    learners = [("numbers", boosting, NUMBERS), ("noise", boosting, NOISE)]
    return MultimodalStackingClassifier(learners, cv=2, random_state=0).fit(X, make_labels(y))

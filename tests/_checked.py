"""Stacks of learners over a clean table, into which tests of checks plant faults."""

import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold

from skstack import MultimodalStackingRegressor


def clean_table(n_rows=120, seed=0):
    """Return numbers, and a target that depends on all of them."""
    generator = np.random.default_rng(seed)
    X = pd.DataFrame(generator.normal(size=(n_rows, 3)), columns=["area", "garden", "age"])
    return X, (X["area"] + X["garden"] + X["age"] + 0.5 * generator.normal(size=n_rows)).to_numpy()


def fitted_stack(X, y, parts=None, **params):
    """Return a stack of two ridges, unless other parts are given, with folds of rows in their order."""
    parts = [("one", Ridge(), ["area", "garden"]), ("other", Ridge(), ["age"])] if parts is None else parts
    return MultimodalStackingRegressor(parts, **{"cv": KFold(3), **params}).fit(X, y)


def names(findings):
    """Return which checks have found something."""
    return [finding.check for finding in findings]

"""
Intervals: how sure is a price?
===============================

A price of $ 500,000 may be one between 450,000 and 550,000, or one between 300,000 and 800,000. A stack predicts such
intervals in two ways: it learns quantiles instead of the mean, or it learns the mean, and conformal prediction (MAPIE)
sees from rows set aside how far it is usually wrong. The second way keeps what it promises, however good the model is;
the first one knows for which houses one has to be careful. Conformalised quantiles are both.

Set ``SKSTACK_DATA`` to a directory with ``houses`` to use 535 real houses; else the lesson draws its own. MAPIE is
installed by ``pip install "skstack[conformal]"``.
"""

# %%
# The data
# --------
# Half of the houses is there to learn from, a quarter to see how wrong the model is, and a quarter to judge the
# intervals. Houses of a group stay together. We predict the logarithm of the price.
import os
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from mapie.regression import ConformalizedQuantileRegressor, CrossConformalRegressor
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingRegressor
from sklearn.metrics import mean_pinball_loss
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import TargetEncoder

from skstack import MultimodalNetworkRegressor, MultimodalStackingRegressor
from skstack.branches import CategoricalBranch, NumericBranch
from skstack.datasets import find_data, load_houses, make_houses

# A run of half a minute that shows only that everything works.
QUICK = bool(os.environ.get("SKSTACK_QUICK"))
SEEDS = [0] if QUICK else [0, 1, 2]
LEVELS = [0.1, 0.5, 0.9]
folder = find_data("houses")
if folder and not QUICK:
    houses = load_houses(folder)
else:
    houses = make_houses(Path(tempfile.mkdtemp()), n_houses=80 if QUICK else 400, random_state=0)

X = houses.data.assign(log_area=np.log(houses.data["area"]), zip_number=houses.data["zipcode"].astype(float))
y, groups = np.log(houses.target.to_numpy()), np.asarray(houses.groups)
print(f"{len(X)} houses from {folder if folder and not QUICK else 'make_houses'}, seeds {SEEDS}")


# %%
# A stack of quantiles
# --------------------
# ``quantile`` says what the stack predicts. Its networks learn all three quantiles at once, which cannot cross; each
# gradient boosting is told which quantile is its own; and a linear quantile regression mixes the columns, once for each
# quantile.
def boosting(regressor):
    """Return a pipeline of the table's columns and a boosting."""
    columns = make_column_transformer(
        ("passthrough", ["bedrooms", "bathrooms", "area", "zip_number"]),
        (TargetEncoder(target_type="continuous"), ["zipcode"]),
    )
    return make_pipeline(columns, regressor)


branches = [
    ("numbers", NumericBranch(hidden=(64, 32)), ["bedrooms", "bathrooms", "log_area"]),
    ("zip", CategoricalBranch(dim=16), ["zipcode"]),
]
small_trees = {"learning_rate": 0.05, "max_iter": 10 if QUICK else 80, "max_leaf_nodes": 6, "random_state": 0}
learners = [
    (f"boosting_{level}", boosting(HistGradientBoostingRegressor(loss="quantile", quantile=level, **small_trees)))
    for level in LEVELS
]
mean = boosting(GradientBoostingRegressor(n_estimators=20 if QUICK else 150, max_depth=4, subsample=0.6))
network = MultimodalNetworkRegressor(head=(64,), dropout=0.3, epochs=2 if QUICK else 40, early_stopping=False)
common = {"network": network, "cv": GroupKFold(2 if QUICK else 5)}
of_quantiles = MultimodalStackingRegressor([*branches, *learners, ("mean", mean)], quantile=LEVELS, **common)
of_the_mean = MultimodalStackingRegressor([*branches, ("mean", mean)], **common)


# %%
# Conformal prediction
# --------------------
# MAPIE takes one estimator for each end of the interval and one for the middle; a few lines make them of a stack.
class OneQuantile(RegressorMixin, BaseEstimator):
    """One of the quantiles that a fitted stack predicts."""

    def __init__(self, stack, column):
        self.stack, self.column = stack, column
        self.fitted_ = True

    def fit(self, X, y):
        """Do nothing: the stack is fitted."""
        return self

    def predict(self, X):
        """Return the column of the quantile."""
        return self.stack.predict(X)[:, self.column]


def conformalized(stack, X, y):
    """Return the intervals of a fitted stack, widened or narrowed by how far they miss the rows set aside."""
    low, middle, high = (OneQuantile(stack, column) for column in range(3))
    mapie = ConformalizedQuantileRegressor([low, high, middle], confidence_level=0.8, prefit=True)
    return mapie.conformalize(X, y)


def scores(y, low, high):
    """Return what counts: how many rows the interval holds, and how wide it is for that."""
    inside = (low <= y) & (y <= high)
    return {
        "covered": inside.mean(),
        "width of log price": (high - low).mean(),
        "pinball loss": (mean_pinball_loss(y, low, alpha=0.1) + mean_pinball_loss(y, high, alpha=0.9)) / 2,
    }


# %%
# Cross-conformal prediction needs no rows set aside: like a stack, it predicts each row by a model without it.
# It gets the half and the quarter together.
results = []
for seed in SEEDS:
    part_of_group = np.random.default_rng(seed).integers(0, 4, groups.max() + 1)
    part = part_of_group[groups]
    fitting, aside, new = part < 2, part == 2, part == 3
    stack = of_quantiles.set_params(random_state=seed).fit(X[fitting], y[fitting], groups=groups[fitting])
    low, _, high = stack.predict(X[new]).T
    results.append({"what": "stack of quantiles", **scores(y[new], low, high)})
    _, intervals = conformalized(stack, X[aside], y[aside]).predict_interval(X[new])
    results.append({"what": "the same, conformalised", **scores(y[new], *intervals[:, :, 0].T)})
    known = ~new
    plain = of_the_mean.set_params(random_state=seed, cv=2 if QUICK else 4)
    cross = CrossConformalRegressor(plain, confidence_level=0.8, cv=2 if QUICK else 3)
    _, even = cross.fit_conformalize(X[known], y[known]).predict_interval(X[new])
    results.append({"what": "stack of the mean, cross-conformal", **scores(y[new], *even[:, :, 0].T)})

table = pd.DataFrame(results)
print("\nIntervals for eight in ten new houses: mean and deviation over the seeds")
print(table.groupby("what", sort=False).mean().round(3).to_string())
if len(SEEDS) > 1:
    print(table.groupby("what", sort=False).std().round(3).to_string())

# %%
# The picture
# -----------
# The intervals of quantiles are narrow where prices are easy to tell; those around a mean are nearly all alike.
figure, both = plt.subplots(1, 2, figsize=(11, 4), sharey=True, layout="constrained")
order = np.argsort(y[new])
for axes, ends, title in zip(both, (intervals, even), ("conformalised quantiles", "around the mean"), strict=True):
    low, high = ends[order, :, 0].T
    axes.vlines(np.arange(len(order)), np.exp(low), np.exp(high), color="C0", alpha=0.5)
    axes.plot(np.exp(y[new][order]), "k.", ms=3)
    axes.set(title=title, xlabel="new houses, by price", yscale="log")
both[0].set_ylabel("price [$]")
plt.show()

"""
One budget, four engines
========================

A grid, random draws, Optuna and Ray Tune search the same parameters of the same network, each with the same number of
candidates. Grid and draws decide beforehand what they try. Optuna suggests each candidate in the light of those before.
Ray Tune evaluates several at once. The last two also give up candidates that do badly, between folds and epochs.
"""

# %%
# Houses in numbers
# -----------------
# Photos are left out, so that many candidates can be tried. Some listings stand in the table twice: rows of a group
# stay together, in the search and in the last comparison.
import os
import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import optuna
import pandas as pd
import ray
from ray.tune.schedulers import ASHAScheduler
from scipy.stats import loguniform
from sklearn.model_selection import GridSearchCV, GroupKFold, GroupShuffleSplit, RandomizedSearchCV

from skstack import MultimodalNetworkRegressor
from skstack.branches import CategoricalBranch, NumericBranch
from skstack.datasets import find_data, load_houses, make_houses
from skstack.model_selection import OptunaSearchCV, RayTuneSearchCV

# A run of half a minute that shows only that everything works.
QUICK = bool(os.environ.get("SKSTACK_QUICK"))

folder = find_data("houses")
if folder and not QUICK:
    houses = load_houses(folder, rooms=())
else:
    houses = make_houses(Path(tempfile.mkdtemp()), n_houses=60 if QUICK else 400, image_size=8, random_state=0)
X, log_price, groups = houses.data, np.log(houses.target.to_numpy()), houses.groups
train, test = next(GroupShuffleSplit(1, test_size=0.25, random_state=0).split(X, groups=groups))
print(f"{len(X)} houses, {len(test)} of them kept for the last comparison")

# %%
# What is searched
# ----------------
network = MultimodalNetworkRegressor(
    [
        ("numeric", NumericBranch(hidden=(32,)), ["bedrooms", "bathrooms", "area"]),
        ("zip", CategoricalBranch(), ["zipcode"]),
    ],
    epochs=2 if QUICK else 40,
    early_stopping=False,
    random_state=0,
)
n_trials = 2 if QUICK else 12
grid = {
    "optimizer__learning_rate": [0.001, 0.01] if QUICK else [0.001, 0.003, 0.01],
    "numeric__hidden": [(32,)] if QUICK else [(32,), (64, 32)],
    "dropout": [0.0] if QUICK else [0.0, 0.2],
}
space = {
    "optimizer__learning_rate": loguniform(1e-4, 1e-1),
    "numeric__hidden": [(16,), (32,), (64,), (64, 32)],
    "dropout": [0.0, 0.1, 0.2, 0.4],
}
shared = {
    "cv": list(GroupKFold(2 if QUICK else 3).split(X.iloc[train], groups=groups[train])),
    "scoring": "neg_mean_absolute_error",
}

# %%
# The engines
# -----------
# A pruner of Optuna and a scheduler of Ray hear of each epoch of each fold: the score on the test rows of the fold. A
# candidate whose score after three epochs is below the median of the earlier ones goes no further.
if not ray.is_initialized():
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    ray.init(num_cpus=1 if QUICK else 2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")

searches = {
    "grid": GridSearchCV(network, grid, **shared),
    "random": RandomizedSearchCV(network, space, n_iter=n_trials, random_state=0, **shared),
    "Optuna": OptunaSearchCV(
        network,
        space,
        n_trials=n_trials,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=2),
        random_state=0,
        **shared,
    ),
    "Ray Tune": RayTuneSearchCV(
        network,
        space,
        n_trials=n_trials,
        scheduler=ASHAScheduler(grace_period=3, max_t=10_000),
        random_state=0,
        **shared,
    ),
}
rows, scores = {}, {}
for name, search in searches.items():
    began = time.perf_counter()
    search.fit(X.iloc[train], log_price[train])
    results = search.cv_results_
    scores[name] = -results["mean_test_score"]
    rows[name] = {
        "candidates": len(scores[name]),
        "given up": int(np.sum(results.get("pruned", 0))),
        "seconds": round(time.perf_counter() - began),
        "error in search": -search.best_score_,
        "error on other houses": np.abs(search.predict(X.iloc[test]) - log_price[test]).mean(),
        "learning rate": search.best_params_["optimizer__learning_rate"],
        "hidden": search.best_params_["numeric__hidden"],
        "dropout": search.best_params_["dropout"],
    }
ray.shutdown()
table = pd.DataFrame(rows).T
print(table.round(4).to_string())

# %%
# The errors are mean absolute errors of the logarithm of the price, about the relative error of the price itself.
# Another split of the houses changes them by more than a hundredth.
#
# The search as a picture
# -----------------------
# A dot is a candidate, a cross one that was given up; the line is the best error so far.
figure, axes = plt.subplots(1, len(scores), figsize=(11, 3), sharey=True, layout="constrained")
top = np.nanpercentile(np.concatenate(list(scores.values())), 85) * 1.1
for axis, (name, errors) in zip(axes, scores.items(), strict=True):
    trials = np.arange(1, len(errors) + 1)
    pruned = np.isnan(errors)
    axis.plot(trials[~pruned], np.minimum(errors[~pruned], top), "o", color="C0", alpha=0.6)
    axis.plot(trials[pruned], np.full(pruned.sum(), top), "x", color="0.5")
    axis.step(trials, np.fmin.accumulate(errors), where="post", color="C1")
    axis.set(title=name, xlabel="candidate")
axes[0].set_ylabel("mean absolute error of log price")
plt.show()

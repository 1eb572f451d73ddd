"""
What did the photos do? Importance of modalities
================================================

A stack reads numbers, a zip code and four photos of a house. What does each of them add to the score, what do two of
them add together, and what did they add to the price of a single house? This lesson asks a fitted stack, by houses that
it has not seen.

Set ``SKSTACK_DATA`` to a directory with ``houses`` to use 535 real houses; else the lesson draws its own, whose price
depends on what their photos show.
"""

# %%
# The stack
# ---------
# Houses that are listed twice stay together: a third of the groups is held out. The learners read columns that branches
# read too. A modality is the columns of a branch; who else reads them does not matter.
import os
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import GroupKFold, GroupShuffleSplit

from skstack import MultimodalNetworkRegressor, MultimodalStackingRegressor
from skstack.branches import CategoricalBranch, ImageBranch, NumericBranch
from skstack.datasets import find_data, load_houses, make_houses
from skstack.inspection import (
    DroppedModalityDisplay,
    MemberImportanceDisplay,
    ModalityImportanceDisplay,
    ModalityInteractionDisplay,
    WaterfallDisplay,
    modality_importance,
    shapley_values,
)

# A run of half a minute that shows only that everything works.
QUICK = bool(os.environ.get("SKSTACK_QUICK"))
ROOMS = ["bathroom", "bedroom", "frontal", "kitchen"]
NUMBERS = ["bedrooms", "bathrooms", "log_area"]

folder = find_data("houses")
if folder and not QUICK:
    houses = load_houses(folder)
else:
    houses = make_houses(Path(tempfile.mkdtemp()), n_houses=60 if QUICK else 400, random_state=0)
X = houses.data.assign(log_area=np.log(houses.data["area"]))[[*NUMBERS, "zipcode", *ROOMS]]
log_price, groups = np.log(houses.target.to_numpy()), houses.groups
training, held_out = next(GroupShuffleSplit(1, test_size=1 / 3, random_state=0).split(X, log_price, groups))
print(f"{len(training)} houses to fit to, {len(held_out)} held out; seed 0")

photo = ImageBranch(size=(16, 16), root=houses.image_root, filters=(8, 16), hidden=(4,), dropout=0.5)
stack = MultimodalStackingRegressor(
    [
        ("numbers", NumericBranch(hidden=(64, 32)), NUMBERS),
        ("zip", CategoricalBranch(dim=16), ["zipcode"]),
        *[(room, clone(photo), [room]) for room in ROOMS],
        ("boosting", HistGradientBoostingRegressor(max_iter=100, learning_rate=0.05), [*NUMBERS, "zipcode"]),
        ("numbers_alone", HistGradientBoostingRegressor(max_iter=100, learning_rate=0.05), NUMBERS),
    ],
    network=MultimodalNetworkRegressor(
        head=(64,),
        dropout=0.3,
        modality_dropout=0.1,
        loss="mae",
        epochs=2 if QUICK else 40,
        batch_size=32,
        early_stopping=False,
    ),
    cv=GroupKFold(2 if QUICK else 5),
    random_state=0,
)
stack.fit(X.iloc[training], log_price[training], groups=groups[training])
X_test, y_test = X.iloc[held_out], log_price[held_out]
print(f"R2 on houses held out: {stack.score(X_test, y_test):.3f}")

# %%
# For the score: permutation and Shapley values
# ---------------------------------------------
# Permutation shuffles all columns of a modality together, and the score falls. Shapley values ask what the score is
# with every combination of modalities, the others missing: networks put in their place what they have learned to, and
# what two modalities both say is shared between them.
permuted = modality_importance(stack, X_test, y_test, n_repeats=2 if QUICK else 10, random_state=0)
shared = modality_importance(stack, X_test, y_test, method="shapley")
table = pd.DataFrame(
    {
        "permutation": permuted.importances_mean,
        "deviation": permuted.importances_std,
        "Shapley": shared.importances_mean,
    },
    index=list(permuted.modalities),
)
print(table.round(3).to_string())
print(f"Shapley values sum to {shared.importances_mean.sum():.6f}")
print(f"score of all modalities minus that of none: {shared.score - shared.base_score:.6f}")

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
ModalityImportanceDisplay.from_importance(permuted, score_name="fall of R2, permutation", ax=axes[0])
ModalityInteractionDisplay.from_interactions(shared.interactions, shared.modalities, value_name="R2", ax=axes[1])
axes[1].set_title("Shapley interactions")
plt.show()

# %%
# A negative interaction means that two modalities say the same in part: together they add less than each alone.
#
# For one house
# -------------
# The same for single predictions. The waterfall begins with what the stack says when it knows nothing of the house, and
# ends with its prediction, here of the most expensive house.
explained = shapley_values(stack, X_test)
most_expensive = int(np.argmax(explained.predictions))
WaterfallDisplay.from_shapley_values(explained, row=most_expensive, value_name="logarithm of the price")
plt.show()

# %%
# When photos are missing
# -----------------------
# How much does the score suffer when a growing part of the houses comes without a modality?
DroppedModalityDisplay.from_estimator(stack, X_test, y_test, random_state=0, n_repeats=2 if QUICK else 10)
plt.show()

# %%
# The base models
# ---------------
# What a base model adds is another question: how much worse is the final estimator without its column of out-of-fold
# predictions? ``numbers_alone`` reads nothing that ``boosting`` does not read, so it has little to add.
MemberImportanceDisplay.from_estimator(stack, X.iloc[training], log_price[training], groups=groups[training])
plt.show()

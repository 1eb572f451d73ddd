"""
Molecules: a formula as text beside its descriptors
===================================================

How well does a substance dissolve in water? A table describes each molecule by six numbers: its weight, its rings, its
hydrogen bond donors and so on. Its SMILES string holds the whole structure: ``Cc1ccccc1`` is toluene. A text branch
reads the string character by character, beside a branch for the numbers, and both become one network.

Set ``SKSTACK_DATA`` to a directory with ``molecules`` to use the 1,128 substances of ESOL; else the lesson makes up
molecules of its own.
"""

# %%
# The data
# --------
# The column with the solubility that another model predicted is left out.
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline

from skstack import MultimodalNetworkRegressor, MultimodalStackingRegressor
from skstack.branches import NumericBranch, TextBranch
from skstack.datasets import find_data

# A run of a few seconds that shows only that everything works.
QUICK = bool(os.environ.get("SKSTACK_QUICK"))
TARGET = "measured log solubility in mols per litre"


def make_molecules(n_rows, seed=0):
    """Return made-up strings of atoms, two descriptors, and a solubility that depends on both."""
    generator = np.random.default_rng(seed)
    parts = ["C", "CC", "c1ccccc1", "O", "N", "Cl", "C(=O)O", "C=C"]
    effects = np.array([-0.3, -0.6, -1.5, 0.9, 0.7, -0.8, 1.1, -0.4])
    chosen = generator.integers(len(parts), size=(n_rows, 6))
    table = pd.DataFrame({"smiles": ["".join(parts[part] for part in row) for row in chosen]})
    table["Molecular Weight"] = [13.0 * len(smiles) for smiles in table["smiles"]]
    table["Number of Rings"] = (chosen == 2).sum(axis=1)
    return table, effects[chosen].sum(axis=1) + 0.3 * generator.normal(size=n_rows)


if (folder := find_data("molecules")) and not QUICK:
    X = pd.read_csv(folder / "delaney_processed.csv.gz")
    y = X.pop(TARGET).to_numpy()
    X = X.drop(columns="ESOL predicted log solubility in mols per litre")
else:
    X, y = make_molecules(200 if QUICK else 1000)
descriptors = [name for name in X.columns if name != "smiles"]
print(f"{len(X)} molecules such as {X['smiles'].iloc[-1]}; descriptors: {', '.join(descriptors)}")

# %%
# The branches
# ------------
# In SMILES, ``c`` is a carbon atom in an aromatic ring and ``C`` one elsewhere: a text branch of characters does not
# ignore case. A convolution over three and five characters finds groups of atoms wherever they stand.
numbers = NumericBranch(hidden=(64,))
smiles = TextBranch("char", "cnn", dim=32, units=32, kernel_size=(3, 5), dropout=0.2)
branches = [("descriptors", numbers, descriptors), ("smiles", smiles, ["smiles"])]
settings = {
    "head": (64,),
    "epochs": 2 if QUICK else 60,
    "patience": 12,
    "optimizer__learning_rate": 0.002,
    "random_state": 0,
}

# %%
# A stack of both
# ---------------
# The fused network is one base model. Trees on the descriptors and a ridge regression on groups of up to four
# characters stand beside it.
groups = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), lowercase=False, min_df=2, sublinear_tf=True)
boosting = GradientBoostingRegressor(n_estimators=300, max_depth=4, learning_rate=0.05, subsample=0.6)
stack = MultimodalStackingRegressor(
    [
        *branches,
        (
            "boosting",
            GradientBoostingRegressor(n_estimators=300, max_depth=4, learning_rate=0.05, subsample=0.6),
            descriptors,
        ),
        ("groups", make_pipeline(groups, Ridge(0.1)), "smiles"),
    ],
    training="joint",
    network=MultimodalNetworkRegressor(**settings),
    cv=KFold(2 if QUICK else 4, shuffle=True, random_state=0),
    random_state=0,
)
models = {
    "random forest on descriptors (the reference)": (RandomForestRegressor(300, random_state=0), descriptors),
    "network on SMILES": (MultimodalNetworkRegressor(branches[1:], **settings), ["smiles"]),
    "network on SMILES and descriptors": (MultimodalNetworkRegressor(branches, **settings), list(X.columns)),
    "stack": (stack, list(X.columns)),
}

# %%
# All on the same folds
# ---------------------
folds = list(KFold(2 if QUICK else 5, shuffle=True, random_state=1).split(X))
predictions = {name: np.empty(len(X)) for name in models}
for name, (model, columns) in models.items():
    for fitting, held_out in folds:
        model.fit(X[columns].iloc[fitting], y[fitting])
        predictions[name][held_out] = model.predict(X[columns].iloc[held_out])
scores = pd.DataFrame(
    {
        name: {
            "R2": r2_score(y, predicted),
            "RMSE": root_mean_squared_error(y, predicted),
            "MAE": mean_absolute_error(y, predicted),
        }
        for name, predicted in predictions.items()
    }
).T
print(scores.round(3).to_string())

# %%
figure, axes = plt.subplots(figsize=(5, 4.5), layout="constrained")
for name in ("random forest on descriptors (the reference)", "stack"):
    axes.plot(y, predictions[name], ".", alpha=0.5, label=name)
axes.axline((y.min(), y.min()), (y.max(), y.max()), color="0.5", lw=1)
axes.set(xlabel="measured log solubility", ylabel="predicted from the other folds")
axes.legend()
plt.show()

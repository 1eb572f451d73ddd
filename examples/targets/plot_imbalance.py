"""
Imbalance: who will not pay back?
=================================

Three in ten of these borrowers did not pay back, and it costs a bank five times as much to trust one of them as to turn
away somebody else. A classifier that is right as often as possible does not know that. Four ways tell it: weights of
classes, fewer or more rows of a class (imbalanced-learn), another threshold, and probabilities that can be believed,
from which the best threshold follows by itself.

Set ``SKSTACK_DATA`` to a directory with ``tables`` to use the German credit data; else the lesson draws borrowers.
imbalanced-learn is installed by ``pip install "skstack[imbalance]"``.
"""

# %%
# The data
# --------
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_resampling_pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, confusion_matrix, make_scorer, roc_auc_score
from sklearn.model_selection import FixedThresholdClassifier, StratifiedKFold, TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from skstack import MultimodalNetworkClassifier, MultimodalStackingClassifier
from skstack.branches import CategoricalBranch, NumericBranch
from skstack.datasets import find_data

# A run of half a minute that shows only that everything works.
QUICK = bool(os.environ.get("SKSTACK_QUICK"))
SEEDS = [0] if QUICK else [0, 1, 2]


def make_borrowers(n_rows, seed=0):
    """Return drawn borrowers, and whether they failed to pay back."""
    generator = np.random.default_rng(seed)
    X = pd.DataFrame({"months": generator.integers(4, 60, n_rows), "amount": generator.lognormal(8, 0.7, n_rows)})
    X["account"] = generator.choice(["none", "in debt", "some money", "much money"], n_rows)
    X["purpose"] = generator.choice(["car", "furniture", "television", "business"], n_rows)
    risk = X["months"] / 20 + 1.5 * (X["account"] == "in debt") - 2 * (X["account"] == "much money")
    return X, (risk + generator.logistic(size=n_rows) > 3).astype(int).to_numpy()


folder = None if QUICK else find_data("tables")
if folder:
    X = pd.read_csv(folder / "german_credit.csv.gz")
    y = (X.pop("class") == "bad").astype(int).to_numpy()
else:
    X, y = make_borrowers(120 if QUICK else 1000)
numbers = X.select_dtypes("number").columns.tolist()
categories = [name for name in X if name not in numbers]
print(f"{len(X)} borrowers from {folder or 'make_borrowers'}, {y.mean():.0%} did not pay back; seeds {SEEDS}")

# %%
# What a mistake costs
# --------------------
TRUST, TURN_AWAY = 5, 1


def cost(y, predicted):
    """Return what the mistakes cost per borrower."""
    (_, turned_away), (trusted, _) = confusion_matrix(y, predicted, labels=[0, 1])
    return (TRUST * trusted + TURN_AWAY * turned_away) / len(y)


# %%
# A stack, and five ways to tell it
# ---------------------------------
encode = make_column_transformer((StandardScaler(), numbers), (OneHotEncoder(handle_unknown="ignore"), categories))
ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
trees = make_column_transformer((ordinal, categories), remainder="passthrough")
stack = MultimodalStackingClassifier(
    [
        ("numbers", NumericBranch(hidden=(16,), dropout=0.2), numbers),
        ("categories", CategoricalBranch(dim=2), categories),
        ("logistic", make_pipeline(encode, LogisticRegression(C=0.1, max_iter=1000))),
        ("boosting", make_pipeline(trees, HistGradientBoostingClassifier(max_iter=40, learning_rate=0.05))),
    ],
    network=MultimodalNetworkClassifier(head=(16,), dropout=0.3, epochs=2 if QUICK else 30),
    cv=2 if QUICK else 4,
)

# %%
# Class weights of a stack go to every part that takes some: networks, learners, also inside pipelines, and the final
# estimator. Samplers stand before the stack in imbalanced-learn's pipeline, and take a table as it is.
weighted = clone(stack).set_params(class_weight={0: TURN_AWAY, 1: TRUST})
over = make_resampling_pipeline(RandomOverSampler(random_state=0), stack)
under = make_resampling_pipeline(RandomUnderSampler(random_state=0), stack)

# %%
# A threshold can be tuned for the cost, by cross-validation. Or one calibrates the probabilities: who pays back with
# probability 5 / 6 is as likely to bring as to cost money, so that the threshold is 1 / 6.
tuned = TunedThresholdClassifierCV(stack, scoring=make_scorer(cost, greater_is_better=False), cv=2 if QUICK else 4)
calibrated = FixedThresholdClassifier(
    CalibratedClassifierCV(stack, method="sigmoid", cv=2 if QUICK else 4, ensemble=False),
    threshold=TURN_AWAY / (TRUST + TURN_AWAY),
)
ways = {
    "stack as it is": stack,
    "class weights": weighted,
    "rows of the rare class repeated": over,
    "rows of the other class left out": under,
    "tuned threshold": tuned,
    "calibrated, threshold 1/6": calibrated,
}

# %%
# Scores on borrowers that none of them has seen
# ----------------------------------------------
results = []
for seed in SEEDS:
    outer = StratifiedKFold(5, shuffle=True, random_state=seed)
    training, test = next(outer.split(X, y))
    for way, classifier in ways.items():
        seeded = clone(classifier)
        seeded.set_params(**{name: seed for name in seeded.get_params() if name.endswith("random_state")})
        seeded.fit(X.iloc[training], y[training])
        probabilities = seeded.predict_proba(X.iloc[test])[:, 1]
        results.append(
            {
                "way": way,
                "cost per borrower": cost(y[test], seeded.predict(X.iloc[test])),
                "turned away": seeded.predict(X.iloc[test]).mean(),
                "Brier score": brier_score_loss(y[test], probabilities),
                "ROC AUC": roc_auc_score(y[test], probabilities),
            }
        )
table = pd.DataFrame(results).groupby("way", sort=False).mean()
print(f"\nMean over {len(SEEDS)} splits; trusting nobody costs {1 - y.mean():.2f}, everybody {5 * y.mean():.2f}")
print(table.round(3).to_string())

# %%
# All ways but the first turn away more borrowers and cost less. Weights and samplers pay with the probabilities, which
# then are those of another world (see the Brier score); thresholds leave them as they are.
figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
axes.barh(table.index[::-1], table["cost per borrower"][::-1])
axes.set_xlabel("cost per borrower")
plt.show()

"""
Siamese texts: do two reviews speak of the same kind of garment?
================================================================

Two texts go through one and the same encoder, and a small head compares the two vectors. Whichever text comes first,
the network knows as much about it, and what it learns from one column serves the other: each pair trains the encoder
twice.

Set ``SKSTACK_DATA`` to a directory with ``women_clothing`` to use real reviews; else the lesson makes up its own.
"""

# %%
# The pairs
# ---------
# Every review occurs in one pair only, so that no test pair holds a review that was trained on. Half of the pairs are
# put together from reviews of the same kind of garment, the others by chance.
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import accuracy_score, roc_auc_score

from skstack import MultimodalNetworkClassifier
from skstack.branches import TextBranch
from skstack.datasets import find_data

# A run of a few seconds that shows only that everything works.
QUICK = bool(os.environ.get("SKSTACK_QUICK"))
KINDS = {
    "Dresses": "dress waist hem gown wedding skirt",
    "Pants": "pants leg ankle zipper pockets trousers",
    "Sweaters": "sweater knit wool warm itchy cozy",
    "Jeans": "jeans denim stretch pilcro skinny wash",
}


def make_reviews(n_rows, seed=0):
    """Return made-up reviews and the kind of garment that each speaks of."""
    generator = np.random.default_rng(seed)
    kinds = generator.choice(list(KINDS), n_rows)
    filler = "i love the color and fit but it runs large so size down very soft fabric".split()
    texts = [
        " ".join(generator.permutation([*generator.choice(filler, 8), *generator.choice(KINDS[kind].split(), 2)]))
        for kind in kinds
    ]
    return np.array(texts, dtype=object), kinds


def make_pairs(texts, kinds, seed=0):
    """Return pairs of texts, and whether they are of the same kind; each text is in one pair at most."""
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(texts))
    pairs = []
    halves = np.array_split(order, 2)
    for rows in [np.sort(halves[0])[np.argsort(kinds[np.sort(halves[0])], kind="stable")], halves[1]]:
        # Neighbours in the order of the kinds are of the same kind, others mostly not.
        pairs += [(rows[at], rows[at + 1]) for at in range(0, len(rows) - 1, 2)]
    pairs = np.array(pairs)[generator.permutation(len(pairs))]
    table = pd.DataFrame({"one": texts[pairs[:, 0]], "other": texts[pairs[:, 1]]})
    return table, kinds[pairs[:, 0]] == kinds[pairs[:, 1]]


if (folder := find_data("women_clothing")) and not QUICK:
    reviews = pd.read_csv(folder / "reviews.csv.gz").dropna(subset=["Review Text"])
    reviews = reviews[reviews["Class Name"].isin(KINDS)]
    texts, kinds = reviews["Review Text"].to_numpy(dtype=object), reviews["Class Name"].to_numpy(dtype=object)
else:
    texts, kinds = make_reviews(800 if QUICK else 6000)
X, same = make_pairs(texts, kinds)
n_train = int(0.8 * len(X))
train, test = np.arange(n_train), np.arange(n_train, len(X))
print(f"{len(X)} pairs, {same.mean():.0%} of the same kind")

# %%
# One encoder, two texts
# ----------------------
# ``shared=True`` sends both columns through the same layers, and ``merge`` says what becomes of the two vectors. A
# product lets the head see where both texts agree.
branch = TextBranch(encoder="mean", dim=32, hidden=(32,), activation="tanh", shared=True, merge="multiply")
network = MultimodalNetworkClassifier(
    [("texts", branch, ["one", "other"])],
    head=(16,),
    epochs=2 if QUICK else 30,
    batch_size=64,
    patience=4,
    optimizer__learning_rate=0.003,
    random_state=0,
)
network.fit(X.iloc[train], same[train])
encoder = network.model_.get_layer("texts_branch")
print(f"the encoder has {encoder.count_params():,} weights, used for both texts")

# %%
# Without sharing, two branches
# -----------------------------
# Two encoders learn from one text of each pair only, and the head has to find out what they have in common.
apart = MultimodalNetworkClassifier(
    [(name, TextBranch(encoder="mean", dim=32, hidden=(32,), activation="tanh"), [name]) for name in ("one", "other")],
    head=(16,),
    **{
        name: getattr(network, name)
        for name in ("epochs", "batch_size", "patience", "optimizer__learning_rate", "random_state")
    },
)
apart.fit(X.iloc[train], same[train])

# %%
# And a plain reference: how similar the texts are by the words that they share.
vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=2).fit(X.iloc[train].to_numpy().ravel())
one, other = (vectorizer.transform(X[name].iloc[test]) for name in ("one", "other"))
similarity = np.asarray(one.multiply(other).sum(axis=1)).ravel()

# %%
# The comparison
# --------------
swapped = X.iloc[test][["other", "one"]].set_axis(["one", "other"], axis=1)
found = {
    "shared encoder": network.predict_proba(X.iloc[test])[:, 1],
    "an encoder each": apart.predict_proba(X.iloc[test])[:, 1],
}
for name, p in found.items():
    print(f"{name:16s} accuracy {accuracy_score(same[test], p > 0.5):.3f}   ROC AUC {roc_auc_score(same[test], p):.3f}")
print(f"{'similar words':16s} accuracy   -     ROC AUC {roc_auc_score(same[test], similarity):.3f} (the reference)")
difference = np.abs(network.predict_proba(swapped)[:, 1] - found["shared encoder"]).max()
print(f"swapping the texts changes the probability of the shared encoder by {difference:.1e} at most")

# %%
figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
for label, chosen in (("same kind", same[test]), ("different kinds", ~same[test])):
    axes.hist(found["shared encoder"][chosen], bins=np.linspace(0, 1, 21), alpha=0.6, label=label)
axes.set(xlabel="probability of the same kind", ylabel="test pairs")
axes.legend()
plt.show()

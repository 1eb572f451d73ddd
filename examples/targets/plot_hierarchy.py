"""
Divide and conquer: many classes in a hierarchy
===============================================

What kind of garment does a review speak of? There are twenty kinds in six departments: blouses and knits are tops,
jeans and pants are bottoms. One stack can tell all kinds apart, or (hiclass) one tells the departments, and one for
each department tells its kinds.

Set ``SKSTACK_DATA`` to a directory with ``women_clothing`` to use real reviews; else the lesson makes some up. hiclass
is installed by ``pip install "skstack[hierarchy]"``.
"""

# %%
# The data
# --------
import os
import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from hiclass import LocalClassifierPerParentNode
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skstack import MultimodalNetworkClassifier, MultimodalStackingClassifier
from skstack.branches import NumericBranch, TextBranch
from skstack.datasets import find_data

# A run of half a minute that shows only that everything works.
QUICK = bool(os.environ.get("SKSTACK_QUICK"))
N_ROWS, LEAST = (160, 8) if QUICK else (6000, 30)


def make_reviews(n_rows, seed=0):
    """Return made-up reviews with department and kind."""
    generator = np.random.default_rng(seed)
    words = {"Tops": ["sleeve", "neck"], "Bottoms": ["waist", "leg"]}
    kinds = {"Tops": ["Blouses", "Knits"], "Bottoms": ["Jeans", "Pants"]}
    rows = []
    for _ in range(n_rows):
        department = generator.choice(list(words))
        kind = generator.choice(kinds[department])
        text = generator.choice(["nice", "soft", "too long", "i love it"], 3).tolist()
        text += [generator.choice(words[department]), kind.lower()[:-1] if generator.random() < 0.6 else "one"]
        rows.append((" ".join(generator.permutation(text)), generator.integers(18, 80), department, kind))
    return pd.DataFrame(rows, columns=["Review Text", "Age", "Department Name", "Class Name"])


if (folder := find_data("women_clothing")) and not QUICK:
    reviews = pd.read_csv(folder / "reviews.csv.gz").dropna(subset=["Review Text", "Class Name"])
else:
    reviews = make_reviews(N_ROWS)
LEVELS = ["Department Name", "Class Name"]
reviews = reviews[reviews.groupby("Class Name")["Class Name"].transform("size") >= 3 * LEAST]
reviews = reviews.sample(min(N_ROWS, len(reviews)), random_state=0)
reviews = reviews[reviews.groupby("Class Name")["Class Name"].transform("size") >= LEAST]
X, y = reviews[["Review Text", "Age"]], reviews[LEVELS].astype(str).to_numpy(dtype=object)
train, test = train_test_split(np.arange(len(X)), test_size=0.25, stratify=y[:, 1], random_state=0)
print(f"{len(X)} reviews, {len(np.unique(y[:, 0]))} departments, {len(np.unique(y[:, 1]))} kinds; seed 0")

# %%
# One stack
# ---------
# It knows nothing of departments; the one of a kind is looked up.
text = FunctionTransformer(lambda table: table.iloc[:, 0])
words = make_pipeline(text, TfidfVectorizer(sublinear_tf=True, min_df=2), LogisticRegression(C=10, max_iter=1000))
stack = MultimodalStackingClassifier(
    [
        ("text", TextBranch(encoder="mean", dim=32, dropout=0.3), ["Review Text"]),
        ("age", NumericBranch(), ["Age"]),
        ("words", words, ["Review Text"]),
    ],
    network=MultimodalNetworkClassifier(
        head=(), epochs=2 if QUICK else 15, batch_size=64, optimizer__learning_rate=0.003
    ),
    cv=2,
    random_state=0,
)
started = time.perf_counter()
stack.fit(X.iloc[train], y[train, 1])
flat = stack.predict(X.iloc[test])
department = dict(y[:, ::-1].tolist())
predicted = {"one stack": np.column_stack([[department[kind] for kind in flat], flat])}
print(f"one stack: {time.perf_counter() - started:.0f} s")

# %%
# A stack for each parent
# -----------------------
# hiclass wants arrays of numbers. It gets the positions of the rows, and each stack looks them up in the table.
rows = FunctionTransformer(lambda positions: X.iloc[positions[:, 0].astype(int)])
hierarchy = LocalClassifierPerParentNode(local_classifier=make_pipeline(rows, stack))
started = time.perf_counter()
hierarchy.fit(train[:, np.newaxis], y[train])
predicted["a stack for each parent"] = hierarchy.predict(test[:, np.newaxis])
print(f"a stack for each parent: {time.perf_counter() - started:.0f} s")

# %%
# Scores on reviews that nobody has seen
# --------------------------------------
scores = pd.DataFrame(
    {
        name: {
            "accuracy, departments": accuracy_score(y[test, 0].astype(str), levels[:, 0].astype(str)),
            "accuracy, kinds": accuracy_score(y[test, 1].astype(str), levels[:, 1].astype(str)),
            "macro F1, kinds": f1_score(y[test, 1].astype(str), levels[:, 1].astype(str), average="macro"),
        }
        for name, levels in predicted.items()
    }
).T
print(scores.round(3).to_string())

# %%
figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
scores.T.plot.barh(ax=axes)
axes.set(xlabel="score on unseen reviews", xlim=(0, 1))
plt.show()

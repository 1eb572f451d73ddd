"""
Final layers of any depth and width
===================================

The final estimator of a stack sees what the base models predicted for rows they had not been trained on. It is often a
linear model; it may as well be a network with one dense layer or several, of any width. Here three base models each see
a part of a digit only, and no part is enough.
"""

# %%
# Three views of a digit
# ----------------------
import os
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, train_test_split

from skstack import MultimodalNetworkClassifier, MultimodalStackingClassifier
from skstack.branches import NumericBranch

# A run of a few seconds that shows only that everything works.
QUICK = bool(os.environ.get("SKSTACK_QUICK"))

X, y = load_digits(return_X_y=True, as_frame=True)
if QUICK:
    X, y = X[:300], y[:300]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)
top, bottom, middle = list(X.columns[:24]), list(X.columns[40:]), list(X.columns[24:40])

# %%
# The stack
# ---------
# With ``training="individual"`` each branch is a base model with an output of its own. ``network`` is the template for
# their training. As only the final estimator will change, ``memory`` keeps the fitted base models for the next fit.
cache = TemporaryDirectory()
template = MultimodalNetworkClassifier(epochs=2 if QUICK else 25, batch_size=32, patience=5, head=(), verbose=0)
stack = MultimodalStackingClassifier(
    estimators=[
        ("top", NumericBranch(hidden=(32,)), top),
        ("bottom", NumericBranch(hidden=(32,)), bottom),
        ("middle", RandomForestClassifier(50, random_state=0), middle),
    ],
    training="individual",
    network=template,
    cv=StratifiedKFold(2 if QUICK else 3, shuffle=True, random_state=0),
    memory=cache.name,
    random_state=0,
)

# %%
# The last word
# -------------
# A network without ``branches`` takes every column as numbers, here the 30 probabilities of the base models. Its
# ``head`` lists the final layers: none, one, or several; after them follows the softmax.


def final_layers(*widths):
    epochs = 3 if QUICK else 60
    return MultimodalNetworkClassifier(head=widths, epochs=epochs, batch_size=32, patience=8, random_state=0)


finals = {
    "logistic regression": LogisticRegression(C=10),
    "softmax layer alone": final_layers(),
    "one layer of 128": final_layers(128),
    "layers of 64, 32, 16": final_layers(64, 32, 16),
}
if QUICK:
    del finals["softmax layer alone"], finals["one layer of 128"]
rows = {}
for name, final in finals.items():
    fitted = clone(stack).set_params(final_estimator=final).fit(X_train, y_train)
    rows[name] = fitted.score(X_test, y_test)
    print(f"final estimator {name:22s} accuracy {rows[name]:.3f}")

cache.cleanup()

# %%
# What the final estimator adds shows beside each base model alone. Their ten probabilities are a good summary already:
# here a single layer combines them as well as several do.
outputs = fitted.transform(X_test).reshape(len(X_test), 3, 10)
for place, (name, _, _) in enumerate(stack.estimators):
    rows[f"{name} part alone"] = (outputs[:, place].argmax(axis=1) == y_test).mean()
scores = pd.Series(rows, name="accuracy")
print(scores.round(3).to_string())

# %%
figure, axes = plt.subplots(figsize=(7, 3.5), layout="constrained")
axes.barh(scores.index, scores, color=["C0"] * len(finals) + ["0.7"] * 3)
axes.invert_yaxis()
axes.set(xlim=(0.4, 1), xlabel="accuracy on the test digits")
plt.show()

"""
Titanic: a softmax network beside logistic regression
=====================================================

Who survived? Ten numbers per passenger, two classes. The network ends in one softmax neuron per class, and as a
scikit-learn classifier it has ``predict_proba``: any scorer of scikit-learn works on it.

Set ``SKSTACK_DATA`` to a directory with ``datacamp_intro/titanic_all_numeric.csv`` to use the 891 passengers; else the
lesson runs on scikit-learn's breast cancer data.
"""

# sphinx_gallery_thumbnail_path = "recorded/plot_titanic_1.png"

# %%
# The data
# --------
import os

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import RocCurveDisplay, accuracy_score, log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skstack import MultimodalNetworkClassifier
from skstack.datasets import find_data

# A run of a few seconds that shows only that everything works.
QUICK = bool(os.environ.get("SKSTACK_QUICK"))

if folder := find_data("datacamp_intro"):
    table = pd.read_csv(folder / "titanic_all_numeric.csv")
    X, y = table.drop(columns="survived"), table["survived"]
else:
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
print(f"{len(X)} rows, {X.shape[1]} columns; classes: {y.value_counts().to_dict()}")

# %%
# The network
# -----------
# Two layers of 32 neurons, each followed by dropout. The loss decides about the output: the sparse categorical
# cross-entropy wants a softmax over the classes, also when there are only two of them.
network = MultimodalNetworkClassifier(
    head=(32, 32),
    dropout=0.2,
    loss="sparse_categorical_crossentropy",
    optimizer="adam",
    optimizer__learning_rate=0.003,
    epochs=5 if QUICK else 100,
    batch_size=32,
    early_stopping=True,
    patience=10,
    validation_fraction=0.1,
    random_state=0,
)
network.fit(X, y)
print(network.model_.layers[-1].get_config()["activation"], "over", network.classes_)

# %%
# Both on the same folds
# ----------------------
# Each passenger's probability comes from a network, or a regression, that has not seen this passenger.
folds = StratifiedKFold(3 if QUICK else 5, shuffle=True, random_state=0)
models = {
    "softmax network": network,
    "logistic regression (the reference)": make_pipeline(StandardScaler(), LogisticRegression()),
}
probabilities = {
    name: cross_val_predict(model, X, y, cv=folds, method="predict_proba") for name, model in models.items()
}
scores = pd.DataFrame(
    {
        name: {
            "accuracy": accuracy_score(y, p.argmax(axis=1)),
            "ROC AUC": roc_auc_score(y, p[:, 1]),
            "log loss": log_loss(y, p),
        }
        for name, p in probabilities.items()
    }
).T
print(scores.round(3).to_string())

# %%
figure, axes = plt.subplots(figsize=(5, 4.5), layout="constrained")
for name, p in probabilities.items():
    RocCurveDisplay.from_predictions(y, p[:, 1], name=name, ax=axes)
axes.set_title("Out-of-fold predictions")
plt.show()

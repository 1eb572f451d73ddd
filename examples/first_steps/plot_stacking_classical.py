"""
A stack of classical learners
=============================

With classical learners alone, :class:`~skstack.MultimodalStackingRegressor` and
:class:`~skstack.MultimodalStackingClassifier` are what scikit-learn's stacks are: the same numbers on the same splits.
What they add without any network is that every learner can have its own columns.
"""

# sphinx_gallery_thumbnail_path = "recorded/plot_stacking_classical_1.png"

# %%
# Regression
# ----------
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes, load_wine
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor, StackingClassifier, StackingRegressor
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score, train_test_split
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skstack import MultimodalStackingClassifier, MultimodalStackingRegressor

X, y = load_diabetes(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
learners = [
    ("ridge", RidgeCV()),
    ("forest", RandomForestRegressor(50, random_state=0)),
    ("neighbours", make_pipeline(StandardScaler(), KNeighborsRegressor(15))),
]
splits = KFold(5, shuffle=True, random_state=0)
ours = MultimodalStackingRegressor(learners, RidgeCV(), cv=splits).fit(X_train, y_train)
theirs = StackingRegressor(learners, RidgeCV(), cv=splits).fit(X_train, y_train)
difference = np.abs(ours.predict(X_test) - theirs.predict(X_test)).max()
print(f"R2 on the test rows: skstack {ours.score(X_test, y_test):.6f}")
print(f"scikit-learn (the reference) {theirs.score(X_test, y_test):.6f}, largest difference {difference:.1e}")

# %%
# Classification
# --------------
# The base models pass on probabilities: a column per class and learner.
X_wine, y_wine = load_wine(return_X_y=True, as_frame=True)
W_train, W_test, c_train, c_test = train_test_split(X_wine, y_wine, stratify=y_wine, random_state=0)
classifiers = [
    ("logistic", make_pipeline(StandardScaler(), LogisticRegression())),
    ("forest", RandomForestClassifier(50, random_state=0)),
    ("neighbours", make_pipeline(StandardScaler(), KNeighborsClassifier(15))),
]
strata = StratifiedKFold(5, shuffle=True, random_state=0)
our_classifier = MultimodalStackingClassifier(classifiers, LogisticRegression(), cv=strata).fit(W_train, c_train)
their_classifier = StackingClassifier(classifiers, LogisticRegression(), cv=strata).fit(W_train, c_train)
difference = np.abs(our_classifier.predict_proba(W_test) - their_classifier.predict_proba(W_test)).max()
print(f"Accuracy on the test rows: skstack {our_classifier.score(W_test, c_test):.6f}")
print(f"scikit-learn (the reference) {their_classifier.score(W_test, c_test):.6f}, largest difference {difference:.1e}")

# %%
# The names are scikit-learn's too: the matrix on which the final estimator works comes from ``transform``.
features = pd.DataFrame(our_classifier.transform(W_test), columns=our_classifier.get_feature_names_out())
print(features.head().round(2).T.to_string())

# %%
# Columns of its own for each learner
# -----------------------------------
# The third item of an estimator names its columns, as in :class:`~sklearn.compose.ColumnTransformer`. Body and blood
# are two kinds of data here; neither learner sees the other's.
body, blood = ["age", "sex", "bmi", "bp"], ["s1", "s2", "s3", "s4", "s5", "s6"]
by_kind = MultimodalStackingRegressor(
    [("body", RandomForestRegressor(50, random_state=0), body), ("blood", RidgeCV(), blood)], RidgeCV(), cv=splits
)
models = {"body alone": RidgeCV(), "blood alone": RidgeCV(), "stack of both": by_kind}
columns = {"body alone": body, "blood alone": blood, "stack of both": list(X.columns)}
scores = {name: cross_val_score(model, X[columns[name]], y, cv=splits) for name, model in models.items()}
for name, score in scores.items():
    print(f"{name:14s} R2 {score.mean():.3f}")

# %%
figure, axes = plt.subplots(figsize=(6, 2.5), layout="constrained")
axes.boxplot(list(scores.values()), orientation="horizontal", tick_labels=list(scores))
axes.set(xlabel="R2 on five test folds")
plt.show()

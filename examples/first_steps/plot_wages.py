"""
Wages: a plain network beside linear regression
===============================================

Nine numbers about a person (schooling, experience, trade, ...) and the wage per hour: the first regression of many
courses, a network with layers of 50 and 32 neurons. It is fitted and scored like any scikit-learn regressor, and
because linear regression sees the same folds, we learn whether the network was worth it.

Set ``SKSTACK_DATA`` to a directory with ``datacamp_intro/hourly_wages.csv`` to use the wages of 534 people; else the
lesson runs on scikit-learn's diabetes data, which has ten numbers per patient.
"""

# sphinx_gallery_thumbnail_path = "recorded/plot_wages_1.png"

# %%
# The data
# --------
import os

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skstack import MultimodalNetworkRegressor
from skstack.datasets import find_data

# A run of a few seconds that shows only that everything works.
QUICK = bool(os.environ.get("SKSTACK_QUICK"))

if folder := find_data("datacamp_intro"):
    table = pd.read_csv(folder / "hourly_wages.csv")
    X, y = table.drop(columns="wage_per_hour"), table["wage_per_hour"]
else:
    X, y = load_diabetes(return_X_y=True, as_frame=True)
X.describe().T.round(1)

# %%
# The network
# -----------
# Without ``branches`` one :class:`~skstack.branches.NumericBranch` standardises every column; ``head`` lists the layers
# that follow, and the output neuron comes last. The network puts a part of the rows it is given aside and stops when
# that part is no longer predicted better. No step of this sees the rows on which we score.
network = MultimodalNetworkRegressor(
    head=(50, 32),
    activation="relu",
    optimizer="adam",
    optimizer__learning_rate=0.003,
    epochs=5 if QUICK else 150,
    batch_size=32,
    early_stopping=True,
    patience=15,
    validation_fraction=0.1,
    random_state=0,
)
network.fit(X, y)
network.model_.summary()

# %%
# Both on the same folds
# ----------------------
# A few outliers earn five times the usual wage: one split of 500 rows says little, so we repeat. Where effects are
# nearly linear and rows are few, a network can do no more than draw level: worth knowing before it is made larger.
folds = KFold(3 if QUICK else 10, shuffle=True, random_state=0)
models = {
    "network 50-32": network,
    "linear regression (the reference)": make_pipeline(StandardScaler(), LinearRegression()),
}
scoring = {"MAE": "neg_mean_absolute_error", "RMSE": "neg_root_mean_squared_error", "R2": "r2"}
folds_of = {name: cross_validate(model, X, y, cv=folds, scoring=scoring) for name, model in models.items()}
scores = pd.DataFrame(
    {name: {key: abs(fold[f"test_{key}"].mean()) for key in scoring} for name, fold in folds_of.items()}
).T
print(scores.round(3).to_string())

# %%
# How the training went
# ---------------------
# Early stopping kept the weights from the epoch in which the loss on the rows put aside was lowest.
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
left.plot(network.history_["loss"], label="training rows")
left.plot(network.history_["val_loss"], label="rows put aside")
left.set(xlabel="epoch", ylabel="loss (standardised target)", title="One fit")
left.legend()
for place, (name, fold) in enumerate(folds_of.items()):
    right.plot(-fold["test_MAE"], "o-", color=f"C{place}", label=name)
right.set(xlabel="fold", ylabel="mean absolute error", title="Each fold")
right.legend()
plt.show()

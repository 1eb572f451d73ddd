"""
Pictures as numbers for any learner
===================================

A pretrained network can serve as a reduction of dimensions: a photo of 50,000 numbers becomes 1,280 features, and these
a few principal components. What comes out is an ordinary table, for linear models, neighbours, support vectors or
trees. Features are computed once and kept, so that trying learners on them costs next to nothing; the components are
learned in each fold anew.

Set ``SKSTACK_DATA`` to a directory with ``dogs_cats``, ``houses`` and ``pretrained`` to use real photos and an
EfficientNet-Lite0 trained on ImageNet; else the lesson draws houses, and looks at them through a small network that has
learned nothing.
"""

# %%
# The data
# --------
# Houses have four photos each, and a group that tells which are listed twice.
import os
import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import GroupKFold, StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR

from skstack.datasets import find_data, load_houses, make_houses
from skstack.preprocessing import ImageEmbedder

# A run of a few seconds that shows only that everything works.
QUICK = bool(os.environ.get("SKSTACK_QUICK"))
# TensorFlow would tell about the machine.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

pretrained = None if QUICK else find_data("pretrained")
folder = find_data("houses") if pretrained else None
if folder:
    houses = load_houses(folder)
else:
    houses = make_houses(Path(tempfile.mkdtemp()), n_houses=60 if QUICK else 400, random_state=0)
ROOMS = ["bathroom", "bedroom", "frontal", "kitchen"]


def small_network():
    """Return convolutions with random weights: what they give depends on colours and edges."""
    import keras

    initializer = keras.initializers.GlorotUniform(seed=0)
    convolutions = [
        keras.layers.Conv2D(filters, 3, strides=2, activation="relu", kernel_initializer=initializer)
        for filters in (8, 16, 32)
    ]
    return keras.Sequential([keras.Input((32, 32, 3)), *convolutions, keras.layers.GlobalAveragePooling2D(name="pool")])


backbone = pretrained / "efficientnet_lite0_imagenet.keras" if pretrained else small_network()
see = {"backbone": backbone, "feature_layer": "pool", "preprocess": "tf"}
print(f"{len(houses.data)} houses from {folder or 'make_houses'}")

# %%
# An embedder
# -----------
# It is a transformer like any other: here it turns four columns of file names into four principal components each.
embedder = ImageEmbedder(**see, root=houses.image_root, n_components=4, random_state=0).set_output(transform="pandas")
started = time.perf_counter()
components = embedder.fit_transform(houses.data[ROOMS])
first = time.perf_counter() - started
started = time.perf_counter()
embedder.fit_transform(houses.data[ROOMS])
print(f"{components.shape[1]} columns: {', '.join(components.columns[:5])}, ...")
print(f"first time {first:.1f} s, second time {time.perf_counter() - started:.1f} s")

# %%
# What is on a picture
# --------------------
# With real photos, we tell dogs from cats; drawn houses are told apart by their room, kitchens from bathrooms.
if pretrained and (animals := find_data("dogs_cats")):
    labels = pd.read_csv(animals / "labels.csv")
    pictures, y, root = labels[["file"]], labels["is_dog"].to_numpy(), animals / "images"
    print("dogs and cats; reference: linear probe 98.6 %")
else:
    names = [houses.data["kitchen"], houses.data["bathroom"]]
    pictures, root = pd.DataFrame({"file": np.concatenate(names)}), houses.image_root
    y = np.repeat([0, 1], len(houses.data))
    print("kitchens and bathrooms")

few = 8 if QUICK else 64
learners = {
    "logistic regression, all features": (None, make_pipeline(StandardScaler(), LogisticRegression(C=0.01))),
    f"logistic regression, {few} components": (few, LogisticRegression(C=0.1, max_iter=1000)),
    f"support vectors, {few} components": (few, SVC(C=3)),
    f"15 neighbours, {few} components": (few, KNeighborsClassifier(15)),
    f"boosting, {few} components": (few, HistGradientBoostingClassifier(max_iter=10 if QUICK else 100)),
}
folds = StratifiedKFold(2 if QUICK else 5, shuffle=True, random_state=0)
accuracy = {}
for name, (n_components, learner) in learners.items():
    started = time.perf_counter()
    pipeline = make_pipeline(ImageEmbedder(**see, root=root, n_components=n_components, random_state=0), learner)
    accuracy[name] = cross_val_score(pipeline, pictures, y, cv=folds)
    print(f"{name:38s} {accuracy[name].mean():.1%}   ({time.perf_counter() - started:.0f} s)")

# %%
# What a house costs
# ------------------
# Beside numbers and zip code, the photos say something about a price.
X, price = houses.data.assign(log_area=np.log(houses.data["area"])), houses.target
table = [
    ("numbers", StandardScaler(), ["bedrooms", "bathrooms", "log_area"]),
    ("zip", OneHotEncoder(handle_unknown="infrequent_if_exist"), ["zipcode"]),
]
photos = (
    "photos",
    ImageEmbedder(**see, root=houses.image_root, n_components=4 if QUICK else 16, random_state=0),
    ROOMS,
)
for name, columns, learner in [
    ("ridge on the table", table, RidgeCV(np.logspace(-1, 3, 9))),
    ("ridge on table and photos", [*table, photos], RidgeCV(np.logspace(-1, 3, 9))),
    ("support vectors on the table", table, SVR(C=3, gamma=0.1, epsilon=0.1)),
    ("support vectors on table and photos", [*table, photos], SVR(C=3, gamma=0.05, epsilon=0.1)),
]:
    # Components of photos have a much wider spread than standardised numbers.
    transformer = ColumnTransformer(columns, transformer_weights={"photos": 0.1})
    model = TransformedTargetRegressor(make_pipeline(transformer, learner), func=np.log, inverse_func=np.exp)
    scores = cross_val_score(
        model,
        X,
        price,
        groups=houses.groups,
        cv=GroupKFold(2 if QUICK else 5),
        scoring="neg_mean_absolute_percentage_error",
    )
    print(f"{name:38s} MAPE {-scores.mean():.3f}")
print("Reference MAPE on the real houses: stack of models on the table 0.281, with frozen image features 0.271.")

# %%
# The picture
# -----------
# Two components are enough to see that the features know something.
plane = ImageEmbedder(**see, root=root, n_components=2, random_state=0).fit_transform(pictures)
figure, axis = plt.subplots(figsize=(5, 4), layout="constrained")
for number in (0, 1):
    axis.plot(*plane[y == number].T, ".", alpha=0.6, label=f"class {number}")
axis.set(xlabel="first component", ylabel="second component", title="Pictures in two numbers")
axis.legend()
plt.show()

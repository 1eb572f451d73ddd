"""
Houses: branches alone, together, or one after the other
========================================================

The branches of a stack can be trained each by itself (``training="individual"``), fused into one network (``"joint"``),
or both: first each by itself, then the fused network from the weights that they have learned
(``"individual+joint"``). In the second stage, some layers can stay frozen, learn more slowly, or wait until fusion and
head have warmed up. We train the same branches on the same houses in all of these ways, with photos that are learned
from scratch and with the features of a pretrained network.

Set ``SKSTACK_DATA`` to a directory with ``houses`` and ``pretrained`` to use 535 real houses; else the lesson draws its
own. All of it takes some hours on two cores: ``--help`` tells how to train in some of the ways only, and with
``--keep`` a run finds what those before it have predicted.
"""

# %%
# The data
# --------
# Some houses are listed twice or share a photo; a group number tells which. Every split goes by group. We work on the
# logarithm of the price.
import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.linear_model import QuantileRegressor
from sklearn.metrics import mean_absolute_percentage_error
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler, TargetEncoder
from sklearn.svm import SVR

from skstack import MultimodalNetworkRegressor, MultimodalStackingRegressor
from skstack.branches import CategoricalBranch, ImageBranch, NumericBranch
from skstack.datasets import find_data, load_houses, make_houses
from skstack.preprocessing import ImageEmbedder

# A run of half a minute that shows only that everything works.
QUICK = bool(os.environ.get("SKSTACK_QUICK"))
ROOMS = ["bathroom", "bedroom", "frontal", "kitchen"]
NUMBERS = ["bedrooms", "bathrooms", "log_area"]

# %%
# Ways to train
# -------------
# What they differ in are parameters of the stack and of its network template. "Half" freezes the convolutions of the
# photos; features of a pretrained network have only one layer, which is then frozen, and numbers and zip code are
# trained on.
STAGED = {"training": "individual+joint"}
WAYS = {
    "individual": {"training": "individual"},
    "joint": {"training": "joint"},
    "nothing frozen": STAGED,
    "half frozen": {**STAGED, "network__trainable": None},  # depends on the photos
    "everything frozen": {**STAGED, "network__trainable": False},
    "warm-up": {**STAGED, "network__freeze_epochs": 10},
    "branches slower": {**STAGED, "network__branch_learning_rate": 0.1},
    "warm-up, columns": {**STAGED, "network__freeze_epochs": 10, "individual_predictions": True},
    "joint, members": {"training": "joint", "network__n_members": 4},  # the mean of four networks
    "half frozen, members": {**STAGED, "network__trainable": None, "network__n_members": 4},
}
HALF = {"scratch": dict.fromkeys(ROOMS, "dense_*"), "backbone": dict.fromkeys(ROOMS, False)}

parser = argparse.ArgumentParser(description="Train houses in several ways.")
parser.add_argument("--photos", nargs="+", choices=list(HALF), default=["backbone"] if QUICK else list(HALF))
parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
parser.add_argument("--seeds", nargs="+", type=int, default=[0] if QUICK else [0, 1, 2])
parser.add_argument("--folds", type=int, default=2 if QUICK else 5, help="outer and inner folds")
parser.add_argument("--houses", type=int, default=60 if QUICK else None, help="take the first so many")
parser.add_argument("--epochs", type=int, default=2 if QUICK else 40, help="of each stage")
parser.add_argument("--size", type=int, default=16, help="pixels of photos from scratch, each way")
parser.add_argument("--outer", nargs="+", type=int, help="train for these outer folds only, and print no table")
parser.add_argument("--fold-training", default="auto", help="how networks of inner folds are trained")
parser.add_argument("--keep", type=Path, default=Path(tempfile.mkdtemp()), help="folder for predictions")
given = parser.parse_args()

folder, pretrained = (None, None) if QUICK else (find_data("houses"), find_data("pretrained"))
houses = load_houses(folder) if folder else make_houses(Path(tempfile.mkdtemp()), n_houses=60 if QUICK else 400)
X = houses.data.assign(log_area=np.log(houses.data["area"]), zip_number=houses.data["zipcode"].astype(float))
X, price, groups = X[: given.houses], houses.target.to_numpy()[: given.houses], houses.groups[: given.houses]
print(f"{len(X)} houses, {len(np.unique(groups))} groups, from {folder or 'make_houses'}")


# %%
# Base models
# -----------
# Four photos, numbers and a zip code are the branches of the network. The photos from scratch are tiny, their networks
# narrow, and strong dropout stands on both sides of their last layer, as a few hundred houses can be learned by heart.
# Classical learners stand beside the network; those on photos are there only where the photos have features.
def small_network():
    """Return convolutions with random weights, where no pretrained network is at hand."""
    import keras

    initializer = keras.initializers.GlorotUniform(seed=0)
    convolutions = [
        keras.layers.Conv2D(filters, 3, strides=2, activation="relu", kernel_initializer=initializer)
        for filters in (8, 16, 32)
    ]
    return keras.Sequential([keras.Input((32, 32, 3)), *convolutions, keras.layers.GlobalAveragePooling2D(name="pool")])


backbone = pretrained / "efficientnet_lite0_imagenet.keras" if pretrained else small_network()
see = {"backbone": backbone, "feature_layer": "pool", "preprocess": "tf", "root": houses.image_root}
PHOTO = {
    "scratch": ImageBranch(
        size=(given.size, given.size), root=houses.image_root, filters=(8, 16), hidden=(4,), dropout=0.5
    ),
    "backbone": ImageBranch(**see, hidden=(16,), dropout=0.5),
}


def learners(photos):
    """Return classical learners on the table and, where they have features, on the photos."""
    trees = make_pipeline(
        make_column_transformer(
            ("passthrough", ["bedrooms", "bathrooms", "area", "zip_number"]),
            (TargetEncoder(target_type="continuous"), ["zipcode"]),
        ),
        GradientBoostingRegressor(
            n_estimators=200, learning_rate=0.05, max_depth=4, subsample=0.6, min_samples_leaf=5, random_state=0
        ),
    )
    table = [
        ("numbers", StandardScaler(), NUMBERS),
        ("zip", OneHotEncoder(handle_unknown="infrequent_if_exist"), ["zipcode"]),
    ]
    found = [
        ("boosting", trees),
        ("svr", make_pipeline(ColumnTransformer(table), SVR(C=3, gamma=0.1, epsilon=0.1))),
    ]
    if photos == "backbone":
        seen = ("photos", ImageEmbedder(**see, n_components=4 if QUICK else 16, random_state=0), ROOMS)
        both = ColumnTransformer([*table, seen], transformer_weights={"photos": 0.1})
        found.append(("svr_photos", make_pipeline(both, SVR(C=3, gamma=0.05, epsilon=0.1))))
    return found


network = MultimodalNetworkRegressor(
    head=(64,),
    dropout=0.3,
    loss="mae",
    epochs=given.epochs,
    batch_size=32,
    early_stopping=False,
    fold_training=given.fold_training,
)
# Learners are the same in all ways to train: they are fitted once.
MEMORY = tempfile.mkdtemp()


def make_stack(photos, way, seed):
    """Return the stack for one way to train."""
    branches = [
        ("numbers", NumericBranch(hidden=(64, 32)), NUMBERS),
        ("zip", CategoricalBranch(dim=16), ["zipcode"]),
        *[(room, clone(PHOTO[photos]), [room]) for room in ROOMS],
    ]
    stack = MultimodalStackingRegressor(
        [*branches, *learners(photos)],
        network=clone(network),
        cv=GroupKFold(given.folds),
        memory=MEMORY,
        random_state=seed,
    )
    parameters = dict(WAYS[way])
    if way.startswith("half frozen"):
        parameters["network__trainable"] = HALF[photos]
    if way == "individual" and photos == "scratch":
        # A photo network on its own has to squeeze more out of a picture than one that adds to numbers and zip code.
        parameters |= {f"{room}__hidden": (16,) for room in ROOMS} | {f"{room}__dropout": 0.2 for room in ROOMS}
    return stack.set_params(**parameters)


class PercentageRegressor(QuantileRegressor):
    """Linear model with the least mean absolute percentage error, on logarithms of what is predicted.

    An error of so many dollars is the larger a percentage the lower the price: what is predicted best are medians, in
    which each house weighs the inverse of its price.
    """

    def fit(self, X, y):
        """See QuantileRegressor."""
        return super().fit(X, y, sample_weight=np.exp(np.mean(y) - y))


# %%
# Scores on unseen houses
# -----------------------
# Each seed shuffles the groups into other folds and gives the networks other weights to begin with. By default a stack
# is a weighted average of its base models, with the least squared error. We measure percentages: a final estimator for
# these learns from the same out-of-fold predictions, as ``final_estimator=PercentageRegressor(alpha=0.01)`` does.
def predictions(photos, way, seed, fold, fitting, held_out):
    """Return the logarithms that stack and network predict for unseen houses."""
    path = given.keep / f"{photos} {way} {seed} {fold}.csv"
    if not path.exists():
        stack = make_stack(photos, way, seed).fit(X.iloc[fitting], np.log(price[fitting]), groups=groups[fitting])
        models = {"stack": stack, "network": stack.named_estimators_.get("network")}
        found = {name: model.predict(X.iloc[held_out]) for name, model in models.items() if model is not None}
        final = PercentageRegressor(alpha=0.01).fit(stack.oof_predictions_, np.log(price[fitting]))
        found["stack for percentages"] = final.predict(stack.transform(X.iloc[held_out]))
        given.keep.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(found).to_csv(path, index=False)
    return pd.read_csv(path)


rows = []
for seed in given.seeds:
    outer = list(GroupKFold(given.folds, shuffle=True, random_state=seed).split(X, groups=groups))
    chosen = range(given.folds) if given.outer is None else given.outer
    for photos in given.photos:
        for way in given.ways:
            started = time.perf_counter()
            of_folds = [predictions(photos, way, seed, fold, *outer[fold]) for fold in chosen]
            unseen, predicted = np.concatenate([outer[fold][1] for fold in chosen]), np.exp(pd.concat(of_folds))
            scores = predicted.apply(
                lambda values, unseen=unseen: mean_absolute_percentage_error(price[unseen], values)
            )
            rows.append({"photos": photos, "way": way, "seed": seed, **scores})
            told = ", ".join(f"{name} {score:.4f}" for name, score in scores.items())
            took = time.perf_counter() - started
            print(f"{photos}, {way}, seed {seed}: MAPE of the {told}   ({took:.0f} s)", flush=True)
if given.outer is not None:
    sys.exit()

results = pd.DataFrame(rows)
table = results.drop(columns="seed").groupby(["photos", "way"], sort=False).agg(["mean", "std"])
print(f"\nMAPE on unseen houses, {given.folds} grouped folds, seeds {given.seeds}")
print(table.to_string(float_format="{:.4f}".format))

# %%
# The picture
# -----------
size = (5.5 * len(given.photos), 3)
figure, axes = plt.subplots(1, len(given.photos), figsize=size, layout="constrained", squeeze=False)
for axis, photos in zip(axes[0], given.photos, strict=True):
    of_photos = results[results["photos"] == photos].groupby("way", sort=False)["stack"].agg(["mean", "std"])[::-1]
    axis.barh(of_photos.index, of_photos["mean"], xerr=of_photos["std"].fillna(0))
    axis.set(xlabel="MAPE of the stack", title=f"photos: {photos}", xlim=(of_photos["mean"].min() * 0.9, None))
plt.show()

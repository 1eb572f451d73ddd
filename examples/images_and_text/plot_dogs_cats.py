"""
Dogs and cats: transfer learning
================================

A network that was trained on a million pictures has features for fur, ears and snouts. We take it as it is and train
nothing but a new last layer; then we unfreeze its last layers and train them too, more slowly. A network that starts
from scratch gets about 70 % of these pictures right.

Set ``SKSTACK_DATA`` to a directory with ``dogs_cats`` and ``pretrained`` to use 1,399 photos of 128 x 128 pixels and an
EfficientNet-Lite0 trained on ImageNet; else the lesson draws pictures with horizontal and vertical stripes, and trains
its own small network on another task before.
"""

# %%
# The data
# --------
# A column of file names is all that a branch of pictures needs.
import argparse
import os
import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skstack import MultimodalNetworkClassifier
from skstack.branches import ImageBranch
from skstack.datasets import find_data
from skstack.preprocessing import ImageEmbedder

# A run of a few seconds that shows only that everything works.
QUICK = bool(os.environ.get("SKSTACK_QUICK"))
parser = argparse.ArgumentParser(description="Tell dogs from cats.")
parser.add_argument("--folds", type=int, default=1 if QUICK else 2, help="in which the last layers are unfrozen")
N_FOLDS = parser.parse_args().folds


def draw_stripes(folder, n_pictures, classes, size=32):
    """Draw noisy stripes in some of four directions, save them as files, and return their names and classes."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, len(classes), n_pictures)
    names = [f"{classes}_{number}.png" for number in range(n_pictures)]
    across, down = np.meshgrid(np.arange(size), np.arange(size))
    for name, direction in zip(names, np.array(classes)[y], strict=True):
        way = [across, down, across + down, across - down][direction]
        stripes = 128 + 60 * np.sin(way * rng.uniform(0.5, 0.9) + rng.uniform(0, 6))
        picture = np.clip(stripes[..., None] + rng.normal(0, 60, (size, size, 3)), 0, 255).astype("uint8")
        Image.fromarray(picture).save(folder / name)
    return pd.DataFrame({"photo": names}), y


def small_network(folder):
    """Return a small network that tells diagonal stripes apart, and says nothing of horizontal and vertical ones."""
    import keras

    initializer = keras.initializers.GlorotUniform(seed=0)
    layers = [keras.Input((32, 32, 3))]
    for number, filters in enumerate((16, 32), 1):
        name = f"block{number}_conv"
        layers.append(keras.layers.Conv2D(filters, 5, 2, activation="relu", kernel_initializer=initializer, name=name))
    model = keras.Sequential([*layers, keras.layers.GlobalAveragePooling2D(name="pool"), keras.layers.Dense(1)])
    X, y = draw_stripes(folder, 60 if QUICK else 600, (2, 3))
    pixels = np.stack([np.asarray(Image.open(folder / name)) for name in X["photo"]]) / 127.5 - 1
    model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
    model.fit(pixels, y, epochs=1 if QUICK else 5, verbose=0)
    return model


folder, pretrained = (None, None) if QUICK else (find_data("dogs_cats"), find_data("pretrained"))
REAL = bool(folder and pretrained)
if REAL:
    labels = pd.read_csv(folder / "labels.csv")
    X, y, root = labels[["file"]].rename(columns={"file": "photo"}), labels["is_dog"].to_numpy(), folder / "images"
    backbone, last_layers = pretrained / "efficientnet_lite0_imagenet.keras", "block15*"
else:
    root = Path(tempfile.mkdtemp())
    X, y = draw_stripes(root, 60 if QUICK else 400, (0, 1))
    backbone, last_layers = small_network(root), "block2*"
print(f"{len(X)} pictures, {y.mean():.0%} of class 1, from {folder if REAL else 'draw_stripes'}")

# %%
# Frozen
# ------
# The file holds a whole Keras model, so we name the layer whose output we want and how pixels are scaled; models of
# ``keras.applications`` go by their name, ``backbone="ResNet50"``. Every photo passes through the backbone once,
# whatever we do with its features: the second line takes no time for it.
see = {"backbone": backbone, "feature_layer": "pool", "preprocess": "tf", "root": root}
frozen = MultimodalNetworkClassifier(
    [("photo", ImageBranch(**see, hidden=()), ["photo"])],
    head=(),
    epochs=5 if QUICK else 60,
    early_stopping=False,
    random_state=0,
)
linear = make_pipeline(ImageEmbedder(**see), StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
splits = list(StratifiedKFold(2 if QUICK else 5, shuffle=True, random_state=0).split(X, y))

accuracy = {}
for name, model in {"frozen, new last layer": frozen, "frozen, logistic regression": linear}.items():
    started = time.perf_counter()
    accuracy[name] = cross_val_score(model, X, y, cv=splits)
    print(f"{name}: {accuracy[name].mean():.1%} in {len(splits)} folds   ({time.perf_counter() - started:.0f} s)")

# %%
# Unfrozen
# --------
# Now the backbone is a part of the network, which sees the pixels; its last layers learn at a fifth of the rate of the
# new layer, and pictures are flipped at random. That takes a pass of every photo through the backbone in every epoch,
# so that a few epochs and two of the folds have to do; with a GPU, ``--folds 5`` takes all of them.
unfrozen = clone(frozen).set_params(
    photo__trainable=last_layers,
    photo__backbone_learning_rate=0.2,
    photo__augment=("flip",),
    epochs=1 if QUICK else 4,
    optimizer__learning_rate=2e-3,
)
started = time.perf_counter()
name = f"{last_layers} unfrozen"
accuracy[name] = cross_val_score(unfrozen, X, y, cv=splits[:N_FOLDS])
print(f"{name}: {accuracy[name].mean():.1%} in {N_FOLDS} folds   ({time.perf_counter() - started:.0f} s)")
print(f"frozen in the same folds: {accuracy['frozen, new last layer'][:N_FOLDS].mean():.1%}")
if REAL:
    print("Reference: linear probe on the frozen backbone 98.6 %, networks from scratch about 70 %.")

# %%
# The picture
# -----------
# Photos that the frozen network gets wrong where it did not see them.
fitting, held_out = splits[0]
guesses = frozen.fit(X.iloc[fitting], y[fitting]).predict_proba(X.iloc[held_out])[:, 1]
worst = np.argsort(-np.abs(guesses - y[held_out]))[:6]
figure, axes = plt.subplots(1, 6, figsize=(9, 2), layout="constrained")
for axis, place in zip(axes, worst, strict=True):
    axis.axis("off")
    axis.imshow(Image.open(root / X["photo"].iloc[held_out[place]]))
    axis.set_title(f"class {y[held_out[place]]}, said {guesses[place]:.2f}", fontsize=8)
plt.show()

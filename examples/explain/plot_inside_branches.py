"""
Inside branches: what photos and words did
==========================================

A network says "dog", and we would like to know what it looked at. A review is taken for an unhappy one, and we would
like to know by which words. We look at both, then at what a filter of a network looks for, and at how much it takes to
turn a prediction.

Set ``SKSTACK_DATA`` to a directory with ``dogs_cats``, ``pretrained`` and ``women_clothing`` to use photos of dogs and
cats with an EfficientNet-Lite0 trained on ImageNet, and reviews of clothing; else the lesson draws pictures with a dark
or light square in them, and makes up reviews of its own.
"""

# %%
# Photos
# ------
# The photos pass through a frozen backbone: the network itself only ever sees its features, which are computed once.
# Grad-CAM puts the backbone in front again and shows which places of a photo speak for the class that is predicted.
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skstack import MultimodalNetworkClassifier
from skstack.branches import ImageBranch, NumericBranch, TextBranch
from skstack.datasets import find_data
from skstack.inspection import (
    AttributionDisplay,
    FilterDisplay,
    ImageMapDisplay,
    NoiseCurveDisplay,
    OnePixelAttackDisplay,
    TextAttributionDisplay,
    one_pixel_attack,
)

# A run of a few seconds that shows only that everything works.
QUICK = bool(os.environ.get("SKSTACK_QUICK"))
N_PHOTOS, N_REVIEWS = (40, 60) if QUICK else (400, 4000)


def draw_squares(n_photos, size=32):
    """Return noisy pictures with a dark or a light square somewhere, and which it is."""
    rng = np.random.default_rng(0)
    photos = rng.normal(128, 30, (n_photos, size, size, 3))
    y = np.where(rng.random(n_photos) < 0.5, "dark", "light")
    for photo, shade in zip(photos, y, strict=True):
        top, left = rng.integers(2, size - 12, 2)
        photo[top : top + 10, left : left + 10] += 90 if shade == "light" else -90
    return pd.DataFrame({"photo": [*np.clip(photos, 0, 255).astype("uint8")]}), y


folders = (None, None) if QUICK else (find_data("dogs_cats"), find_data("pretrained"))
if all(folders):
    folder, pretrained = folders
    labels = pd.read_csv(folder / "labels.csv").sample(N_PHOTOS, random_state=0)
    X, y = labels[["file"]].rename(columns={"file": "photo"}), np.where(labels["is_dog"] == 1, "dog", "cat")
    backbone = {"backbone": pretrained / "efficientnet_lite0_imagenet.keras", "feature_layer": "pool"}
    branch = ImageBranch(**backbone, preprocess="tf", root=folder / "images", hidden=())
else:
    X, y = draw_squares(N_PHOTOS)
    branch = ImageBranch(size=(32, 32), filters=(8, 16))
train, test = slice(0, N_PHOTOS * 3 // 4), slice(N_PHOTOS * 3 // 4, None)
network = MultimodalNetworkClassifier(
    [("photo", branch, ["photo"])], head=(), epochs=2 if QUICK else 40, early_stopping=False, random_state=0
)
network.fit(X[train], y[train])
print(f"{network.score(X[test], y[test]):.1%} of {len(y[test])} photos right")
ImageMapDisplay.from_estimator(network, X[test].head(12), branch="photo")
plt.show()

# %%
# Saliency asks pixel by pixel what would change the prediction; averaged over noisy copies (SmoothGrad) it is calmer.
ImageMapDisplay.from_estimator(
    network, X[test].head(6), branch="photo", method="saliency", n_samples=2 if QUICK else 8, random_state=0
)
plt.show()

# %%
# Words and numbers
# -----------------
# Integrated gradients divide a prediction among the words that it was made from: what they add sums to the difference
# from the prediction for nothing at all.
WORDS = "love perfect flattering soft returned cheap shrank huge the dress is and very fabric size i it ordered".split()


def make_reviews(n_rows):
    """Return made-up reviews with the age of the writer, and whether the garment is recommended."""
    rng = np.random.default_rng(1)
    happy = rng.random(n_rows) < 0.6
    texts = [" ".join([*rng.choice(WORDS[8:], 6), *rng.choice(WORDS[:4] if good else WORDS[4:8], 2)]) for good in happy]
    return pd.DataFrame({"Review Text": texts, "Age": rng.integers(18, 80, n_rows)}), happy


if (folder := find_data("women_clothing")) and not QUICK:
    reviews = pd.read_csv(folder / "reviews.csv.gz").dropna(subset="Review Text").head(N_REVIEWS)
    recommended = reviews["Recommended IND"] == 1
else:
    reviews, recommended = make_reviews(N_REVIEWS)
labels = np.where(recommended, "recommended", "not recommended")
reader = MultimodalNetworkClassifier(
    [("review", TextBranch(), ["Review Text"]), ("customer", NumericBranch(), ["Age"])],
    epochs=2 if QUICK else 10,
    random_state=0,
)
train, test = slice(0, N_REVIEWS * 3 // 4), slice(N_REVIEWS * 3 // 4, None)
reader.fit(reviews[train], labels[train])
print(f"{reader.score(reviews[test], labels[test]):.1%} of {len(labels[test])} reviews right")
unhappy = reviews[test][labels[test] == "not recommended"].head(3)
display = TextAttributionDisplay.from_estimator(reader, unhappy, branch="review", output="recommended")
plt.show()

# %%
# The same as HTML, to be put into a page:
print(display.to_html()[:200], "...")

# %%
# Bars for the numbers, whose piecewise embedding bends often and needs more steps:
of_customers = reviews[test].head(50)
AttributionDisplay.from_estimator(reader, of_customers, branch="customer", output="recommended", n_steps=200)
plt.show()

# %%
# What filters look for
# ---------------------
# For each filter of a layer: a picture that was made to excite it, and the pictures of the training rows that do. This
# is for a network that learned from scratch, whose filters are its own.
pixels, shade = draw_squares(N_PHOTOS)
small = MultimodalNetworkClassifier(
    [("photo", ImageBranch(size=(32, 32), filters=(8, 16)), ["photo"])], epochs=2 if QUICK else 40, random_state=0
)
small.fit(pixels, shade)
FilterDisplay.from_estimator(
    small, pixels, "conv_2", branch="photo", filters=range(4), n_steps=8 if QUICK else 128, random_state=0
)
plt.show()

# %%
# How much it takes
# -----------------
# Noise on the pixels, and the worst that can be done with a few of them:
NoiseCurveDisplay.from_estimator(
    small, pixels, shade, branch="photo", n_repeats=2 if QUICK else 5, scoring="accuracy", random_state=0
)
plt.show()

attack = one_pixel_attack(
    small, pixels.head(5), shade[:5], branch="photo", n_pixels=3, max_iter=2 if QUICK else 30, random_state=0
)
print(f"{attack.success.sum()} of {attack.correct.sum()} predictions turned by 3 pixels of {32 * 32}")
OnePixelAttackDisplay.from_predictions(attack)
plt.show()

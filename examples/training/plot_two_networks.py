"""
Two networks, one on top
========================

Two deep networks of any architecture look at the same digits: one reads the pixels as a plain list of numbers, the
other is a convolutional network of our own that reads them as a picture. Their outputs are concatenated, and one or
several dense layers on top decide. Both come out of scikit-learn's digits: the same 64 numbers, held in two ways.
"""

# sphinx_gallery_thumbnail_path = "recorded/plot_two_networks_1.png"

# %%
# One table for both
# ------------------
# A picture is a cell of the table, beside the numbers: ``tensor_column`` wraps the array of all pictures, and splitting
# the table splits them too.
import os

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skstack import MultimodalNetworkClassifier
from skstack.branches import ModelBranch, NumericBranch
from skstack.preprocessing import tensor_column

# A run of a few seconds that shows only that everything works.
QUICK = bool(os.environ.get("SKSTACK_QUICK"))

digits = load_digits()
X = pd.DataFrame(digits.data.astype("float32") / 16, columns=digits.feature_names)
X["picture"] = tensor_column(digits.images[..., None].astype("float32") / 16)
n_rows = 300 if QUICK else len(X)
X_train, X_test, y_train, y_test = train_test_split(
    X[:n_rows], digits.target[:n_rows], test_size=0.25, stratify=digits.target[:n_rows], random_state=0
)

# %%
# Two architectures
# -----------------
# The first is described by a branch. The second is a function that gets the shape of its input and returns any Keras
# model; a :class:`~skstack.branches.ModelBranch` makes it a part of the whole.


def small_cnn(input_shape):
    import keras

    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Conv2D(16, 3, activation="relu", padding="same"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(32, 3, activation="relu", padding="same"),
            keras.layers.Flatten(),
            keras.layers.Dense(32, activation="relu"),
        ]
    )


dense = ("dense", NumericBranch(hidden=(64, 32)), digits.feature_names)
cnn = ("cnn", ModelBranch(small_cnn), ["picture"])

# %%
# Alone, and together under heads of different depth
# --------------------------------------------------
# ``head`` lists the widths of the dense layers on top of the concatenated outputs; after them follows the softmax. A
# test digit more or less is 0.002 of accuracy, so small differences mean nothing.
systems = {
    "dense network alone": ([dense], ()),
    "CNN alone": ([cnn], ()),
    "both, softmax only": ([dense, cnn], ()),
    "both, one layer of 32": ([dense, cnn], (32,)),
    "both, layers of 64, 32, 16": ([dense, cnn], (64, 32, 16)),
}
if QUICK:
    systems = {name: systems[name] for name in ("dense network alone", "both, layers of 64, 32, 16")}
accuracy, fitted = {}, {}
for name, (branches, head) in systems.items():
    network = MultimodalNetworkClassifier(
        branches, head=head, epochs=3 if QUICK else 40, batch_size=32, patience=8, random_state=0
    )
    fitted[name] = network.fit(X_train, y_train)
    accuracy[name] = network.score(X_test, y_test)
    print(f"{name:28s} {network.model_.count_params():6d} weights   accuracy {accuracy[name]:.3f}")

# %%
# The whole is one Keras model: each branch is a sub-model with its name, then the concatenation, then the head.
fitted["both, layers of 64, 32, 16"].model_.summary()

# %%
figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
axes.barh(list(accuracy), list(accuracy.values()))
axes.invert_yaxis()
axes.set(xlim=(min(0.9, *accuracy.values()), 1), xlabel="accuracy on the test digits")
plt.show()

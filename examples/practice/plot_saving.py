"""
Saved here, loaded there
========================

A model that is trained tonight predicts tomorrow, in another process, on another machine. This lesson fits a model of
each kind, saves it, and lets a new process load it and predict: with joblib, as for any estimator of scikit-learn, and
the network alone with Keras.
"""

# %%
# The data
# --------
# A table with a column or two of each kind: numbers, categories, ids, texts, sequences, sound and photos. It is drawn,
# as what counts here is not how well it can be predicted.
import importlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

# TensorFlow would tell about the machine, here and in the new process.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from skstack import KerasRegressor, MultimodalNetworkRegressor, MultimodalStackingRegressor
from skstack.branches import (
    AudioBranch,
    CategoricalBranch,
    EntityBranch,
    ImageBranch,
    ModelBranch,
    NumericBranch,
    SequenceBranch,
    TextBranch,
)
from skstack.preprocessing import tensor_column

# A run of some seconds that shows only that everything works.
QUICK = bool(os.environ.get("SKSTACK_QUICK"))

rng = np.random.default_rng(0)
n_rows = 60
words = ["light", "heavy", "soft", "red", "blue", "fits", "shrinks"]
X = pd.DataFrame({"weight": rng.normal(size=n_rows), "length": rng.normal(size=n_rows)})
X.loc[::7, "weight"] = np.nan
X["maker"] = rng.choice(["Aces", "Bears", "Cubs"], n_rows)
X["home"], X["guest"] = rng.choice(list("ABCD"), (2, n_rows))
X["review"] = [" ".join(row) for row in rng.choice(words, (n_rows, 4))]
X["signal"] = pd.Series([rng.normal(size=rng.integers(4, 9)) for _ in range(n_rows)], dtype=object)
X["sound"] = tensor_column(rng.normal(size=(n_rows, 800)))
X["photo"] = tensor_column(rng.integers(0, 256, (n_rows, 16, 16, 3), dtype="uint8"))
y = X["length"].to_numpy() + (X["maker"] == "Cubs")

# %%
# A model of each kind
# --------------------
# First a network for each kind of branch, then stacks, and estimators of scikit-learn around them.
numbers = ["weight", "length"]


def backbone():
    """Return what stands for a pretrained model here; one from ``keras.applications`` is saved alike."""
    import keras

    layers = [keras.layers.Rescaling(1 / 127.5, offset=-1), keras.layers.Conv2D(4, 3, name="conv")]
    return keras.Sequential([keras.Input((16, 16, 3)), *layers])


# What builds a part of a network, or a whole one, is a function of a module: a pickle holds no more of it than its
# name, by which the new process finds it. One defined in a notebook would not be found.
folder = Path(tempfile.mkdtemp())
(folder / "my_networks.py").write_text(
    """
import keras

def dense(input_shape):
    return keras.Sequential([keras.Input(input_shape), keras.layers.Dense(4, activation="relu")])

def regressor(meta):
    return keras.Sequential([keras.Input((meta["n_features_in_"],)), keras.layers.Dense(1)])
"""
)
sys.path.insert(0, str(folder))
my_networks = importlib.import_module("my_networks")

BRANCHES = {
    "numbers": (NumericBranch(), numbers),
    "numbers, piecewise": (NumericBranch(embedding="piecewise", scale="robust", n_bins=4), numbers),
    "numbers, periodic": (NumericBranch(embedding="periodic"), numbers),
    "categories": (CategoricalBranch(), ["maker"]),
    "entities": (EntityBranch(2, "subtract"), ["home", "guest"]),
    "text, mean": (TextBranch(dim=8), ["review"]),
    "text, cnn": (TextBranch(encoder="cnn", dim=8, units=8), ["review"]),
    "text, transformer": (TextBranch("subword", "transformer", dim=8, units=8), ["review"]),
    "sequence, gru": (SequenceBranch("gru", 8), ["signal"]),
    "sequence, cnn": (SequenceBranch("cnn", 8), ["signal"]),
    "sound": (AudioBranch(rate=4000, n_mels=8, filters=(4,)), ["sound"]),
    "photos": (ImageBranch(size=(16, 16), filters=(4, 8)), ["photo"]),
    "photos, augmented": (ImageBranch(size=(16, 16), filters=(4,), augment=("flip", "rotation")), ["photo"]),
    "photos, frozen backbone": (ImageBranch(backbone=backbone()), ["photo"]),
    "photos, backbone trained further": (ImageBranch(backbone=backbone(), trainable=True), ["photo"]),
    "a model of one's own": (ModelBranch(my_networks.dense), ["length"]),
}
if QUICK:
    BRANCHES = {name: BRANCHES[name] for name in ("numbers", "text, mean", "photos")}

template = MultimodalNetworkRegressor(head=(8,), epochs=2, random_state=0)
learner = ("boosting", HistGradientBoostingRegressor(max_iter=5), numbers)
parts = [(f"part_{number}", *part) for number, part in enumerate(BRANCHES.values())][:: 1 if QUICK else 3]
stack = MultimodalStackingRegressor([*parts, learner], network=template, cv=2, random_state=0)
models = {
    f"network: {name}": MultimodalNetworkRegressor([("part", *part)], epochs=2, random_state=0)
    for name, part in BRANCHES.items()
}
models |= {
    "stack, joint": stack,
    "stack, individual": MultimodalStackingRegressor(
        [*parts, learner], network=template, training="individual", cv=2, random_state=0
    ),
    "dense layers at the end of a stack": MultimodalStackingRegressor(
        [*parts[:2], learner], template, network=template, cv=2, random_state=0
    ),
    "pipeline": make_pipeline(StandardScaler(), template),
    "search": GridSearchCV(MultimodalStackingRegressor([parts[0], learner], network=template, cv=2), {"cv": [2]}, cv=2),
    "KerasRegressor": KerasRegressor(my_networks.regressor, loss="mse", verbose=0, random_state=0),
}


def columns_for(name):
    """Return what a model is fitted to: estimators that read one table of numbers get one."""
    return X[["length"]] if name in ("pipeline", "KerasRegressor") else X


# %%
# Save
# ----
expected = {}
for number, (name, model) in enumerate(models.items()):
    expected[name] = model.fit(columns_for(name), y).predict(columns_for(name))
    joblib.dump((model, columns_for(name)), folder / f"{number}.joblib")

# A network without skstack's estimator around it: a plain Keras model, which takes encoded rows.
network = models["network: text, mean"]
network.model_.save(folder / "alone.keras")
encoded = network.branches_[0][1].encode(X[["review"]])
np.savez(folder / "alone.npz", part=encoded, part__missing=np.zeros((n_rows, 1), dtype="float32"))

# %%
# Load in a new process
# ---------------------
# A pickled estimator finds everything it needs. A saved Keras model needs ``import skstack``, which lets Keras know our
# layers; nothing of Keras is loaded by it.
LOAD = """
import sys
from pathlib import Path

import joblib
import numpy as np

folder = Path(sys.argv[1])
for path in sorted(folder.glob("*.joblib")):
    model, X = joblib.load(path)
    np.save(path.with_suffix(".npy"), model.predict(X))
"""
LOAD_WITH_KERAS = """
import sys
from pathlib import Path

import keras
import numpy as np
import skstack

folder = Path(sys.argv[1])
model = keras.saving.load_model(folder / "alone.keras")
np.save(folder / "alone.npy", model.predict(dict(np.load(folder / "alone.npz")), verbose=0)[:, 0])
"""
for code in (LOAD, LOAD_WITH_KERAS):
    # Where the module of our own lies, as if it were installed.
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, env={**os.environ, "PYTHONPATH": str(folder)})

# %%
# The same predictions
# --------------------
loaded = {name: np.load(folder / f"{number}.npy") for number, name in enumerate(models)}
expected["network: text, mean, by Keras alone"] = expected["network: text, mean"]
loaded["network: text, mean, by Keras alone"] = np.load(folder / "alone.npy")
print(f"{'model':42} {'fitted here':>12} {'loaded there':>12} {'largest difference':>19}")
for name, predicted in expected.items():
    difference = np.abs(predicted - loaded[name]).max()
    print(f"{name:42} {predicted[0]:12.5f} {loaded[name][0]:12.5f} {difference:19.1e}")
    assert difference < 1e-4

# %%
figure, axis = plt.subplots(figsize=(5, 5), layout="constrained")
for name, predicted in expected.items():
    axis.plot(predicted, loaded[name], ".", markersize=3)
axis.axline((0.5, 0.5), slope=1, color="grey", linewidth=0.8)
axis.set(xlabel="predicted here", ylabel="predicted there", title=f"{len(expected)} models")
plt.show()

"""
Pumps: what is heard, and what is in the table
==============================================

Which pumps fail within a month? The table knows age and load of each pump. A recording of a second tells what it does
not: a worn bearing whistles, a loose part knocks. The audio branch turns each waveform into a mel spectrogram inside
the network and reads that with a small CNN. We compare the table alone, the sound alone and both together.

All pumps are made up, so that the lesson needs no data; their recordings are written to WAV files, of which some get
lost.
"""

# %%
# The pumps
# ---------
import os
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.io import wavfile
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from skstack import MultimodalNetworkClassifier, MultimodalStackingClassifier
from skstack.branches import AudioBranch, NumericBranch

# A run of a few seconds that shows only that everything works.
QUICK = bool(os.environ.get("SKSTACK_QUICK"))
N_PUMPS = 80 if QUICK else 900
RATE = 8000  # samples per second
SECONDS = np.arange(RATE) / RATE

generator = np.random.default_rng(0)
folder = Path(tempfile.mkdtemp())


def recording(whistle, knocks):
    """Return a second of a pump: hum and noise, a whistle of some strength, and so many knocks."""
    hum = sum(np.sin(2 * np.pi * generator.uniform(45, 55) * k * SECONDS + k) / k for k in range(1, 6))
    sound = 0.3 * hum + 0.15 * generator.normal(size=RATE)
    sound += 0.3 * whistle * np.sin(2 * np.pi * generator.uniform(1400, 2200) * SECONDS)
    for start in generator.uniform(0, 0.9, size=knocks):
        late = SECONDS - start
        sound += np.where(late > 0, np.exp(-60 * late), 0) * generator.normal(size=RATE)
    return sound * generator.uniform(0.05, 0.3)  # the microphone is nearer to some pumps than to others


whistles = generator.beta(0.7, 1.2, N_PUMPS)
knocks = generator.poisson(2, N_PUMPS)
X = pd.DataFrame({"age": generator.gamma(3, 3, N_PUMPS), "load": generator.uniform(20, 100, N_PUMPS)})
for number in range(N_PUMPS):
    sound = recording(whistles[number], knocks[number])
    wavfile.write(folder / f"{number}.wav", RATE, (2**15 * np.clip(sound, -1, 0.999)).astype("int16"))
X["recording"] = [f"{number}.wav" for number in range(N_PUMPS)]
risk = 0.25 * (X["age"] - 9) + 0.04 * (X["load"] - 60) + 5 * (whistles - 0.4) + 0.8 * (knocks - 2)
y = (risk + generator.logistic(scale=0.5, size=N_PUMPS) > 0).astype(int)
X.loc[generator.choice(N_PUMPS, N_PUMPS // 30, replace=False), "recording"] = None
print(f"{N_PUMPS} pumps, {y.sum()} of them fail; {X['recording'].isna().sum()} recordings are lost")

# %%
# Three networks
# --------------
# A cell of the sound column is a path, relative to ``root``. Files are decoded and resampled once, and a lost recording
# gets a trained vector in its place.
sound = AudioBranch(rate=RATE, n_mels=40, filters=(8, 16, 32), batch_norm=True, dropout=0.3, root=folder)
numbers = NumericBranch(hidden=(16,))
parts = {
    "table": [("numbers", numbers, ["age", "load"])],
    "sound": [("sound", sound, ["recording"])],
}
parts["table and sound"] = parts["table"] + parts["sound"]
train, test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)

# Early stopping would set so few pumps aside that chance decides when to stop.
training = {"head": (16,), "epochs": 2 if QUICK else 25, "early_stopping": False, "random_state": 0}
scores, networks = {}, {}
for name, branches in list(parts.items())[-1 if QUICK else 0 :]:
    networks[name] = MultimodalNetworkClassifier(branches, **training).fit(train, y_train)
    scores[f"network of {name}"] = roc_auc_score(y_test, networks[name].predict_proba(test)[:, 1])

# %%
# And a stack
# -----------
# Gradient boosting reads the table, the network reads the sound, and the final estimator weighs what both say.
stack = MultimodalStackingClassifier(
    [*parts["sound"], ("boosting", HistGradientBoostingClassifier(max_iter=50), ["age", "load"])],
    network=MultimodalNetworkClassifier(**training),
    cv=2 if QUICK else 3,
    random_state=0,
)
scores["stack of boosting and sound"] = roc_auc_score(y_test, stack.fit(train, y_train).predict_proba(test)[:, 1])
for name, score in scores.items():
    print(f"{name:28s} ROC AUC {score:.3f}")

# %%
# What the network sees
# ---------------------
# The spectrogram is a layer of the network: a line for the whistle, upright strokes for knocks.
network = networks["table and sound"]
branch = network.branches_[1][1]
spectrogram = network.model_.get_layer("sound_branch").get_layer("log_mel")
figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained", sharey=True)
heard = X["recording"].notna()
loudest = {"whistles": np.argmax(whistles * heard), "knocks": np.argmax(knocks * heard)}
for axis, (what, number) in zip(axes, loudest.items(), strict=True):
    bands = np.array(spectrogram(branch.encode(X[["recording"]].iloc[[number]])))[0]
    axis.imshow(bands.T, origin="lower", aspect="auto", extent=(0, 1, 0, bands.shape[1]))
    axis.set(title=f"A pump that {what}", xlabel="seconds")
axes[0].set_ylabel("mel band")
plt.show()

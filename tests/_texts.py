"""Texts, branches and networks that tests of text branches share."""

import numpy as np
import pandas as pd

from skstack import MultimodalNetworkClassifier
from skstack._backend import keras
from skstack.branches import TextBranch

SMALL = {"dim": 4, "units": 3, "n_heads": 2, "min_frequency": 1}


def frame(cells, **kwargs):
    """Return a table of one column of texts."""
    return pd.DataFrame({"review": cells}, **kwargs)


def call(model, inputs):
    """Return the outputs of a model, without ``predict``, which compiles a function for every model."""
    return keras.ops.convert_to_numpy(model(inputs))


def opinions(n_rows=48):
    """Return texts, and whether one word in each of them says good or bad."""
    generator = np.random.default_rng(0)
    words = generator.choice(["the", "hat", "is", "red"], (n_rows, 4)).astype(object)
    liked = generator.random(n_rows) < 0.5
    words[np.arange(n_rows), generator.integers(4, size=n_rows)] = np.where(liked, "good", "bad")
    return frame([" ".join(row) for row in words]), liked


def learning(encoder, **params):
    """Return a network that learns what `opinions` tells."""
    branch = TextBranch(encoder=encoder, dim=8, units=8, n_heads=2, max_length=4)
    settings = {"epochs": 6, "batch_size": 16, "early_stopping": False, "optimizer__learning_rate": 0.03}
    return MultimodalNetworkClassifier([("text", branch)], head=(), random_state=0, **settings, **params)

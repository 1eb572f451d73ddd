"""A grid search on top of a frozen backbone, whose features are computed once or for every fit and every prediction.

The peer is the same search without the cache of features. It is judged gently: with the backbone inside the network, as
plain Keras has it, every picture would pass through it in every epoch, not once a fit. The backbone is VGG16 with a
quarter of its filters and random weights at 224 x 224: about as much arithmetic as an EfficientNetB1 or a quarter of a
ResNet50. Our cache is empty at first.
"""

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ._comparison import Comparison, cold
from ._job import Job
from ._settings import PLAIN_NETWORK
from .bench_images import environment

PICTURE = 64

#: Filters and number of convolutions of each block.
_BLOCKS = ((16, 2), (32, 2), (64, 3), (128, 3), (128, 3))

_LEARNING_RATES, _DROPOUT = (3e-4, 1e-3, 3e-3, 1e-2), (0.2, 0.5)


@contextmanager
def backbone_folder(size, **sizes):
    """Save a backbone and give its folder as an argument until it is deleted, with the cache of features in it."""
    with tempfile.TemporaryDirectory() as folder, environment("SKSTACK_CACHE", str(Path(folder, "cache"))):
        build_backbone(size).save(Path(folder, "backbone.keras"))
        yield {"folder": folder}


def build_backbone(size):
    """Return the convolutions of VGG16 with a quarter of their filters."""
    from skstack._backend import keras

    layers = [keras.Input((size, size, 3))]
    for filters, n_convolutions in _BLOCKS:
        layers += [keras.layers.Conv2D(filters, 3, padding="same", activation="relu") for _ in range(n_convolutions)]
        layers.append(keras.layers.MaxPooling2D())
    return keras.Sequential(layers)


def _search_job(folder, n_samples, size, epochs, n_folds, n_candidates):
    from sklearn.model_selection import GridSearchCV, KFold

    from skstack import MultimodalNetworkRegressor
    from skstack.branches import ImageBranch

    shutil.rmtree(Path(folder, "cache"), ignore_errors=True)
    generator = np.random.default_rng(0)
    X = generator.integers(0, 256, (n_samples, PICTURE, PICTURE, 3), dtype="uint8")
    y = generator.standard_normal(n_samples)
    photo = ImageBranch((size, size), backbone=Path(folder, "backbone.keras"), preprocess="tf", hidden=(16,))
    network = MultimodalNetworkRegressor([("photo", photo)], head=(), epochs=epochs, batch_size=32, **PLAIN_NETWORK)
    candidates = [
        {"photo__dropout": [dropout], "optimizer__learning_rate": [rate], "random_state": [0]}
        for dropout in _DROPOUT
        for rate in _LEARNING_RATES
    ]
    folds = KFold(n_folds, shuffle=True, random_state=0)
    search = GridSearchCV(network, candidates[:n_candidates], cv=folds, error_score="raise")
    return Job(lambda: search.fit(X, y), lambda fitted: {"best_score": fitted.best_score_})


def ours(**sizes):
    return _search_job(**sizes)


def ours_without_cache(**sizes):
    from skstack.caching import _features
    from skstack.caching._lru import LRU

    job = _search_job(**sizes)

    def run():
        before, _features._memory = _features._memory, LRU(0)
        try:
            with environment("SKSTACK_CACHE_SIZE", "0"):
                return job.work()
        finally:
            _features._memory = before

    return Job(run, job.describe)


COMPARISONS = (
    Comparison(
        name="frozen_backbone",
        work="GridSearchCV on a frozen VGG16 / 4, {n_candidates} candidates x {n_folds} folds, {n_samples:,} pictures",
        peer="the same without the cache of features",
        ours_job="bench_frozen_backbone:ours",
        peer_job="bench_frozen_backbone:ours_without_cache",
        figures=(cold(at_least=20),),
        full={"n_samples": 500, "size": 224, "epochs": 5, "n_folds": 5, "n_candidates": 8},
        quick={"n_samples": 40, "size": 32, "epochs": 1, "n_folds": 2, "n_candidates": 2},
        ours_runs=1,
        # One run of the peer takes more than ten minutes.
        n_repeats=1,
        shared=backbone_folder,
    ),
)

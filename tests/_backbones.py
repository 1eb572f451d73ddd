"""A small backbone, images, and what tests of backbones share."""

import numpy as np
import pytest

from skstack._backend import keras
from skstack.backbones import _loading
from skstack.backbones._backbone import Backbone
from skstack.backbones._image_features import image_features
from skstack.backbones._loading import load_backbone
from skstack.backbones._scaling import scale
from skstack.backbones._wish import Wish
from skstack.caching import _features
from skstack.caching._lru import LRU
from skstack.training._seeds import seeded

N_ROWS = 22
IMAGES = np.random.default_rng(0).integers(0, 256, size=(N_ROWS, 8, 8, 3), dtype="uint8")

layers = keras.layers


def tiny_backbone(seed=0, prefix=""):
    """A model with what real ones have: convolutions, batch normalisation that has seen data, dropout and a top."""
    with seeded(seed):
        inputs = keras.Input((8, 8, 3), name=f"{prefix}images")
        x = layers.Conv2D(4, 3, name=f"{prefix}block1_conv")(inputs)
        x = layers.BatchNormalization(name=f"{prefix}block1_norm")(x)
        x = layers.ReLU(name=f"{prefix}block1_relu")(x)
        x = layers.Conv2D(5, 3, name=f"{prefix}block2_conv")(x)
        x = layers.BatchNormalization(name=f"{prefix}block2_norm")(x)
        x = layers.Dropout(0.5, name=f"{prefix}block2_dropout")(x)
        maps = layers.ReLU(name=f"{prefix}block2_relu")(x)
        pool = layers.GlobalAveragePooling2D(name=f"{prefix}pool")(maps)
        model = keras.Model(inputs, layers.Dense(3, name=f"{prefix}logits")(pool), name=f"{prefix}tiny")
    rng = np.random.default_rng(seed)
    for name in ("block1_norm", "block2_norm"):
        norm = model.get_layer(prefix + name)
        norm.moving_mean.assign(rng.normal(size=norm.moving_mean.shape))
        norm.moving_variance.assign(rng.uniform(0.5, 2.0, size=norm.moving_variance.shape))
    return model


TINY = tiny_backbone()


def own_backbone(layer):
    """A model of one layer, for code of the user's."""
    return keras.Sequential([keras.Input((8, 8, 3)), layer])


def expected_features(model=TINY, layer="pool", scaling="tf", images=IMAGES):
    """Return what a layer of a model gives, as Keras computes it."""
    cut = keras.Model(model.input, model.get_layer(layer).output)
    return np.asarray(cut(scale(images, scaling), training=False))


def wish(**kwargs):
    """Return a wish for the small backbone, with other fields as given."""
    fields = {"backbone": TINY, "weights": "imagenet", "feature_layer": "pool", "preprocess": "tf", "pooling": "avg"}
    return Wish(**{**fields, "size": None, "channels": 3, **kwargs})


def features_of(cells=IMAGES, resize="pad", **kwargs):
    """Return the features of a column of cells by a backbone that is wished for."""
    return image_features(list(cells), load_backbone(wish(**kwargs)), resize=resize, name_row="row {}".format)[0]


@pytest.fixture(autouse=True)
def features_folder(tmp_path, monkeypatch):
    """An empty cache, and no backbone loaded."""
    monkeypatch.setenv("SKSTACK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(_features, "_memory", LRU(2**20, size_of=len))
    _loading._loaded.clear()
    return tmp_path / "cache" / "features-2"


@pytest.fixture
def passed(monkeypatch):
    """The images that have passed through a backbone, as bytes."""
    images, of_batch = [], Backbone._of_batch

    def counting(self, batch):
        images.extend(image.tobytes() for image in batch)
        return of_batch(self, batch)

    monkeypatch.setattr(Backbone, "_of_batch", counting)
    return images

"""Features of images for classical learners."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skstack._backend import keras
from skstack.backbones._backbone import Backbone
from skstack.branches import ImageBranch
from skstack.caching import _features
from skstack.caching._lru import LRU
from skstack.preprocessing import ImageEmbedder, tensor_column
from skstack.training._seeds import seeded

layers = keras.layers
N_ROWS = 14
FRONT, BACK = np.random.default_rng(0).integers(0, 256, size=(2, N_ROWS, 6, 6, 3), dtype="uint8")
X = pd.DataFrame({"front": tensor_column(FRONT), "back": tensor_column(BACK)})
Y = np.arange(N_ROWS) % 2

with seeded(0):
    TINY = keras.Sequential(
        [keras.Input((6, 6, 3)), layers.Conv2D(5, 3, activation="relu"), layers.GlobalAveragePooling2D()]
    )


def _expected(images):
    return np.asarray(TINY(images / np.float32(127.5) - 1))


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SKSTACK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(_features, "_memory", LRU(2**20, size_of=len))


def _embedder(**kwargs):
    return ImageEmbedder(**{"backbone": TINY, "preprocess": "tf", "random_state": 0, **kwargs})


def test_columns_become_features_side_by_side():
    features = _embedder().fit_transform(X)
    assert features.dtype == "float32"
    np.testing.assert_allclose(features, np.hstack([_expected(FRONT), _expected(BACK)]), rtol=1e-4, atol=1e-5)


def _objects(images):
    cells = np.empty(len(images), dtype=object)
    cells[:] = [Image.fromarray(image) for image in images]
    return cells


@pytest.mark.parametrize(
    "table",
    [
        X,
        pl.DataFrame({"front": pl.Series(FRONT), "back": pl.Series(BACK)}),
        pd.DataFrame({"front": _objects(FRONT), "back": _objects(BACK)}),
        np.stack([_objects(FRONT), _objects(BACK)], axis=1),
    ],
    ids=["tensors", "polars", "PIL", "array of objects"],
)
def test_every_container_gives_the_same(table):
    features = _embedder(n_components=2).fit_transform(table)
    np.testing.assert_allclose(features, _embedder(n_components=2).fit_transform(X), rtol=1e-4, atol=1e-5)


def test_an_array_of_images_is_one_column():
    embedder = _embedder().fit(FRONT)
    np.testing.assert_allclose(embedder.transform(FRONT[:3]), _expected(FRONT[:3]), rtol=1e-4, atol=1e-5)
    assert embedder.get_feature_names_out().tolist() == [f"x0_{index}" for index in range(5)]


def test_the_mean_stands_for_a_missing_image():
    cells = _objects(FRONT)
    cells[[1, 4]] = None
    embedder = _embedder(add_indicator=True).fit(pd.DataFrame({"front": cells}))
    features, mean = embedder.transform(pd.DataFrame({"front": cells})), np.delete(_expected(FRONT), [1, 4], axis=0)
    np.testing.assert_allclose(features[1], [*mean.mean(axis=0), 1.0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(features[0], [*_expected(FRONT)[0], 0.0], rtol=1e-4, atol=1e-5)
    assert embedder.get_feature_names_out()[-2:].tolist() == ["front_4", "front_missing"]


def test_files_are_read_from_root(tmp_path):
    for index, image in enumerate(FRONT[:3]):
        Image.fromarray(image).save(tmp_path / f"{index}.png")
    table = pd.DataFrame({"front": [f"{index}.png" for index in range(3)]})
    features = _embedder(root=tmp_path).fit_transform(table)
    np.testing.assert_allclose(features, _expected(FRONT[:3]), rtol=1e-4, atol=1e-5)
    (tmp_path / "root").mkdir()
    beside = "../" + table
    with pytest.raises(ValueError, match=r"row 0: the path '.*' leads out of root"):
        _embedder(root=tmp_path / "root").fit(beside)
    allowed = _embedder(root=tmp_path / "root", allow_outside_root=True).fit_transform(beside)
    np.testing.assert_array_equal(allowed, features)
    (tmp_path / "1.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"row 1: image file '.*1\.png' cannot be decoded"):
        _embedder(root=tmp_path).fit(table)
    embedder = _embedder(root=tmp_path, on_error="missing", add_indicator=True).fit(table)
    expected = _expected(FRONT[[0, 2]])
    np.testing.assert_allclose(embedder.transform(table)[1], [*expected.mean(axis=0), 1.0], rtol=1e-4, atol=1e-5)


# --- scikit-learn's conventions ---------------------------------------------------------------------------------------


def test_it_can_be_cloned_and_pickled():
    embedder = _embedder(n_components=2).fit(X)
    assert clone(embedder).get_params() == embedder.get_params()
    assert clone(embedder).backbone is TINY
    np.testing.assert_allclose(pickle.loads(pickle.dumps(embedder)).transform(X), embedder.transform(X), atol=1e-6)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"n_components": 0}, ValueError, "'n_components' parameter"),
        ({"pooling": "sum"}, ValueError, "'pooling' parameter"),
        ({"backbone": "VGG16", "weights": None}, ValueError, "weights=None would give features of random weights"),
        ({"size": (3, 3)}, ValueError, r"takes images of size \(6, 6\)"),
    ],
)
def test_bad_settings_are_named(parameters, error, message):
    with pytest.raises(error, match=message):
        _embedder(**parameters).fit(X)


# --- once -------------------------------------------------------------------------------------------------------------


def test_pipelines_and_branches_share_the_features(monkeypatch):
    passed, of_batch = [], Backbone._of_batch
    monkeypatch.setattr(Backbone, "_of_batch", lambda self, batch: passed.extend(batch) or of_batch(self, batch))
    pipeline = make_pipeline(
        make_column_transformer((_embedder(), ["front", "back"])), StandardScaler(), LogisticRegression()
    )
    grid = {"columntransformer__imageembedder__n_components": [None, 1, 3], "logisticregression__C": [0.1, 1.0]}
    search = GridSearchCV(pipeline, grid, cv=3, error_score="raise").fit(X, Y)
    assert len(passed) == 2 * N_ROWS
    assert search.predict(X).shape == (N_ROWS,)
    ImageBranch(backbone=TINY, preprocess="tf").fit(X[["back"]]).encode(X[["back"]])
    assert len(passed) == 2 * N_ROWS

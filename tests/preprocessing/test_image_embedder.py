"""Features of pictures for classical learners."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skstack._backend import keras
from skstack.branches import ImageBranch
from skstack.preprocessing import ImageEmbedder, _embedding_cache, tensor_column
from skstack.preprocessing._backbones import Backbone
from skstack.preprocessing._embedding_cache import Memory
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


def _expected(pictures):
    return np.asarray(TINY(pictures / np.float32(127.5) - 1))


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SKSTACK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(_embedding_cache, "_memory", Memory(2**20))


def _embedder(**kwargs):
    return ImageEmbedder(**{"backbone": TINY, "preprocess": "tf", "random_state": 0, **kwargs})


def test_columns_become_features_side_by_side():
    features = _embedder().fit_transform(X)
    assert features.dtype == "float32"
    np.testing.assert_allclose(features, np.hstack([_expected(FRONT), _expected(BACK)]), rtol=1e-4, atol=1e-5)


def _objects(pictures):
    cells = np.empty(len(pictures), dtype=object)
    cells[:] = [Image.fromarray(picture) for picture in pictures]
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


def test_an_array_of_pictures_is_one_column():
    embedder = _embedder().fit(FRONT)
    np.testing.assert_allclose(embedder.transform(FRONT[:3]), _expected(FRONT[:3]), rtol=1e-4, atol=1e-5)
    assert embedder.get_feature_names_out().tolist() == [f"x0_{number}" for number in range(5)]


def test_files_are_read_from_root(tmp_path):
    for number, picture in enumerate(FRONT[:3]):
        Image.fromarray(picture).save(tmp_path / f"{number}.png")
    table = pd.DataFrame({"front": [f"{number}.png" for number in range(3)]})
    features = _embedder(root=tmp_path).fit_transform(table)
    np.testing.assert_allclose(features, _expected(FRONT[:3]), rtol=1e-4, atol=1e-5)
    (tmp_path / "root").mkdir()
    beside = "../" + table
    with pytest.raises(ValueError, match=r"row 0: the path '.*' leads out of root"):
        _embedder(root=tmp_path / "root").fit(beside)
    allowed = _embedder(root=tmp_path / "root", allow_outside_root=True).fit_transform(beside)
    np.testing.assert_array_equal(allowed, features)
    (tmp_path / "1.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"row 1: image file '.*1\.png' cannot be decoded"):
        _embedder(root=tmp_path).fit(table)
    embedder = _embedder(root=tmp_path, on_error="missing", add_indicator=True).fit(table)
    expected = _expected(FRONT[[0, 2]])
    np.testing.assert_allclose(embedder.transform(table)[1], [*expected.mean(axis=0), 1.0], rtol=1e-4, atol=1e-5)


def test_components_are_those_of_each_column_in_training():
    fitted = _embedder(n_components=3).fit(X[:10])
    for number, pictures in enumerate((FRONT, BACK)):
        pca = PCA(3, random_state=0).fit(_expected(pictures[:10]))
        part = fitted.transform(X)[:, 3 * number : 3 * number + 3]
        np.testing.assert_allclose(part, pca.transform(_expected(pictures)), rtol=1e-3, atol=1e-5)
    assert fitted.transform(X).dtype == "float32"


def test_components_may_be_a_part_of_the_variance():
    fitted = _embedder(n_components=0.9).fit(X)
    numbers = [reducer.n_components_ for reducer in fitted.reducers_]
    assert all(1 <= number < 5 for number in numbers)
    assert fitted.transform(X).shape == (N_ROWS, sum(numbers)) == (N_ROWS, len(fitted.get_feature_names_out()))


def _gaps(**rows):
    cells = {"front": _objects(FRONT), "back": _objects(BACK)}
    for name, numbers in rows.items():
        cells[name][numbers] = None
    return pd.DataFrame(cells)


@pytest.mark.parametrize("n_components", [None, 2])
def test_the_mean_stands_for_a_missing_picture(n_components):
    embedder = _embedder(n_components=n_components).fit(_gaps(front=[1, 4]))
    plain = _embedder(n_components=n_components).fit(_gaps(front=[1, 4]).drop(index=[1, 4]))
    features = embedder.transform(_gaps(back=[3]))
    width = n_components or 5
    present = np.delete(np.arange(N_ROWS), [1, 4])
    mean = np.zeros(2) if n_components else _expected(BACK).mean(axis=0)
    np.testing.assert_allclose(features[3, width:], mean, atol=1e-5)
    np.testing.assert_allclose(features[:, :width], plain.transform(X)[:, :width], rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(embedder.means_[0], _expected(FRONT[present]).mean(axis=0), rtol=1e-4)


def test_indicators_are_for_columns_with_gaps_in_training():
    embedder = _embedder(add_indicator=True).fit(_gaps(back=[1]))
    features = embedder.transform(_gaps(front=[0], back=[2]))
    np.testing.assert_array_equal(features[:, 10:], np.eye(N_ROWS)[:, [2]])
    assert embedder.get_feature_names_out()[-2:].tolist() == ["back_4", "back_missing"]


def test_a_column_of_nothing_but_gaps():
    embedder = _embedder().fit(X)
    features = embedder.transform(_gaps(front=slice(None)))
    np.testing.assert_allclose(features[:, :5], np.tile(embedder.means_[0], (N_ROWS, 1)))
    with pytest.raises(ValueError, match="every cell of column 'front' is missing"):
        _embedder().fit(_gaps(front=slice(None)))


# --- scikit-learn's conventions ---------------------------------------------------------------------------------------


def test_names_and_numbers_are_scikit_learns():
    embedder = _embedder(n_components=2).fit(X)
    assert embedder.n_features_in_ == 2
    assert embedder.feature_names_in_.tolist() == ["front", "back"]
    names = ["front_pca0", "front_pca1", "back_pca0", "back_pca1"]
    assert embedder.get_feature_names_out().tolist() == names
    assert embedder.get_feature_names_out(["front", "back"]).tolist() == names
    with pytest.raises(ValueError, match="input_features is not equal to feature_names_in_"):
        embedder.get_feature_names_out(["a", "b"])
    with pytest.raises(ValueError, match="feature names"):
        embedder.transform(X[["back", "front"]])
    with pytest.raises(NotFittedError):
        _embedder().transform(X)


def test_output_can_be_pandas():
    table = X.set_index(np.arange(N_ROWS) + 100)
    output = _embedder().set_output(transform="pandas").fit_transform(table)
    assert list(output.columns[[0, -1]]) == ["front_0", "back_4"]
    assert output.index.equals(table.index)


def test_it_can_be_cloned_and_pickled():
    embedder = _embedder(n_components=2).fit(X)
    assert clone(embedder).get_params() == embedder.get_params()
    assert clone(embedder).backbone is TINY
    np.testing.assert_allclose(pickle.loads(pickle.dumps(embedder)).transform(X), embedder.transform(X), atol=1e-6)


def test_fit_transform_is_fit_and_transform():
    np.testing.assert_array_equal(
        _embedder(n_components=2).fit_transform(X), _embedder(n_components=2).fit(X).transform(X)
    )


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"n_components": 0}, ValueError, "'n_components' parameter"),
        ({"pooling": "sum"}, ValueError, "'pooling' parameter"),
        ({"backbone": "VGG16", "weights": None}, ValueError, "weights=None would give features of random weights"),
        ({"size": (3, 3)}, ValueError, r"takes pictures of size \(6, 6\)"),
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

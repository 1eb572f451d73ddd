"""Features of texts for classical learners."""

from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from _bert import expected_features, write_folder
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skstack.backbones._text_encoder import TextEncoder
from skstack.branches import TextBranch
from skstack.caching import _features
from skstack.caching._lru import LRU
from skstack.preprocessing import TextEmbedder

TEXTS = ["a fine day", "no", "rain again", "a fine day", "sun and sea", "no rain", "sea", "dull", "an ode", "I see"]
X = pd.DataFrame({"title": TEXTS[::-1], "review": TEXTS})


class Letters:
    """Counts vowels, and remembers what it was asked."""

    def __init__(self, letters="aeiou"):
        self.letters = letters
        self.seen = []

    def encode(self, texts):
        assert isinstance(texts, list)
        self.seen += texts
        return np.array([[text.count(letter) for letter in self.letters] for text in texts])


EXPECTED = np.hstack([Letters().encode(TEXTS[::-1]), Letters().encode(TEXTS)])


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SKSTACK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(_features, "_memory", LRU(2**20, size_of=len))


class Uncopied(Letters):
    """The same, shared by clones, so that everything is counted."""

    def __deepcopy__(self, memo):
        return self


@pytest.mark.parametrize("model", [Letters(), Letters().encode, lambda texts: Letters().encode(texts)])
@pytest.mark.parametrize("cache_key", [None, "vowels"])
@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_columns_become_features_side_by_side(model, cache_key, batch_size):
    embedder = TextEmbedder(model, cache_key=cache_key, batch_size=batch_size).fit(X)
    assert embedder.transform(X).dtype == "float32"
    np.testing.assert_array_equal(embedder.transform(X), EXPECTED)
    np.testing.assert_array_equal(embedder.transform(X[3:5]), EXPECTED[3:5])
    assert embedder.get_feature_names_out()[[0, -1]].tolist() == ["title_0", "review_4"]


def test_with_a_key_every_text_passes_once():
    model = Uncopied()
    pipeline = make_pipeline(TextEmbedder(model, cache_key="vowels"), LogisticRegression())
    grid = {"textembedder__n_components": [None, 2], "textembedder__batch_size": [2, 5]}
    GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, np.arange(10) % 2)
    assert sorted(model.seen) == sorted(set(TEXTS))
    _features._memory.clear()  # as in another process
    again = Uncopied()
    np.testing.assert_array_equal(TextEmbedder(again, cache_key="vowels").fit_transform(X), EXPECTED)
    assert again.seen == []


def test_another_key_is_another_model():
    TextEmbedder(Letters(), cache_key="vowels").fit(X)
    other = TextEmbedder(Letters("xyz"), cache_key="others").fit_transform(X)
    np.testing.assert_array_equal(other[:, :3], Letters("xyz").encode(TEXTS[::-1]))


def test_without_a_key_nothing_is_kept(tmp_path):
    model = Letters()
    embedder = TextEmbedder(model).fit(X)
    first = len(model.seen)
    assert first == 2 * len(set(TEXTS))  # equal texts of a column pass together
    embedder.transform(X)
    assert len(model.seen) == 2 * first
    assert not (tmp_path / "cache").exists()


def test_the_mean_stands_for_a_missing_text():
    table = pd.DataFrame({"review": ["a", None, "e e", "", "  ", np.nan, "a"]}, dtype=object)
    features = TextEmbedder(Letters("ae"), add_indicator=True).fit_transform(table)
    mean = [2 / 3, 2 / 3]
    np.testing.assert_allclose(
        features, [[1, 0, 0], [*mean, 1], [0, 2, 0], [*mean, 1], [*mean, 1], [*mean, 1], [1, 0, 0]], rtol=1e-6
    )


def test_components_are_learned_in_training():
    embedder = TextEmbedder(Letters(), n_components=2, random_state=0).fit(X[:6])
    assert embedder.transform(X).shape == (10, 4)
    np.testing.assert_allclose(embedder.transform(X[:6]).mean(axis=0), np.zeros(4), atol=1e-6)


@pytest.mark.parametrize(
    ("model", "table", "error", "message"),
    [
        (Letters(), X.assign(review=3.5), TypeError, "expected a text, got 3.5 in row 0"),
        (
            lambda texts: [1.0] * len(texts),
            X,
            ValueError,
            r"return an array of shape \(9, n_features\) for 9 texts, got",
        ),
        (lambda texts: np.zeros((1, 3)), X, ValueError, r"got one of shape \(1, 3\)"),
        (3, X, ValueError, "'model' parameter"),
    ],
)
def test_bad_models_and_cells_are_named(model, table, error, message):
    with pytest.raises(error, match=message):
        TextEmbedder(model).fit(table)


# --- pretrained encoders ----------------------------------------------------------------------------------------------


def test_a_folder_is_a_model(tmp_path):
    folder = write_folder(tmp_path / "tiny")
    table = pd.DataFrame({"title": ["red hat", "old", None], "text": ["good", "bad!", "red"]})
    expected = np.hstack([expected_features(["red hat", "old", "red"]), expected_features(["good", "bad!", "red"])])
    expected[2, :8] = expected[:2, :8].mean(axis=0)
    for model in (folder, str(folder)):
        np.testing.assert_allclose(TextEmbedder(model).fit_transform(table), expected, rtol=1e-4, atol=1e-5)


def test_features_of_a_folder_are_shared_with_branches(tmp_path, monkeypatch):
    folder = write_folder(tmp_path / "tiny")
    table = pd.DataFrame({"text": ["red hat", "old coat"]})
    features = TextEmbedder(folder).fit_transform(table)
    monkeypatch.setattr(TextEncoder, "features", None)
    np.testing.assert_array_equal(TextBranch(encoder=folder).fit(table).encode(table), features)


def test_a_folder_that_changes_is_another_model(tmp_path):
    table = pd.DataFrame({"text": ["red hat", "old coat"]})
    one, other = (TextEmbedder(write_folder(tmp_path, seed=seed)).fit_transform(table) for seed in (0, 1))
    assert np.abs(one - other).max() > 0.1


@pytest.mark.parametrize("model", [Letters(), Letters().encode])
def test_the_prefix_stands_in_front_of_each_text(model):
    features = TextEmbedder(model, prefix="ae: ").fit_transform(X[["review"]])
    np.testing.assert_array_equal(features, EXPECTED[:, 5:] + [1, 1, 0, 0, 0])


def test_a_name_without_its_owner_is_refused():
    with pytest.raises(ValueError, match=r"no encoder .all-MiniLM-L6-v2.*hf:sentence-transformers/all-MiniLM-L6-v2"):
        TextEmbedder("all-MiniLM-L6-v2").fit(X)


@pytest.mark.skipif(find_spec("wordllama") is None, reason="wordllama is not installed")
def test_static_vectors_are_the_mean_of_those_of_the_tokens():
    embedder = TextEmbedder("wordllama")
    features = embedder.fit_transform(X)
    assert features.shape == (10, 512)
    np.testing.assert_array_equal(clone(embedder).fit(X).transform(X[:3]), features[:3])

"""Features of texts for classical learners."""

import sys
import types

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

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


# --- sentence-transformers --------------------------------------------------------------------------------------------


@pytest.fixture
def loaded(monkeypatch):
    """Names of models that a fake of the package has loaded."""
    names = []

    class SentenceTransformer(Letters):
        def __init__(self, name):
            names.append(name)
            super().__init__()

    module = types.SimpleNamespace(SentenceTransformer=SentenceTransformer)
    monkeypatch.setitem(sys.modules, "sentence_transformers", module)
    return names


def test_models_by_name_are_loaded_when_needed(loaded):
    embedder = TextEmbedder("all-MiniLM-L6-v2").fit(X)
    np.testing.assert_array_equal(embedder.transform(X), EXPECTED)
    clone(embedder).fit_transform(X)
    assert loaded == ["all-MiniLM-L6-v2"]
    TextEmbedder("another").fit(X)
    assert loaded == ["all-MiniLM-L6-v2", "another"]


def test_a_folder_that_changes_is_another_model(loaded, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    for content in ("one", "one", "two"):
        (folder / "weights").write_text(content)
        TextEmbedder(str(folder)).fit(X)
    assert loaded == [str(folder)] * 2


def test_the_extra_is_named_where_it_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(ImportError, match=r"'all-MiniLM-L6-v2' needs .* pip install 'skstack\[text\]'"):
        TextEmbedder("all-MiniLM-L6-v2").fit(X)

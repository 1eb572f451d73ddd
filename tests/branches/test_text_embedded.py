"""Texts as features of a model that stays as it is: an embedder, or a pretrained encoder."""

import pickle
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from _bert import encoder_folder, expected_features, write_folder
from _texts import call, frame
from sklearn.base import clone
from sklearn.model_selection import cross_val_predict

from skstack import MultimodalNetworkRegressor, MultimodalStackingRegressor
from skstack.backbones._text_encoder import TextEncoder
from skstack.branches import TextBranch
from skstack.preprocessing import TextEmbedder

__all__ = ["encoder_folder"]  # a fixture

# --- an embedder ------------------------------------------------------------------------------------------------------


class CountLetters:
    """Stands for a large model; notes the texts that pass through it."""

    seen: ClassVar = []

    def encode(self, texts):
        self.seen.extend(texts)
        return np.array([[text.count(letter) for letter in "aeiou"] for text in texts])


def test_an_embedder_takes_the_place_of_tokens_and_sees_each_text_once():
    CountLetters.seen.clear()
    X = pd.DataFrame({"review": [f"a fine day {'o' * number}" for number in range(20)]})
    X.loc[3, "review"] = None
    branch = TextBranch(embedder=TextEmbedder(CountLetters(), cache_key="letters of test_text"), hidden=(3,))
    encoded = branch.fit(X).encode(X)
    np.testing.assert_array_equal(encoded[5], [2, 1, 1, 5, 0])
    assert not encoded[3].any()  # the missing embedding takes its place
    stack = MultimodalStackingRegressor(
        [("review", branch, ["review"])], network=MultimodalNetworkRegressor(epochs=1), cv=3, random_state=0
    )
    predicted = cross_val_predict(stack, X.sample(frac=1, random_state=0), np.arange(20.0), cv=2)
    assert np.isfinite(predicted).all()
    assert sorted(CountLetters.seen) == sorted(X["review"].dropna())
    stack.set_params(review__embedder__n_components=2).fit(X, np.arange(20.0))
    assert stack.named_estimators_["network"].model_.input_shape[0] == (None, 2)


def test_an_embedder_reads_texts_alone():
    X = pd.DataFrame({"review": ["fine", 3, "day"]}, index=list("abc"))
    with pytest.raises(TypeError, match=r"expected a text, got 3 in row 1 \(index 'b'\)"):
        TextBranch(embedder=TextEmbedder(CountLetters())).fit(X)


# --- a pretrained encoder ---------------------------------------------------------------------------------------------

CELLS = ["red hat", "old coat!", "good", "fits bad red", "red old hat", "bad"]
TABLE = pd.DataFrame({"title": CELLS, "text": CELLS[::-1]})


@pytest.fixture
def passed(monkeypatch):
    """How many texts have passed through an encoder."""
    rows, of_batch = [], TextEncoder._of_batch

    def counting(self, ids, n_rows, size):
        rows.append(len(ids))
        return of_batch(self, ids, n_rows, size)

    monkeypatch.setattr(TextEncoder, "_of_batch", counting)
    return rows


def test_each_column_has_features_of_its_own(encoder_folder):
    branch = TextBranch(encoder=encoder_folder).fit(TABLE)
    expected = np.hstack([expected_features(CELLS), expected_features(CELLS[::-1])])
    encoded = branch.encode(TABLE)
    np.testing.assert_allclose(encoded, expected, rtol=1e-4, atol=1e-5)
    assert (branch.input_shape_, branch.input_dtype_) == ((16,), "float32")
    joined = TextBranch(encoder=str(encoder_folder), join=True).fit(TABLE)
    texts = [f"{title}\n{text}" for title, text in TABLE.to_numpy()]
    np.testing.assert_allclose(joined.encode(TABLE), expected_features(texts), rtol=1e-4, atol=1e-5)


def test_features_are_standardised_in_the_network(encoder_folder):
    branch = TextBranch(encoder=encoder_folder).fit(TABLE)
    model = branch.build("part")
    assert model.trainable_variables == []
    standardised = call(model, branch.encode(TABLE))
    np.testing.assert_allclose(standardised.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(standardised.std(axis=0), 1, rtol=1e-4)


def test_rows_without_weight_teach_nothing(encoder_folder):
    weight = np.array([1.0, 2.0, 0.0, 1.0, 1.0, 0.0])
    repeated = TABLE.iloc[[0, 1, 1, 3, 4]]
    models = [
        TextBranch(encoder=encoder_folder).fit(TABLE, sample_weight=weight).build("part"),
        TextBranch(encoder=encoder_folder).fit(repeated).build("part"),
    ]
    for one, other in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_a_text_that_is_missing_beside_another_counts_as_the_mean(encoder_folder):
    branch = TextBranch(encoder=encoder_folder).fit(TABLE)
    some = pd.DataFrame({"title": [None, " "], "text": ["red hat", None]}, dtype=object)
    encoded, missing = branch.encode_with_missing(some)
    assert missing[:, 0].tolist() == [False, True]
    assert np.isnan(encoded[0, :8]).all()
    assert not encoded[1].any()
    features = call(branch.build("part"), encoded)
    np.testing.assert_allclose(features[0, :8], 0, atol=1e-5)
    assert np.isfinite(features).all()
    empty = TextBranch(encoder=encoder_folder).fit(TABLE.assign(title=None))
    assert np.isfinite(call(empty.build("part"), empty.encode(TABLE))).all()


def test_the_prefix_stands_in_front_of_each_text(encoder_folder):
    branch = TextBranch(encoder=encoder_folder, prefix="query: ").fit(frame(CELLS))
    expected = expected_features([f"query: {text}" for text in CELLS])
    np.testing.assert_allclose(branch.encode(frame(CELLS)), expected, rtol=1e-4, atol=1e-5)


def test_no_more_tokens_are_read_than_wished(encoder_folder):
    branch = TextBranch(encoder=encoder_folder, max_length=4).fit(frame(CELLS))
    np.testing.assert_allclose(
        branch.encode(frame(CELLS)), expected_features(CELLS, max_length=4), rtol=1e-4, atol=1e-5
    )


def test_a_cell_may_hold_several_texts(encoder_folder):
    X = pd.DataFrame({"notes": [["red hat", "old"], "good", []] * 2})
    encoded = TextBranch(encoder=encoder_folder, item_pooling="avg").fit(X).encode(X)
    assert encoded.shape == (6, 2, 8)
    np.testing.assert_allclose(encoded[3], expected_features(["red hat", "old"]), rtol=1e-4, atol=1e-5)
    assert not encoded[2].any()


def test_folds_and_searches_pass_each_text_once(encoder_folder, passed):
    table = pd.concat([TABLE] * 4, ignore_index=True)
    branch = TextBranch(encoder=encoder_folder, hidden=(2,))
    stack = MultimodalStackingRegressor(
        [("texts", branch, ["title", "text"])], network=MultimodalNetworkRegressor(epochs=1), cv=3, random_state=0
    )
    predicted = cross_val_predict(stack, table, np.arange(24.0), cv=2)
    assert np.isfinite(predicted).all()
    assert sum(passed) == len(set(CELLS))


def test_a_fitted_branch_goes_on_elsewhere(encoder_folder):
    branch = TextBranch(encoder=encoder_folder).fit(TABLE)
    again = pickle.loads(pickle.dumps(branch))
    np.testing.assert_array_equal(again.encode(TABLE), branch.encode(TABLE))
    other = clone(branch).fit(TABLE.iloc[:3])
    assert branch.is_encoded_like(other) and branch.is_built_like(other)
    write_folder(encoder_folder, seed=1)
    with pytest.raises(ValueError, match="is another one than when the branch was fitted; fit again"):
        branch.encode(TABLE)


def test_an_encoder_reads_texts_alone(encoder_folder):
    X = pd.DataFrame({"review": ["fine", b"x"]}, index=list("ab"))
    with pytest.raises(
        TypeError, match=r"column 'review' holds b'x' in row 1 \(index 'b'\), where a text was expected"
    ):
        TextBranch(encoder=encoder_folder).fit(X)

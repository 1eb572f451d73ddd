"""Branches of text."""

import joblib
import numpy as np
import pandas as pd
import polars
import pytest
from _texts import SMALL, call, frame, opinions
from sklearn.base import clone

from skstack import MultimodalNetworkClassifier
from skstack.branches import TextBranch

SEPARATOR, FIRST = 2, 3


def _ids(branch, new):
    return branch.encode(new).tolist()


# --- rows -----------------------------------------------------------------------------------------------------------

CELLS = ["red hat", "red", None]
COLUMNS = {
    "object": pd.Series(CELLS, dtype=object),
    "str": pd.Series(CELLS, dtype="str"),
    "string": pd.Series(CELLS, dtype="string"),
    "arrow": pd.Series(CELLS, dtype="string[pyarrow]"),
    "category": pd.Series(CELLS, dtype="category"),
    "numpy strings": pd.Series([np.str_("red hat"), np.str_("red"), np.nan], dtype=object),
    "blank": ["red hat", "red", " \n"],
}


@pytest.mark.parametrize("column", COLUMNS.values(), ids=list(COLUMNS))
def test_every_column_of_strings_is_read(column):
    branch = TextBranch(min_frequency=1).fit(frame(column))
    assert branch.vocabulary_ == ["red", "hat"]
    assert _ids(branch, frame(column)) == [[3, 4], [3, 0], [0, 0]]


def test_arrays_are_read_like_tables():
    X = np.array([["red hat", "old"], ["red", None]], dtype=object)
    branch = TextBranch(min_frequency=1).fit(X)
    np.testing.assert_array_equal(branch.encode(X), TextBranch(min_frequency=1).fit(pd.DataFrame(X)).encode(X))
    assert _ids(TextBranch(min_frequency=1).fit(X[:, :1]), np.array([["hat"], ["red"]])) == [[4, 0], [3, 0]]


def test_numbers_among_texts_are_read_as_texts():
    """As spreadsheets have them; a column of numbers alone is another thing."""
    branch = TextBranch(min_frequency=1).fit(frame(["red 3", "2.5"]))
    mixed = frame(pd.Series(["red", 3, 3.0, 2.5, np.float32(2.5), np.nan], dtype=object))
    same = frame(["red", "3", "3", "2.5", "2.5", ""])
    np.testing.assert_array_equal(branch.encode(mixed), branch.encode(same))
    with pytest.raises(TypeError, match="holds 3 in row 0, where a text was expected"):
        branch.encode(frame(pd.Series([3, 4])))


@pytest.mark.parametrize(
    "cell", [b"red", ["red"], np.array([1, 2]), pd.Timestamp("2020")], ids=lambda cell: type(cell).__name__
)
def test_cells_that_are_no_text_are_named(cell):
    branch = TextBranch(min_frequency=1).fit(frame(["red"]))
    bad = frame(pd.Series(["red", None, cell], index=["p", "q", "r"], dtype=object))
    message = r"column 'review' holds .* in row 2 \(index 'r'\), where a text was expected"
    with pytest.raises(TypeError, match=message):
        branch.encode(bad)
    with pytest.raises(TypeError, match="where a text was expected"):
        TextBranch().fit(bad)


def test_images_are_no_texts():
    with pytest.raises(ValueError, match=r"table of texts with 2 dimensions, got an array of shape \(2, 3, 3\)"):
        TextBranch().fit(np.zeros((2, 3, 3)))


def test_columns_are_joined_with_a_mark_between_them():
    X = pd.DataFrame({"title": ["hat", None, "hat hat hat"], "text": ["red", "red hat", None]})
    branch = TextBranch(min_frequency=1, max_length=4).fit(X)
    hat, red = FIRST, FIRST + 1
    expected = [[hat, SEPARATOR, red, 0], [SEPARATOR, red, hat, 0], [hat, hat, hat, SEPARATOR]]
    assert _ids(branch, X) == expected
    assert branch.lengths_ == (4,)


def test_columns_can_be_read_each_by_itself():
    X = pd.DataFrame({"title": ["hat", None], "text": ["red hat red", "red hat red"]})
    branch = TextBranch(min_frequency=1, join=False, **{k: SMALL[k] for k in ("dim", "units")}).fit(X)
    assert branch.lengths_ == (2, 3)
    red, hat = FIRST, FIRST + 1
    assert _ids(branch, X) == [[hat, 0, red, hat, red], [0, 0, red, hat, red]]
    model = branch.build("part")
    features = call(model, branch.encode(X))
    table = np.asarray(model.get_layer("vectors").embeddings)
    np.testing.assert_allclose(features[0], [*table[hat], *table[[red, hat, red]].mean(axis=0)], rtol=1e-5)
    np.testing.assert_array_equal(features[1, :4], 0)


def test_each_column_read_by_itself_has_an_encoder_of_its_own():
    X = pd.DataFrame({"a": ["red hat"], "b": ["red hat"]})
    branch = TextBranch(encoder="cnn", join=False, **SMALL).fit(X)
    features = call(branch.build("part"), branch.encode(X))
    assert features.shape == (1, 6)
    assert not np.allclose(features[0, :3], features[0, 3:])


def test_shared_columns_have_one_vocabulary():
    X = pd.DataFrame({"one": ["red hat"], "two": ["old hat"]})
    branch = TextBranch(shared=True, **SMALL).fit(X)
    assert branch.vocabulary_ == ["hat", "old", "red"]
    assert _ids(branch, X) == [[[5, 3], [4, 3]]]


@pytest.mark.parametrize(("n_words", "length"), [(1, 2), (2, 2), (3, 3), (5, 6), (13, 16), (17, 24), (100, 128)])
def test_length_comes_from_the_training_rows(n_words, length):
    assert TextBranch().fit(frame(["word " * n_words] * 2)).lengths_ == (length,)


def test_few_long_texts_do_not_decide_about_the_length():
    texts = ["word " * 4] * 96 + ["word " * 500] * 4
    assert TextBranch().fit(frame(texts)).lengths_ == (4,)
    assert TextBranch().fit(frame(texts[2:])).lengths_ == (4,)
    assert TextBranch().fit(frame([*texts, *texts[-4:]])).lengths_ == (512,)


def test_longer_texts_are_cut():
    branch = TextBranch(min_frequency=1, max_length=2).fit(frame(["a b c"]))
    assert _ids(branch, frame(["a b c", "c"])) == [[3, 4], [5, 0]]


def test_case_is_ignored_in_words_only():
    cells = frame(["Cc cC"])
    assert TextBranch(min_frequency=1).fit(cells).vocabulary_ == ["cc"]
    assert TextBranch("char", min_frequency=1).fit(cells).vocabulary_ == ["C", "c", " "]
    assert TextBranch("char", min_frequency=1, lowercase=True).fit(cells).vocabulary_ == ["c", " "]
    assert TextBranch(min_frequency=1, lowercase=False).fit(cells).vocabulary_ == ["Cc", "cC"]


# --- what folds share -----------------------------------------------------------------------------------------------


def test_the_same_rows_in_another_order_give_the_same_branch():
    X = frame(["red hat", "old red coat", "coat of a dog"])
    for tokens in ("word", "char", "subword"):
        one, other = (TextBranch(tokens).fit(rows) for rows in (X, X.iloc[::-1]))
        assert joblib.hash(vars(one)) == joblib.hash(vars(other))
        assert one.is_encoded_like(other)


def test_branches_of_other_rows_are_encoded_otherwise_and_built_alike():
    one, other = (TextBranch(min_frequency=1).fit(frame([text])) for text in ("red hat old coat", "red hat new coat"))
    assert not one.is_encoded_like(other)
    assert one.is_built_like(other)
    longer = TextBranch(min_frequency=1).fit(frame(["red hat old coat and"]))
    assert not one.is_built_like(longer)
    assert not one.is_built_like(TextBranch(min_frequency=1, max_length=4).fit(frame(["a b c d e f"])))
    rare = TextBranch(min_frequency=1, max_tokens=6).fit(frame(["red hat old coat"]))
    assert not one.is_encoded_like(rare)


def test_polars_and_missing_texts():
    X, liked = opinions()
    X.loc[[0, 5], "review"] = None
    network = MultimodalNetworkClassifier([("text", TextBranch(dim=4), ["review"])], epochs=1, random_state=0)
    probabilities = [
        clone(network).fit(rows, liked).predict_proba(rows) for rows in (X, polars.from_pandas(X.astype("string")))
    ]
    np.testing.assert_allclose(*probabilities)
    assert np.isfinite(probabilities[0]).all()
    np.testing.assert_array_equal(probabilities[0][0], probabilities[0][5])


# --- parameters -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"tokens": "words"}, "'tokens' parameter of TextBranch"),
        ({"encoder": "grru"}, "there is no encoder 'grru'. Did you mean 'gru'?"),
        ({"encoder": 3}, "'encoder' parameter of TextBranch"),
        ({"max_tokens": 3}, "'max_tokens' parameter of TextBranch"),
        ({"max_length": 0}, "'max_length' parameter of TextBranch"),
        ({"min_frequency": 0.1}, "'min_frequency' parameter of TextBranch"),
        ({"lowercase": "no"}, "'lowercase' parameter of TextBranch"),
        ({"dim": 0}, "'dim' parameter of TextBranch"),
        ({"vectors": 3}, "'vectors' parameter of TextBranch"),
        ({"units": (3,)}, "'units' parameter of TextBranch"),
        ({"kernel_size": (3, 0)}, "'kernel_size' should be a tuple of positive integers"),
        ({"kernel_size": ()}, "'kernel_size' should hold at least one size"),
        ({"n_heads": 0}, "'n_heads' parameter of TextBranch"),
        ({"trainable": False}, "trainable=False needs 'vectors'"),
        ({"trainable": 0}, "'trainable' parameter"),
    ],
)
def test_unknown_settings_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        TextBranch(**params).fit(frame(["red"]))


def test_length_covers_most_of_the_weight():
    texts = pd.DataFrame({"text": ["one two"] * 9 + ["one two three four five six seven"]})
    assert TextBranch().fit(texts).lengths_ == (8,)
    assert TextBranch().fit(texts, sample_weight=[1.0] * 9 + [0.1]).lengths_ == (2,)
    assert TextBranch().fit(texts, sample_weight=[2.0] * 9 + [2.0]).lengths_ == (8,)

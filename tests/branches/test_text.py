"""Branches of text."""

from typing import ClassVar

import joblib
import numpy as np
import pandas as pd
import polars
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_predict

from skstack import MultimodalNetworkClassifier, MultimodalNetworkRegressor, MultimodalStackingRegressor
from skstack._backend import keras
from skstack.branches import TextBranch
from skstack.preprocessing import TextEmbedder

ENCODERS = ["mean", "cnn", "gru", "lstm", "bigru", "bilstm", "transformer"]
UNKNOWN, SEPARATOR, FIRST = 1, 2, 3

SMALL = {"dim": 4, "units": 3, "n_heads": 2, "min_frequency": 1}


def _frame(cells, **kwargs):
    return pd.DataFrame({"review": cells}, **kwargs)


def _ids(branch, new):
    return branch.encode(new).tolist()


def _call(model, ids):
    # Not `predict`, which compiles a function for every model.
    return keras.ops.convert_to_numpy(model(ids))


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
    branch = TextBranch(min_frequency=1).fit(_frame(column))
    assert branch.vocabulary_ == ["red", "hat"]
    assert _ids(branch, _frame(column)) == [[3, 4], [3, 0], [0, 0]]


def test_arrays_are_read_like_tables():
    X = np.array([["red hat", "old"], ["red", None]], dtype=object)
    branch = TextBranch(min_frequency=1).fit(X)
    np.testing.assert_array_equal(branch.encode(X), TextBranch(min_frequency=1).fit(pd.DataFrame(X)).encode(X))
    assert _ids(TextBranch(min_frequency=1).fit(X[:, :1]), np.array([["hat"], ["red"]])) == [[4, 0], [3, 0]]


@pytest.mark.parametrize(
    "cell", [3, 2.5, b"red", ["red"], np.array([1, 2]), pd.Timestamp("2020")], ids=lambda cell: type(cell).__name__
)
def test_cells_that_are_no_text_are_named(cell):
    branch = TextBranch(min_frequency=1).fit(_frame(["red"]))
    bad = _frame(pd.Series(["red", None, cell], index=["p", "q", "r"], dtype=object))
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
    features = _call(model, branch.encode(X))
    table = np.asarray(model.get_layer("vectors").embeddings)
    np.testing.assert_allclose(features[0], [*table[hat], *table[[red, hat, red]].mean(axis=0)], rtol=1e-5)
    np.testing.assert_array_equal(features[1, :4], 0)


def test_each_column_read_by_itself_has_an_encoder_of_its_own():
    X = pd.DataFrame({"a": ["red hat"], "b": ["red hat"]})
    branch = TextBranch(encoder="cnn", join=False, **SMALL).fit(X)
    features = _call(branch.build("part"), branch.encode(X))
    assert features.shape == (1, 6)
    assert not np.allclose(features[0, :3], features[0, 3:])


def test_shared_columns_have_one_vocabulary():
    X = pd.DataFrame({"one": ["red hat"], "two": ["old hat"]})
    branch = TextBranch(shared=True, **SMALL).fit(X)
    assert branch.vocabulary_ == ["hat", "old", "red"]
    assert _ids(branch, X) == [[[5, 3], [4, 3]]]


@pytest.mark.parametrize(("n_words", "length"), [(1, 2), (2, 2), (3, 3), (5, 6), (13, 16), (17, 24), (100, 128)])
def test_length_comes_from_the_training_rows(n_words, length):
    assert TextBranch().fit(_frame(["word " * n_words] * 2)).lengths_ == (length,)


def test_few_long_texts_do_not_decide_about_the_length():
    texts = ["word " * 4] * 96 + ["word " * 500] * 4
    assert TextBranch().fit(_frame(texts)).lengths_ == (4,)
    assert TextBranch().fit(_frame(texts[2:])).lengths_ == (4,)
    assert TextBranch().fit(_frame([*texts, *texts[-4:]])).lengths_ == (512,)


def test_longer_texts_are_cut():
    branch = TextBranch(min_frequency=1, max_length=2).fit(_frame(["a b c"]))
    assert _ids(branch, _frame(["a b c", "c"])) == [[3, 4], [5, 0]]


def test_case_is_ignored_in_words_only():
    cells = _frame(["Cc cC"])
    assert TextBranch(min_frequency=1).fit(cells).vocabulary_ == ["cc"]
    assert TextBranch("char", min_frequency=1).fit(cells).vocabulary_ == ["C", "c", " "]
    assert TextBranch("char", min_frequency=1, lowercase=True).fit(cells).vocabulary_ == ["c", " "]
    assert TextBranch(min_frequency=1, lowercase=False).fit(cells).vocabulary_ == ["Cc", "cC"]


# --- what folds share -----------------------------------------------------------------------------------------------


def test_the_same_rows_in_another_order_give_the_same_branch():
    X = _frame(["red hat", "old red coat", "coat of a dog"])
    for tokens in ("word", "char", "subword"):
        one, other = (TextBranch(tokens).fit(rows) for rows in (X, X.iloc[::-1]))
        assert joblib.hash(vars(one)) == joblib.hash(vars(other))
        assert one.is_encoded_like(other)


def test_branches_of_other_rows_are_encoded_otherwise_and_built_alike():
    one, other = (TextBranch(min_frequency=1).fit(_frame([text])) for text in ("red hat old coat", "red hat new coat"))
    assert not one.is_encoded_like(other)
    assert one.is_built_like(other)
    longer = TextBranch(min_frequency=1).fit(_frame(["red hat old coat and"]))
    assert not one.is_built_like(longer)
    assert not one.is_built_like(TextBranch(min_frequency=1, max_length=4).fit(_frame(["a b c d e f"])))
    rare = TextBranch(min_frequency=1, max_tokens=6).fit(_frame(["red hat old coat"]))
    assert not one.is_encoded_like(rare)


# --- encoders -------------------------------------------------------------------------------------------------------


def _model(branch, length, weights=None):
    """Return a sub-network for texts of a length, with the weights of another one."""
    X = _frame(["a b c d e f", "g h"])
    model = clone(branch).set_params(max_length=length).fit(X).build("part")
    for variable, values in zip(model.weights, weights or [], strict=weights is not None):
        fitting = tuple(slice(size) for size in variable.shape)  # there are fewer positions in a shorter text
        variable.assign(values[fitting])
    return model


@pytest.mark.parametrize("encoder", ENCODERS)
def test_padding_does_not_count(encoder):
    # An activation with negative values, of which padding must not make a maximum of 0.
    branch = TextBranch(encoder=encoder, kernel_size=(2, 3), activation="tanh", **SMALL)
    long = _model(branch, 12)
    # Weights away from 0, so that padding would show.
    weights = [np.random.default_rng(n).normal(size=v.shape).astype("float32") for n, v in enumerate(long.weights)]
    long = _model(branch, 12, weights)
    ids = np.array([[3, 4, 5, 6, 7], [8, 0, 0, 0, 0], [0, 0, 0, 0, 0]], dtype="int32")
    features = [_call(_model(branch, length, weights), np.pad(ids, [(0, 0), (0, length - 5)])) for length in (5, 6, 12)]
    np.testing.assert_allclose(features[0], features[1], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(features[0], features[2], rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(features[0][2], 0)
    assert np.abs(features[0][1]).min() > 0
    assert not np.allclose(features[0][0], features[0][1])


@pytest.mark.parametrize(("encoder", "kind"), [("gru", "GRU"), ("bilstm", "LSTM")])
def test_recurrent_encoders_are_those_of_keras(encoder, kind):
    branch = TextBranch(encoder=encoder, **SMALL)
    model = _model(branch, 5)
    forward, backward = f"{encoder}_1_forward_states", f"{encoder}_1_backward_states"
    one_way = encoder == "gru"
    cell = getattr(keras.layers, kind)(3)
    whole = cell if one_way else keras.layers.Bidirectional(cell)
    inputs = keras.Input((5,), dtype="int32")
    embedded = keras.layers.Embedding(16, 4, mask_zero=True)
    reference = keras.Model(inputs, whole(embedded(inputs)))
    names = [f"{encoder}_1_states"] if one_way else [forward, backward]
    recurrent = [weight for name in names for weight in model.get_layer(name).get_weights()]
    reference.set_weights([model.get_layer("vectors").get_weights()[0], *recurrent])
    ids = np.array([[3, 4, 5, 6, 7], [8, 3, 0, 0, 0]], dtype="int32")
    np.testing.assert_allclose(_call(model, ids), _call(reference, ids), rtol=1e-4, atol=1e-6)


def test_mean_is_that_of_the_tokens():
    model = _model(TextBranch(**SMALL), 4)
    table = np.asarray(model.get_layer("vectors").embeddings)
    features = _call(model, np.array([[3, 4, 4, 0]], dtype="int32"))
    np.testing.assert_allclose(features[0], (table[3] + 2 * table[4]) / 3, rtol=1e-5)


def test_convolutions_of_several_sizes_stand_side_by_side():
    branch = TextBranch(encoder="cnn", kernel_size=(1, 3), **SMALL)
    assert _model(branch, 4).output_shape == (None, 6)
    assert _model(branch.set_params(kernel_size=2), 4).output_shape == (None, 3)


@pytest.mark.parametrize(("encoder", "n_features"), [("mean", 4), ("lstm", 3), ("bigru", 6), ("transformer", 4)])
def test_number_of_features(encoder, n_features):
    assert _model(TextBranch(encoder=encoder, **SMALL), 4).output_shape == (None, n_features)


@pytest.mark.parametrize("encoder", ["cnn", "bigru", "transformer"])
def test_order_of_the_tokens_matters_where_it_should(encoder):
    model = _model(TextBranch(encoder=encoder, **SMALL), 4)
    features = _call(model, np.array([[3, 4, 5, 0], [4, 3, 5, 0]], dtype="int32"))
    assert not np.allclose(features[0], features[1])


# --- training -------------------------------------------------------------------------------------------------------


def _opinions(n_rows=48):
    generator = np.random.default_rng(0)
    words = generator.choice(["the", "hat", "is", "red"], (n_rows, 4)).astype(object)
    liked = generator.random(n_rows) < 0.5
    words[np.arange(n_rows), generator.integers(4, size=n_rows)] = np.where(liked, "good", "bad")
    return _frame([" ".join(row) for row in words]), liked


def _learning(encoder, **params):
    branch = TextBranch(encoder=encoder, dim=8, units=8, n_heads=2, max_length=4)
    settings = {"epochs": 6, "batch_size": 16, "early_stopping": False, "optimizer__learning_rate": 0.03}
    return MultimodalNetworkClassifier([("text", branch)], head=(), random_state=0, **settings, **params)


# One recurrent encoder stands for all: they differ in a layer of Keras, which has tests above.
@pytest.mark.parametrize("encoder", ["mean", "cnn", "transformer"])
def test_encoders_learn_and_folds_can_be_trained_at_once(encoder):
    X, liked = _opinions()
    network = _learning(encoder, fold_training="vectorized")
    whole, fold = clone(network).cross_fit(X, liked, [np.arange(32)])
    alone = clone(network).fit(X.iloc[:32], liked[:32])
    np.testing.assert_allclose(fold.predict_proba(X), alone.predict_proba(X), rtol=0.02, atol=5e-3)
    assert whole.score(X, liked) > 0.95


def test_recurrent_encoders_learn_and_folds_are_trained_by_one_program():
    X, liked = _opinions()
    network = _learning("bigru")
    whole, fold = clone(network).cross_fit(X, liked, [np.arange(32)])
    alone = clone(network).fit(X.iloc[:32], liked[:32])
    np.testing.assert_allclose(fold.predict_proba(X), alone.predict_proba(X), rtol=0.02, atol=5e-3)
    assert whole.score(X, liked) > 0.95


def test_polars_and_missing_texts():
    X, liked = _opinions()
    X.loc[[0, 5], "review"] = None
    network = MultimodalNetworkClassifier([("text", TextBranch(dim=4), ["review"])], epochs=1, random_state=0)
    probabilities = [
        clone(network).fit(rows, liked).predict_proba(rows) for rows in (X, polars.from_pandas(X.astype("string")))
    ]
    np.testing.assert_allclose(*probabilities)
    assert np.isfinite(probabilities[0]).all()
    np.testing.assert_array_equal(probabilities[0][0], probabilities[0][5])


# --- tokens without training ----------------------------------------------------------------------------------------


def test_tokens_without_training_rows_contribute_nothing():
    X = _frame(["good hat hidden", "bad hat hidden"] * 4)
    branch = TextBranch(min_frequency=1, dim=4, max_length=2)
    network = MultimodalNetworkRegressor([("text", branch)], head=(), epochs=2, early_stopping=False, random_state=0)
    network.fit(X, [1.0, 5.0] * 4)
    bias = float(network.model_.get_layer("output_standardized").bias[0])
    # One was never seen, the other only behind the end of what is read.
    unseen, behind, seen = network.predict(_frame(["new", "hidden", "good"]))
    assert unseen == behind == pytest.approx(3.0 + 2.0 * bias, rel=1e-5)
    assert seen != unseen


def test_rare_tokens_train_the_vector_of_unknown_ones():
    branch = TextBranch(dim=4).fit(_frame(["hat hat rare"]))
    model = branch.build("part")
    features = _call(model, branch.encode(_frame(["new"])))
    np.testing.assert_array_equal(features[0], np.asarray(model.get_layer("vectors").embeddings)[UNKNOWN])
    assert np.abs(features).min() > 0


# --- pretrained vectors ---------------------------------------------------------------------------------------------

VECTORS = {"good": [1.0, 2.0, 3.0], "bad": [-1.0, 0.5, 2.0], "other": [9.0, 9.0, 9.0]}


def test_pretrained_vectors_stand_in_the_table_and_are_trained(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text("".join(f"{token} {' '.join(map(str, numbers))}\n" for token, numbers in VECTORS.items()))
    X, liked = _opinions()
    for source in (VECTORS, path):
        branch = TextBranch(vectors=source).fit(X)
        table = np.asarray(branch.build("part").get_layer("vectors").embeddings)
        for token in ("good", "bad"):
            np.testing.assert_array_equal(table[FIRST + branch.vocabulary_.index(token)], VECTORS[token])
        hat = table[FIRST + branch.vocabulary_.index("hat")]
        assert 0 < np.abs(hat).max() < 0.1
    network = MultimodalNetworkClassifier([("text", branch)], epochs=1, random_state=0).fit(X, liked)
    trained = np.asarray(network.model_.get_layer("text_branch").get_layer("vectors").embeddings)
    assert not np.array_equal(trained[FIRST + branch.vocabulary_.index("good")], VECTORS["good"])


def test_frozen_vectors_stay_and_other_tokens_contribute_nothing():
    X, liked = _opinions()
    branch = TextBranch(vectors=VECTORS, trainable=False)
    network = MultimodalNetworkClassifier([("text", branch)], epochs=2, random_state=0).fit(X, liked)
    part = network.model_.get_layer("text_branch")
    table = np.asarray(part.get_layer("vectors").embeddings)
    assert not part.trainable_variables
    for token, row in zip(network.branches_[0][1].vocabulary_, table[FIRST:], strict=False):
        np.testing.assert_array_equal(row, VECTORS.get(token, [0.0, 0.0, 0.0]))
    np.testing.assert_array_equal(table[:FIRST], 0)


@pytest.mark.parametrize(("trainable", "n_trained"), [(True, 1), (1, 1), ("vec*", 1), (False, 0)])
def test_the_table_of_vectors_is_what_was_trained_before(trainable, n_trained):
    X, _ = _opinions()
    branch = TextBranch(vectors=VECTORS, trainable=trainable).fit(X)
    model = branch.build("part")
    assert len(model.trainable_variables) == n_trained
    assert len(model.get_layer("vectors").constants) == 1 - n_trained
    with pytest.raises(ValueError, match=r"trainable='other' chooses .*; the last layers are vectors"):
        branch.set_params(trainable="other").fit(X).build("part")


def test_folds_get_the_vectors_of_their_own_vocabulary():
    X = _frame(["good hat", "good hat", "bad hat", "bad hat"])
    branch = TextBranch(vectors=VECTORS, trainable=False, max_length=2)
    network = MultimodalNetworkRegressor([("text", branch)], epochs=1, early_stopping=False, random_state=0)
    fitted = list(network.cross_fit(X, np.arange(4.0), [np.array([0, 1]), np.array([2, 3])]))
    for fold, seen, unseen in ((fitted[1], "good", "bad"), (fitted[2], "bad", "good")):
        predicted = fold.predict(_frame([f"{seen} hat", f"{unseen} hat", "hat"]))
        # A token unseen by the fold is left out.
        assert predicted[1] == pytest.approx(predicted[2], rel=1e-5)
        assert predicted[0] != pytest.approx(predicted[2], rel=1e-5)


def test_length_of_vectors_has_to_agree():
    X, _ = _opinions()
    assert TextBranch(vectors=VECTORS, dim=3).fit(X).build("part").output_shape == (None, 3)
    with pytest.raises(ValueError, match="dim=5 differs from the length of the given vectors, 3"):
        TextBranch(vectors=VECTORS, dim=5).fit(X)


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
        TextBranch(**params).fit(_frame(["red"]))


# --- a frozen embedder ----------------------------------------------------------------------------------------------


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
    with pytest.raises(TypeError, match=r"column 'review' holds 3 in row 1 \(index 'b'\), where a text was expected"):
        TextBranch(embedder=TextEmbedder(CountLetters())).fit(X)


def test_length_covers_most_of_the_weight():
    texts = pd.DataFrame({"text": ["one two"] * 9 + ["one two three four five six seven"]})
    assert TextBranch().fit(texts).lengths_ == (8,)
    assert TextBranch().fit(texts, sample_weight=[1.0] * 9 + [0.1]).lengths_ == (2,)
    assert TextBranch().fit(texts, sample_weight=[2.0] * 9 + [2.0]).lengths_ == (8,)

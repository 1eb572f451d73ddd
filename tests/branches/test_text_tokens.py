"""Texts as tokens of a learned vocabulary, and pretrained vectors of tokens."""

from importlib.util import find_spec

import numpy as np
import pytest
from _texts import call, frame, opinions

from skstack import MultimodalNetworkClassifier, MultimodalNetworkRegressor
from skstack.backbones._text_loading import load_text_encoder
from skstack.branches import TextBranch

UNKNOWN, FIRST = 1, 3

# --- tokens without training ----------------------------------------------------------------------------------------


def test_tokens_without_training_rows_contribute_nothing():
    X = frame(["good hat hidden", "bad hat hidden"] * 4)
    branch = TextBranch(min_frequency=1, dim=4, max_length=2)
    network = MultimodalNetworkRegressor([("text", branch)], head=(), epochs=2, early_stopping=False, random_state=0)
    network.fit(X, [1.0, 5.0] * 4)
    bias = float(network.model_.get_layer("output_standardized").bias[0])
    # One was never seen, the other only behind the end of what is read.
    unseen, behind, seen = network.predict(frame(["new", "hidden", "good"]))
    assert unseen == behind == pytest.approx(3.0 + 2.0 * bias, rel=1e-5)
    assert seen != unseen


def test_rare_tokens_train_the_vector_of_unknown_ones():
    branch = TextBranch(dim=4).fit(frame(["hat hat rare"]))
    model = branch.build("part")
    features = call(model, branch.encode(frame(["new"])))
    np.testing.assert_array_equal(features[0], np.asarray(model.get_layer("vectors").embeddings)[UNKNOWN])
    assert np.abs(features).min() > 0


# --- pretrained vectors ---------------------------------------------------------------------------------------------

VECTORS = {"good": [1.0, 2.0, 3.0], "bad": [-1.0, 0.5, 2.0], "other": [9.0, 9.0, 9.0]}


def test_pretrained_vectors_stand_in_the_table_and_are_trained(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text("".join(f"{token} {' '.join(map(str, numbers))}\n" for token, numbers in VECTORS.items()))
    X, liked = opinions()
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
    X, liked = opinions()
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
    X, _ = opinions()
    branch = TextBranch(vectors=VECTORS, trainable=trainable).fit(X)
    model = branch.build("part")
    assert len(model.trainable_variables) == n_trained
    assert len(model.get_layer("vectors").constants) == 1 - n_trained
    with pytest.raises(ValueError, match=r"trainable='other' chooses .*; the last layers are vectors"):
        branch.set_params(trainable="other").fit(X).build("part")


def test_folds_get_the_vectors_of_their_own_vocabulary():
    X = frame(["good hat", "good hat", "bad hat", "bad hat"])
    branch = TextBranch(vectors=VECTORS, trainable=False, max_length=2)
    network = MultimodalNetworkRegressor([("text", branch)], epochs=1, early_stopping=False, random_state=0)
    fitted = list(network.cross_fit(X, np.arange(4.0), [np.array([0, 1]), np.array([2, 3])]))
    for fold, seen, unseen in ((fitted[1], "good", "bad"), (fitted[2], "bad", "good")):
        predicted = fold.predict(frame([f"{seen} hat", f"{unseen} hat", "hat"]))
        # A token unseen by the fold is left out.
        assert predicted[1] == pytest.approx(predicted[2], rel=1e-5)
        assert predicted[0] != pytest.approx(predicted[2], rel=1e-5)


def test_length_of_vectors_has_to_agree():
    X, _ = opinions()
    assert TextBranch(vectors=VECTORS, dim=3).fit(X).build("part").output_shape == (None, 3)
    with pytest.raises(ValueError, match="dim=5 differs from the length of the given vectors, 3"):
        TextBranch(vectors=VECTORS, dim=5).fit(X)


@pytest.mark.skipif(find_spec("wordllama") is None, reason="wordllama is not installed")
@pytest.mark.parametrize("tokens", ["word", "subword"])
def test_static_vectors_of_a_package_stand_in_the_table(tokens):
    X, _ = opinions()
    branch = TextBranch(tokens, vectors="wordllama", dim=16, max_length=4).fit(X)
    table = np.asarray(branch.build("part").get_layer("vectors").embeddings)
    expected = load_text_encoder("wordllama").features(["good", "hat"])[:, :16]
    for token, vector in zip(("good", "hat"), expected, strict=True):
        name = token if tokens == "word" else f"\u2581{token}"
        np.testing.assert_array_equal(table[FIRST + branch.vocabulary_.index(name)], vector)
    assert TextBranch(vectors="wordllama").fit(X)._reading.dim == 256

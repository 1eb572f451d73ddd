"""Texts through a pretrained encoder that is trained further."""

import os
import pickle
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from _bert import encoder_folder, expected_features, write_folder
from _texts import call, frame

from skstack import MultimodalNetworkClassifier
from skstack._backend import keras
from skstack.branches import TextBranch
from skstack.training._values import values_of

__all__ = ["encoder_folder"]  # a fixture

CELLS = ["red hat", "old coat!", "good", "fits bad red", "red old hat", "bad"]
TABLE = pd.DataFrame({"title": CELLS, "text": CELLS[::-1]})


def _model(folder, X=TABLE, **params):
    branch = TextBranch(encoder=folder, **{"trainable": True, **params}).fit(X)
    return branch, branch.build("part")


def _trunk(model):
    return model.get_layer("pretrained").model


def test_the_network_begins_with_the_features_of_the_frozen_encoder(encoder_folder):
    branch, model = _model(encoder_folder)
    assert (branch.lengths_, branch.input_dtype_) == ((6, 6), "int32")
    expected = np.hstack([expected_features(CELLS), expected_features(CELLS[::-1])])
    np.testing.assert_allclose(call(model, branch.encode(TABLE)), expected, rtol=1e-4, atol=1e-5)


def test_columns_have_one_encoder(encoder_folder):
    _, one = _model(encoder_folder, TABLE[["title"]])
    _, both = _model(encoder_folder)
    assert both.count_params() == one.count_params()


def test_missing_texts_have_no_tokens(encoder_folder):
    branch, model = _model(encoder_folder, prefix="query: ")
    some = pd.DataFrame({"title": [None, "hat"], "text": ["red hat", " "]}, dtype=object)
    encoded = branch.encode(some)
    assert not encoded[0, : branch.lengths_[0]].any()
    features = call(model, encoded)
    np.testing.assert_array_equal(features[1, 8:], 0)
    np.testing.assert_allclose(features[0, 8:], expected_features(["query: red hat"])[0], rtol=1e-4, atol=1e-5)


def test_joined_columns_are_one_text(encoder_folder):
    branch, model = _model(encoder_folder, join=True)
    texts = [f"{title}\n{text}" for title, text in TABLE.to_numpy()]
    np.testing.assert_allclose(call(model, branch.encode(TABLE)), expected_features(texts), rtol=1e-4, atol=1e-5)


def test_lengths_come_from_the_training_rows_and_have_a_limit(encoder_folder):
    X = frame(["red " * 20])
    assert _model(encoder_folder, X)[0].lengths_ == (24,)
    assert _model(encoder_folder, X, max_length=5)[0].lengths_ == (5,)
    assert _model(encoder_folder, frame(["red " * 90]))[0].lengths_ == (32,)
    assert _model(encoder_folder, frame(["red"]), max_length=9)[0].lengths_ == (3,)


# --- what is trained --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"trainable": True}, {"embeddings": 4, "layer_1": 16, "layer_2": 16}),
        ({"trainable": 1}, {"layer_2": 16}),
        ({"trainable": "layer_*"}, {"layer_1": 16, "layer_2": 16}),
        ({"trainable": None, "adapter_rank": 2}, {"layer_1": 4, "layer_2": 4}),
        ({"trainable": 1, "adapter_rank": 2}, {"layer_2": 4}),
    ],
)
def test_layers_are_chosen(encoder_folder, params, expected):
    _, model = _model(encoder_folder, **params)
    trained = {layer.name: len(layer.trainable_variables) for layer in _trunk(model).layers}
    assert {name: number for name, number in trained.items() if number} == expected
    assert len(model.trainable_variables) == sum(expected.values())


def test_layers_that_are_not_there_are_named(encoder_folder):
    with pytest.raises(ValueError, match=r"trainable='layer_7' chooses no layer with weights; .* layer_1, layer_2"):
        _model(encoder_folder, trainable="layer_7")


def test_pretrained_weights_learn_slowly_and_adapters_do_not(encoder_folder):
    _, model = _model(encoder_folder, adapter_rank=2, encoder_learning_rate=0.5)
    layer = _trunk(model).get_layer("layer_1")
    multipliers = {variable.learning_rate_multiplier for part in layer.adapters for variable in part.variables}
    assert multipliers == {1.0}
    assert layer.query.kernel.learning_rate_multiplier == 0.5


def _network(folder, **params):
    branch = TextBranch(encoder=folder, **{"encoder_learning_rate": 1.0, **params})
    settings = {"epochs": 4, "batch_size": 8, "early_stopping": False, "optimizer__learning_rate": 0.01}
    return MultimodalNetworkClassifier([("text", branch)], head=(), random_state=0, **settings)


def _opinions():
    texts = [
        f"{color} {garment} {word}"
        for color in ("red", "old")
        for garment in ("hat", "coat")
        for word in ("good", "bad")
    ] * 3
    return frame(texts), np.array(["good" in text for text in texts])


@pytest.mark.parametrize("params", [{"trainable": 1}, {"adapter_rank": 2}])
def test_training_changes_what_is_trained_alone(encoder_folder, params):
    X, liked = _opinions()
    network = _network(encoder_folder, **params).set_params(epochs=20).fit(X, liked)
    before = values_of(_trunk(network.branches_[0][1].build("text_branch")))
    after = values_of(_trunk(network.model_.get_layer("text_branch")))
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    inside = "layer_2/" if params.get("trainable") else "adapter"
    assert changed and all(inside in name for name in changed)
    assert network.score(X, liked) > 0.9


def test_folds_are_trained_as_if_each_were_alone(encoder_folder):
    X, liked = _opinions()
    whole, fold = _network(encoder_folder, trainable=1).cross_fit(X, liked, [np.arange(16)])
    alone = _network(encoder_folder, trainable=1).fit(X.iloc[:16], liked[:16])
    np.testing.assert_allclose(fold.predict_proba(X), alone.predict_proba(X), rtol=1e-3, atol=1e-4)
    assert whole.branches_[0][1].is_encoded_like(fold.branches_[0][1])


def test_a_saved_network_needs_the_folder_no_more(encoder_folder, tmp_path):
    X, liked = _opinions()
    network = _network(encoder_folder, trainable=1).set_params(epochs=1).fit(X, liked)
    expected = network.predict_proba(X)
    network.model_.save(tmp_path / "model.keras")
    again = pickle.loads(pickle.dumps(network))
    for path in encoder_folder.iterdir():
        path.unlink()
    np.testing.assert_allclose(again.predict_proba(X), expected, rtol=1e-5)
    model = keras.saving.load_model(tmp_path / "model.keras")
    outputs = model.predict(network.encode(X), verbose=0)
    np.testing.assert_allclose(outputs, network.model_.predict(network.encode(X), verbose=0), rtol=1e-4, atol=1e-5)


def test_another_encoder_in_the_folder_is_found_out(encoder_folder):
    branch, _ = _model(encoder_folder)
    write_folder(encoder_folder, seed=1)
    with pytest.raises(ValueError, match="is another one than when the branch was fitted"):
        branch.build("part")


@pytest.mark.skipif(find_spec("wordllama") is None, reason="wordllama is not installed")
def test_static_vectors_are_not_trained():
    with pytest.raises(ValueError, match="'wordllama' is a table of static vectors, which is not trained"):
        _model("wordllama")
    assert TextBranch(encoder="wordllama").fit(TABLE).encode(TABLE).shape == (6, 512)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"adapter_rank": 0}, "'adapter_rank' parameter of TextBranch"),
        ({"adapter_rank": 2, "trainable": False}, "'adapter_rank' trains something"),
        ({"adapter_rank": 2, "encoder": "mean"}, "'adapter_rank' is for pretrained encoders, got encoder='mean'"),
        ({"encoder_learning_rate": 0}, "'encoder_learning_rate' parameter of TextBranch"),
        ({"prefix": None}, "'prefix' parameter of TextBranch"),
        ({"join": "no"}, "'join' parameter of TextBranch"),
        ({"trainable": 0}, "'trainable' parameter"),
    ],
)
def test_unknown_settings_are_refused(encoder_folder, params, message):
    with pytest.raises(ValueError, match=message):
        TextBranch(**{"encoder": encoder_folder, **params}).fit(TABLE)


PROGRAM = """
import sys
import numpy as np, pandas as pd
from skstack import MultimodalNetworkClassifier
from skstack.branches import TextBranch
X = pd.DataFrame({"text": ["red hat good", "old coat bad", "red coat good", "old hat bad"] * 4})
frozen, tuned = (
    MultimodalNetworkClassifier([("text", TextBranch(encoder=sys.argv[1], **params))], epochs=4, batch_size=8,
                                early_stopping=False, random_state=0, optimizer__learning_rate=0.01)
    for params in ({}, {"trainable": 1, "encoder_learning_rate": 1.0})
)
features = frozen.fit(X, ["good" in text for text in X["text"]]).encode(X)["text"][0]
print(*np.round(features, 4), tuned.fit(X, ["good" in text for text in X["text"]]).score(X, [
    "good" in text for text in X["text"]]))
"""


@pytest.mark.skipif(find_spec("jax") is None, reason="jax is not installed")
def test_jax_computes_the_same(encoder_folder):
    # Programs that run for milliseconds need not be optimised.
    flags = {"KERAS_BACKEND": "jax", "XLA_FLAGS": "--xla_backend_optimization_level=0"}
    environment = {**os.environ, **flags, "PYTHONPATH": str(Path(__file__).parents[2])}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(encoder_folder)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    *features, score = map(float, run.stdout.split())
    np.testing.assert_allclose(features, expected_features(["red hat good"])[0], atol=1e-3)
    assert score == 1.0

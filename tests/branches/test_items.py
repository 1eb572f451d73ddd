"""Cells of several images, texts or recordings."""

import io
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from PIL import Image

from skstack import MultimodalNetworkRegressor, MultimodalStackingRegressor
from skstack._backend import keras
from skstack.backbones._backbone import Backbone
from skstack.branches import AudioBranch, ImageBranch, NumericBranch, TextBranch
from skstack.preprocessing import clear_embedding_cache, clear_image_cache, tensor_column
from skstack.reading import _image_columns

N_ROWS = 18
WAYS = ["avg", "max", "attention"]


def pixels(seed, size=6):
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype="uint8")


def photos(n_rows=N_ROWS, longest=3, **options):
    """Return a column of 0 to `longest` images."""
    cells = [[pixels(10 * row + item) for item in range(row % (longest + 1))] for row in range(n_rows)]
    return pd.DataFrame({"photos": pd.Series(cells, dtype=object, **options)})


def images(**parameters):
    return ImageBranch(size=(6, 6), filters=(2,), hidden=(3,), **{"item_pooling": "avg", **parameters})


def network(branch, **parameters):
    return MultimodalNetworkRegressor([("part", branch)], head=(), random_state=0, **{"epochs": 1, **parameters})


def pooled(fitted, X):
    """Return what a network makes of the items of each cell."""
    layer = fitted.model_.get_layer("part_items")
    return keras.Model(fitted.model_.inputs, layer.output[0]).predict(fitted.encode(X), verbose=0)


# --- encoding ---------------------------------------------------------------------------------------------------------


def test_lists_are_filled_up_to_the_longest_of_the_training_rows():
    X = photos()
    branch = images().fit(X)
    encoded, missing = branch.encode_with_missing(X)
    assert (branch.n_items_, branch.uses, branch.input_shape_) == (3, (3,), (3, 6, 6, 3))
    np.testing.assert_array_equal(missing, [[row % 4 <= item for item in range(3)] for row in range(N_ROWS)])
    np.testing.assert_array_equal(encoded[2], np.stack(X.loc[2, "photos"] + X.loc[2, "photos"][:1]))
    assert not encoded[0].any()
    np.testing.assert_array_equal(branch.missing(X), missing)


@pytest.mark.parametrize(("longest", "places"), [(1, 1), (2, 2), (5, 6), (7, 8), (13, 16)])
def test_the_number_of_places_is_rounded_up(longest, places):
    X = pd.DataFrame({"texts": [["a b"] * longest, ["a"]]})
    assert TextBranch(item_pooling="avg").fit(X).n_items_ == places


def test_what_is_longer_than_allowed_is_cut_and_said():
    X = pd.DataFrame({"texts": [["red hat"], ["red hat", "blue hat", "green hat"]]}, index=["x", "y"])
    branch = TextBranch(item_pooling="avg", max_items=2, min_frequency=1).fit(X)
    assert branch.n_items_ == 2
    assert "green" not in branch.vocabulary_
    with pytest.warns(UserWarning, match=r"1 of 2 rows hold more than the 2 items .*row 1 \(index 'y'\) with 3"):
        encoded = branch.encode(X)
    np.testing.assert_array_equal(encoded[1], branch.encode(pd.DataFrame({"texts": [["red hat", "blue hat"]]}))[0])


def test_a_list_at_prediction_may_be_longer_than_any_in_training():
    branch = TextBranch(item_pooling="max").fit(pd.DataFrame({"texts": [["a b"], ["a", "b"]]}))
    with pytest.warns(UserWarning, match="1 of 1 rows hold more than the 2 items"):
        assert branch.encode(pd.DataFrame({"texts": [["a", "b", "a b", "b"]]})).shape[1] == 2


def test_empty_lists_and_lists_of_nothing_are_missing_cells():
    X = pd.DataFrame({"texts": pd.Series([["a b", None], [], None, [None, " "], "a b"], dtype=object)})
    branch = TextBranch(item_pooling="avg").fit(X)
    encoded, missing = branch.encode_with_missing(X)
    assert missing[:, 0].tolist() == [False, True, True, True, False]
    np.testing.assert_array_equal(encoded[0], encoded[4])
    fitted = network(TextBranch(item_pooling="avg")).fit(X, np.arange(5.0))
    assert fitted.missing_rows(X)["part"].tolist() == missing[:, 0].tolist()
    assert np.ptp(fitted.predict(X)[[1, 2, 3]]) == 0


def test_nothing_can_be_learned_from_empty_lists():
    with pytest.raises(ValueError, match="every cell of the training rows is missing"):
        images().fit(pd.DataFrame({"photos": [[], [None]]}))


TEXTS = [["good hat", "odd"], ["odd"], [], ["good", None, "odd hat"]]
CONTAINERS = {
    "tuples": pd.DataFrame({"texts": [tuple(cell) for cell in TEXTS]}),
    "arrays of objects": pd.DataFrame({"texts": [np.array(cell, dtype=object) for cell in TEXTS]}),
    "arrays of str": pd.DataFrame({"texts": [np.array([text for text in cell if text], dtype=str) for cell in TEXTS]}),
    "ndarray": pd.DataFrame({"texts": TEXTS}).to_numpy(),
    "Arrow": pd.DataFrame({"texts": pd.array(pa.array(TEXTS), dtype=pd.ArrowDtype(pa.list_(pa.string())))}),
    "pyarrow": pa.table({"texts": TEXTS}),
    "polars": pl.DataFrame({"texts": TEXTS}),
}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_every_container_of_lists_is_encoded_alike(kind):
    branch = TextBranch(item_pooling="avg", dim=2, min_frequency=1)
    expected = network(branch).fit(pd.DataFrame({"texts": TEXTS}), np.arange(4.0))
    other = network(branch).fit(CONTAINERS[kind], np.arange(4.0))
    encoded = other.encode(CONTAINERS[kind])
    for name, values in expected.encode(pd.DataFrame({"texts": TEXTS})).items():
        np.testing.assert_array_equal(encoded[name], values)


def test_tensors_of_several_images():
    tensors = np.stack([np.stack([pixels(10 * row + item) for item in range(2)]) for row in range(5)])
    expected = images().fit(tensors).encode(pd.DataFrame({"photos": [list(row) for row in tensors]}))
    np.testing.assert_array_equal(expected, tensors)
    for X in (tensors, pd.DataFrame({"photos": tensor_column(tensors)}), pd.DataFrame({"photos": list(tensors)})):
        np.testing.assert_array_equal(images().fit(X).encode(X), expected)


def test_recordings_of_a_cell():
    """A list of numbers is one recording, a list of lists or arrays several."""
    waves = np.random.default_rng(0).normal(size=(4, 400)).astype("float32")
    X = pd.DataFrame({"calls": pd.Series([waves[0].tolist(), [waves[1], waves[2].tolist()], waves[3]], dtype=object)})
    branch = AudioBranch(0.1, rate=4000, n_mels=8, filters=(2,), item_pooling="max").fit(X)
    encoded, missing = branch.encode_with_missing(X)
    np.testing.assert_array_equal(missing, [[False, True], [False, False], [False, True]])
    np.testing.assert_array_equal(encoded[[0, 1, 1, 2], [0, 0, 1, 0]], waves)


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("branch", "cells", "what"),
    [
        (ImageBranch(), [b"", ["a.png", "b.png"]], "an image"),
        (TextBranch(), ["a", ["b", "c"]], "a text"),
        (AudioBranch(), ["a.wav", ("b.wav", "c.wav")], "a recording"),
    ],
)
def test_lists_have_to_be_wished_for(branch, cells, what):
    X = pd.DataFrame({"cells": pd.Series(cells, dtype=object, index=["x", "y"])})
    message = rf"branch 'part': column 'cells' holds a list of 2 in row 1 \(index 'y'\), where {what} was expected"
    with pytest.raises(TypeError, match=f"{message}.*'item_pooling'"):
        network(branch).fit(X, np.arange(2.0))


def test_a_recording_of_two_channels_is_no_list():
    stereo = np.random.default_rng(0).normal(size=(400, 2))
    X = pd.DataFrame({"call": pd.Series([stereo.tolist(), stereo[:, 0].tolist()], dtype=object)})
    encoded = AudioBranch(0.1, rate=4000, n_mels=8, filters=(2,)).fit(X).encode(X)
    np.testing.assert_allclose(encoded, [stereo.mean(axis=1), stereo[:, 0]], rtol=1e-5)


def test_an_item_that_cannot_be_read_is_named_or_left_out():
    X = photos(6, index=list("abcdef"))
    X.loc["d", "photos"][1] = b"no image"
    with pytest.raises(ValueError, match=r"branch 'part': item 1 of row 3 \(index 'd'\): .*cannot be decoded"):
        network(images()).fit(X, np.arange(6.0))
    branch = images(on_error="missing").fit(X)
    encoded, missing = branch.encode_with_missing(X)
    assert missing[3].tolist() == [False, False, True]
    np.testing.assert_array_equal(encoded[3, :2], np.stack(X.loc["d", "photos"][::2]))
    lone = pd.DataFrame({"photos": [[b"no image"], [pixels(0)]]})
    assert branch.encode_with_missing(lone)[1].all(axis=1).tolist() == [True, False]


def test_several_columns_are_refused_unless_shared():
    with pytest.raises(ValueError, match="expected one column of lists, got 2 columns"):
        images().fit(pd.concat([photos(), photos().set_axis(["other"], axis=1)], axis=1))


@pytest.mark.parametrize(
    ("parameter", "value"), [("item_pooling", "mean"), ("item_pooling", True), ("max_items", 0), ("max_items", None)]
)
def test_parameters_are_checked(parameter, value):
    for branch in (ImageBranch(), TextBranch(), AudioBranch()):
        with pytest.raises(ValueError, match=f"'{parameter}' parameter"):
            branch.set_params(**{parameter: value}).fit(photos())


# --- networks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", WAYS)
def test_each_item_goes_through_one_encoder(how):
    """A cell is what its items are one by one, in any order."""
    X, y = photos(), np.arange(float(N_ROWS))
    fitted = network(images(item_pooling=how)).fit(X, y)
    several = pooled(fitted, X)
    turned = X.assign(photos=[cell[::-1] for cell in X["photos"]])
    np.testing.assert_allclose(pooled(fitted, turned), several, rtol=1e-4, atol=1e-5)
    single = np.stack([pooled(fitted, pd.DataFrame({"photos": [[item]]}))[0] for item in X.loc[3, "photos"]])
    if how != "attention":
        np.testing.assert_allclose(
            several[3], getattr(np, {"avg": "mean", "max": "max"}[how])(single, axis=0), rtol=1e-4
        )
    else:
        assert np.all((several[3] >= single.min(axis=0) - 1e-5) & (several[3] <= single.max(axis=0) + 1e-5))
        assert fitted.model_.get_layer("part_items").query.shape == (32, 1)


def test_a_cell_of_one_item_is_the_item():
    one = pd.DataFrame({"photos": [pixels(row) for row in range(N_ROWS)]})
    y = np.arange(float(N_ROWS))
    alone = network(images(item_pooling=None)).fit(one, y).predict(one)
    for X in (one, one.assign(photos=[[cell] for cell in one["photos"]])):
        np.testing.assert_allclose(network(images()).fit(X, y).predict(X), alone, rtol=1e-5)


def test_modality_dropout_and_missing_cells():
    X = photos().assign(number=1.0)
    parts = [("part", images(), ["photos"]), ("number", NumericBranch(), ["number"])]
    fitted = MultimodalNetworkRegressor(parts, epochs=1, modality_dropout=0.5, random_state=0).fit(X, np.arange(18.0))
    assert np.isfinite(fitted.predict(X)).all()


def test_columns_of_lists_share_an_encoder():
    X = pd.concat([photos().set_axis(["one"], axis=1), photos(longest=2).set_axis(["two"], axis=1)], axis=1)
    fitted = network(images(shared=True, merge="subtract", item_pooling="max")).fit(X, np.arange(float(N_ROWS)))
    branch = fitted.branches_[0][1]
    assert (branch.uses, branch.input_shape_) == ((2, 3), (2, 3, 6, 6, 3))
    encoded = fitted.encode(X)
    assert encoded["part__missing"].shape == (N_ROWS, 2, 3)
    assert fitted.missing_rows(X)["part"].tolist() == [row % 12 == 0 for row in range(N_ROWS)]
    swapped = X[["two", "one"]].set_axis(["one", "two"], axis=1)
    merge = keras.Model(fitted.model_.inputs, fitted.model_.get_layer("part_merge").output)
    one, other = (merge.predict(fitted.encode(rows), verbose=0) for rows in (X, swapped))
    np.testing.assert_allclose(one, -other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("how", WAYS)
def test_networks_of_items_are_saved_and_pickled(how, tmp_path):
    X = photos()
    fitted = network(images(item_pooling=how)).fit(X, np.arange(float(N_ROWS)))
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_allclose(again.predict(X), fitted.predict(X), rtol=1e-5)
    fitted.model_.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    encoded = fitted.encode(X)
    np.testing.assert_allclose(loaded.predict(encoded, verbose=0).ravel(), fitted.predict(X), rtol=1e-5)


def test_folds_trained_at_once_are_those_trained_one_by_one():
    rng = np.random.default_rng(0)
    words = np.array(["red", "blue", "hat", "coat"], dtype=object)
    X = pd.DataFrame({"texts": [rng.choice(words, rng.integers(0, 4)).tolist() for _ in range(36)]})
    oof = []
    for way in ("sequential", "vectorized"):
        template = MultimodalNetworkRegressor(head=(), epochs=2, early_stopping=False, fold_training=way)
        branch = TextBranch(dim=2, item_pooling="attention")
        stack = MultimodalStackingRegressor([("texts", branch)], network=template, cv=3, random_state=0)
        oof.append(stack.fit(X, np.arange(36.0)).oof_predictions_)
    np.testing.assert_allclose(*oof, rtol=1e-3, atol=1e-4)


# --- caches -----------------------------------------------------------------------------------------------------------


def png(seed):
    content = io.BytesIO()
    Image.fromarray(pixels(seed)).save(content, "png")
    return content.getvalue()


def test_a_frozen_backbone_sees_each_image_once(monkeypatch, tmp_path):
    monkeypatch.setenv("SKSTACK_CACHE", str(tmp_path))
    clear_embedding_cache()
    seen, features = [], Backbone.features

    def counting(self, images):
        images = list(images)
        seen.extend(images)
        return features(self, images)

    monkeypatch.setattr(Backbone, "features", counting)
    layers = [keras.Input((6, 6, 3), name="mine"), keras.layers.Conv2D(4, 3, name="mine_conv")]
    backbone = keras.Sequential(layers, name="mine_backbone")
    cells = [[png(seed) for seed in range(row % 4)] for row in range(N_ROWS)]
    X = pd.DataFrame({"photos": pd.Series(cells, dtype=object)})
    branch = ImageBranch(backbone=backbone, preprocess="tf", hidden=(), item_pooling="avg")
    stack = MultimodalStackingRegressor([("part", branch)], cv=2, random_state=0)
    stack.set_params(network__epochs=1).fit(X, np.arange(float(N_ROWS)))
    assert len(seen) == 3
    fitted = branch.fit(X)
    assert fitted.input_shape_ == (3, 4)
    np.testing.assert_array_equal(fitted.encode(X)[3], fitted.encode(X)[7])
    assert len(seen) == 3


def test_large_columns_stay_on_the_disk(monkeypatch, tmp_path):
    monkeypatch.setenv("SKSTACK_CACHE", str(tmp_path))
    cells = [[png(10 * row + item) for item in range(row % 4)] for row in range(N_ROWS)]
    X = pd.DataFrame({"photos": pd.Series(cells, dtype=object)})
    branch = images().fit(X)
    expected = branch.encode(X)
    monkeypatch.setattr(_image_columns, "_STORE_FROM", 0)
    stored = branch.encode(X)
    assert type(stored).__name__ == "StoredRows"
    assert stored.shape == (N_ROWS, 3, 6, 6, 3)
    np.testing.assert_array_equal(stored, expected)
    fitted = network(images()).fit(X, np.arange(float(N_ROWS)))
    assert np.isfinite(fitted.predict(X)).all()
    clear_image_cache()

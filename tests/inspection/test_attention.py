"""Attention weights of fusion, texts and items."""

import numpy as np
import pandas as pd
import pytest
from _bert import write_folder

from skstack import MultimodalNetworkRegressor
from skstack.branches import CategoricalBranch, ImageBranch, NumericBranch, TextBranch
from skstack.inspection import attention_weights

N_ROWS = 6


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    photos = [[image for image in rng.integers(0, 256, (1 + row % 2, 4, 4, 1), dtype="uint8")] for row in range(N_ROWS)]
    X = pd.DataFrame({"area": np.arange(N_ROWS, dtype=float), "city": list("ABABAB")})
    X["note"] = ["near the park", "loud", "the old park", "park", "near", "loud street"]
    X["photos"] = pd.Series(photos, dtype=object)
    return X


def initialized(parts, X, **params):
    network = MultimodalNetworkRegressor(parts, head=(), random_state=0, **params)
    return network.initialize(X, np.arange(len(X), dtype=float))


def test_every_layer_of_attention_has_weights_that_sum_to_1(table):
    parts = [
        ("numbers", NumericBranch((), embedding=None), ["area"]),
        ("note", TextBranch(encoder="transformer", dim=4, n_heads=2, units=2, min_frequency=1), ["note"]),
        ("photos", ImageBranch(size=(4, 4), channels=1, filters=(2,), item_pooling="attention"), ["photos"]),
    ]
    network = initialized(parts, table, fusion="attention")
    result = attention_weights(network, table)
    shapes = {path: weights.shape for path, weights in result.weights.items()}
    assert shapes == {
        "note_branch/transformer_1_attention": (N_ROWS, 2, 3, 3),
        "photos_items": (N_ROWS, 2),
        "fusion/attention": (N_ROWS, 4, 3, 3),
    }
    for weights in result.weights.values():
        np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-5)
    assert result.branches == ["numbers", "note", "photos"]
    assert result.tokens["note"][0].tolist() == ["near", "the", "park"]
    assert result.weights["photos_items"][0].tolist() == [1, 0]  # the cell has one photo
    padding = result.tokens["note"][1] == ""
    assert result.weights["note_branch/transformer_1_attention"][1][:, ~padding][..., padding].max() < 1e-6


def test_a_pretrained_encoder_shows_what_its_layers_look_at(table, tmp_path):
    text = TextBranch(encoder=write_folder(tmp_path / "tiny"), trainable=1)
    result = attention_weights(initialized([("note", text, ["note"])], table), table)
    n_tokens = result.tokens["note"].shape[1]
    assert len(result.weights) > 0
    for weights in result.weights.values():
        assert weights.shape[2:] == (n_tokens, n_tokens)
        np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-5)


def test_members_are_averaged(table):
    parts = [("numbers", NumericBranch((2,), embedding=None), ["area"]), ("city", CategoricalBranch(dim=2), ["city"])]
    network = MultimodalNetworkRegressor(parts, head=(), fusion="attention", n_members=2, epochs=1, random_state=0)
    network.fit(table, table["area"])
    (mean,) = attention_weights(network, table).weights.values()
    each = [next(iter(attention_weights(member, table).weights.values())) for member in network.members_]
    np.testing.assert_allclose(mean, np.mean(each, axis=0), rtol=1e-5)
    assert np.abs(each[0] - each[1]).max() > 1e-4


def test_without_attention_there_is_nothing_to_show(table):
    network = initialized([("numbers", NumericBranch((), embedding=None), ["area"])], table)
    with pytest.raises(ValueError, match="the network has no layer of attention"):
        attention_weights(network, table)

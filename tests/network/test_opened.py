"""A fitted network, opened."""

import numpy as np
import pandas as pd
import pytest
from _small import make_labels, make_table, network_classifier, network_regressor
from numpy.testing import assert_allclose

from skstack import MultimodalNetworkRegressor
from skstack._backend import keras
from skstack.branches import ImageBranch, NumericBranch, TextBranch
from skstack.network._opened import OpenedNetwork
from skstack.training._values import values_of


@pytest.fixture(scope="module")
def data():
    return make_table()


def predictions(opened, X, member=0):
    looking = opened.instrumented()
    return looking.outputs(looking.values(opened.members[member]), opened.encode(X))[0]


def test_the_copy_predicts_what_the_network_does_and_shares_nothing_with_it(data):
    X, y = data
    network = network_regressor().fit(X, y)
    opened = OpenedNetwork(network)
    assert_allclose(predictions(opened, X)[:, 0], network.predict(X), rtol=1e-5)
    assert opened.model is not network.model_
    opened.model.get_layer("head_1").set_weights(
        [np.zeros_like(w) for w in opened.model.get_layer("head_1").get_weights()]
    )
    assert np.std(network.predict(X)) > 0


def test_each_member_has_its_values(data):
    X, y = data
    network = network_regressor(n_members=2).fit(X, y)
    opened = OpenedNetwork(network)
    for number, member in enumerate(network.members_):
        assert_allclose(predictions(opened, X, number)[:, 0], member.predict(X), rtol=1e-5)


def test_classes_can_be_seen_before_the_sigmoid(data):
    X, y = data
    network = network_classifier().fit(X, make_labels(y))
    logits = predictions(OpenedNetwork(network, logits=True), X)
    assert_allclose(1 / (1 + np.exp(-logits[:, 0])), network.predict_proba(X)[:, 1], rtol=1e-4)


def test_means_of_words_are_taken_apart_and_backbones_put_in_front():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"note": ["near the park", "loud", "the old park"] * 4})
    X["photo"] = [*rng.integers(0, 256, (12, 6, 6, 3), dtype="uint8")]
    layers = [keras.Input((6, 6, 3), name="mine_input"), keras.layers.Conv2D(4, 3, name="mine_conv")]
    photo = ImageBranch(backbone=keras.Sequential(layers, name="mine"), preprocess="tf")
    parts = [("note", TextBranch(dim=3), ["note"]), ("photo", photo, ["photo"])]
    network = MultimodalNetworkRegressor(parts, epochs=1, random_state=0).fit(X, np.arange(12.0))
    features, pixels = OpenedNetwork(network), OpenedNetwork(network, pixels=("photo",))
    for opened, shape in ((features, (12, 4)), (pixels, (12, 6, 6, 3))):
        assert opened.encode(X)["photo"].shape == shape
        assert_allclose(predictions(opened, X)[:, 0], network.predict(X), rtol=1e-4, atol=1e-4)
        assert opened.activations(X, "vectors", "note").shape == (12, 3, 3)
    assert "photo_branch/backbone/mine_conv" in pixels.layers()
    assert not [path for path in features.layers() if "mine_conv" in path]


def test_a_branch_of_another_network_can_be_opened_too():
    X = pd.DataFrame({"note": ["near the park", "loud", "the old park"] * 4})
    first = MultimodalNetworkRegressor([("note", TextBranch(dim=3), ["note"])], epochs=1, random_state=0)
    second = MultimodalNetworkRegressor([("note", first.fit(X, np.arange(12.0)).get_branch("note"), ["note"])])
    second.set_params(epochs=2, random_state=1).fit(X, np.arange(12.0))
    opened = OpenedNetwork(second)
    assert_allclose(predictions(opened, X)[:, 0], second.predict(X), rtol=1e-4, atol=1e-4)
    assert opened.activations(X, "vectors", "note").shape == (12, 3, 3)


def test_values_of_an_encoder_are_called_as_they_are_in_it():
    X = pd.DataFrame({"a": ["near the park", "loud", "the old park"] * 4, "b": ["park", "street loud", "the"] * 4})
    network = MultimodalNetworkRegressor([("notes", TextBranch(dim=3, shared=True))], epochs=1, random_state=0)
    opened = OpenedNetwork(network.fit(X, np.arange(12.0)))
    looking = opened.instrumented(branch="notes")
    values = opened.values_of_encoder("notes", opened.members[0])
    assert values.keys() == values_of(looking.model).keys()
    ids = opened.encode(X)["notes"]
    outputs, _ = looking.outputs(looking.values(values), {"encoder": ids[:, 0]})
    assert_allclose(outputs, opened.activations(X, "mean_1", "notes")[:, 0], rtol=1e-5)


def test_layers_are_found_by_name_or_path(data):
    opened = OpenedNetwork(network_regressor().fit(*data))
    assert opened.layer("embedding", "place") is opened.layer("place_branch/embedding")
    with pytest.raises(ValueError, match=r"branch 'place' has no layer 'embeding'\. Did you mean 'embedding'\?"):
        opened.layer("embeding", "place")
    with pytest.raises(ValueError, match="there is no branch 'plac'"):
        opened.part("plac")
    with pytest.raises(ValueError, match="has 2 members"):
        OpenedNetwork(network_regressor(n_members=2).fit(*data)).activations(data[0], "embedding", "place")


def test_layers_of_a_branch_whose_name_begins_with_an_underscore_are_called_as_in_the_summary(data):
    X, y = data
    network = network_regressor([("_area", NumericBranch((2,)), ["area"])]).fit(X, y)
    lines = []
    network.model_.summary(print_fn=lines.append)
    assert "area_branch" in "".join(lines)
    assert "_area_branch" not in "".join(lines)
    assert OpenedNetwork(network).activations(X, "area_branch").shape == (len(X), 2)

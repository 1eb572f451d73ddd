"""Branches that start from weights that were trained elsewhere."""

import pickle

import numpy as np
import pandas as pd
import pytest
from _small import branches, make_table, network_regressor, stack_regressor
from sklearn.base import clone

from skstack._backend import keras
from skstack.branches import CategoricalBranch, ImageBranch, ModelBranch, NumericBranch, PretrainedBranch
from skstack.training._values import values_of

X, Y = make_table()
OTHER = X.assign(area=X["area"] * 3 + 1, city=["Dessau", "Bonn"] * 24)  # other rows, with a city that is new


@pytest.fixture(scope="module")
def source():
    """A network that was trained on other rows."""
    return network_regressor(epochs=2).fit(X, Y)


def _of(network, name):
    return values_of(network.model_.get_layer(f"{name}_branch"))


def test_encoder_and_weights_are_those_of_the_fitted_network(source):
    parts = [(name, source.get_branch(name, trainable=False), columns) for name, _, columns in branches()]
    network = network_regressor(parts).fit(OTHER, Y)
    for name in ("numbers", "place"):
        for weight, value in _of(source, name).items():
            np.testing.assert_array_equal(_of(network, name)[weight], value)
    for name, value in source.encode(OTHER).items():
        np.testing.assert_array_equal(network.encode(OTHER)[name], value)


def test_training_begins_with_the_weights_and_changes_nothing_of_the_source(source):
    before = _of(source, "place")
    network = network_regressor([("city", source.get_branch("place"), ["city"])]).initialize(OTHER, Y)
    for weight, value in before.items():
        np.testing.assert_array_equal(_of(network, "city")[weight], value)
    network.fit(OTHER, Y)
    assert any(not np.array_equal(_of(network, "city")[weight], value) for weight, value in before.items())
    for weight, value in _of(source, "place").items():
        np.testing.assert_array_equal(before[weight], value)


def test_layers_are_frozen_as_wished(source):
    parts = [("numbers", NumericBranch(hidden=(4, 3)), ["area", "rooms"])]
    deep = network_regressor(parts).fit(X, Y)
    parts = [("numbers", deep.get_branch("numbers", trainable="dense_2"), ["area", "rooms"])]
    network = network_regressor(parts).fit(X, Y)
    first, last = (_of(one, "numbers") for one in (deep, network))
    assert np.array_equal(first["dense_1/kernel"], last["dense_1/kernel"])
    assert not np.array_equal(first["dense_2/kernel"], last["dense_2/kernel"])


def test_a_branch_of_a_fold_can_be_taken(source):
    fold = list(network_regressor().cross_fit(X, Y, [np.arange(30)]))[1]
    branch = fold.get_branch("numbers")
    values = fold._compiled_call.values
    np.testing.assert_array_equal(branch.weights["dense_1/kernel"], values["numbers_branch/dense_1/kernel"])


@pytest.mark.parametrize("training", ["individual", "joint", "individual+joint"])
def test_it_is_a_branch_of_a_stack(source, training):
    parts = [("place", source.get_branch("place", trainable=False), ["city"]), branches()[0]]
    stack = stack_regressor(parts, training=training, cv=2).fit(OTHER, Y)
    name = "place" if training == "individual" else "network"
    network = pickle.loads(pickle.dumps(stack)).named_estimators_[name]
    for weight, value in _of(source, "place").items():
        np.testing.assert_array_equal(_of(network, "place")[weight], value)


def test_clones_share_what_was_learned_and_parameters_inside_are_not_set(source):
    branch = source.get_branch("numbers")
    again = clone(branch)
    assert again is not branch and again.branch is branch.branch and again.weights is branch.weights
    assert set(branch.get_params()) == {"branch", "weights", "layer", "trainable"}
    with pytest.raises(ValueError, match="Invalid parameter"):
        branch.set_params(hidden=(3,))


@pytest.mark.parametrize(("name", "columns"), [("numbers", ["area"]), ("place", ["city", "city"])])
def test_columns_of_another_number_are_refused(source, name, columns):
    with pytest.raises(ValueError, match=f"branch '{name}': "):
        network_regressor([(name, source.get_branch(name), columns)]).fit(X, Y)


def test_a_misspelled_branch_gets_a_hint(source):
    with pytest.raises(ValueError, match="no branch 'numers'"):
        source.get_branch("numers")


# --- files ------------------------------------------------------------------------------------------------------------


def test_weights_come_from_the_file_of_a_model_and_statistics_from_the_rows(source, tmp_path):
    source.model_.save(tmp_path / "network.keras")
    source.model_.get_layer("numbers_branch").save(tmp_path / "branch.keras")
    for file, layer in (("network.keras", "numbers_branch"), ("branch.keras", None)):
        branch = PretrainedBranch(branches()[0][1], tmp_path / file, layer=layer, trainable=False)
        network = network_regressor([("numbers", branch, ["area", "rooms"])]).fit(OTHER, Y)
        found, expected = _of(network, "numbers"), _of(source, "numbers")
        np.testing.assert_array_equal(found["dense_1/kernel"], expected["dense_1/kernel"])
        assert found["standardize/center"][0] == pytest.approx(OTHER["area"].mean(), rel=1e-5)


def test_photos_and_shared_columns(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, size=(12, 8, 8, 3), dtype="uint8")
    photos = pd.DataFrame({"one": list(pixels), "two": list(pixels[::-1])})
    photo = ImageBranch(size=(8, 8), filters=(2,), hidden=(2,), shared=True, merge="average")
    first = network_regressor([("photo", photo, ["one", "two"])]).fit(photos, Y[:12])
    taken = first.get_branch("photo", trainable=False)
    assert (taken.shared, taken.merge) == (True, "average")
    second = network_regressor([("photo", taken, ["two", "one"])]).fit(photos.assign(one=[None, *pixels[1:]]), Y[:12])
    for weight, value in _of(first, "photo").items():
        np.testing.assert_array_equal(_of(second, "photo")[weight], value)
    with pytest.raises(ValueError, match="expected 2 columns as in training, got 1"):
        network_regressor([("photo", taken, ["one"])]).fit(photos, Y[:12])


@pytest.mark.parametrize(
    ("branch", "layer", "message"),
    [
        (
            NumericBranch((5,), embedding=None, dropout=0.0),
            "numbers_branch",
            "'dense_1/kernel' have the shape \\(4, 4\\), the branch has",
        ),
        (NumericBranch((4, 2), embedding=None, dropout=0.0), "numbers_branch", "the weights lack 'dense_2/kernel'"),
        (NumericBranch((4,), embedding=None, dropout=0.0), None, "the weights lack .*they are called 'numbers_branch/"),
        (
            NumericBranch((4,), embedding=None, dropout=0.0),
            "number_branch",
            "has no layer 'number_branch'; it has numbers",
        ),
        (CategoricalBranch(dim=2), "numbers_branch", "branch 'numbers': the weights lack"),
    ],
)
def test_weights_that_are_not_the_branchs_are_refused(source, tmp_path, branch, layer, message):
    path = str(tmp_path / "network.keras")
    source.model_.save(path)
    with pytest.raises(ValueError, match=message):
        network_regressor([("numbers", PretrainedBranch(branch, path, layer=layer), ["area", "rooms"])]).fit(X, Y)


@pytest.mark.parametrize(
    ("branch", "message"),
    [
        (PretrainedBranch(NumericBranch(), "nowhere.keras"), "there is no file 'nowhere.keras'"),
        (PretrainedBranch(NumericBranch, {}), "did you forget the parentheses"),
        (PretrainedBranch(NumericBranch(hidden=(0,)), {}), "'hidden' should be a tuple"),
        (PretrainedBranch(NumericBranch(), None), "'weights' parameter of PretrainedBranch"),
        (PretrainedBranch(NumericBranch(), {}, layer=1), "'layer' parameter of PretrainedBranch"),
        (PretrainedBranch(NumericBranch(), {}, trainable=0), "'trainable' parameter"),
    ],
)
def test_bad_parameters_are_refused(branch, message):
    with pytest.raises((ValueError, TypeError, FileNotFoundError), match=message):
        network_regressor([("numbers", branch, ["area", "rooms"])]).check_data(X)


def test_layers_that_the_branch_froze_stay_frozen():
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(3, name="one"), keras.layers.Dense(2, name="two")], name="mine"
    )
    source = network_regressor([("mine", ModelBranch(model, trainable="two"), ["area", "rooms"])]).fit(X, Y)
    parts = [("mine", source.get_branch("mine"), ["area", "rooms"])]
    trained = network_regressor(parts).fit(X, Y).model_.get_layer("mine_branch").trainable_variables
    assert [variable.path.split("/")[-2] for variable in trained] == ["two", "two"]

"""Branches around a user's own Keras models."""

import functools
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from skstack import MultimodalNetworkRegressor
from skstack._backend import keras
from skstack.branches import ModelBranch
from skstack.preprocessing import tensor_column

X = np.random.default_rng(0).normal(size=(16, 3))


def _layers(n_units, input_shape):
    return keras.Sequential([keras.Input(input_shape), keras.layers.Dense(n_units, name="mine_dense")], name="mine")


@pytest.fixture
def model():
    return _layers(2, (3,))


def _fit(branch):
    network = MultimodalNetworkRegressor([("mine", branch)], head=(), epochs=2, early_stopping=False, random_state=0)
    return network.fit(X, X[:, 0] - 4 * X[:, 1])


def _kernel(network):
    return keras.ops.convert_to_numpy(network.model_.get_layer("mine_branch").get_layer("mine").layers[-1].kernel)


def test_training_leaves_the_given_model_alone_and_starts_from_its_weights(model):
    before = [weight.copy() for weight in model.get_weights()]
    trained = _kernel(_fit(ModelBranch(model)))
    for old, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, now)
    assert 0 < np.abs(trained - before[0]).max() < 0.02  # two steps of Adam, 0.001 each, from the given weights


def test_frozen_model_keeps_its_weights(model):
    network = _fit(ModelBranch(model, trainable=False))
    np.testing.assert_array_equal(_kernel(network), model.get_weights()[0])
    assert not network.model_.get_layer("mine_branch").trainable_variables
    assert model.trainable


def test_layers_that_the_user_froze_stay_frozen():
    inputs = keras.Input((3,))
    outputs = keras.layers.Dense(2, name="free")(keras.layers.Dense(4, name="frozen")(inputs))
    model = keras.Model(inputs, outputs)
    model.get_layer("frozen").trainable = False
    built = ModelBranch(model).fit(X).build("part")
    assert [variable.path.split("/")[-2] for variable in built.trainable_variables] == ["free", "free"]


def _deep_model():
    """A model with a model inside, whose layers count as its own."""
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, name="one"), keras.layers.Dense(4, name="two")])
    return keras.Sequential([keras.Input((3,)), inner, keras.layers.BatchNormalization(name="three")], name="deep")


@pytest.mark.parametrize(
    ("trainable", "expected"),
    [(True, {"one", "two", "three"}), (1, {"three"}), (2, {"two", "three"}), ("o*", {"one"}), (False, set())],
)
@pytest.mark.parametrize("build", [lambda: _deep_model(), lambda: lambda shape: _deep_model()], ids=["model", "def"])
def test_layers_are_trained_as_wished(build, trainable, expected):
    built = ModelBranch(build(), trainable=trainable, hidden=(2,)).fit(X).build("part")
    trained = {variable.path.split("/")[-2] for variable in built.trainable_variables}
    assert trained == {*expected, "dense_1"}


def test_frozen_layers_keep_their_averages_in_a_network():
    model = _deep_model()
    network = _fit(ModelBranch(model, trainable="one"))
    trained = network.model_.get_layer("mine_branch").get_layer("deep")
    before, after = model.get_weights(), trained.get_weights()
    assert not np.array_equal(before[0], after[0])
    for one, other in zip(before[2:], after[2:], strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_choice_of_no_layer_names_those_there_are():
    with pytest.raises(ValueError, match=r"trainable='dense' chooses no layer .* the last layers are one, two, three"):
        ModelBranch(_deep_model(), trainable="dense").fit(X).build("part")
    with pytest.raises(ValueError, match="'trainable' parameter"):
        ModelBranch(_deep_model(), trainable=0).fit(X)


def test_two_branches_may_hold_the_same_model(model):
    parts = [("one", ModelBranch(model)), ("two", ModelBranch(model, trainable=False))]
    network = MultimodalNetworkRegressor(parts, head=(), epochs=1, early_stopping=False, random_state=0)
    assert network.fit(X, X[:, 0]).predict(X).shape == (16,)


@pytest.mark.parametrize(
    "build", [lambda shape: _layers(5, shape), functools.partial(_layers, 5)], ids=["def", "partial"]
)
def test_function_builds_for_the_shape_of_a_row(build):
    assert ModelBranch(build).fit(X).build("part").output_shape == (None, 5)
    assert ModelBranch(build).fit(X[:, :2]).build("part").input_shape == (None, 2)


def test_model_survives_clone_and_pickle(model):
    expected = model.predict(X, verbose=0)
    for branch in (clone(ModelBranch(model)), pickle.loads(pickle.dumps(ModelBranch(model)))):
        built = branch.fit(X).build("part")
        np.testing.assert_allclose(built.predict(X, verbose=0), expected, rtol=1e-5)


@pytest.mark.parametrize("name", ["part", "dense_1", "dense_1_relu", "flatten"])
@pytest.mark.parametrize("trainable", [False, True])
def test_a_model_may_be_called_like_a_layer_of_ours(name, trainable):
    model = keras.Sequential([keras.Input((3, 1)), keras.layers.Dense(2)], name=name)
    built = ModelBranch(model, trainable=trainable, hidden=(4,)).fit(X[..., np.newaxis]).build("part")
    assert built.output_shape == (None, 4)
    assert len(built.trainable_variables) == (4 if trainable else 2)
    assert model.name == name


def test_feature_maps_are_flattened():
    convolution = keras.Sequential([keras.Input((6, 2)), keras.layers.Conv1D(3, 3)])
    assert ModelBranch(convolution).fit(np.zeros((4, 6, 2))).build("part").output_shape == (None, 12)


@pytest.mark.parametrize("wrap", [np.asarray, lambda t: pd.DataFrame({"a": tensor_column(t)})], ids=["array", "column"])
def test_tensors_reach_the_model_as_they_are(wrap):
    tensors = np.random.default_rng(0).normal(size=(4, 5, 2)).astype("float32")
    branch = ModelBranch(lambda shape: _layers(2, shape)).fit(wrap(tensors))
    assert branch.input_shape_ == (5, 2)
    np.testing.assert_array_equal(branch.encode(wrap(tensors)), tensors)


def test_arrays_in_object_cells_are_tensors():
    cells = pd.DataFrame({"a": [np.array([1.0, 2.0]), np.array([3.0, 4.0])]})
    branch = ModelBranch(lambda shape: _layers(2, shape)).fit(cells)
    np.testing.assert_array_equal(branch.encode(cells), [[1, 2], [3, 4]])


def test_model_of_integers_gets_integers():
    embedding = keras.Sequential([keras.Input((2,), dtype="int32"), keras.layers.Embedding(9, 2)])
    branch = ModelBranch(embedding).fit(pd.DataFrame({"a": [1, 8], "b": [0, 3]}))
    encoded = branch.encode(pd.DataFrame({"a": [1.0], "b": [7.0]}))
    assert encoded.dtype == "int32"
    assert branch.build("part").predict(encoded, verbose=0).shape == (1, 4)
    with pytest.raises(ValueError, match=r"the model takes int32, which cannot hold 2\.5 in row 1"):
        branch.encode(np.array([[1.0, 2.0], [1.0, 2.5]]))


def test_model_may_leave_a_dimension_open():
    lstm = keras.Sequential([keras.Input((None, 2)), keras.layers.GRU(3)])
    branch = ModelBranch(lstm).fit(np.zeros((4, 7, 2)))
    assert branch.input_shape_ == (7, 2)
    with pytest.raises(ValueError, match=r"expected rows of shape \(7, 2\) as in training, got \(8, 2\)"):
        branch.encode(np.zeros((4, 8, 2)))


def _two_inputs():
    inputs = [keras.Input((3,)), keras.Input((3,))]
    return keras.Model(inputs, keras.layers.Add()(inputs))


def _two_outputs():
    inputs = keras.Input((3,))
    return keras.Model(inputs, [keras.layers.Dense(1)(inputs), keras.layers.Dense(1)(inputs)])


class Subclassed(keras.Model):
    """A model whose inputs Keras does not know."""

    def call(self, inputs):
        return inputs


BAD_MODELS = {
    "other shape": (lambda: _layers(2, (4,)), r"the model takes rows of shape \(4,\), the columns give rows of \(3,\)"),
    "other rank": (lambda: _layers(2, (3, 1)), r"the model takes rows of shape \(3, 1\)"),
    "two inputs": (_two_inputs, "one input and one output, got 2 and 1"),
    "two outputs": (_two_outputs, "one input and one output, got 1 and 2"),
    "subclassed": (Subclassed, "the model should know its inputs, as one made from keras.Input does"),
    "unbuilt": (lambda: keras.Sequential([keras.layers.Dense(2)]), "the model should know its inputs"),
}


@pytest.mark.parametrize(("make", "message"), BAD_MODELS.values(), ids=list(BAD_MODELS))
def test_models_that_do_not_fit_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        ModelBranch(make()).fit(X)
    with pytest.raises(ValueError, match=message):
        ModelBranch(lambda shape: make()).fit(X).build("part")


def test_function_has_to_return_a_model():
    with pytest.raises(TypeError, match=r"should return a keras\.Model, got 3"):
        ModelBranch(lambda shape: 3).fit(X).build("part")


def test_something_that_is_no_model_is_refused():
    with pytest.raises(ValueError, match="'model' parameter of ModelBranch must be a callable"):
        ModelBranch("resnet").fit(X)


BAD_ROWS = {
    "NaN": (np.array([[1.0, 2.0], [np.nan, 2.0]]), "NaN in row 1"),
    "missing": (pd.DataFrame({"a": [1.0, 2.0], "b": [1, None]}, index=[7, 8]), r"NaN in row 1 \(index 8\)"),
    "infinity": (np.array([[1.0, np.inf]]), "infinity: column 1 in row 0"),
    "NaN, tensor": (np.stack([np.zeros((2, 2)), np.array([[np.nan, 1], [1, 1]])]), "NaN in row 1"),
    "infinity, tensor": (np.stack([np.zeros((2, 2)), np.full((2, 2), np.inf)]), "infinity in row 1"),
    "text": (pd.DataFrame({"a": [1, "x"]}), "column 'a' holds the text 'x' in row 1"),
}


@pytest.mark.parametrize(("rows", "message"), BAD_ROWS.values(), ids=list(BAD_ROWS))
def test_bad_cells_are_named(rows, message):
    with pytest.raises(ValueError, match=message):
        ModelBranch(lambda shape: _layers(2, shape)).fit(rows)


def test_numbers_beyond_float32_are_named():
    branch = ModelBranch(lambda shape: _layers(2, shape)).fit(np.array([[1.0], [2.0]]))
    with pytest.raises(ValueError, match=r"the model takes float32, which cannot hold 1e\+39 in row 1"):
        branch.encode(np.array([[1.0], [1e39]]))

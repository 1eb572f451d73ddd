"""Ways of fusing by their names, and layers of a user's own."""

import numpy as np
import pytest

from skstack._backend import keras
from skstack.fusion._base import check_fusion, fuse, projected


@pytest.fixture
def features():
    return [keras.Input((2,)), keras.Input((3,))]


def test_known_names_and_layers_pass():
    check_fusion("gated")
    check_fusion(keras.layers.Average())


def test_an_unknown_name_says_which_are_known():
    message = r"unknown fusion 'gatd'\. Did you mean 'gated'\? Known are \['add', 'attention', .*'multiply'\]"
    with pytest.raises(ValueError, match=message):
        check_fusion("gatd")
    with pytest.raises(ValueError, match="unknown fusion 'base'"):
        check_fusion("base")


@pytest.mark.parametrize("fusion", [None, 3, np.add, ["add"]])
def test_what_is_neither_name_nor_layer_is_refused(fusion):
    with pytest.raises(TypeError, match="'fusion' should be the name of a way to fuse or a Keras layer, got"):
        check_fusion(fusion)


def test_a_class_in_the_place_of_a_layer_gets_a_hint():
    with pytest.raises(TypeError, match="Average'>: did you forget the parentheses"):
        check_fusion(keras.layers.Average)


def test_vectors_are_projected_to_the_largest_width(features):
    assert [vector.shape for vector in projected(features)] == [(None, 3), (None, 3)]


def test_vectors_of_different_widths_are_projected_before_they_are_added(features):
    model = keras.Model(features, fuse("add", features, "fused"))
    kernels = [np.array([[1, 0, 0], [0, 1, 0]]), 2 * np.eye(3)]
    biases = [np.array([0, 0, 5]), np.zeros(3)]
    model.set_weights([kernels[0], biases[0], kernels[1], biases[1]])
    fused = model.predict([np.array([[1.0, 2.0]]), np.array([[10.0, 20.0, 30.0]])], verbose=0)
    np.testing.assert_allclose(fused, [[21.0, 42.0, 65.0]])


def test_a_layer_of_ones_own_is_copied(features):
    layer = keras.layers.Concatenate(name="mine")
    model = keras.Model(features, fuse(layer, features, "fused"))
    assert model.layers[-1].name == "fused"
    assert model.layers[-1] is not layer
    assert layer.name == "mine"
    assert not layer.built
    assert model.output_shape == (None, 5)


def test_a_model_of_ones_own_is_copied(features):
    inputs = [keras.Input((2,)), keras.Input((3,))]
    mine = keras.Model(inputs, keras.layers.Dense(4)(keras.layers.Concatenate()(inputs)), name="mine")
    before = mine.get_weights()
    model = keras.Model(features, fuse(mine, features, "fused"))
    assert model.output_shape == (None, 4)
    model.get_layer("fused").set_weights([np.zeros((5, 4)), np.zeros(4)])
    assert all(np.array_equal(mine_now, then) for mine_now, then in zip(mine.get_weights(), before, strict=True))
    assert mine.name == "mine"


@keras.saving.register_keras_serializable("tests")
class Wrong(keras.layers.Layer):
    """Makes something else of feature vectors."""

    def __init__(self, makes, **kwargs):
        super().__init__(**kwargs)
        self.makes = makes

    def call(self, inputs):
        return keras.ops.expand_dims(inputs[0], -1) if self.makes == "maps" else list(inputs)

    def compute_output_spec(self, inputs):
        shape = (*inputs[0].shape, 1)
        return keras.KerasTensor(shape) if self.makes == "maps" else list(inputs)

    def get_config(self):
        return {**super().get_config(), "makes": self.makes}


@pytest.mark.parametrize(("makes", "got"), [("maps", r"a tensor of shape \(None, 2, 1\)"), ("several", "a list")])
def test_a_layer_that_makes_no_vector_is_refused(features, makes, got):
    message = rf"(?s)the layer given as fusion, <Wrong.*should make one tensor of shape \(None, width\).*got {got}"
    with pytest.raises(ValueError, match=message):
        fuse(Wrong(makes), features, "fused")


def test_a_layer_of_ones_own_leaves_a_single_vector_alone(features):
    assert fuse(Wrong("maps"), features[:1], "fused") is features[0]

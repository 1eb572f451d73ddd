"""Which layers are trained, and how fast."""

import numpy as np
import pytest

from skstack._backend import keras
from skstack.training._trainable import (
    AsItWas,
    check_trainable,
    narrow_trainable,
    set_all_trainable,
    set_learning_rate_multiplier,
    set_trainable,
    single_layers,
)

layers = keras.layers


@pytest.fixture
def model():
    """A model with a model inside, batch normalisation, a layer around another one, and layers without weights."""
    inner = keras.Sequential(
        [keras.Input((4, 3)), layers.Dense(3, name="block1_dense"), layers.BatchNormalization(name="block1_norm")],
        name="block1",
    )
    return keras.Sequential(
        [
            keras.Input((4, 3)),
            inner,
            layers.ReLU(name="relu"),
            layers.Bidirectional(layers.GRU(2), name="block2_both_ways"),
            layers.Dense(2, name="block2_dense"),
            layers.Flatten(name="flatten"),
        ]
    )


ALL = {"block1_dense", "block1_norm", "block2_both_ways", "block2_dense"}


def trained(model):
    return {layer.name for layer in single_layers(model) if layer.trainable_variables}


def test_layers_stand_in_their_order(model):
    names = [layer.name for layer in single_layers(model)]
    assert names == ["block1_dense", "block1_norm", "relu", "block2_both_ways", "block2_dense", "flatten"]
    dense = layers.Dense(3)
    assert single_layers(dense) == [dense]


@pytest.mark.parametrize(
    ("trainable", "expected"),
    [
        (True, ALL),
        (np.True_, ALL),
        (False, set()),
        (np.False_, set()),
        (2, {"block2_dense"}),
        (np.int64(3), {"block2_dense", "block2_both_ways"}),
        (5, ALL - {"block1_dense"}),
        (100, ALL),
        ("block2*", {"block2_dense", "block2_both_ways"}),
        ("*_dense", {"block1_dense", "block2_dense"}),
        ("block1_norm", {"block1_norm"}),
    ],
)
def test_chosen_layers_are_trained(model, trainable, expected):
    n_weights = len(model.weights)
    set_trainable(model, trainable)
    assert trained(model) == expected
    assert len(model.weights) == n_weights
    assert {id(v) for v in model.trainable_variables} == {
        id(v) for layer in single_layers(model) if layer.name in expected for v in layer.trainable_variables
    }


def test_a_later_choice_counts(model):
    for trainable, expected in ((False, set()), ("block1*", {"block1_dense", "block1_norm"}), (2, {"block2_dense"})):
        set_trainable(model, trainable)
        assert trained(model) == expected


def test_true_leaves_alone_what_its_owner_froze(model):
    model.get_layer("block2_dense").trainable = False
    set_trainable(model, True)
    assert trained(model) == ALL - {"block2_dense"}
    set_trainable(model, "block2_dense")
    assert trained(model) == {"block2_dense"}


def test_what_was_thawed_inside_of_something_frozen_is_frozen_again(model):
    model.trainable = False
    model.get_layer("block2_dense").trainable = True
    set_trainable(model, False)
    assert trained(model) == set()


def test_all_layers_are_set_at_once(model):
    model.get_layer("block1").get_layer("block1_dense").trainable = False
    set_all_trainable(model, True)
    assert trained(model) == ALL


def test_a_single_layer_is_the_last_and_has_a_name():
    for trainable, expected in ((1, 2), (7, 2), ("ta*", 2), (True, 2), (False, 0)):
        layer = layers.Dense(2, name="table")
        layer.build((None, 3))
        set_trainable(layer, trainable)
        assert len(layer.trainable_variables) == expected


@pytest.mark.parametrize("trainable", [False, "block2*"])
def test_frozen_batch_normalisation_keeps_its_averages(model, trainable):
    set_trainable(model, trainable)
    norm = model.get_layer("block1").get_layer("block1_norm")
    before = norm.get_weights()
    model(np.random.default_rng(0).normal(5.0, 2.0, size=(8, 4, 3)), training=True)
    for one, other in zip(before, norm.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("trainable", "message"),
    [
        (
            "block3*",
            r"trainable='block3\*' chooses no layer with weights; the last layers are block1_dense, .*flatten\.",
        ),
        ("relu", "trainable='relu' chooses no layer with weights"),
        (1, "trainable=1 chooses no layer with weights; the last layers are .*block2_dense, flatten"),
    ],
)
def test_a_choice_of_nothing_names_the_layers_there_are(model, trainable, message):
    with pytest.raises(ValueError, match=message):
        set_trainable(model, trainable)
    assert trained(model) == ALL


@pytest.mark.parametrize("trainable", [True, False, np.True_, 1, np.int64(3), "block*"])
def test_known_values_pass(trainable):
    check_trainable(trainable)


@pytest.mark.parametrize("trainable", [0, -1, 1.5, None, "", ["block1"]])
def test_other_values_are_refused(trainable):
    with pytest.raises(ValueError, match=r"The 'trainable' parameter should be True, False, .* got"):
        check_trainable(trainable)


def test_the_learning_rate_is_multiplied_for_every_weight(model):
    set_trainable(model, False)
    set_learning_rate_multiplier(model.get_layer("block1"), 0.5)
    model.trainable = True
    slow = {variable.path for variable in model.variables if getattr(variable, "learning_rate_multiplier", 1.0) == 0.5}
    assert len(slow) == 6  # kernel and bias; scale, offset and two averages
    assert all("block1" in path for path in slow)


@pytest.mark.parametrize(
    ("trainable", "expected"),
    [(True, {"block1_norm", "block2_dense"}), (2, {"block2_dense"}), ("block1*", {"block1_norm"}), (False, set())],
)
def test_what_is_frozen_already_is_not_thawed(model, trainable, expected):
    for name in ("block1_dense", "block2_both_ways"):
        next(layer for layer in single_layers(model) if layer.name == name).trainable = False
    narrow_trainable(model, trainable)
    assert trained(model) == expected


def test_a_model_trains_again_what_it_did(model):
    set_trainable(model, "block2*")
    before, was = trained(model), AsItWas(model)
    set_trainable(model, 3)
    set_learning_rate_multiplier(model, 0.5)
    set_all_trainable(model, False)
    was.restore()
    assert trained(model) == before == {"block2_both_ways", "block2_dense"}
    assert {variable.learning_rate_multiplier for variable in model.variables} == {1.0}
    set_all_trainable(model, True)
    assert trained(model) == ALL

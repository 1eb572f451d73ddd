"""Values of variables by name."""

import os
import subprocess
import sys

import numpy as np
import pytest

from skstack._backend import keras
from skstack.branches._layers import MissingEmbedding, Standardize
from skstack.training._seeds import seeded
from skstack.training._values import assign_values, divided, named_variables, values_of

layers = keras.layers


def _encoder(name, units=4):
    inputs = keras.Input((3,), name=f"{name}_input")
    x = Standardize(name="standardize")(inputs)
    return keras.Model(inputs, layers.Dense(units, name="dense_1")(x), name=name)


def _network(names=("frontal_branch", "kitchen_branch")):
    """Return a model of sub-models with layers of the same names, a recurrent one, dropout and an embedding."""
    inputs = {name: keras.Input((3,), name=name[:-7]) for name in names}
    steps, flags = keras.Input((5, 2), name="steps"), keras.Input((1,), name="missing")
    with seeded(0):
        features = [_encoder(name)(tensor) for name, tensor in inputs.items()]
        features[0] = MissingEmbedding(name="embedding")([features[0], flags])
        features.append(layers.Bidirectional(layers.GRU(2), name="both")(steps))
        x = layers.Dropout(0.5, name="drop")(layers.Concatenate(name="join")(features))
        outputs = layers.BatchNormalization(name="norm")(layers.Dense(2, name="head_1")(x))
    return keras.Model([*inputs.values(), steps, flags], outputs, name="network")


NAMES = {
    "frontal_branch/standardize/center",
    "frontal_branch/dense_1/kernel",
    "kitchen_branch/dense_1/kernel",
    "embedding/difference",
    "both/forward_layer/cell/kernel",
    "both/backward_layer/cell/kernel",
    "drop/seed_generator_state",
    "norm/moving_mean",
    "head_1/bias",
}


def test_variables_are_named_by_the_layers_they_lie_in():
    model = _network()
    variables = named_variables(model)
    assert NAMES <= variables.keys()
    assert {id(variable) for variable in variables.values()} == {id(variable) for variable in model.variables}


def test_names_do_not_depend_on_what_was_built_before():
    before = list(named_variables(_network()))
    for _ in range(2):
        layers.GRU(2).build((None, 3, 1))
    assert list(named_variables(_network())) == before


def test_names_are_the_same_in_every_process_and_backend():
    pytest.importorskip("jax", reason="Keras's NumPy backend imports JAX")
    code = (
        "import sys; sys.path[:0] = {path}\n"
        "from test_values import _network, named_variables\n"
        "print(sorted(named_variables(_network())))"
    ).format(path=[*sys.path, str(__file__).rpartition("/")[0]])
    environment = {**os.environ, "KERAS_BACKEND": "numpy"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True, env=environment
    )
    assert done.stdout.strip() == str(sorted(named_variables(_network())))


def test_a_layer_that_is_used_twice_has_its_variables_once():
    shared = layers.Dense(2, name="shared")
    inputs = [keras.Input((3,), name=name) for name in "ab"]
    inside = keras.Model(inputs[0], shared(inputs[0]), name="inside")
    model = keras.Model(inputs, layers.Add(name="add")([inside(inputs[0]), shared(inputs[1])]))
    assert len(named_variables(model)) == 2


def test_variables_of_one_name_get_a_number():
    class Twins(layers.Layer):
        def build(self, input_shape):
            self.first, self.second = (self.add_weight(shape=(1,), name="weight") for _ in range(2))

        def call(self, inputs):
            return inputs * self.first + self.second

    inputs = keras.Input((1,))
    assert list(named_variables(keras.Model(inputs, Twins(name="twins")(inputs)))) == ["twins/weight", "twins/weight_2"]


def test_values_come_back():
    model = _network()
    values = {name: value + 1 for name, value in values_of(model).items()}
    assign_values(model, values)
    for name, value in values_of(model).items():
        np.testing.assert_array_equal(value, values[name])


def test_weights_of_a_branch_are_taken_over_by_an_update():
    one, other = _network(), _network(("kitchen_branch", "hall_branch"))
    taken = {name: value + 1 for name, value in values_of(one).items() if name.startswith("kitchen_branch/")}
    assert len(taken) == 6
    assign_values(other, values_of(other) | taken)
    kernels = [model.get_layer("kitchen_branch").get_layer("dense_1").get_weights()[0] for model in (one, other)]
    np.testing.assert_allclose(kernels[1], kernels[0] + 1)


def test_variables_are_divided_by_what_training_does_to_them():
    model = _network()
    model.get_layer("frontal_branch").trainable = False
    trainable, carried, fixed = divided(model)
    assert {id(variable) for variable in trainable.values()} == {id(v) for v in model.trainable_variables}
    assert {"norm/moving_mean", "drop/seed_generator_state", "embedding/mean"} <= carried.keys()
    assert {"frontal_branch/standardize/center", "frontal_branch/dense_1/kernel"} <= fixed.keys()
    assert "kitchen_branch/dense_1/kernel" in trainable
    assert len(trainable) + len(carried) + len(fixed) == len(named_variables(model))


def test_a_missing_value_is_an_error_that_names_it():
    values = values_of(_network())
    del values["head_1/bias"]
    with pytest.raises(KeyError, match="head_1/bias"):
        assign_values(_network(), values)

"""Compiled predictions."""

import pickle

import numpy as np
import pytest

from skstack._backend import keras
from skstack.training import _inference
from skstack.training._inference import CompiledCall

RNG = np.random.default_rng(0)
INPUTS = {"z_codes": RNG.integers(0, 5, (7, 1), dtype="int32"), "a_numbers": RNG.normal(size=(7, 3)).astype("float32")}


@pytest.fixture(scope="module")
def model():
    codes, numbers = keras.Input((1,), dtype="int32", name="z_codes"), keras.Input((3,), name="a_numbers")
    vectors = keras.layers.Flatten()(keras.layers.Embedding(5, 2)(codes))
    x = keras.layers.Dropout(0.5)(keras.layers.Concatenate()([vectors, numbers]))
    return keras.Model({"z_codes": codes, "a_numbers": numbers}, keras.layers.Dense(2)(x))


def _outputs(model, inputs=INPUTS):
    return keras.ops.convert_to_numpy(model(inputs, training=False))


def test_outputs_are_those_of_the_model_without_dropout(model):
    outputs = CompiledCall(model)(INPUTS)
    assert isinstance(outputs, np.ndarray)
    np.testing.assert_allclose(outputs, _outputs(model), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("n_rows", [1, 3, 7])
def test_any_number_of_rows_goes_through_one_compiled_call(model, n_rows):
    call = CompiledCall(model)
    part = {name: array[:n_rows] for name, array in INPUTS.items()}
    np.testing.assert_allclose(call(part), _outputs(model, part), rtol=1e-5, atol=1e-6)
    assert call(part).shape == (n_rows, 2)


@pytest.mark.parametrize("chunk_bytes", [1, 16 * 3, 16 * 7])
def test_many_rows_go_through_in_chunks(model, monkeypatch, chunk_bytes):
    expected = _outputs(model)
    monkeypatch.setattr(_inference, "_CHUNK_BYTES", chunk_bytes)
    np.testing.assert_allclose(CompiledCall(model)(INPUTS), expected, rtol=1e-5, atol=1e-6)


def test_a_row_is_predicted_the_same_whatever_stands_beside_it():
    generator = np.random.default_rng(0)
    numbers = keras.Input((5,), name="numbers")
    x = keras.layers.Dense(33, activation="relu", kernel_initializer=keras.initializers.GlorotUniform(1))(numbers)
    outputs = keras.layers.Dense(1, kernel_initializer=keras.initializers.GlorotUniform(2))(x)
    call = CompiledCall(keras.Model({"numbers": numbers}, outputs))
    rows = generator.normal(size=(203, 5)).astype("float32")
    together = call({"numbers": rows})
    for n_rows in (1, 2, 7, 16, 33, 100):
        chosen = generator.permutation(len(rows))[:n_rows]
        np.testing.assert_array_equal(call({"numbers": rows[chosen]}), together[chosen])


def test_trained_weights_are_used_without_compiling_again(model):
    call = CompiledCall(model)
    before = call(INPUTS)
    bias = model.layers[-1].bias
    bias.assign(bias + 1.0)
    np.testing.assert_allclose(call(INPUTS), before + 1.0, rtol=1e-5, atol=1e-5)


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="JAX has no double precision unless JAX_ENABLE_X64 is set")
def test_double_precision_reaches_the_model():
    large = keras.Input((1,), dtype="float64", name="large")
    shifted = keras.layers.Lambda(lambda x: keras.ops.cast(x - 1.7e9, "float32"), dtype="float64")(large)
    outputs = CompiledCall(keras.Model({"large": large}, shifted))({"large": np.array([[1.7e9 + 1.0]])})
    assert outputs.tolist() == [[1.0]]


def test_it_is_pickled_without_what_was_compiled(model):
    call = CompiledCall(model)
    expected = call(INPUTS)
    np.testing.assert_allclose(pickle.loads(pickle.dumps(call))(INPUTS), expected, rtol=1e-6)

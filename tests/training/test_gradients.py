"""What layers of a model return, and gradients with respect to it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skstack._backend import keras
from skstack.training import _gradients
from skstack.training._gradients import Instrumented, Points, in_chunks
from skstack.training._values import values_of

X = np.float32([[1, 2], [3, -4], [-5, 6]])


@pytest.fixture
def model():
    """A squaring of two numbers that lies two models deep, called twice, and a sum of what comes of it."""
    inner_inputs = keras.Input((2,), name="inner_x")
    square = keras.layers.Dense(2, activation=keras.ops.square, use_bias=False, name="square")
    inner = keras.Model(inner_inputs, square(inner_inputs), name="inner")
    inputs = {"x": keras.Input((2,), name="x")}
    y = keras.layers.Add(name="both")([inner(inputs["x"]), inner(-2 * inputs["x"])])
    model = keras.Model(inputs, keras.layers.Dense(1, use_bias=False, name="sum")(y), name="outer")
    inner.get_layer("square").set_weights([np.eye(2)])
    model.get_layer("sum").set_weights([np.array([[1.0], [10.0]])])
    return model


def score(outputs, heard, weights):
    return outputs[:, 0] * weights


def instrumented(model, *layers):
    return Instrumented(model, [model.get_layer("inner").get_layer("square")] if not layers else layers)


def test_a_layer_is_heard_each_time_that_it_is_called_wherever_it_lies(model):
    looking = instrumented(model)
    for _ in range(10):  # operation by operation first, then as a program
        outputs, ((once, twice),) = looking.outputs(looking.values(values_of(model)), {"x": X})
        assert_allclose(once, X**2)
        assert_allclose(twice, 4 * X**2)
        assert_allclose(outputs[:, 0], 5 * (X**2 @ [1, 10]))
    assert "call" not in vars(model.get_layer("inner").get_layer("square"))


def test_gradients_of_inputs_and_of_what_layers_return(model):
    looking, weights = instrumented(model), np.float32([1, 2, 0])
    values = looking.values(values_of(model))
    for _ in range(10):
        scores, found = looking.gradients(values, {"x": X}, Points({"x": X}, []), score, weights)
        assert_allclose(scores, 5 * (X**2 @ [1, 10]) * weights)
        assert_allclose(found.inputs["x"], 10 * X * [1, 10] * weights[:, None])
        heard = looking.outputs(values, {"x": X})[1]
        scores, found = looking.gradients(values, {"x": X}, Points({}, heard), score, weights)
        assert_allclose(scores, 5 * (X**2 @ [1, 10]) * weights)
        for gradient in found.layers[0]:
            assert_allclose(gradient, np.float32([[1, 10]] * 3) * weights[:, None])


def test_what_a_layer_returns_is_replaced(model):
    looking = instrumented(model)
    replaced = [[np.ones_like(X), np.zeros_like(X)]]
    values = looking.values(values_of(model))
    scores, _ = looking.gradients(values, {"x": X}, Points({}, replaced), score, np.ones(3, "float32"))
    assert_allclose(scores, 11)


def test_values_are_those_that_are_given_not_those_of_the_model(model):
    looking = instrumented(model)
    doubled = {name: 2 * value for name, value in values_of(model).items()}
    outputs, _ = looking.outputs(looking.values(doubled), {"x": X})
    assert_allclose(outputs[:, 0], 5 * 4 * 2 * (X**2 @ [1, 10]))
    assert_allclose(np.asarray(model({"x": X}))[:, 0], 5 * (X**2 @ [1, 10]))


def test_a_listener_hears_what_it_wants(model):
    def with_negative(layer, call, args, kwargs):
        output = call(*args, **kwargs)
        return output, -output

    looking = Instrumented(model, [model.get_layer("both")], with_negative)
    outputs, ((heard,),) = looking.outputs(looking.values(values_of(model)), {"x": X})
    assert_allclose(heard, -5 * X**2)
    assert_allclose(outputs[:, 0], 5 * (X**2 @ [1, 10]))


@pytest.mark.parametrize("n_rows", [1, 4, 7, 8])
def test_rows_go_through_in_parts_of_equal_size(monkeypatch, n_rows):
    monkeypatch.setattr(_gradients, "_CHUNK_ROWS", 4)
    sizes = []

    def function(given):
        sizes.append(len(given["x"]))
        assert len(given["pairs"]) == 2 * len(given["x"])
        return {"sum": given["x"].sum(axis=1), "pairs": given["pairs"] + 1}

    rows = {"x": np.arange(2.0 * n_rows).reshape(n_rows, 2), "pairs": np.arange(2 * n_rows)}
    # The first array says how many rows there are: trees are gone through by their names.
    result = in_chunks(lambda given: function({"x": given[0], "pairs": given[1]}), (rows["x"], rows["pairs"]))
    assert_allclose(result["sum"], rows["x"].sum(axis=1))
    assert_allclose(result["pairs"], np.arange(2 * n_rows) + 1)
    assert set(sizes) == {min(n_rows, 4)}


def test_rows_of_many_bytes_go_through_one_by_one(monkeypatch):
    monkeypatch.setattr(_gradients, "_CHUNK_BYTES", 20)
    sizes = []
    in_chunks(lambda rows: sizes.append(len(rows)) or rows, np.zeros((3, 4)))
    assert sizes == [1, 1, 1]


def test_other_backends_are_refused(model, monkeypatch):
    looking = instrumented(model)
    values = looking.values(values_of(model))
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(NotImplementedError, match="not 'torch'"):
        looking.gradients(values, {"x": X}, Points({"x": X}, []), score, np.ones(3, "float32"))

"""What every way of fusing has to fulfil; a new one needs a file in skstack/fusion and a line in the table here."""

import json
import random

import numpy as np
import pytest

from skstack._backend import keras
from skstack.fusion._base import Fusion, find_fusion, fuse, fusion_names
from skstack.training._seeds import seeded

to_numpy = keras.ops.convert_to_numpy

ROWS = [np.array([[1.0, -2.0, 3.0], [0.5, 0.0, 0.0]]), np.array([[4.0, 5.0, -6.0], [0.5, 2.0, 8.0]])]

# What each way makes of these rows; None for a way with weights, which has a test file of its own for its values.
WAYS = {
    "add": [[5.0, 3.0, -3.0], [1.0, 2.0, 8.0]],
    "attention": None,
    "average": [[2.5, 1.5, -1.5], [0.5, 1.0, 4.0]],
    "concatenate": [[1.0, -2.0, 3.0, 4.0, 5.0, -6.0], [0.5, 0.0, 0.0, 0.5, 2.0, 8.0]],
    "gated": None,
    "maximum": [[4.0, 5.0, 3.0], [0.5, 2.0, 8.0]],
    "multiply": [[4.0, -10.0, -18.0], [0.25, 0.0, 0.0]],
}


def make_model(way, widths):
    """Return a model of one fusion of inputs of the given widths."""
    inputs = [keras.Input((width,), name=f"input_{index}") for index, width in enumerate(widths)]
    with seeded(0):
        return keras.Model(inputs, fuse(way, inputs, "fused"))


def make_rows(widths, n_rows=5):
    generator = np.random.default_rng(0)
    return [generator.normal(size=(n_rows, width)).astype("float32") for width in widths]


@pytest.fixture(params=[(3, 3), (2, 5, 3)], ids=["alike", "different"])
def widths(request):
    return request.param


@pytest.fixture(params=WAYS)
def way(request):
    return request.param


def test_the_table_names_every_way():
    assert fusion_names() == sorted(WAYS)
    assert all(isinstance(find_fusion(name), Fusion) for name in WAYS)


@pytest.mark.parametrize("way", [way for way, expected in WAYS.items() if expected is not None])
def test_values(way):
    fused = make_model(way, (3, 3))([rows.astype("float32") for rows in ROWS])
    np.testing.assert_allclose(to_numpy(fused), WAYS[way], rtol=1e-6)


def test_one_layer_makes_one_vector(way, widths):
    model = make_model(way, widths)
    assert [layer.name for layer in model.layers[len(widths) :]] == ["fused"]
    assert model.output_shape == (None, sum(widths) if way == "concatenate" else max(widths))
    assert np.isfinite(to_numpy(model(make_rows(widths)))).all()


def test_a_single_vector_stays_as_it_is(way):
    feature = keras.Input((3,))
    assert fuse(way, [feature], "fused") is feature


def test_every_branch_has_a_say(way, widths):
    """The result follows each of the vectors, so that gradients reach its branch."""
    model, rows = make_model(way, widths), make_rows(widths, n_rows=50)
    fused = to_numpy(model(rows))
    for index in range(len(widths)):
        moved = [part + (position == index) for position, part in enumerate(rows)]
        assert not np.allclose(to_numpy(model(moved)), fused, atol=1e-3)


def test_every_weight_is_trained(way, widths):
    """A step of plain gradient descent changes every weight, and those of the branches in front."""
    keras.utils.set_random_seed(0)
    inputs = [keras.Input((4,), name=f"input_{index}") for index in range(len(widths))]
    parts = [keras.layers.Dense(width, name=f"branch_{index}")(inputs[index]) for index, width in enumerate(widths)]
    model = keras.Model(inputs, keras.layers.Dense(1, name="head")(fuse(way, parts, "fused")))
    model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=True)
    before = [variable.numpy() for variable in model.trainable_variables]
    model.fit(make_rows([4] * len(widths), 8), np.arange(8.0) ** 2, epochs=1, batch_size=8, verbose=0)
    for variable, value in zip(model.trainable_variables, before, strict=True):
        # The attention is the same whatever is added to all keys of a row.
        assert variable.path.endswith("key/bias") or not np.array_equal(variable.numpy(), value), variable.path


def test_models_are_saved_and_loaded_without_classes_of_ours(way, widths, tmp_path):
    model, rows = make_model(way, widths), make_rows(widths)
    json.dumps(model.get_config())
    model.save(tmp_path / "fused.keras")
    again = keras.saving.load_model(tmp_path / "fused.keras")
    np.testing.assert_allclose(to_numpy(again(rows)), to_numpy(model(rows)), rtol=1e-6)
    assert "skstack" not in model.to_json()


def test_names_of_layers_inside_are_nobody_elses(way, widths):
    """Branches may be called like layers inside of a fusion."""
    inputs = [keras.Input((width,), name=f"project_{index}") for index, width in enumerate(widths)]
    names = ["gate_0", "all", "attention"]
    features = [
        keras.layers.Dense(x.shape[-1], name=name)(x) for name, x in zip(names[: len(inputs)], inputs, strict=True)
    ]
    assert keras.Model(inputs, fuse(way, features, "fused")).output_shape[0] is None


def test_half_precision_stays(way, widths):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        features = [keras.layers.Dense(width)(keras.Input((2,))) for width in widths]
        assert fuse(way, features, "fused").dtype == "float16"
    finally:
        keras.config.set_dtype_policy(policy)


@pytest.mark.parametrize("way", ["add", "average", "concatenate", "maximum", "multiply"])
def test_ways_without_weights_draw_no_seed(way):
    """Initial values of the layers behind stay what they are with any other way."""
    features = [keras.Input((3,)), keras.Input((3,))]
    state = random.getstate()
    fuse(way, features, "fused")
    assert random.getstate() == state


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="how TensorFlow trains networks together")
def test_weights_of_several_networks_are_used_at_once(way, widths):
    import tensorflow as tf

    model, rows = make_model(way, widths), make_rows(widths)
    stacked = [tf.stack([value, 2 * value]) for value in model.get_weights()]

    def fused(weights):
        return model.stateless_call(list(weights), [], [tf.constant(part) for part in rows])[0]

    if not stacked:
        return
    together = tf.vectorized_map(fused, stacked, fallback_to_while_loop=False)
    for index in range(2):
        alone = fused([variable[index] for variable in stacked])
        np.testing.assert_allclose(together[index], alone, rtol=1e-4, atol=1e-5)

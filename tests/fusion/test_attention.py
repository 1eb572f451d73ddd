"""Fusion by attention with known weights."""

import numpy as np
from numpy.testing import assert_allclose

from skstack._backend import keras
from skstack.fusion._base import fuse

ONE, TWO = np.array([[0.3, -0.7, 0.2], [1.0, 2.0, 0.0]]), np.array([[0.5, 1.5], [-1.0, 0.25]])


def _model(widths):
    inputs = [keras.Input((width,)) for width in widths]
    model = keras.Model(inputs, fuse("attention", inputs, "fused"))
    return model, model.get_layer("fused")


def test_the_order_of_branches_does_not_count():
    keras.utils.set_random_seed(0)
    (model, unit), (swapped, of_swapped) = _model((3, 2)), _model((2, 3))
    of_swapped.get_layer("attention").set_weights(unit.get_layer("attention").get_weights())
    for index in (0, 1):
        of_swapped.get_layer(f"project_{1 - index}").set_weights(unit.get_layer(f"project_{index}").get_weights())
    fused = model.predict([ONE, TWO], verbose=0)
    assert_allclose(swapped.predict([TWO, ONE], verbose=0), fused, rtol=1e-5)
    assert np.abs(fused).max() > 0.1


def test_branches_are_seen_as_much_as_their_keys_fit_the_query():
    """One feature, whose first head alone is used: attention can be computed by hand."""
    model, unit = _model((1, 1))
    for index, factor in enumerate((1.0, 3.0)):
        unit.get_layer(f"project_{index}").set_weights([np.array([[factor]]), np.zeros(1)])
    first = np.zeros((1, 4, 1))
    first[0, 0] = 1.0
    nothing = np.zeros((4, 1))
    weights = [first, nothing] * 3  # query, key, value
    unit.get_layer("attention").set_weights([*weights, np.ones((4, 1, 1)), np.zeros(1)])
    tokens = np.array([0.5, 3 * -0.25])
    scores = np.exp(np.outer(tokens, tokens))
    attended = scores / scores.sum(axis=1, keepdims=True) @ tokens
    fused = model.predict([np.array([[0.5]]), np.array([[-0.25]])], verbose=0)
    assert_allclose(fused, [[np.mean(tokens + attended)]], rtol=1e-5)

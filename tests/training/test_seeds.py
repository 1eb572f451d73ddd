"""Randomness that leaves the caller's generators alone."""

import random

import numpy as np
import pytest

from skstack import MultimodalNetworkRegressor
from skstack._backend import keras
from skstack.training._seeds import draw_seed, seeded


def _global_draws():
    """Draw from Python's and NumPy's global generators."""
    return random.random(), np.random.random()  # noqa: NPY002 - the global generator is what is tested


@pytest.fixture
def expected():
    """Seed the global generators and return what they are about to draw."""
    random.seed(7), np.random.seed(7)  # noqa: NPY002
    draws = _global_draws()
    random.seed(7), np.random.seed(7)  # noqa: NPY002
    return draws


def test_seed_of_an_int_is_always_the_same():
    assert draw_seed(3) == draw_seed(3) != draw_seed(4)


def test_seed_of_a_generator_is_its_next():
    generator = np.random.RandomState(3)
    assert draw_seed(generator) != draw_seed(generator)
    assert draw_seed(np.random.RandomState(3)) == draw_seed(3)


def test_the_block_is_repeatable():
    draws = []
    for _ in range(2):
        with seeded(5):
            draws.append(_global_draws())
    assert draws[0] == draws[1]
    with seeded(6):
        assert _global_draws() != draws[0]


def test_the_caller_goes_on_as_if_nothing_had_been(expected):
    with seeded(5):
        _global_draws()
    assert _global_draws() == expected


def test_an_error_puts_the_generators_back_too(expected):
    with pytest.raises(ZeroDivisionError), seeded(5):
        _global_draws()
        raise ZeroDivisionError
    assert _global_draws() == expected


def test_blocks_may_be_nested():
    with seeded(5):
        plain = _global_draws()
    with seeded(5):
        with seeded(6):
            _global_draws()
        assert _global_draws() == plain


def test_weights_of_keras_layers_follow_the_seed():
    kernels = []
    for seed in (1, 1, 2):
        with seeded(seed):
            layer = keras.layers.Dense(3)
            layer.build((None, 2))
            kernels.append(keras.ops.convert_to_numpy(layer.kernel))
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])


def test_a_fit_leaves_the_global_generators_alone(expected):
    X = np.arange(16.0).reshape(8, 2)
    MultimodalNetworkRegressor(head=(2,), dropout=0.5, epochs=1, random_state=0).fit(X, X[:, 0]).predict(X)
    assert _global_draws() == expected

"""Randomness that leaves the caller's generators alone."""

import random
import threading

import numpy as np
import pytest

from skstack import MultimodalNetworkRegressor, MultimodalStackingRegressor
from skstack._backend import keras
from skstack.branches import ModelBranch, NumericBranch
from skstack.training import clear_cache
from skstack.training._seeds import draw_seed, numpy_seeded, seeded


def _global_draws():
    """Draw from Python's and NumPy's global generators, as a function of the user's may."""
    with numpy_seeded():
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


def test_initial_weights_do_not_depend_on_what_other_threads_draw():
    drawn = []
    for others in (0, 3):
        with seeded(5):
            for _ in range(others):
                thread = threading.Thread(target=random.random)
                thread.start()
                thread.join()
            drawn.append(np.asarray(keras.initializers.GlorotUniform()((2, 3))))
    np.testing.assert_array_equal(drawn[0], drawn[1])


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


@pytest.mark.parametrize("kind", [MultimodalNetworkRegressor, MultimodalStackingRegressor])
def test_numpys_generator_is_not_touched_while_layers_are_built(kind, monkeypatch):
    X = np.arange(32.0).reshape(16, 2)
    parts = [("numbers", NumericBranch(hidden=(2,)))]
    network = MultimodalNetworkRegressor(epochs=1, head=(2,))
    estimator = kind(parts, epochs=1) if kind is MultimodalNetworkRegressor else kind(parts, network=network, cv=2)
    np.random.seed(7)  # noqa: NPY002
    expected = np.random.RandomState(7).random_sample(50).tolist()
    drawn, features = [], NumericBranch.features

    def drawing(branch, inputs):
        thread = threading.Thread(target=lambda: drawn.append(np.random.random()))  # noqa: NPY002
        thread.start()
        thread.join()
        return features(branch, inputs)

    monkeypatch.setattr(NumericBranch, "features", drawing)
    clear_cache()  # so that a program is built too
    estimator.set_params(random_state=0).fit(X, X[:, 0])
    assert len(drawn) >= 2
    assert drawn == expected[: len(drawn)]


def test_a_function_that_builds_a_model_may_draw_from_numpy(expected):
    drawn = []

    def build(shape):
        drawn.append(np.random.random())  # noqa: NPY002
        return keras.Sequential([keras.Input(shape), keras.layers.Dense(2)])

    X = np.arange(16.0).reshape(8, 2)
    branches = [("one", ModelBranch(build)), ("other", ModelBranch(build))]
    for seed in (0, 0, 1):
        MultimodalNetworkRegressor(branches, epochs=1, random_state=seed).initialize(X, X[:, 0])
    assert drawn[:2] == drawn[2:4]
    assert len(set(drawn)) == 4
    assert _global_draws() == expected

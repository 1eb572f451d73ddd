"""Random numbers in a step."""

import numpy as np
import pytest
from scipy import stats

from skstack._backend import keras
from skstack.training._random import uniform


def draws(seed, n_draws, shape=(32, 48)):
    generator = keras.random.SeedGenerator(seed)
    return np.stack([keras.ops.convert_to_numpy(uniform(shape, generator)) for _ in range(n_draws)])


@pytest.fixture(scope="module")
def drawn():
    return draws(3, 200)


def correlations(numbers, rate):
    """Return how much of what stays at a rate is common to each two draws, in standard deviations."""
    stays = ((numbers.reshape(len(numbers), -1) >= rate) - (1 - rate)) / np.sqrt(rate * (1 - rate))
    of_pairs = stays @ stays.T / np.sqrt(stays.shape[1])
    return of_pairs[np.triu_indices(len(of_pairs), 1)]


def test_they_are_spread_evenly(drawn):
    assert drawn.dtype == np.float32
    assert 0 <= drawn.min() < 1e-5 and 1 - 1e-5 < drawn.max() < 1
    assert stats.kstest(drawn.ravel(), "uniform").pvalue > 0.01


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_draws_have_nothing_in_common(drawn, rate):
    of_seeds = np.concatenate([draws(seed, 1) for seed in range(100)])
    for numbers in (drawn, drawn.transpose(1, 0, 2), of_seeds):
        found = correlations(numbers, rate)
        assert np.abs(found).max() < 5  # of 20,000 normal numbers, the largest is about 4
        assert np.square(found).mean() == pytest.approx(1, abs=0.1)


def test_they_are_the_same_on_every_backend():
    # As the hash function says, in Python's integers.
    def hashed(bits):
        for by, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
            bits = (bits ^ bits >> by) * factor % 2**32
        return bits

    keys = [hashed((count * 0x9E3779B9 + 3) % 2**32) for count in range(2)]
    expected = [[hashed((place * 0x9E3779B9 + key) % 2**32) // 2**8 / 2**24 for place in range(6)] for key in keys]
    np.testing.assert_array_equal(draws(3, 2, (2, 3)).reshape(2, 6), np.float32(expected))

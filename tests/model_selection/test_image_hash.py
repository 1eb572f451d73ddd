"""Perceptual hashes."""

from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from skstack.model_selection._image_hash import HASH_SIZE, N_BITS, image_hash, near_pairs


def scene(seed, size=(96, 128)):
    """Return a smooth grey image, as photos are."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6), dtype="uint8")
    return Image.fromarray(coarse).resize(size[::-1], Image.Resampling.BICUBIC)


def hash_of(image):
    return image_hash(np.asarray(image.resize(HASH_SIZE[::-1], Image.Resampling.BILINEAR)))


def n_different(one, other):
    return (one ^ other).bit_count()


def test_half_of_the_bits_are_set():
    assert hash_of(scene(0)).bit_count() == N_BITS // 2
    assert hash_of(scene(0)) < 2**64


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image.resize((64, 48)),
        lambda image: image.point(lambda value: 20 + 0.8 * value),
        lambda image: Image.fromarray(np.asarray(image) // 8 * 8),
    ],
)
def test_what_looks_the_same_has_nearly_the_same_hash(change):
    for seed in range(20):
        assert n_different(hash_of(scene(seed)), hash_of(change(scene(seed)))) <= 4


def test_what_looks_different_has_another_hash():
    hashes = [hash_of(scene(seed)) for seed in range(60)]
    assert min(n_different(one, other) for one, other in combinations(hashes, 2)) > 8


def test_an_image_of_one_colour_has_none():
    assert image_hash(np.full((*HASH_SIZE, 1), 200, dtype="uint8")) is None


@pytest.mark.parametrize("tolerance", [0, 1, 2, 5, 9])
def test_near_pairs_are_all_that_are_near(tolerance):
    rng = np.random.default_rng(tolerance)
    far = rng.integers(0, 2**63, 30, dtype="uint64")
    flips = np.array(
        [sum(1 << int(bit) for bit in rng.choice(64, n, replace=False)) for n in range(10)], dtype="uint64"
    )
    hashes = np.unique(np.concatenate([far, *(far[:5] ^ flip for flip in flips)]))
    found = {tuple(sorted(pair)) for pair in near_pairs(hashes, tolerance).tolist()}
    values = hashes.tolist()
    pairs = combinations(range(len(values)), 2)
    assert found == {pair for pair in pairs if n_different(*(values[position] for position in pair)) <= tolerance}

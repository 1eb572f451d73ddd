"""Perceptual hashes of images, and pairs of them that differ little."""

from itertools import count, pairwise

import numpy as np
from scipy.fft import dctn

#: Height and width that an image is brought to, and the frequencies of it that are looked at in each direction.
HASH_SIZE = (32, 32)
_N_FREQUENCIES = 8

#: Bits of a hash: one for each pair of frequencies but the lowest, which is the brightness.
N_BITS = _N_FREQUENCIES**2 - 1

#: Standard deviation of pixels, from 0 to 255, below which an image shows nothing.
_LEAST_CONTRAST = 1.0


def image_hash(pixels):
    """Return a number whose bits say which low frequencies of an image are stronger than half of them.

    Parameters
    ----------
    pixels : ndarray of shape (32, 32) or (32, 32, 1)
        Grey.

    Returns
    -------
    bits : int or None
        None for an image of a single colour, whose bits would be those of noise.

    References
    ----------
    .. [1] Zauner, C. (2010). "Implementation and Benchmarking of Perceptual Image Hash Functions". Master's thesis,
           Upper Austria University of Applied Sciences.
    """
    pixels = pixels.reshape(HASH_SIZE).astype("float64")
    if pixels.std() < _LEAST_CONTRAST:
        return None
    strengths = dctn(pixels, norm="ortho")[:_N_FREQUENCIES, :_N_FREQUENCIES].ravel()[1:]
    return int.from_bytes(np.packbits(strengths > np.median(strengths)), "big")


def near_pairs(hashes, tolerance):
    """Return the pairs of hashes that differ in a few bits.

    Of bits in `tolerance` + 1 bands at least one band is then the same, so that only hashes with a band in common are
    compared.

    Parameters
    ----------
    hashes : ndarray of uint64 of shape (n_hashes,)
        Each one once.
    tolerance : int
        Bits that may differ.

    Returns
    -------
    pairs : ndarray of int of shape (n_pairs, 2)
        Positions; a pair may occur several times.
    """
    edges = np.linspace(0, 64, tolerance + 2).astype(int)
    pairs = [np.empty((0, 2), dtype="int64")]
    for low, high in pairwise(edges.tolist()):
        band = hashes << np.uint64(64 - high) >> np.uint64(64 - high + low)
        order = np.argsort(band, kind="stable")
        for offset in count(1):
            one, other = order[:-offset], order[offset:]
            in_band = band[one] == band[other]
            if not in_band.any():
                break
            one, other = one[in_band], other[in_band]
            near = _n_set_bits(hashes[one] ^ hashes[other]) <= tolerance
            pairs.append(np.stack([one[near], other[near]], axis=1))
    return np.concatenate(pairs)


def _n_set_bits(numbers):
    return np.unpackbits(numbers.view("uint8").reshape(-1, 8), axis=1).sum(axis=1)

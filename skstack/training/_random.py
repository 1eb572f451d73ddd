"""Random numbers in a step of training: few operations each, the same however a step is compiled."""

import numpy as np

from .._backend import keras

ops = keras.ops

#: An odd number near 2 ** 32 divided by the golden ratio: multiples of it, modulo 2 ** 32, are spread evenly.
_SPREAD = np.uint32(0x9E3779B9)

#: Of Chris Wellons' hash function `lowbias32` (https://nullprogram.com/blog/2018/07/31/).
_FACTORS = np.uint32(0x7FEB352D), np.uint32(0x846CA68B)


def uniform(shape, seed_generator):
    """Return random numbers of the interval [0, 1).

    A number is a hash of its place, the seed, and how often was drawn before. The generators of the backends take some
    fifty operations for one, and XLA takes them anew wherever it is used: they were nine tenths of what a step of a
    small network with dropout took. XLA would also draw others than TensorFlow.

    Parameters
    ----------
    shape : tuple of int
        An entry may be a tensor.
    seed_generator : keras.random.SeedGenerator

    Returns
    -------
    numbers : tensor of float32
    """
    if keras.backend.backend() not in ("tensorflow", "jax"):
        return keras.random.uniform(shape, dtype="float32", seed=seed_generator)
    seed, count = ops.unstack(ops.cast(seed_generator.next(), "uint32"))
    n_numbers = 1
    for length in shape:
        n_numbers = n_numbers * length
    place = ops.reshape(ops.cast(ops.arange(n_numbers, dtype="int32"), "uint32"), shape)
    bits = _hashed(place * _SPREAD + _hashed(count * _SPREAD + seed))
    upper = ops.cast(ops.bitwise_right_shift(bits, np.uint32(8)), "int32")  # as many as a float32 tells apart
    return ops.cast(upper, "float32") * np.float32(2**-24)


def _hashed(bits):
    """Return a hash of integers of 32 bits, of which the upper bits count: the lower ones are not mixed any more."""
    for by, factor in zip((16, 15), _FACTORS, strict=True):
        bits = ops.bitwise_xor(bits, ops.bitwise_right_shift(bits, np.uint32(by))) * factor
    return bits

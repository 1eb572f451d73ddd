"""Random numbers in a step of training, the same however it is compiled."""

from .._backend import keras


def uniform(shape, seed_generator):
    """Return random numbers of the interval [0, 1).

    Keras's, but that XLA would draw others than TensorFlow does: it makes a number of the upper bits that it draws, and
    TensorFlow of the lower ones.

    Parameters
    ----------
    shape : tuple or tensor of int
    seed_generator : keras.random.SeedGenerator

    Returns
    -------
    numbers : tensor of float32
    """
    if keras.backend.backend() == "tensorflow":
        from ._tensorflow import uniform as of_tensorflow

        return of_tensorflow(shape, seed_generator.next())
    return keras.random.uniform(shape, dtype="float32", seed=seed_generator)

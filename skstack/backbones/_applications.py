"""The backbones of keras.applications: which there are, and what size and scale of pixels they were trained with."""

import inspect
import os
import sys

from .._suggestions import near_matches

#: Height and width that a backbone of keras.applications was trained with, where it is not `DEFAULT_SIDE`.
_SIZES = {
    "EfficientNetB1": 240,
    "EfficientNetB2": 260,
    "EfficientNetB3": 300,
    "EfficientNetB4": 380,
    "EfficientNetB5": 456,
    "EfficientNetB6": 528,
    "EfficientNetB7": 600,
    "EfficientNetV2B1": 240,
    "EfficientNetV2B2": 260,
    "EfficientNetV2B3": 300,
    "EfficientNetV2L": 480,
    "EfficientNetV2M": 480,
    "EfficientNetV2S": 384,
    "InceptionResNetV2": 299,
    "InceptionV3": 299,
    "NASNetLarge": 331,
    "Xception": 299,
}
DEFAULT_SIDE = 224


def application(name):
    """Return the function of keras.applications by its name, in upper or lower case."""
    known = applications()
    wanted = {known_name.lower(): known_name for known_name in known}.get(name.lower())
    if wanted is None:
        close = _close_names(name, known)
        raise ValueError(
            f"there is no backbone {name!r}.{f' Did you mean {close}?' if close else ''} Give a path that ends with "
            f".keras, a Keras model or one of {', '.join(sorted(known))}."
        )
    return known[wanted]


def _close_names(name, known):
    """Return what may be meant by a name that is none: the same file with an ending of models, or known names."""
    stem, ending = os.path.splitext(name)
    endings = near_matches(ending, (".keras", ".h5"))
    if endings:
        return repr(stem + endings[0])
    return " or ".join(map(repr, near_matches(name, known, n=3)))


def applications():
    """Return the functions of keras.applications by name."""
    from .._backend import keras

    functions = {name: getattr(keras.applications, name) for name in dir(keras.applications) if name[0].isupper()}
    return {name: function for name, function in functions.items() if inspect.isfunction(function)}


def trained_size(name):
    """Return height and width of the images that a backbone by name was trained with."""
    side = _SIZES.get(application(name).__name__, DEFAULT_SIDE)
    return side, side


def preprocess_input(function):
    """Return the function that scales pixels, from 0 to 255, as one of keras.applications wants them."""
    return sys.modules[function.__module__].preprocess_input

"""Which layers of something pretrained are trained, and how fast: functions on Keras layers, with one meaning for all.

`trainable` is False (nothing), True (everything), a number (so many of the last layers) or a pattern of names of layers
such as ``"block5*"``, as :func:`fnmatch.fnmatchcase` reads it.
"""

from fnmatch import fnmatchcase
from numbers import Integral

import numpy as np

#: Layers that an error names.
_MAX_NAMED = 8


def check_trainable(trainable):
    """Raise unless a value says which layers are trained.

    Parameters
    ----------
    trainable : bool, int or str

    Raises
    ------
    ValueError
        If it is neither a bool, a number above 0 nor the pattern of a name.
    """
    if _is_bool(trainable) or (isinstance(trainable, str) and trainable):
        return
    if not isinstance(trainable, Integral) or trainable < 1:
        raise ValueError(
            "The 'trainable' parameter should be True, False, how many of the last layers are trained (at least 1) or "
            f"a pattern of names of layers such as 'block5*', got {trainable!r}."
        )


def set_trainable(layer, trainable):
    """Set which layers of something pretrained are trained.

    Parameters
    ----------
    layer : keras.layers.Layer
        A built layer, or a model, whose layers are meant one by one, those of models inside of it too.
    trainable : bool, int or str
        False freezes all layers. True leaves them as they are: a layer that its owner froze stays frozen. A number
        trains so many of the last layers, whether they have weights or not, a pattern those whose names fit; the others
        are frozen.

    Raises
    ------
    ValueError
        If no layer with weights is chosen by a number or pattern.
    """
    if _is_bool(trainable):
        if not trainable:
            set_all_trainable(layer, False)
        return
    layers = single_layers(layer)
    if isinstance(trainable, str):
        chosen = [part for part in layers if fnmatchcase(part.name, trainable)]
    else:
        chosen = layers[-trainable:]
    if not any(part.weights for part in chosen):
        names = ", ".join(part.name for part in layers[-_MAX_NAMED:])
        raise ValueError(f"trainable={trainable!r} chooses no layer with weights; the last layers are {names}.")
    set_all_trainable(layer, True)
    kept = set(map(id, chosen))
    for part in layers:
        if id(part) not in kept:
            set_all_trainable(part, False)


def narrow_trainable(layer, trainable):
    """Set which of the layers that are trained stay so; what is frozen already is not thawed.

    Parameters
    ----------
    layer, trainable
        See :func:`set_trainable`.

    Raises
    ------
    ValueError
        If no layer with weights is chosen by a number or pattern.
    """
    frozen = [part for part in layer._flatten_layers() if not part.trainable]
    set_trainable(layer, trainable)
    for part in frozen:
        part.trainable = False


class AsItWas:
    """Which layers of a model are trained, and how fast, to go back to.

    Parameters
    ----------
    model : keras.Model
    """

    def __init__(self, model):
        self._trainable = [(layer, layer.trainable) for layer in model._flatten_layers()]
        self._multipliers = [
            (variable, getattr(variable, "learning_rate_multiplier", 1.0)) for variable in model.variables
        ]

    def restore(self):
        """Let the model train again what it did."""
        for layer, trainable in self._trainable:  # from the outside to the inside, which counts last
            layer.trainable = trainable
        for variable, multiplier in self._multipliers:
            variable.learning_rate_multiplier = multiplier


def set_all_trainable(layer, trainable):
    """Train, or freeze, a layer and all inside of it, whatever was frozen there before.

    Parameters
    ----------
    layer : keras.layers.Layer
    trainable : bool
    """
    for part in layer._flatten_layers():
        # On TensorFlow, a layer that is set to what it is already hands nothing on to those inside of it.
        part.trainable = trainable


def set_learning_rate_multiplier(layer, multiplier):
    """Set the factor of the learning rate for all weights of a layer: their attribute ``learning_rate_multiplier``.

    Parameters
    ----------
    layer : keras.layers.Layer
        Built.
    multiplier : float
    """
    for variable in layer.variables:
        variable.learning_rate_multiplier = float(multiplier)


def single_layers(layer):
    """Return the layers of a model in their order, those of models inside of it in their place; else the layer itself.

    A layer that wraps others, such as a bidirectional one, is a single one, as it is to whoever reads a summary.
    """
    parts = getattr(layer, "layers", None)
    return [single for part in parts for single in single_layers(part)] if parts else [layer]


def _is_bool(value):
    return isinstance(value, (bool, np.bool_))

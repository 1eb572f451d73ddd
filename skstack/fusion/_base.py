"""What a way of fusing feature vectors is, and how one is found by its name.

Every other module of this folder holds one way, a subclass of :class:`Fusion`, and is named like it with an underscore
in front: ``_gated.py`` is ``fusion="gated"``.
"""

import pkgutil
from abc import ABCMeta, abstractmethod
from importlib import import_module

from .._suggestions import did_you_mean


class Fusion(metaclass=ABCMeta):
    """A way of fusing the feature vectors of several branches."""

    @abstractmethod
    def fuse(self, features, name):
        """Return one feature vector.

        Layers of a way that has several stand in one model, see :func:`nested`: their names then cannot be those of
        other layers of the network.

        Parameters
        ----------
        features : list of keras.KerasTensor of shape (None, width_i)
            One for each branch, two at least.
        name : str
            Name of the only layer that the network gets.

        Returns
        -------
        fused : keras.KerasTensor of shape (None, width)
        """


class ElementwiseFusion(Fusion):
    """A way that Keras has a layer for which takes vectors of one width.

    Vectors of different widths are brought to the largest one by a dense layer each.
    """

    #: Name of the class in ``keras.layers``.
    layer = None

    def fuse(self, features, name):
        """Return what the layer makes of the feature vectors."""
        from .._backend import keras

        layer = getattr(keras.layers, self.layer)
        if len({vector.shape[-1] for vector in features}) == 1:
            return layer(name=name)(features)
        return nested(lambda vectors: layer(name="fused")(projected(vectors)), features, name)


def projected(features, activation=None):
    """Return feature vectors after a dense layer each, which brings them to the width of the largest one.

    Parameters
    ----------
    features : list of keras.KerasTensor of shape (None, width_i)
    activation : str, default=None
    """
    from .._backend import keras

    width = max(vector.shape[-1] for vector in features)
    return [
        keras.layers.Dense(width, activation=activation, name=f"project_{index}")(vector)
        for index, vector in enumerate(features)
    ]


def nested(fuse, features, name):
    """Return feature vectors fused by layers inside one model.

    Parameters
    ----------
    fuse : callable
        Takes the list of vectors, returns one.
    features : list of keras.KerasTensor of shape (None, width_i)
    name : str
        Name of the model.
    """
    from .._backend import keras

    inputs = [
        keras.Input(vector.shape[1:], dtype=vector.dtype, name=f"features_{index}")
        for index, vector in enumerate(features)
    ]
    return keras.Model(inputs, fuse(inputs), name=name)(features)


# --- by name, or by a layer -------------------------------------------------------------------------------------------


def fusion_names():
    """Return the names of all ways."""
    package = import_module(__package__)
    names = (module.name.removeprefix("_") for module in pkgutil.iter_modules(package.__path__))
    return sorted(name for name in names if name != "base")


def find_fusion(name):
    """Return the way of a name."""
    module = import_module(f"{__package__}._{name}")
    own = (value for value in vars(module).values() if getattr(value, "__module__", None) == module.__name__)
    return next(value for value in own if isinstance(value, type) and issubclass(value, Fusion))()


def check_fusion(fusion):
    """Raise unless feature vectors can be fused so.

    Parameters
    ----------
    fusion : str or keras.layers.Layer

    Raises
    ------
    ValueError
        If there is no way of this name.
    TypeError
        If it is neither a name nor a layer.
    """
    from .._backend import keras

    if isinstance(fusion, str):
        known = fusion_names()
        if fusion not in known:
            raise ValueError(f"unknown fusion {fusion!r}.{did_you_mean(fusion, known)} Known are {known}.")
    elif not isinstance(fusion, keras.layers.Layer):
        hint = ": did you forget the parentheses?" if isinstance(fusion, type) else "."
        raise TypeError(f"'fusion' should be the name of a way to fuse or a Keras layer, got {fusion!r}{hint}")


def fuse(fusion, features, name):
    """Return the feature vectors of branches as one.

    Parameters
    ----------
    fusion : str or keras.layers.Layer
        As :func:`check_fusion` takes it. A layer is called with the list of all vectors; it is a copy that is called,
        with weights of its own.
    features : list of keras.KerasTensor of shape (None, width_i)
        One for each branch, at least one. A single one comes back as it is.
    name : str
        Name of the layer that is made.

    Returns
    -------
    fused : keras.KerasTensor of shape (None, width)
    """
    if len(features) == 1:
        return features[0]
    if isinstance(fusion, str):
        return find_fusion(fusion).fuse(features, name)
    layer = type(fusion).from_config({**fusion.get_config(), "name": name})
    fused = layer(features)
    shape = getattr(fused, "shape", None)
    if shape is None or len(shape) != 2 or shape[1] is None:
        made = f"a {type(fused).__name__}" if shape is None else f"a tensor of shape {tuple(shape)}"
        raise ValueError(
            f"the layer given as fusion, {fusion!r}, should make one tensor of shape (None, width) of the list of "
            f"feature vectors, got {made}."
        )
    return fused

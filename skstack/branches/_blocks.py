"""Blocks of layers that several branches and the head of a network are made of, and checks of their settings."""

from numbers import Integral

from .._suggestions import did_you_mean

#: Keras's own 0.99 needs many hundred steps before the moving averages mean anything; folds are often shorter.
BATCH_NORM_MOMENTUM = 0.9

#: Given to every layer that asks, as Keras can be set to another default: cells hold their channels, or vectors, last.
CHANNELS_LAST = "channels_last"

#: Activations that Keras has as layers only, because they learn a weight or draw at random.
_ACTIVATION_LAYERS = {"prelu": "PReLU"}


def check_units(units, parameter):
    """Return `units` as a tuple of positive integers, or raise."""
    numbers = (units,) if isinstance(units, Integral) else tuple(units)
    if not all(isinstance(n, Integral) and not isinstance(n, bool) and n > 0 for n in numbers):
        raise ValueError(f"'{parameter}' should be a tuple of positive integers, got {units!r}.")
    # Keras takes Python's integers only, searches draw NumPy's.
    return tuple(int(n) for n in numbers)


def check_activation(name):
    """Raise if Keras knows no activation called `name`."""
    from .._backend import keras

    if name in _ACTIVATION_LAYERS:
        return
    try:
        keras.activations.get(name)
    except ValueError:
        others = ("get", "serialize", "deserialize")
        known = sorted({f for f in dir(keras.activations) if f[0] != "_" and f not in others} | {*_ACTIVATION_LAYERS})
        raise ValueError(f"unknown activation {name!r}.{did_you_mean(name, known)} Known are {known}.") from None


def activation_layer(activation, name):
    """Return a layer that applies an activation given by name."""
    from .._backend import keras

    if activation in _ACTIVATION_LAYERS:
        return getattr(keras.layers, _ACTIVATION_LAYERS[activation])(name=name)
    return keras.layers.Activation(activation, name=name)


def convolution_blocks(x, filters, activation, batch_norm, padding="valid"):
    """Return feature maps `x` after blocks of a 3 x 3 convolution and a halving of both sides by max pooling.

    Parameters
    ----------
    x : keras.KerasTensor of shape (None, height, width, channels)
    filters : tuple of int
        Filters of each block.
    activation : str
    batch_norm : bool
    padding : {"valid", "same"}, default="valid"
        Whether halving drops the last row or column of an odd number, or keeps it.
    """
    from .._backend import keras

    layers = keras.layers
    for index, n_filters in enumerate(check_units(filters, "filters"), 1):
        x = layers.Conv2D(n_filters, 3, padding="same", data_format=CHANNELS_LAST, name=f"conv_{index}")(x)
        if batch_norm:
            x = layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, name=f"conv_{index}_norm")(x)
        x = activation_layer(activation, f"conv_{index}_{activation}")(x)
        x = layers.MaxPooling2D(padding=padding, data_format=CHANNELS_LAST, name=f"halve_{index}")(x)
    return x


def for_members(features, n_members):
    """Return features repeated for each of several members, and what makes the dense layers that these share."""
    if n_members == 1:
        return features, None
    from ._member_layers import RepeatRows

    return RepeatRows(n_members, name="members")(features), dense_of_members(n_members, signs=True)


def dense_of_members(n_members, signs):
    """Return what makes the dense layers that members share, the first of which makes them differ, if it is to."""
    from ._member_layers import DenseOfMembers

    first = iter([signs])
    return lambda n_units, name: DenseOfMembers(n_units, n_members, next(first, False), name=name)


def dense_layers(x, units, activation, dropout, batch_norm, prefix, rename=str, dense=None):
    """Return `x` after dense layers, each followed by batch normalisation, its activation and dropout as wished.

    Parameters
    ----------
    x : keras.KerasTensor of shape (None, n_features)
    units : tuple of int
        Of each dense layer.
    activation : str
    dropout : float
    batch_norm : bool
    prefix : str
        The layers are called ``<prefix>_1``, ``<prefix>_1_norm``, and so on.
    rename : callable, default=str
        Takes each of these names and returns the one that the layer gets, for a network in which it may be taken.
    dense : callable, default=None
        Makes a dense layer from its units and its name, in the place of Keras's.
    """
    from .._backend import keras
    from ._layers import Dropout

    dense = dense or keras.layers.Dense
    for index, n_units in enumerate(check_units(units, "hidden"), 1):
        name = f"{prefix}_{index}"
        x = dense(n_units, name=rename(name))(x)
        if batch_norm:
            x = keras.layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, name=rename(f"{name}_norm"))(x)
        x = activation_layer(activation, rename(f"{name}_{activation}"))(x)
        if dropout:
            x = Dropout(dropout, name=rename(f"{name}_dropout"))(x)
    return x

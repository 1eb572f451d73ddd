"""What our own Keras layers tell the trainer about themselves."""

from ._backend import keras


class Layer(keras.layers.Layer):
    """Base class of our layers: a Keras layer with four properties that the trainer asks for.

    Layers of other packages have none of them, which the trainer reads as the values here.

    Attributes
    ----------
    vectorizable : bool
        Whether a step that trains the networks of several folds at once, with a leading axis of networks in every
        weight, computes this layer as fast as a step for each network. False is always right, and safe.
    value_settings : tuple of str
        Names in the config that are only initial values of variables of the layer: layers that differ in nothing else
        are trained by one compiled program.
    moves_rows : bool
        Whether a step moves only those rows of the table of an embedding that it has a gradient for, where the table is
        large; see :mod:`skstack.training._tables`.
    constants : list of keras.Variable
        Variables that training never changes, such as statistics of the training rows. Other non-trainable variables,
        such as moving averages, are a part of the state that a step returns.
    """

    vectorizable = False
    value_settings = ()
    moves_rows = False

    @property
    def constants(self):
        """Variables that training does not change."""
        return []

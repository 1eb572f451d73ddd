"""What the ways of :class:`~skstack.branches.TextBranch` to read texts have in common."""

from abc import ABCMeta, abstractmethod

from ..training._trainable import set_trainable


class TextReading(metaclass=ABCMeta):
    """A way to turn columns of texts into arrays, and these into a feature vector.

    Parameters
    ----------
    settings : object
        Has the parameters of the branch as attributes.

    Attributes
    ----------
    cell_shape : tuple of int
        Shape of an encoded row.
    dtype : str
        Of encoded rows.
    """

    def __init__(self, settings):
        self.settings = settings

    @abstractmethod
    def fit(self, X, sample_weight):
        """Learn from training rows what encoding needs, and set ``cell_shape`` and ``dtype``."""

    def learned(self):
        """Return the public attributes of the fitted branch, by name."""
        return {}

    @abstractmethod
    def encode(self, X):
        """Return rows as an array of shape (n_samples, *cell_shape)."""

    @abstractmethod
    def features(self, inputs):
        """Return the feature vector of symbolic encoded rows."""

    @abstractmethod
    def is_encoded_like(self, other):
        """Tell whether another reading, fitted to other rows, encodes every row as this one does."""

    @abstractmethod
    def is_built_like(self, other):
        """Tell whether another reading, fitted to other rows, builds the same layers."""

    @abstractmethod
    def assign_statistics(self, model):
        """Write what was learned from rows into the layers behind :meth:`features`."""

    # --- inspection -------------------------------------------------------------------------------------------------

    #: See :class:`~skstack.branches._inspectable.Inspectable`; what this returns is a mere feature of the whole text.
    attributed_layers = ()

    def in_detail(self):
        """Return a copy that computes the same from single vectors of tokens, if it is one of tokens."""
        return self

    def sum_over_parts(self, attributions, encoded):
        """Return attributions to the tokens, or to the text as a whole."""
        return attributions[0][0].sum(axis=-1)

    def token_names(self, encoded):
        """Return the tokens of rows, "" for padding, as an array of shape (n_rows, length), or None."""
        return None

    def pretrained_layer(self, model):
        """Return what the parameter `trainable` is about, or None."""
        return None

    def freeze(self, model):
        """Set which layers are trained; None for `trainable` trains all."""
        layer = self.pretrained_layer(model)
        if layer is not None and self.settings.trainable is not None:
            set_trainable(layer, self.settings.trainable)

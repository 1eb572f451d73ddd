"""What a branch is."""

from abc import ABCMeta, abstractmethod
from numbers import Integral, Real

from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

#: Keras's own 0.99 needs many hundred steps before the moving averages mean anything; folds are often shorter.
BATCH_NORM_MOMENTUM = 0.9

#: Activations that Keras has as layers only, because they learn a weight or draw at random.
_ACTIVATION_LAYERS = {"prelu": "PReLU"}


class Branch(BaseEstimator, metaclass=ABCMeta):
    """A description of how some columns become a tensor and how a Keras sub-network turns it into a feature vector.

    A branch predicts nothing by itself: it is a part of a network or stack, which clones it, fits it on the training
    rows (:meth:`fit`), encodes rows with it (:meth:`encode`) and builds its sub-network (:meth:`build`). A new kind of
    data is a subclass that implements :meth:`fit`, which sets ``input_shape_`` and ``input_dtype_``, :meth:`encode`
    and :meth:`features`.

    Parameters
    ----------
    hidden : tuple of int
        Units of the dense layers at the end of the branch; empty for none.
    activation : str
        Activation of these layers, by its Keras name, or "prelu".
    dropout : float
        Rate of the dropout after each of these layers.
    batch_norm : bool
        Whether to normalise over the batch between each of these layers and its activation.

    Attributes
    ----------
    input_shape_ : tuple of int
        Shape of one encoded row.
    input_dtype_ : str
        Dtype of the encoded rows.
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        "hidden": ["array-like", Integral],
        "activation": [str],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "batch_norm": ["boolean"],
    }

    #: Whether cells may be missing (NaN, None) in this branch as it is set.
    allow_missing = False

    @abstractmethod
    def fit(self, X, y=None):
        """Learn from training rows what encoding needs.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_columns) or ndarray of shape (n_samples, ...)
            The branch's columns.
        y : None
            Ignored.

        Returns
        -------
        self : Branch
            The fitted branch.
        """

    @abstractmethod
    def encode(self, X):
        """Turn rows into the array that the sub-network takes.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_columns) or ndarray of shape (n_samples, ...)
            The branch's columns.

        Returns
        -------
        encoded : ndarray of shape (n_samples, *input_shape_)
        """

    @abstractmethod
    def features(self, inputs):
        """Return the feature vector of symbolic `inputs`, before the dense layers that every branch ends with.

        Parameters
        ----------
        inputs : keras.KerasTensor of shape (None, *input_shape_)

        Returns
        -------
        features : keras.KerasTensor of shape (None, n_features)
        """

    def is_encoded_like(self, other):
        """Tell whether another fitted branch of the same parameters encodes every row as this one does.

        Networks of several folds then share encoded rows. False, which is always safe, unless a branch knows better.

        Parameters
        ----------
        other : Branch
            Fitted on other rows.
        """
        return False

    def is_built_like(self, other):
        """Tell whether another fitted branch of the same parameters builds the same layers as this one.

        Networks of several folds then share a compiled program and, for the same seed, initial weights; what `fit`
        learned has to be poured in by :meth:`pour`. False, which is always safe, unless a branch knows better.

        Parameters
        ----------
        other : Branch
            Fitted on other rows.
        """
        return False

    def pour(self, model):
        """Write what :meth:`fit` learned into the non-trainable weights of a sub-network that :meth:`build` made."""

    def build(self, name):
        """Build the sub-network, with what :meth:`fit` learned in its weights.

        Parameters
        ----------
        name : str
            Name of the sub-network and of its input.

        Returns
        -------
        model : keras.Model
            From one encoded input to a feature vector.
        """
        model = self.assemble(name)
        self.pour(model)
        return model

    def assemble(self, name):
        """Build the sub-network with its initial weights alone; see :meth:`build`."""
        from .._backend import keras

        check_is_fitted(self)
        inputs = keras.Input(self.input_shape_, dtype=self.input_dtype_, name=name)
        features = self.features(inputs)
        outputs = dense_layers(features, self.hidden, self.activation, self.dropout, self.batch_norm, prefix="dense")
        return keras.Model(inputs, self.finish(features, outputs), name=name)

    def finish(self, features, outputs):
        """Return the output of the sub-network; a branch with a skip connection joins `features` to `outputs`.

        Parameters
        ----------
        features : keras.KerasTensor of shape (None, n_features)
            What :meth:`features` returned.
        outputs : keras.KerasTensor of shape (None, n_outputs)
            The same after the dense layers.
        """
        return outputs

    def check_parameters(self):
        """Raise if a parameter has a value that no training could use."""
        self._validate_params()
        check_units(self.hidden, "hidden")
        check_activation(self.activation)


def check_units(units, parameter):
    """Return `units` as a tuple of positive integers, or raise."""
    units = (units,) if isinstance(units, Integral) else tuple(units)
    if not all(isinstance(n, Integral) and n > 0 for n in units):
        raise ValueError(f"'{parameter}' should be a tuple of positive integers, got {units}.")
    return units


def check_activation(name):
    """Raise if Keras knows no activation called `name`."""
    from .._backend import keras

    if name in _ACTIVATION_LAYERS:
        return
    try:
        keras.activations.get(name)
    except ValueError:
        known = sorted(
            {f for f in dir(keras.activations) if f[0] != "_" and f not in ("get", "serialize", "deserialize")}
        )
        raise ValueError(f"unknown activation {name!r}; known are {known} and 'prelu'.") from None


def activation_layer(activation, name):
    """Return a layer that applies an activation given by name."""
    from .._backend import keras

    if activation in _ACTIVATION_LAYERS:
        return getattr(keras.layers, _ACTIVATION_LAYERS[activation])(name=name)
    return keras.layers.Activation(activation, name=name)


def dense_layers(x, units, activation, dropout, batch_norm, prefix):
    """Return `x` after dense layers, each followed by batch normalisation, its activation and dropout as wished."""
    from .._backend import keras
    from ._layers import Dropout

    for number, n_units in enumerate(check_units(units, "hidden"), 1):
        x = keras.layers.Dense(n_units, name=f"{prefix}_{number}")(x)
        if batch_norm:
            x = keras.layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, name=f"{prefix}_{number}_norm")(x)
        x = activation_layer(activation, f"{prefix}_{number}_{activation}")(x)
        if dropout:
            x = Dropout(dropout, name=f"{prefix}_{number}_dropout")(x)
    return x

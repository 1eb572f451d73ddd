"""What a branch is."""

from abc import ABCMeta, abstractmethod
from contextlib import nullcontext
from numbers import Integral, Real

from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from .._doc_links import DocLinkMixin
from .._parts import check_instance
from .._suggestions import SuggestingParams
from ..training._seeds import numpy_seeded
from ..training._trainable import check_trainable, set_trainable
from ._blocks import check_activation, check_units, dense_layers, for_members
from ._inspectable import Inspectable
from ._rows import RowEncoder

#: Ways to merge the feature vectors of several columns.
MERGES = ("concatenate", "add", "subtract", "multiply", "dot", "average", "maximum")

#: Name of the sub-network that several columns share.
_ENCODER = "encoder"


class Branch(DocLinkMixin, SuggestingParams, RowEncoder, Inspectable, BaseEstimator, metaclass=ABCMeta):
    """A description of how some columns become a tensor and how a Keras sub-network turns it into a feature vector.

    A branch predicts nothing by itself: it is a part of a network or stack, which clones it, fits it on the training
    rows (:meth:`fit`), encodes rows with it (:meth:`encode`) and builds its sub-network (:meth:`build`).

    A new kind of data is a subclass with a constructor and three methods, see :ref:`new_modality`:

    - ``_fit(X)`` learns from training rows what encoding needs, and sets ``cell_shape_`` and ``input_dtype_``; if it
      has a parameter `sample_weight` too, it gets the weights of the rows or None;
    - ``_encode(X)`` returns an array of shape ``(n_samples, *cell_shape_)`` and that dtype;
    - ``features(inputs)`` turns a symbolic input of shape ``(None, *cell_shape_)`` into a feature vector.

    Its constructor can have any of the parameters below, which the methods of this class use; for those that it leaves
    out the values of this class count.

    Parameters
    ----------
    hidden : tuple of int, default=()
        Units of the dense layers at the end of the branch; empty for none.
    activation : str, default="relu"
        Activation of these layers, by its Keras name, or "prelu".
    dropout : float, default=0.0
        Rate of the dropout after each of these layers.
    batch_norm : bool, default=False
        Whether to normalise over the batch between each of these layers and its activation.
    shared : bool, default=False
        Whether each column goes through the same sub-network by itself (a Siamese network), rather than all of them
        together.
    merge : {"concatenate", "add", "subtract", "multiply", "dot", "average", "maximum"}, \
            default="concatenate"
        How the feature vectors of shared columns become one. "subtract" takes two columns.
    trainable : bool, int or str, default=True
        Which of the pretrained layers training changes: all (True), none (False), the last so many, or those whose
        names fit a pattern such as ``"block5*"``. Layers that stay as they are keep the averages of their batch
        normalisation. It concerns branches that start from something pretrained, see :meth:`pretrained_layer`.

    Attributes
    ----------
    cell_shape_ : tuple of int
        Shape of what the sub-network takes at a time.
    input_shape_ : tuple of int
        Shape of one encoded row: ``cell_shape_``, with the number of columns in front if `shared`.
    input_dtype_ : str
        Dtype of the encoded rows.
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        "hidden": ["array-like", Integral],
        "activation": [str],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "batch_norm": ["boolean"],
        "shared": ["boolean"],
        "merge": [StrOptions(set(MERGES))],
    }

    hidden, activation, dropout, batch_norm, shared, merge = (), "relu", 0.0, False, False, "concatenate"
    trainable = True
    item_pooling = None

    #: Whether cells may be missing in this branch as it is set.
    allow_missing = True

    #: Whether ``_fit`` and ``_encode`` take sparse matrices too.
    accept_sparse = False

    #: Whether a row whose cells are all missing gets a trained vector in place of its features. ``_fit`` and
    #: ``_encode`` never see such a row. A branch that treats missing cells itself sets this to False.
    missing_embedding = True

    #: Whether there is little to compute for a row, so that several networks may be trained for one.
    is_light = False

    @abstractmethod
    def _fit(self, X):
        """Learn from training rows what encoding needs, and set ``cell_shape_`` and ``input_dtype_``.

        A branch that learns means or quantiles takes a second argument, ``sample_weight=None``: the weights of the
        rows, all above 0.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_columns) or ndarray of shape (n_samples, ...)
            The branch's columns; one of them at a time if `shared`.
        """

    @abstractmethod
    def _encode(self, X):
        """Return rows as an array of shape (n_samples, *cell_shape_) and dtype ``input_dtype_``.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_columns) or ndarray of shape (n_samples, ...)
            As for ``_fit``.
        """

    @abstractmethod
    def features(self, inputs):
        """Return the feature vector of symbolic `inputs`, before the dense layers that every branch ends with.

        Parameters
        ----------
        inputs : keras.KerasTensor of shape (None, *cell_shape_)

        Returns
        -------
        features : keras.KerasTensor of shape (None, n_features)
        """

    # --- sub-network ------------------------------------------------------------------------------------------------

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
        learned has to be assigned by :meth:`assign_statistics_to`. False, which is always safe, unless a branch knows
        better.

        Parameters
        ----------
        other : Branch
            Fitted on other rows.
        """
        return False

    def assign_statistics(self, model):
        """Write what `fit` learned into the non-trainable weights of the layers behind :meth:`features`.

        Parameters
        ----------
        model : keras.Model
            Holds these layers.
        """

    def assign_statistics_to(self, model):
        """Write what `fit` learned into a sub-network that :meth:`assemble` made."""
        self.assign_statistics(model.get_layer(_ENCODER) if self.uses else model)

    def build(self, name):
        """Build the sub-network, with what :meth:`fit` learned in its weights.

        Parameters
        ----------
        name : str
            Name of the sub-network and of its input.

        Returns
        -------
        model : keras.Model
            From one encoded input to a feature vector for each use, of shape (None, *uses, n_features).
        """
        model = self.assemble(name)
        self.assign_statistics_to(model)
        return model

    def assemble(self, name, n_members=1):
        """Build the sub-network with its initial weights alone; see :meth:`build`.

        Parameters
        ----------
        name : str
        n_members : int, default=1
            How many members share the weights of the network. A sub-network with adapters for them, see
            :attr:`has_adapters`, returns so many rows for each.
        """
        check_is_fitted(self)
        with numpy_seeded() if self._runs_code_of_user() else nullcontext():
            return self._assemble(name, n_members if self.has_adapters else 1)

    @property
    def has_adapters(self):
        """Whether members that share weights differ in the dense layers at the end of this branch."""
        return bool(check_units(self.hidden, "hidden")) and not self.uses

    def _runs_code_of_user(self):
        """Tell whether building runs code that may draw from NumPy's global generator, as ours never does."""
        return type(self).__module__.partition(".")[0] != "skstack"

    def _assemble(self, name, n_members=1):
        if not self.uses:
            return self._assemble_encoder(name, n_members)
        return _for_each_use(self._assemble_encoder(_ENCODER), self.uses, name)

    def _assemble_encoder(self, name, n_members=1):
        from .._backend import keras

        inputs = keras.Input(self.cell_shape_, dtype=self.input_dtype_, name=name)
        features, dense = for_members(self.features(inputs), n_members)
        settings = self.hidden, self.activation, self.dropout, self.batch_norm
        outputs = dense_layers(features, *settings, prefix="dense", dense=dense)
        model = keras.Model(inputs, self.finish(features, outputs), name=name)
        self.freeze(model)
        return model

    def freeze(self, model):
        """Set which pretrained layers are trained: those that the parameter `trainable` names.

        Parameters
        ----------
        model : keras.Model
            Holds the layers behind :meth:`features`.
        """
        pretrained = self.pretrained_layer(model)
        if pretrained is not None:
            set_trainable(pretrained, self.trainable)

    def pretrained_layer(self, model):
        """Return what the parameter `trainable` is about, or None for a branch in which all layers begin at random.

        Parameters
        ----------
        model : keras.Model
            Holds the layers behind :meth:`features`.

        Returns
        -------
        layer : keras.layers.Layer or None
            One of these layers, or a model, whose layers are then meant one by one. To train it more slowly than the
            rest, give its variables an attribute ``learning_rate_multiplier``.
        """
        return None

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
        for name, value in self.get_params(deep=False).items():
            if hasattr(value, "fit"):
                check_instance(value, f"{name!r} of {type(self).__name__}")
        self._validate_params()
        check_units(self.hidden, "hidden")
        check_activation(self.activation)
        self._check_trainable()

    def _check_trainable(self):
        check_trainable(self.trainable)


def _for_each_use(encoder, uses, name):
    """Return a model that puts each of several cells of a row through one encoder."""
    from .._backend import keras

    cell_shape = encoder.input_shape[1:]
    inputs = keras.Input((*uses, *cell_shape), dtype=encoder.inputs[0].dtype, name=name)
    features = encoder(keras.ops.reshape(inputs, (-1, *cell_shape)))
    return keras.Model(inputs, keras.ops.reshape(features, (-1, *uses, features.shape[-1])), name=name)


def check_no_branch_inside(part, what):
    """Raise if a branch is, or is inside of, what should be an estimator, such as a pipeline; `what` names it."""
    inside = [*part.get_params(deep=False).values()] if hasattr(part, "get_params") else []
    inside += [step for _, step in getattr(part, "steps", ())]
    for branch in (value for value in [part, *inside] if isinstance(value, Branch)):
        name = type(branch).__name__
        holder = "" if branch is part else f"{type(part).__name__} with a "
        raise TypeError(
            f"{what} is a {holder}{name}: a branch is no estimator and predicts nothing by itself. "
            f"Give it as a part of its own, (name, {name}(...), columns)."
        )

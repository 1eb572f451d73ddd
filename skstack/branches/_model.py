"""Branch around any Keras model of the user's own."""

import inspect

import numpy as np

from ..reading._cells import array_cells, numbers, row_name
from ._base import Branch
from ._blocks import CHANNELS_LAST


class ModelBranch(Branch):
    """Branch around a Keras model of the user's own.

    Parameters
    ----------
    model : keras.Model or callable
        A model from one input to features, which is copied with its weights for every fit; or a function of the shape
        of one row, such as ``(3,)`` or ``(28, 28, 1)``, that returns such a model.
    trainable : bool, int or str, default=True
        Which of the pretrained layers training changes: all (True), none (False), the last so many, or those whose
        names fit a pattern such as ``"block5*"``. Layers that stay as they are keep the averages of their batch
        normalisation. With True, a layer that is frozen in the given model stays so.
    hidden : tuple of int, default=()
        Units of dense layers behind the model; empty for none.
    activation : str, default="relu"
        Activation of the dense layers, by its Keras name, or "prelu".
    dropout : float, default=0.0
        Rate of the dropout after each dense layer.
    batch_norm : bool, default=False
        Whether to normalise over the batch before each activation.
    shared : bool, default=False
        Whether each column goes through the same sub-network by itself (a Siamese network).
    merge : {"concatenate", "add", "subtract", "multiply", "dot", "average", "maximum"}, default="concatenate"
        How the feature vectors of shared columns become one.

    Attributes
    ----------
    input_shape_ : tuple of int
        Shape of one row: ``(n_columns,)`` for columns of numbers, the shape of a cell for a column of tensors.
    input_dtype_ : str
        The dtype of the model's input; "float32" where a function builds the model.

    Examples
    --------
    >>> import numpy as np
    >>> from skstack.branches import ModelBranch
    >>> def build(input_shape):
    ...     import keras
    ...     return keras.Sequential([keras.Input(input_shape), keras.layers.Dense(4)])
    >>> ModelBranch(build).fit(np.zeros((5, 3))).build("mine").output_shape
    (None, 4)
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        **Branch._parameter_constraints,
        "model": [callable],
    }

    def __init__(
        self,
        model,
        *,
        trainable=True,
        hidden=(),
        activation="relu",
        dropout=0.0,
        batch_norm=False,
        shared=False,
        merge="concatenate",
    ):
        self.model = model
        self.trainable = trainable
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.shared = shared
        self.merge = merge

    def _fit(self, X):
        self.input_dtype_ = "float32"
        self.cell_shape_ = self._tensors(X).shape[1:]
        if self._is_model():
            self._check_model(self.model)
            self.input_dtype_ = str(self.model.inputs[0].dtype)

    def _encode(self, X):
        tensors = self._tensors(X)
        if tensors.shape[1:] != self.cell_shape_:
            raise ValueError(f"expected rows of shape {self.cell_shape_} as in training, got {tensors.shape[1:]}.")
        with np.errstate(over="ignore"):
            encoded = tensors.astype(self.input_dtype_, copy=False)
        lost = encoded != tensors if encoded.dtype.kind in "iu" else np.isinf(encoded)
        if lost.any():
            first = tuple(np.argwhere(lost)[0])
            raise ValueError(
                f"the model takes {self.input_dtype_}, which cannot hold {tensors[first]} in {row_name(X, first[0])}."
            )
        return encoded

    def features(self, inputs):
        """Return the model's features of symbolic `inputs` of shape (None, *input_shape_)."""
        from .._backend import keras

        model = self._copy() if self._is_model() else self.model(self.cell_shape_)
        if not isinstance(model, keras.Model):
            raise TypeError(f"the function given as model should return a keras.Model, got {model!r}.")
        self._check_model(model)
        outputs = _with_free_name(model, inputs.name)(inputs)
        return outputs if len(outputs.shape) == 2 else keras.layers.Flatten(CHANNELS_LAST, name="flatten")(outputs)

    def pretrained_layer(self, model):
        """Return the user's model inside of the sub-network."""
        return model.layers[1]  # the first behind the input, whatever it is called

    def is_encoded_like(self, other):
        """Tell whether another fitted branch encodes every row as this one does."""
        return (self.input_dtype_, self.cell_shape_) == (other.input_dtype_, other.cell_shape_)

    def is_built_like(self, other):
        """Tell whether another fitted branch builds the same layers."""
        return self.is_encoded_like(other)

    def _runs_code_of_user(self):
        return True

    def _is_model(self):
        # A function is never a model; asking so keeps Keras out of the way of functions.
        return not inspect.isroutine(self.model) and hasattr(self.model, "layers")

    def _copy(self):
        from .._backend import keras

        copied = keras.models.clone_model(self.model)
        copied.set_weights(self.model.get_weights())
        return copied

    def _check_model(self, model):
        if not getattr(model, "inputs", None):
            raise ValueError(f"the model should know its inputs, as one made from keras.Input does, got {model!r}.")
        if len(model.inputs) != 1 or len(model.outputs) != 1:
            raise ValueError(
                f"the model should have one input and one output, got {len(model.inputs)} and {len(model.outputs)}."
            )
        expected = tuple(model.inputs[0].shape[1:])
        fits = len(expected) == len(self.cell_shape_) and all(
            size in (None, given) for size, given in zip(expected, self.cell_shape_, strict=True)
        )
        if not fits:
            raise ValueError(f"the model takes rows of shape {expected}, the columns give rows of {self.cell_shape_}.")

    def _tensors(self, X):
        tensors = array_cells(X)
        tensors = numbers(X) if tensors is None else tensors
        for holds, what in ((np.isnan, "NaN"), (np.isinf, "infinity")) if tensors.dtype.kind == "f" else ():
            if holds(tensors).any():
                raise ValueError(f"Input X contains {what} in {row_name(X, np.argwhere(holds(tensors))[0][0])}.")
        return tensors


def _with_free_name(model, name_of_input):
    """Return a model, inside of another one if other layers of the sub-network are, or may be, called like it."""
    from .._backend import keras

    if model.name not in (name_of_input, "flatten") and not model.name.startswith("dense_"):
        return model
    inputs = keras.Input(model.inputs[0].shape[1:], dtype=model.inputs[0].dtype, name="inputs")
    return keras.Model(inputs, model(inputs), name="model")

"""Pictures."""

from functools import partial
from numbers import Integral
from os import PathLike

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Options, StrOptions

from ..preprocessing._image_columns import read_column
from ._base import BATCH_NORM_MOMENTUM, Branch, activation_layer, check_units
from ._cells import row_name, tensor_cells


class ImageBranch(Branch):
    """Branch for one column of pictures: a small convolutional network trained from scratch.

    A block of the network is a 3 x 3 convolution and a halving of height and width by max pooling. Pictures are
    decoded once, however many folds use them; columns larger than memory are kept on disk, as
    :func:`~skstack.preprocessing.clear_image_cache` describes.

    Parameters
    ----------
    size : tuple of int, default=(64, 64)
        Height and width, in pixels, that pictures are brought to.
    channels : {1, 3, 4}, default=3
        1 for grey, 3 for RGB, 4 for RGBA; pictures of another kind are converted.
    resize : {"pad", "crop", "stretch"}, default="pad"
        How a picture of another shape is fitted: padded with black, cropped at the centre, or stretched.
    root : str or path-like, default=None
        Folder that relative paths start from; the working directory by default.
    filters : tuple of int, default=(16, 32, 64)
        Filters of the convolution in each block.
    pooling : {"avg", "max", "flatten"}, default="avg"
        How the last feature maps become a vector: their average, their maximum or all their values.
    hidden : tuple of int, default=(32,)
        Units of the dense layers; empty for none.
    activation : str, default="relu"
        Activation of the convolutions and dense layers, by its Keras name, or "prelu".
    dropout : float, default=0.0
        Rate of the dropout in front of and after each dense layer.
    batch_norm : bool, default=False
        Whether to normalise over the batch before each activation.
    shared : bool, default=False
        Whether each column goes through the same sub-network by itself (a Siamese network).
    merge : {"concatenate", "add", "subtract", "multiply", "dot", "average", "maximum"}, default="concatenate"
        How the feature vectors of shared columns become one.

    Attributes
    ----------
    input_shape_ : tuple of int
        ``(*size, channels)``.
    input_dtype_ : str
        "uint8".

    Examples
    --------
    >>> import numpy as np
    >>> from skstack.branches import ImageBranch
    >>> pictures = np.zeros((5, 28, 28), dtype="uint8")
    >>> branch = ImageBranch(size=(28, 28), channels=1, filters=(8, 16)).fit(pictures)
    >>> branch.encode(pictures).shape
    (5, 28, 28, 1)
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        **Branch._parameter_constraints,
        "size": [tuple, list],
        "channels": [Options(Integral, {1, 3, 4})],
        "resize": [StrOptions({"pad", "crop", "stretch"})],
        "root": [str, PathLike, None],
        "filters": ["array-like", Integral],
        "pooling": [StrOptions({"avg", "max", "flatten"})],
    }

    def __init__(
        self,
        size=(64, 64),
        *,
        channels=3,
        resize="pad",
        root=None,
        filters=(16, 32, 64),
        pooling="avg",
        hidden=(32,),
        activation="relu",
        dropout=0.0,
        batch_norm=False,
        shared=False,
        merge="concatenate",
    ):
        self.size = size
        self.channels = channels
        self.resize = resize
        self.root = root
        self.filters = filters
        self.pooling = pooling
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.shared = shared
        self.merge = merge

    def check_parameters(self):
        """Raise if a parameter has a value that no training could use."""
        super().check_parameters()
        if len(check_units(self.size, "size")) != 2:
            raise ValueError(f"'size' should be height and width in pixels, got {self.size}.")
        halvings = len(check_units(self.filters, "filters"))
        if min(self.size) < 2**halvings:
            raise ValueError(
                f"{halvings} blocks halve height and width {halvings} times: size={tuple(self.size)} should be at "
                f"least {2**halvings} pixels each way, or 'filters' shorter than {self.filters}."
            )

    def _fit(self, X):
        self.cell_shape_ = (*self.size, self.channels)
        self.input_dtype_ = "uint8"

    def _encode(self, X):
        tensors = tensor_cells(X)
        if tensors is not None:
            tensors = _with_channels(tensors)
            if tensors.dtype == np.uint8 and tensors.shape[1:] == self.cell_shape_:
                return tensors
        cells = _single_column(X) if tensors is None else tensors
        return read_column(
            list(cells),
            size=tuple(self.size),
            channels=self.channels,
            resize=self.resize,
            root=self.root,
            store=tensors is None,  # tensors are in memory already
            name_row=partial(row_name, X),
        )

    def features(self, inputs):
        """Return the pooled feature maps of symbolic `inputs` of shape (None, height, width, channels)."""
        from .._backend import keras

        layers = keras.layers
        x = layers.Rescaling(1 / 127.5, offset=-1.0, name="rescale")(inputs)
        for number, filters in enumerate(check_units(self.filters, "filters"), 1):
            x = layers.Conv2D(filters, 3, padding="same", name=f"conv_{number}")(x)
            if self.batch_norm:
                x = layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, name=f"conv_{number}_norm")(x)
            x = activation_layer(self.activation, f"conv_{number}_{self.activation}")(x)
            x = layers.MaxPooling2D(name=f"halve_{number}")(x)
        pool = {"avg": layers.GlobalAveragePooling2D, "max": layers.GlobalMaxPooling2D, "flatten": layers.Flatten}
        x = pool[self.pooling](name="pool")(x)
        return layers.Dropout(self.dropout, name="pool_dropout")(x) if self.dropout else x


def _with_channels(tensors):
    if tensors.ndim not in (3, 4) or (tensors.ndim == 4 and tensors.shape[-1] not in (1, 3, 4)):
        raise ValueError(
            "expected images of shape (height, width) or (height, width, channels) with 1, 3 or 4 channels, "
            f"got cells of shape {tensors.shape[1:]}."
        )
    return tensors[..., np.newaxis] if tensors.ndim == 3 else tensors


def _single_column(X):
    if X.ndim != 2 or X.shape[1] != 1:
        raise ValueError(
            f"expected one column of images, got {X.shape[1]} columns; give each column of images a branch of its own, "
            "and an array of images the shape (n_samples, height, width, channels)."
        )
    return X.iloc[:, 0] if isinstance(X, pd.DataFrame) else X[:, 0]

"""Branch for images: a pretrained backbone, or a small convolutional network from scratch."""

from collections.abc import Mapping
from copy import copy
from functools import partial
from numbers import Integral, Real
from os import PathLike

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Interval, Options, StrOptions

from ..backbones._backbone import pooled
from ..backbones._image_features import image_features
from ..backbones._loading import backbone_shape, check_backbone, copied, fresh_backbone, load_backbone
from ..backbones._wish import CONSTRAINTS, SharesBackbone, Wish
from ..reading._cells import row_name, tensor_cells
from ..reading._image_columns import read_column
from ..training._trainable import set_all_trainable
from ._blocks import CHANNELS_LAST, check_units, convolution_blocks
from ._items import ItemsBranch

#: Height and width of images for a network without a backbone.
_SIZE = (64, 64)

#: Strength of each way to augment images, where the user gives none.
_STRENGTHS = {"flip": "horizontal", "rotation": 0.05, "zoom": 0.1, "translation": 0.1, "contrast": 0.2}


class ImageBranch(SharesBackbone, ItemsBranch):
    """Branch for one column of images: a pretrained backbone, or a small convolutional network from scratch.

    A backbone that stays as it is (``trainable=False`` without `augment`) turns each image into features once: they
    are kept in memory and on disk, so that folds, searches and later processes find them, see
    :func:`~skstack.preprocessing.clear_embedding_cache`. The sub-network starts from these features. One that is
    trained further, or sees its images changed at random, is a part of the sub-network.

    Without a backbone, a block of the network is a 3 x 3 convolution and a halving of height and width by max pooling.
    Images are decoded once, however many folds use them; columns larger than memory are kept on disk, as
    :func:`~skstack.preprocessing.clear_image_cache` describes.

    Parameters
    ----------
    size : tuple of int, default=None
        Height and width, in pixels, that images are brought to. By default the size that the backbone takes, or was
        trained with; (64, 64) without a backbone.
    channels : {1, 3, 4}, default=3
        1 for grey, 3 for RGB, 4 for RGBA; images of another kind are converted.
    resize : {"pad", "crop", "stretch"}, default="pad"
        How an image of another shape is fitted: padded with black, cropped at the centre, or stretched.
    root : str or path-like, default=None
        Folder that relative paths start from; the working directory by default. A path that leads out of it, by itself
        or by a symbolic link, is not read.
    allow_outside_root : bool, default=False
        Whether paths that lead out of `root` are read. A model that is served gets paths from strangers.
    on_error : {"raise", "missing"}, default="raise"
        What a file means that is not there, may not be read or cannot be decoded: an error, or a missing image. An
        image of more than ``PIL.Image.MAX_IMAGE_PIXELS`` pixels is not decoded.
    backbone : str, path-like or keras.Model, default=None
        Name of a model in ``keras.applications`` such as "EfficientNetB0" (upper or lower case), path of a ``.keras``
        file, or a model of one input. Or a preset of KerasHub such as "keras_hub:vit_base_patch16_224_imagenet", which
        needs ``pip install "skstack[images]"``; its name may also be a folder, or a handle of Kaggle or Hugging Face.
        None for a network from scratch.
    weights : str or path-like, default="imagenet"
        For a backbone by name, "imagenet" (which Keras fetches from the internet when it is first used), the path of a
        file with the weights of the model without its top, or None for random ones, which have to be trained. Other
        backbones have weights already; a path replaces them.
    feature_layer : str, default=None
        Name of the backbone's layer whose output is taken; the output of the whole by default (for a backbone by name,
        without its top).
    preprocess : {"auto", "tf", "torch", "caffe"}, keras.layers.Layer or None, default="auto"
        How pixels from 0 to 255 are scaled for the backbone: to -1 to 1 ("tf"); by the means and standard deviations
        of ImageNet ("torch"); centred, from blue to red ("caffe"); by a Keras layer; or not at all (None). "auto" does
        what a backbone by name was trained with, and nothing for a file or model that begins with a Rescaling or
        Normalization layer; other files and models do not say what they were trained with, so it has to be given.
    trainable : bool, int or str, default=False
        Which of the pretrained layers training changes: all (True), none (False), the last so many, or those whose
        names fit a pattern such as ``"block5*"``. Layers that stay as they are keep the averages of their batch
        normalisation. That of a backbone with weights keeps them in any case.
    backbone_learning_rate : float, default=0.1
        Factor of the network's learning rate for the weights of the backbone.
    augment : tuple of str or dict, default=None
        How images are changed at random, in training only: any of "flip", "rotation", "zoom", "translation" and
        "contrast". A dict gives strengths too: "horizontal", "vertical" or "both" for "flip" (default "horizontal"),
        the largest angle as a part of a full turn (0.05), the largest part by which size (0.1) and contrast (0.2)
        change, and the furthest way as a part of height and width (0.1).
    filters : tuple of int, default=(16, 32, 64)
        Filters of the convolution in each block, without a backbone.
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
    item_pooling : {"avg", "max", "attention"} or None, default=None
        How the feature vectors of several images in one cell become one: their average, their maximum, or a mean that
        attention weighs [1]_. A cell is then a list of any length, or a single image; an empty list is missing.
        ``None`` takes one image to a cell.
    max_items : int, default=16
        How many images are read of a cell, at most: the first ones, with a warning where there are more.

    Attributes
    ----------
    n_items_ : int
        With `item_pooling`, how many images are read of a cell: the longest list of the training rows, rounded up to
        1, 2, 3, 4, 6, 8, 12, 16, and so on, and `max_items` at most.
    input_shape_ : tuple of int
        ``(*size, channels)``, or the number of features of a frozen backbone; with the number of columns in front if
        `shared`, and `n_items_` behind it.
    input_dtype_ : str
        "uint8"; "float32" for features.

    See Also
    --------
    skstack.preprocessing.ImageEmbedder : The features of a frozen backbone for any estimator.

    References
    ----------
    .. [1] Ilse, M., Tomczak, J. M. and Welling, M. (2018). "Attention-based Deep Multiple Instance Learning".
           ICML 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skstack.branches import ImageBranch
    >>> images = np.zeros((5, 28, 28), dtype="uint8")
    >>> branch = ImageBranch(size=(28, 28), channels=1, filters=(8, 16)).fit(images)
    >>> branch.encode(images).shape
    (5, 28, 28, 1)

    A backbone of one's own, here one that has learned nothing yet:

    >>> import keras
    >>> layers = [keras.Input((28, 28, 1)), keras.layers.Conv2D(4, 3, name="conv"), keras.layers.Flatten()]
    >>> backbone = {"backbone": keras.Sequential(layers), "feature_layer": "conv", "preprocess": "tf"}
    >>> branch = ImageBranch(channels=1, **backbone).fit(images)
    >>> branch.encode(images).shape
    (5, 4)
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        **ItemsBranch._parameter_constraints,
        **CONSTRAINTS,
        "size": [tuple, list, None],
        "channels": [Options(Integral, {1, 3, 4})],
        "resize": [StrOptions({"pad", "crop", "stretch"})],
        "root": [str, PathLike, None],
        "allow_outside_root": ["boolean"],
        "on_error": [StrOptions({"raise", "missing"})],
        "backbone_learning_rate": [Interval(Real, 0, None, closed="neither")],
        "augment": [tuple, list, Mapping, None],
        "filters": ["array-like", Integral],
    }

    item_name, item_ndim = "an image", 3

    def __init__(
        self,
        size=None,
        *,
        channels=3,
        resize="pad",
        root=None,
        allow_outside_root=False,
        on_error="raise",
        backbone=None,
        weights="imagenet",
        feature_layer=None,
        preprocess="auto",
        trainable=False,
        backbone_learning_rate=0.1,
        augment=None,
        filters=(16, 32, 64),
        pooling="avg",
        hidden=(32,),
        activation="relu",
        dropout=0.0,
        batch_norm=False,
        shared=False,
        merge="concatenate",
        item_pooling=None,
        max_items=16,
    ):
        self.size = size
        self.channels = channels
        self.resize = resize
        self.root = root
        self.allow_outside_root = allow_outside_root
        self.on_error = on_error
        self.backbone = backbone
        self.weights = weights
        self.feature_layer = feature_layer
        self.preprocess = preprocess
        self.trainable = trainable
        self.backbone_learning_rate = backbone_learning_rate
        self.augment = augment
        self.filters = filters
        self.pooling = pooling
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.shared = shared
        self.merge = merge
        self.item_pooling = item_pooling
        self.max_items = max_items

    def check_parameters(self):
        """Raise if a parameter has a value that no training could use."""
        super().check_parameters()
        if self.size is not None and len(check_units(self.size, "size")) != 2:
            raise ValueError(f"'size' should be height and width in pixels, got {self.size}.")
        _strengths(self.augment)
        if self.backbone is not None:
            if self._is_random() and not self.trainable:
                raise ValueError(
                    "weights=None starts from random weights, which trainable=False would leave so; set 'trainable', "
                    "or 'weights' to 'imagenet' or a file."
                )
            check_backbone(self._wish())
            return
        halvings = len(check_units(self.filters, "filters"))
        size = self._pixel_shape()[:2]
        if min(size) < 2**halvings:
            raise ValueError(
                f"{halvings} blocks halve height and width {halvings} times: size={size} should be at "
                f"least {2**halvings} pixels each way, or 'filters' shorter than {self.filters}."
            )

    # --- rows -------------------------------------------------------------------------------------------------------

    def _fit(self, X):
        if self._is_frozen():
            backbone = load_backbone(self._wish())
            self._fingerprint = backbone.fingerprint
            self.cell_shape_, self.input_dtype_ = (backbone.n_features,), "float32"
        else:
            self.cell_shape_, self.input_dtype_ = self._pixel_shape(), "uint8"

    def _encode(self, X):
        return self._encode_or_missing(X)[0]

    def _encode_or_missing(self, X):
        tensors = tensor_cells(X)
        if tensors is not None:
            tensors = _with_channels(tensors)
            if tensors.dtype == np.uint8 and tensors.shape[1:] == self.cell_shape_:
                return tensors, np.zeros(len(tensors), dtype=bool)
        cells = list(_single_column(X) if tensors is None else tensors)
        names = ("resize", "root", "allow_outside_root", "on_error")
        reading = {name: getattr(self, name) for name in names} | {"name_row": partial(row_name, X)}
        if self._is_frozen():
            return image_features(cells, self._frozen_backbone(), **reading)
        height, width, channels = self.cell_shape_
        # Tensors are in memory already.
        return read_column(cells, size=(height, width), channels=channels, store=tensors is None, **reading)

    def is_encoded_like(self, other):
        """Tell whether another fitted branch encodes every row as this one does."""
        return self.cell_shape_ == other.cell_shape_ and vars(self).get("_fingerprint") == vars(other).get(
            "_fingerprint"
        )

    def is_built_like(self, other):
        """Tell whether another fitted branch builds the same layers."""
        return self.is_encoded_like(other)

    # --- backbone ---------------------------------------------------------------------------------------------------

    def _is_frozen(self):
        """Tell whether rows are encoded to the features of a backbone."""
        return self.backbone is not None and not self.trainable and not self.augment

    def _is_random(self):
        return self.weights is None and self._wish().is_name()

    def _wish(self):
        size = None if self.size is None else tuple(self.size)
        names = ("backbone", "weights", "feature_layer", "preprocess", "pooling", "channels")
        return Wish(size=size, **{name: getattr(self, name) for name in names})

    def _pixel_shape(self):
        if self.backbone is None:
            return (*(_SIZE if self.size is None else self.size), self.channels)
        return backbone_shape(self._wish())

    def _frozen_backbone(self):
        backbone = load_backbone(self._wish())
        if backbone.fingerprint != self._fingerprint:
            raise ValueError("the backbone has other weights than when the branch was fitted; fit again.")
        return backbone

    # --- inspection -------------------------------------------------------------------------------------------------

    def in_detail(self, pixels=False):
        """Return a copy that takes pixels as floats; if wished, with the backbone that else computes before."""
        detailed = copy(self)
        if not self._is_frozen():
            detailed.input_dtype_ = "float32"  # nothing can be differentiated by integers
        elif pixels:
            self._frozen_backbone()  # raises if it is another one than in training
            detailed.trainable, detailed.input_dtype_ = True, "float32"
            detailed.cell_shape_ = self._pixel_shape()
            detailed.input_shape_ = (*self.uses, *detailed.cell_shape_)
        return detailed

    def sum_over_parts(self, attributions, encoded):
        """Return attributions to the pixels, or to an image as a whole where its features are all that there is."""
        return attributions[0][0].sum(axis=-1)

    # --- sub-network ------------------------------------------------------------------------------------------------

    def features(self, inputs):
        """Return the feature vector of symbolic `inputs`: pixels, or features of a frozen backbone."""
        from ._layers import Dropout

        if self._is_frozen():
            x = inputs
        elif self.backbone is not None:
            x = self._backbone_features(self._augmented(inputs))
        else:
            x = self._convolutions(self._augmented(inputs))
        return Dropout(self.dropout, name="pool_dropout")(x) if self.dropout else x

    def _augmented(self, x):
        from ._image_layers import RandomAffine, RandomContrast

        strengths = _strengths(self.augment)
        contrast = strengths.pop("contrast", None)
        if strengths:
            x = RandomAffine(**strengths, name="random_affine")(x)
        return RandomContrast(contrast, name="random_contrast")(x) if contrast else x

    def _backbone_features(self, x):
        from ..backbones._scaling import scaled
        from ._backbone_layers import TrainedFurther

        wish, is_random = self._wish(), self._is_random()
        backbone = fresh_backbone(wish) if is_random else load_backbone(wish)
        trunk = backbone.trunk if is_random else copied(backbone.trunk)
        # Whatever its owner froze: as True is not the default here, who sets it means every layer.
        set_all_trainable(trunk, True)
        x = scaled(x, backbone.scaling)
        x = TrainedFurther(trunk, self.backbone_learning_rate, pretrained=not is_random, name="backbone")(x)
        return pooled(x, self.pooling)

    def pretrained_layer(self, model):
        """Return the backbone, unless rows are encoded to its features."""
        return None if self.backbone is None or self._is_frozen() else model.get_layer("backbone").model

    def _convolutions(self, x):
        from .._backend import keras

        layers = keras.layers
        x = layers.Rescaling(1 / 127.5, offset=-1.0, name="rescale")(x)
        x = convolution_blocks(x, self.filters, self.activation, self.batch_norm)
        pool = {"avg": layers.GlobalAveragePooling2D, "max": layers.GlobalMaxPooling2D, "flatten": layers.Flatten}
        return pool[self.pooling](data_format=CHANNELS_LAST, name="pool")(x)


def _strengths(augment):
    """Return the strength of each way to augment images that is wished for."""
    given = augment or {}
    if not isinstance(given, Mapping):
        given = {name: _STRENGTHS.get(name) for name in given}
    for name, strength in given.items():
        if name not in _STRENGTHS:
            raise ValueError(f"'augment' should name some of {', '.join(_STRENGTHS)}, got {name!r}.")
        if name == "flip" and strength not in ("horizontal", "vertical", "both"):
            raise ValueError(f"'flip' in 'augment' should be horizontal, vertical or both, got {strength!r}.")
        if name != "flip" and not (isinstance(strength, Real) and 0 < strength <= 1):
            raise ValueError(f"{name!r} in 'augment' should be a number above 0 and up to 1, got {strength!r}.")
    return dict(given)


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

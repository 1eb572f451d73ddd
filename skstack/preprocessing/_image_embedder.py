"""Features of images for any estimator."""

from functools import partial
from numbers import Integral
from os import PathLike

from sklearn.utils._param_validation import Options, StrOptions

from ..backbones._image_features import image_features
from ..backbones._loading import load_backbone
from ..backbones._wish import CONSTRAINTS as BACKBONE_CONSTRAINTS
from ..backbones._wish import SharesBackbone, Wish
from ..reading._cells import row_name, tensor_cells
from ._embedder import CONSTRAINTS, Embedder


class ImageEmbedder(SharesBackbone, Embedder):
    """Turn columns of images into features by a pretrained model, and optionally into their principal components.

    Every image passes through the model once: its features are kept in memory and on disk, by the content of image
    and model, and found there by folds, searches, image branches and later processes; see
    :func:`~skstack.preprocessing.clear_embedding_cache`. Means and principal components are learned from the rows that
    `fit` sees, so that nothing leaks when the embedder is a step of a pipeline.

    Parameters
    ----------
    backbone : str, path-like or keras.Model
        Name of a model in ``keras.applications`` such as "EfficientNetB0" (upper or lower case), path of a ``.keras``
        file, or a model of one input. Or a preset of KerasHub such as "keras_hub:vit_base_patch16_224_imagenet", which
        needs ``pip install "skstack[images]"``; its name may also be a folder, or a handle of Kaggle or Hugging Face.
    weights : str or path-like, default="imagenet"
        For a backbone by name, "imagenet" (which Keras fetches from the internet when it is first used) or the path of
        a file with the weights of the model without its top. Other backbones have weights already; a path replaces
        them.
    feature_layer : str, default=None
        Name of the layer whose output is taken; the output of the whole by default (for a backbone by name, without
        its top).
    preprocess : {"auto", "tf", "torch", "caffe"}, keras.layers.Layer or None, default="auto"
        How pixels from 0 to 255 are scaled for the backbone: to -1 to 1 ("tf"); by the means and standard deviations
        of ImageNet ("torch"); centred, from blue to red ("caffe"); by a Keras layer; or not at all (None). "auto" does
        what a backbone by name was trained with, and nothing for a file or model that begins with a Rescaling or
        Normalization layer; other files and models do not say what they were trained with, so it has to be given.
    pooling : {"avg", "max", "flatten"}, default="avg"
        How feature maps become a vector: their average, their maximum or all their values.
    size : tuple of int, default=None
        Height and width, in pixels, that images are brought to; by default what the backbone takes, or was trained
        with.
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
        What a file means that is not there, may not be read or cannot be decoded: an error, or a missing image. A
        image of more than ``PIL.Image.MAX_IMAGE_PIXELS`` pixels is not decoded.
    n_components : int or float, default=None
        Principal components of each column's features: how many, or the part of the variance that they explain; None
        for the features themselves.
    add_indicator : bool, default=False
        Whether to append, for each column that had missing cells in training, a 1 where a cell is missing.
    random_state : int, RandomState instance or None, default=None
        For the principal components of many features.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns; of an array of images, its second dimension.
    feature_names_in_ : ndarray of str
        Names of the columns, if all are strings.
    n_features_per_column_ : list of int
        Features that the model gives for each column.
    means_ : list of ndarray of shape (n_features,)
        Mean features of each column in training, which stand for a missing image.
    reducers_ : list of PCA or None
        Principal components of each column.

    See Also
    --------
    skstack.branches.ImageBranch : The same backbone inside a network, where it can be trained further.

    Examples
    --------
    >>> import keras
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skstack.preprocessing import ImageEmbedder, tensor_column
    >>> layers = [keras.Input((16, 16, 3)), keras.layers.Conv2D(8, 3, name="conv"), keras.layers.Flatten()]
    >>> X = pd.DataFrame({"image": tensor_column(np.random.default_rng(0).integers(0, 256, (20, 16, 16, 3), "uint8"))})
    >>> settings = {"feature_layer": "conv", "preprocess": "tf", "n_components": 2, "random_state": 0}
    >>> embedder = ImageEmbedder(keras.Sequential(layers), **settings)
    >>> embedder.fit_transform(X).shape
    (20, 2)
    >>> embedder.get_feature_names_out()
    array(['image_pca0', 'image_pca1'], dtype=object)
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        **CONSTRAINTS,
        **BACKBONE_CONSTRAINTS,
        "size": [tuple, list, None],
        "channels": [Options(Integral, {1, 3, 4})],
        "resize": [StrOptions({"pad", "crop", "stretch"})],
        "root": [str, PathLike, None],
        "allow_outside_root": ["boolean"],
        "on_error": [StrOptions({"raise", "missing"})],
    }

    def __init__(
        self,
        backbone,
        *,
        weights="imagenet",
        feature_layer=None,
        preprocess="auto",
        pooling="avg",
        size=None,
        channels=3,
        resize="pad",
        root=None,
        allow_outside_root=False,
        on_error="raise",
        n_components=None,
        add_indicator=False,
        random_state=None,
    ):
        self.backbone = backbone
        self.weights = weights
        self.feature_layer = feature_layer
        self.preprocess = preprocess
        self.pooling = pooling
        self.size = size
        self.channels = channels
        self.resize = resize
        self.root = root
        self.allow_outside_root = allow_outside_root
        self.on_error = on_error
        self.n_components = n_components
        self.add_indicator = add_indicator
        self.random_state = random_state

    def _start(self):
        size = None if self.size is None else tuple(self.size)
        names = ("backbone", "weights", "feature_layer", "preprocess", "pooling", "channels")
        wish = Wish(size=size, **{name: getattr(self, name) for name in names})
        if self.weights is None and wish.is_name():
            raise ValueError("weights=None would give features of random weights; give 'imagenet' or a file.")
        return load_backbone(wish)

    def _embed(self, model, X):
        tensors = tensor_cells(X)
        cells = (X.iloc[:, 0] if hasattr(X, "iloc") else X[:, 0]) if tensors is None else tensors
        settings = {name: getattr(self, name) for name in ("resize", "root", "allow_outside_root", "on_error")}
        return image_features(list(cells), model, name_row=partial(row_name, X), **settings)

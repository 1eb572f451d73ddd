"""Backbones: Keras models that turn pictures into features, by name, from a file, or the user's own."""

import inspect
import json
import os
import sys
import threading
from collections import OrderedDict
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from os import PathLike
from pathlib import Path
from uuid import uuid4

import numpy as np
from sklearn.utils._param_validation import StrOptions

from .._forks import refuse_fork
from .._suggestions import near_matches
from .._user_code import has_user_code, is_known
from ._store import file_key

#: Pictures that go through a backbone at a time. Always as many, as the last digits of the features of a picture depend
#: on that number; a larger one was not faster on two cores, and makes a single picture wait.
BATCH = 8

#: Height and width that a backbone of keras.applications was trained with, where it is not 224.
_SIZES = {
    "EfficientNetB1": 240,
    "EfficientNetB2": 260,
    "EfficientNetB3": 300,
    "EfficientNetB4": 380,
    "EfficientNetB5": 456,
    "EfficientNetB6": 528,
    "EfficientNetB7": 600,
    "EfficientNetV2B1": 240,
    "EfficientNetV2B2": 260,
    "EfficientNetV2B3": 300,
    "EfficientNetV2L": 480,
    "EfficientNetV2M": 480,
    "EfficientNetV2S": 384,
    "InceptionResNetV2": 299,
    "InceptionV3": 299,
    "NASNetLarge": 331,
    "Xception": 299,
}
_DEFAULT_SIZE = 224

#: How pixels from 0 to 255 are scaled: factors and offsets of red, green and blue, and whether these are reversed.
SCALINGS = {
    "tf": ([1 / 127.5] * 3, [-1.0] * 3, False),
    "torch": (
        [1 / (255 * 0.229), 1 / (255 * 0.224), 1 / (255 * 0.225)],
        [-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225],
        False,
    ),
    "caffe": ([1.0] * 3, [-103.939, -116.779, -123.68], True),
}

#: Parameter constraints of what takes a backbone.
CONSTRAINTS = {
    "weights": [str, PathLike, None],
    "feature_layer": [str, None],
    "preprocess": [StrOptions({"auto", *SCALINGS}), callable, None],
    "pooling": [StrOptions({"avg", "max", "flatten"})],
}


@dataclass(frozen=True)
class Wish:
    """What a user asks for; see :class:`~skstack.preprocessing.ImageEmbedder` for the fields."""

    backbone: object
    weights: object
    feature_layer: str | None
    preprocess: object
    pooling: str
    size: tuple | None
    channels: int

    def is_name(self):
        """Tell whether the backbone is one of keras.applications."""
        return isinstance(self.backbone, str) and not self.backbone.endswith((".keras", ".h5"))

    def is_file(self):
        """Tell whether the backbone lies in a file."""
        return isinstance(self.backbone, (str, PathLike)) and not self.is_name()

    def is_model(self):
        """Tell whether the backbone is a model of the user's."""
        return not isinstance(self.backbone, (str, PathLike))


class SharesBackbone:
    """Mixin of estimators with parameters `backbone` and `preprocess`: clones share Keras objects, only read."""

    def __sklearn_clone__(self):
        names = [name for name in ("backbone", "preprocess") if not _is_plain(getattr(self, name))]
        bare = copy(self)
        vars(bare).update(dict.fromkeys(names))
        cloned = super(SharesBackbone, bare).__sklearn_clone__()
        vars(cloned).update({name: getattr(self, name) for name in names})
        return cloned


def _is_plain(value):
    return isinstance(value, (str, PathLike, type(None)))


class Backbone:
    """A model cut behind its features, and what comes before and after it.

    Parameters
    ----------
    trunk : keras.Model
        From scaled pictures to features or feature maps.
    scaling : str, keras.layers.Layer or None
        One of `SCALINGS`, a layer, or None for pixels as they are.
    pooling : {"avg", "max", "flatten"}
    shape : tuple of int
        Height, width and channels of the pictures.
    """

    def __init__(self, trunk, scaling, pooling, shape):
        self.trunk = trunk
        self.scaling = scaling
        self.pooling = pooling
        self.shape = shape
        self._lock = threading.Lock()

    @cached_property
    def fingerprint(self):
        """Bytes that are the same for models that compute the same, whatever their layers are called."""
        digest = blake2b(digest_size=16)
        names = {layer.name: f"layer {number}" for number, layer in enumerate(self.trunk._flatten_layers())}
        parts = [_renamed(self.trunk.get_config(), names), _scaling_config(self.scaling), self.pooling, self.shape]
        digest.update(json.dumps(parts, sort_keys=True, default=str).encode())
        for weight in self.trunk.get_weights():
            digest.update(f"{weight.shape} {weight.dtype}".encode())
            digest.update(np.ascontiguousarray(weight).data)
        return digest.digest()

    @cached_property
    def has_user_code(self):
        """Whether its features depend on code of the user's, which can change without the fingerprint changing."""
        return has_user_code(self.trunk) or _is_of_user(self.scaling)

    @cached_property
    def features_key(self):
        """Bytes that are the same for backbones whose features are known to be the same."""
        return uuid4().bytes if self.has_user_code else self.fingerprint

    @cached_property
    def n_features(self):
        """Number of features of a picture."""
        return int(self._forward.output_shape[-1])

    def features(self, pictures):
        """Return the features of pictures.

        Parameters
        ----------
        pictures : iterable of ndarray of shape `shape`, dtype uint8

        Returns
        -------
        features : ndarray of shape (n, n_features), dtype float32
        """
        parts, batch = [], []
        for picture in pictures:
            batch.append(picture)
            if len(batch) == BATCH:
                parts.append(self._of_batch(batch))
                batch = []
        if batch:
            parts.append(self._of_batch(batch))
        return np.concatenate(parts) if parts else np.empty((0, self.n_features), dtype="float32")

    def _of_batch(self, pictures):
        filled = np.zeros((BATCH, *self.shape), dtype="uint8")
        filled[: len(pictures)] = pictures
        refuse_fork()
        with self._lock:
            features = self._forward.predict_on_batch(filled)
        return np.asarray(features, dtype="float32")[: len(pictures)]

    @cached_property
    def _forward(self):
        from .._backend import keras, names_of_their_own

        with names_of_their_own():
            inputs = keras.Input(self.shape, dtype="uint8", name="pictures")
            x = pooled(self.trunk(scaled(inputs, self.scaling), training=False), self.pooling)
            return keras.Model(inputs, x, name="features")


def scaled(x, scaling):
    """Return symbolic pixels from 0 to 255 as a backbone wants them."""
    from .._backend import keras
    from ._scaling import ScalePixels

    if scaling is None or isinstance(scaling, str):
        return ScalePixels(scaling, name="scale_pixels")(x)
    # A copy, as a layer belongs to the model that it is used in.
    layer = type(scaling).from_config(scaling.get_config())
    return layer(keras.ops.cast(x, "float32"))


def pooled(x, pooling):
    """Return symbolic feature maps as a vector."""
    from .._backend import keras

    n_axes = len(x.shape) - 2
    if n_axes == 0:
        return x
    kinds = {"avg": f"GlobalAveragePooling{n_axes}D", "max": f"GlobalMaxPooling{n_axes}D", "flatten": "Flatten"}
    return getattr(keras.layers, kinds[pooling])(data_format="channels_last", name="pool_features")(x)


# --- loading ----------------------------------------------------------------------------------------------------------


#: The backbones used last: those of all branches and folds that ask for the same one.
_loaded = OrderedDict()
_MAX_LOADED = 3
_loading = threading.RLock()


def load_backbone(wish):
    """Return a backbone with its weights; the same object as long as it is in use.

    Parameters
    ----------
    wish : Wish

    Returns
    -------
    backbone : Backbone

    Raises
    ------
    ValueError, TypeError, FileNotFoundError
        If there is no such backbone, weights or layer, or it takes other pictures.
    """
    # The weights of a model tell whether it is one that was there before.
    backbone = _make(wish) if wish.is_model() else None
    owners = _owners(wish)
    key = (backbone.fingerprint if backbone else _key(wish), *map(id, owners))
    with _loading:
        if key not in _loaded:
            _loaded[key] = backbone or _make(wish), owners  # which are kept, so that their ids do not come again
        _loaded.move_to_end(key)
        while len(_loaded) > _MAX_LOADED:
            _loaded.popitem(last=False)
        return _loaded[key][0]


def _owners(wish):
    """Return the objects that code of the user's comes from: nothing else tells it apart."""
    from .._backend import keras

    owners = [wish.preprocess] if _is_of_user(wish.preprocess) else []
    if wish.is_file():
        # What a file names is looked up among these when it is loaded.
        return [*owners, *(part for part in keras.saving.get_custom_objects().values() if not is_known(part))]
    if wish.is_model() and has_user_code(wish.backbone):
        return [*owners, wish.backbone]
    return owners


def _is_of_user(scaling):
    return _is_layer(scaling) and has_user_code(scaling)


def _is_layer(scaling):
    from .._backend import keras

    return isinstance(scaling, keras.layers.Layer)


def fresh_backbone(wish):
    """Return a backbone of keras.applications with random weights, drawn anew."""
    return _make(wish)


def check_backbone(wish):
    """Raise unless there is such a backbone and it is clear how it wants its pixels, without loading one by name."""
    if wish.is_name():
        application(wish.backbone)
    elif wish.is_file():
        load_backbone(wish)
    else:
        _scaling(wish, _model(replace(wish, weights=None)))


def backbone_shape(wish):
    """Return height, width and channels of the pictures that a backbone takes, without loading it if it is a name."""
    if wish.is_name():
        name = application(wish.backbone).__name__
        side = _SIZES.get(name, _DEFAULT_SIZE)
        return (*(wish.size or (side, side)), wish.channels)
    return load_backbone(wish).shape


def _key(wish):
    """Return what is another one for other backbones by name or from a file."""
    files = [wish.backbone] * wish.is_file() + [wish.weights] * _is_path(wish.weights)
    states = [_file_state(path) for path in files]
    names = (str(wish.backbone), str(wish.weights), wish.feature_layer, _scaling_config(wish.preprocess))
    return repr((*names, wish.pooling, wish.size, wish.channels, states))


def _is_path(value):
    return isinstance(value, (str, PathLike)) and value != "imagenet"


def _file_state(path):
    """Return what changes with the content of a file."""
    if not os.path.isfile(path):
        raise FileNotFoundError(f"there is no file {os.fspath(path)!r}.")
    return file_key(os.fspath(path)) or blake2b(Path(path).read_bytes(), digest_size=16).digest()


def _make(wish):
    from .._backend import names_of_their_own

    with names_of_their_own():
        model = _model(wish)
        shape, scaling = _shape_of(model, wish), _scaling(wish, model)
        if scaling in ("torch", "caffe") and shape[2] != 3:
            raise ValueError(f"preprocess={scaling!r} is for pictures of 3 channels, got channels={shape[2]}.")
        return Backbone(_cut(model, wish.feature_layer, shape), scaling, wish.pooling, shape)


def _model(wish):
    from .._backend import keras

    if wish.is_name():
        return _application_model(wish)
    if wish.is_file():
        _file_state(wish.backbone)
        model = keras.saving.load_model(wish.backbone, compile=False)
    else:
        model = wish.backbone
    if not getattr(model, "inputs", None):
        raise TypeError(
            "expected a backbone by its name in keras.applications, a path to a .keras file or a Keras model that "
            f"knows its inputs, got {model!r}."
        )
    if _is_path(wish.weights):
        if wish.is_model():
            model = copied(model)
        _load_weights(model, wish.weights)
    return model


def copied(model):
    """Return a copy of a model with its weights."""
    from .._backend import keras

    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    return clone


def application(name):
    """Return the function of keras.applications by its name, in upper or lower case."""
    known = _applications()
    wanted = {known_name.lower(): known_name for known_name in known}.get(name.lower())
    if wanted is None:
        close = _close_names(name, known)
        raise ValueError(
            f"there is no backbone {name!r}.{f' Did you mean {close}?' if close else ''} Give a path that ends with "
            f".keras, a Keras model or one of {', '.join(sorted(known))}."
        )
    return known[wanted]


def _close_names(name, known):
    """Return what may be meant by a name that is none: the same file with an ending of models, or known names."""
    stem, ending = os.path.splitext(name)
    endings = near_matches(ending, (".keras", ".h5"))
    if endings:
        return repr(stem + endings[0])
    return " or ".join(map(repr, near_matches(name, known, n=3)))


def _applications():
    from .._backend import keras

    functions = {name: getattr(keras.applications, name) for name in dir(keras.applications) if name[0].isupper()}
    return {name: function for name, function in functions.items() if inspect.isfunction(function)}


def _application_model(wish):
    from .._backend import keras

    function = application(wish.backbone)
    if keras.config.image_data_format() != "channels_last":
        raise ValueError(
            f"{function.__name__} would be built for pictures with their channels first, which these do not have: "
            "call keras.config.set_image_data_format('channels_last')."
        )
    settings = {"include_top": False, "input_shape": backbone_shape(wish)}
    if wish.weights != "imagenet":
        model = function(weights=None, **settings)
        if wish.weights is not None:
            _load_weights(model, wish.weights)
        return model
    if wish.channels != 3:
        raise ValueError(f"the weights 'imagenet' are for pictures of 3 channels, got channels={wish.channels}.")
    try:
        return function(weights="imagenet", **settings)
    except Exception as error:  # Keras raises a bare Exception where the file cannot be had
        raise OSError(
            f"the weights 'imagenet' of {function.__name__} could not be loaded: {error} "
            "Without a way to the internet, give `weights` the path of a file of weights."
        ) from error


def _load_weights(model, path):
    _file_state(path)
    try:
        model.load_weights(path)
    except (ValueError, OSError, KeyError) as error:
        raise ValueError(
            f"the weights in {os.fspath(path)!r} are not those of the backbone (for one of keras.applications, of the "
            f"model with include_top=False): {error}"
        ) from error


def _shape_of(model, wish):
    if len(model.inputs) != 1 or len(model.inputs[0].shape) != 4:
        raise ValueError(f"a backbone should have one input of pictures, got {model.inputs}.")
    height, width, channels = model.inputs[0].shape[1:]
    size = tuple(wish.size) if wish.size is not None else (height or _DEFAULT_SIZE, width or _DEFAULT_SIZE)
    if any(given not in (None, asked) for given, asked in zip((height, width), size, strict=True)):
        raise ValueError(f"the backbone takes pictures of size ({height}, {width}), got size={size}.")
    if channels not in (None, wish.channels):
        raise ValueError(f"the backbone takes pictures of {channels} channels, got channels={wish.channels}.")
    return (*size, wish.channels)


def _cut(model, feature_layer, shape):
    from .._backend import keras

    output = model.outputs[0]
    if feature_layer is not None:
        names = [layer.name for layer in model.layers]
        if feature_layer not in names:
            raise ValueError(f"the backbone has no layer {feature_layer!r}; its last ones are {', '.join(names[-8:])}.")
        output = model.get_layer(feature_layer).output
    elif len(model.outputs) != 1:
        raise ValueError(f"the backbone has {len(model.outputs)} outputs; name one by `feature_layer`.")
    return keras.Model(model.inputs[0], output, name="backbone")


def _scaling(wish, model):
    if wish.preprocess != "auto":
        return wish.preprocess
    if wish.is_name():
        return _scaling_of(application(wish.backbone))
    if _scales_pixels(model):
        return None
    raise ValueError(
        "the backbone does not say how it wants its pixels, as it begins with no Rescaling or Normalization layer. Set "
        "'preprocess' to what it was trained with: 'tf' for pixels from -1 to 1, 'torch' or 'caffe' as in "
        "keras.applications, a layer such as keras.layers.Rescaling(1 / 255), or None for pixels from 0 to 255."
    )


def _scales_pixels(model):
    """Tell whether a model brings pixels into its own scale: by a layer in front of all that learn."""
    from .._backend import keras
    from ._scaling import ScalePixels

    for layer in _innermost(model):
        if isinstance(layer, (keras.layers.Rescaling, keras.layers.Normalization, ScalePixels)):
            return True
        if layer.weights:
            return False
    return False


def _innermost(model):
    """Yield the layers of a model in their order, those of an inner model in its place."""
    for layer in model.layers:
        if getattr(layer, "layers", None):
            yield from _innermost(layer)
        else:
            yield layer


def _scaling_of(function):
    """Return which scaling the ``preprocess_input`` beside a function of keras.applications does, by trying it."""
    from ._scaling import scale

    pixel = np.array([[[[3.0, 90.0, 251.0]]]], dtype="float32")
    expected = np.asarray(sys.modules[function.__module__].preprocess_input(pixel.copy()))
    for scaling in (None, *SCALINGS):
        if np.allclose(np.asarray(scale(pixel, scaling)), expected, atol=1e-3):
            return scaling
    raise ValueError(f"the scaling of {function.__name__} is unknown; give it as `preprocess`.")


def _scaling_config(scaling):
    if scaling is None or isinstance(scaling, str):
        return scaling
    if not _is_layer(scaling):
        raise TypeError(
            "'preprocess' should be 'auto', 'tf', 'torch', 'caffe', None or a Keras layer without weights, such as "
            f"keras.layers.Rescaling(1 / 255), got {scaling!r}."
        )
    return [type(scaling).__module__, type(scaling).__name__, _renamed(scaling.get_config(), {scaling.name: "scaling"})]


def _renamed(config, names):
    if isinstance(config, dict):
        return {key: _renamed(part, names) for key, part in config.items()}
    if isinstance(config, (list, tuple)):
        return [_renamed(part, names) for part in config]
    return names.get(config, config) if isinstance(config, str) else config

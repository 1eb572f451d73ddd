"""Loading backbones: by their name in keras.applications or KerasHub, from a file, or a model of the user's."""

import os
import threading
from dataclasses import replace
from hashlib import blake2b
from os import PathLike
from pathlib import Path

from .._user_code import has_user_code, is_known
from ..caching._lru import LRU
from ..reading._files import file_key
from ._applications import DEFAULT_SIDE, application, trained_size
from ._backbone import Backbone, is_of_user
from ._fingerprint import scaling_config
from ._keras_hub import hub_model

#: The backbones used last: those of all branches and folds that ask for the same one.
_loaded = LRU(3)
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
        If there is no such backbone, weights or layer, or it takes other images.
    """
    # The weights of a model tell whether it is one that was there before.
    backbone = _make(wish) if wish.is_model() else None
    owners = _owners(wish)
    key = (backbone.fingerprint if backbone else _key(wish), *map(id, owners))
    with _loading:  # nothing is loaded twice
        # The owners are kept too, so that their ids do not come again.
        return _loaded.get(key, lambda: (backbone or _make(wish), owners))[0]


def _owners(wish):
    """Return the objects that code of the user's comes from: nothing else tells it apart."""
    from .._backend import keras

    owners = [wish.preprocess] if is_of_user(wish.preprocess) else []
    if wish.is_file():
        # What a file names is looked up among these when it is loaded.
        return [*owners, *(part for part in keras.saving.get_custom_objects().values() if not is_known(part))]
    if wish.is_model() and has_user_code(wish.backbone):
        return [*owners, wish.backbone]
    return owners


def fresh_backbone(wish):
    """Return a backbone of keras.applications with random weights, drawn anew."""
    return _make(wish)


def check_backbone(wish):
    """Raise unless there is such a backbone and it is clear how it wants its pixels, without loading one by name."""
    if wish.is_name():
        application(wish.backbone)
    elif wish.is_file() or wish.is_hub():
        load_backbone(wish)
    else:
        from ._scaling import find_scaling

        find_scaling(wish, _model(replace(wish, weights=None)))


def backbone_shape(wish):
    """Return height, width and channels of the images that a backbone takes, without loading it if it is a name."""
    if wish.is_name():
        return (*(wish.size or trained_size(wish.backbone)), wish.channels)
    return load_backbone(wish).shape


def _key(wish):
    """Return what is another one for other backbones by name or from a file."""
    files = [wish.backbone] * wish.is_file() + [wish.weights] * _is_path(wish.weights)
    states = [_file_state(path) for path in files]
    names = (str(wish.backbone), str(wish.weights), wish.feature_layer, scaling_config(wish.preprocess))
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
    from ._scaling import find_scaling

    with names_of_their_own():
        model = _model(wish)
        shape, scaling = _shape_of(model, wish), find_scaling(wish, model)
        if scaling in ("torch", "caffe") and shape[2] != 3:
            raise ValueError(f"preprocess={scaling!r} is for images of 3 channels, got channels={shape[2]}.")
        return Backbone(_cut(model, wish.feature_layer, shape), scaling, wish.pooling, shape)


def _model(wish):
    from .._backend import keras

    if wish.is_name():
        return _application_model(wish)
    if wish.is_hub():
        model = hub_model(wish.backbone)
    elif wish.is_file():
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


def _application_model(wish):
    from .._backend import keras

    function = application(wish.backbone)
    if keras.config.image_data_format() != "channels_last":
        raise ValueError(
            f"{function.__name__} would be built for images with their channels first, which these do not have: "
            "call keras.config.set_image_data_format('channels_last')."
        )
    settings = {"include_top": False, "input_shape": backbone_shape(wish)}
    if wish.weights != "imagenet":
        model = function(weights=None, **settings)
        if wish.weights is not None:
            _load_weights(model, wish.weights)
        return model
    if wish.channels != 3:
        raise ValueError(f"the weights 'imagenet' are for images of 3 channels, got channels={wish.channels}.")
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
        raise ValueError(f"a backbone should have one input of images, got {model.inputs}.")
    height, width, channels = model.inputs[0].shape[1:]
    size = tuple(wish.size) if wish.size is not None else (height or DEFAULT_SIDE, width or DEFAULT_SIDE)
    if any(given not in (None, asked) for given, asked in zip((height, width), size, strict=True)):
        raise ValueError(f"the backbone takes images of size ({height}, {width}), got size={size}.")
    if channels not in (None, wish.channels):
        raise ValueError(f"the backbone takes images of {channels} channels, got channels={wish.channels}.")
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

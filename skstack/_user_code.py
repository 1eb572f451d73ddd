"""Which Keras objects hold code of the user's own.

Such code can change under the same name: in a notebook cell that is run again, in a file between two processes, in a
global that it reads. Nothing that depends on it is kept under its name.
"""

from types import FunctionType

#: Packages whose code changes with their version alone.
_KNOWN = ("keras", "keras_hub", "skstack")


def is_known(part):
    """Tell whether a function, or the class of an object, is one of Keras or of this package."""
    return _root(getattr(part, "__module__", None) or type(part).__module__) in _KNOWN


def has_user_code(model):
    """Tell whether a Keras model or layer holds code of the user's, in any of its layers.

    Parameters
    ----------
    model : keras.layers.Layer
    """
    # A layer of the user's may have no config: it is asked last.
    return layers_hold_user_code(model) or config_holds_user_code(model.get_config())


def layers_hold_user_code(model):
    """Tell whether a layer in a model is of a class of the user's, or holds a function that is."""
    from ._backend import keras

    return any(
        not is_known(layer) or isinstance(layer, keras.layers.Lambda) or _has_function(layer)
        for layer in model._flatten_layers()
    )


def config_holds_user_code(config):
    """Tell whether a Keras config holds a function, or an object of a class of the user's: it records their names."""
    if isinstance(config, dict):
        if config.get("class_name") in ("function", "__lambda__"):
            return True
        if "class_name" in config and _root(config.get("module") or "keras") not in _KNOWN:
            return True
        return any(map(config_holds_user_code, config.values()))
    return isinstance(config, (list, tuple)) and any(map(config_holds_user_code, config))


def _has_function(layer):
    # A config calls a function of the user's that is named like one of Keras by that name alone.
    return any(isinstance(value, FunctionType) and not is_known(value) for value in vars(layer).values())


def _root(module):
    return module.partition(".")[0]

"""Backbones of KerasHub, by the names of their presets."""

from ._wish import HUB


def hub_model(name):
    """Return a backbone of KerasHub with its weights, which are fetched when they are first used.

    Parameters
    ----------
    name : str
        "keras_hub:" and a preset: its name, a handle of Kaggle or Hugging Face, or a folder.

    Raises
    ------
    ImportError
        Without the package keras-hub.
    OSError
        If there is no such preset, or it cannot be had.
    """
    try:
        return _package(name).models.Backbone.from_preset(name.removeprefix(HUB))
    except Exception as error:  # KerasHub has many ways to fail: no network, no such preset, no access
        if isinstance(error, ImportError):
            raise
        raise OSError(f"the backbone {name!r} could not be loaded by KerasHub: {error}") from error


def hub_scaling(name):
    """Return a layer that scales pixels as a preset says, or None where it says nothing.

    Parameters
    ----------
    name : str
        As for :func:`hub_model`.
    """
    from .._backend import keras

    try:
        converter = _package(name).layers.ImageConverter.from_preset(name.removeprefix(HUB))
    except (FileNotFoundError, ValueError):  # the preset has none
        return None
    scale, offset = (
        default if part is None else part for part, default in ((converter.scale, 1), (converter.offset, 0))
    )
    return keras.layers.Rescaling(scale, offset)


def _package(name):
    try:
        import keras_hub
    except ImportError as error:
        raise ImportError(
            f"the backbone {name!r} needs the package keras-hub: pip install 'skstack[images]'."
        ) from error
    return keras_hub

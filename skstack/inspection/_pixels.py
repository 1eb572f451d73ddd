"""Images as branches see them, and maps of their size."""

import numpy as np

from ..branches._image import ImageBranch
from ..branches._pretrained import PretrainedBranch


def image_branch(branch):
    """Return the branch of images that a branch is, or is around, or None."""
    branch = branch.branch_ if isinstance(branch, PretrainedBranch) else branch
    return branch if isinstance(branch, ImageBranch) else None


def check_images(opened, branch):
    """Raise unless a branch of an opened network is one of images."""
    found = opened.part(branch).branch
    if image_branch(found) is None:
        raise ValueError(f"branch {branch!r} is a {type(found).__name__}: only images, of an ImageBranch, have pixels.")


def image_size(opened, branch):
    """Return height and width of the images that a branch takes."""
    return tuple(opened.part(branch).branch.cell_shape_[:2])


def pixels_of(encoded):
    """Return encoded images as an array of whole pixels."""
    return np.clip(np.rint(np.asarray(encoded)), 0, 255).astype("uint8")


def resized(maps, size):
    """Return maps of shape (n, height, width) in another size."""
    from .._backend import keras

    if maps.shape[1:] == tuple(size):
        return maps
    resize = keras.ops.image.resize
    larger = resize(maps[..., np.newaxis], size, interpolation="bilinear", data_format="channels_last")
    return np.array(keras.ops.convert_to_numpy(larger))[..., 0]

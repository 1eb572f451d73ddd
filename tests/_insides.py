"""Networks whose weights are set by hand, so that what is inside of them is known."""

import numpy as np
import pandas as pd

from skstack import MultimodalNetworkClassifier, MultimodalNetworkRegressor
from skstack.branches import ImageBranch

SIZE = 8
PLACES = [(0, 4), (4, 0), (2, 2), (4, 4)]


def patch_images():
    """Return black grey-scale images with a white patch of 3 x 3 pixels, each in a place of its own."""
    images = np.zeros((len(PLACES), SIZE, SIZE, 1), dtype="uint8")
    for image, (top, left) in zip(images, PLACES, strict=True):
        image[top : top + 3, left : left + 3] = 255
    return images


def table_of(images, column="photo"):
    """Return images as cells of a table, with a column of numbers beside them."""
    X = pd.DataFrame({column: pd.Series([*images], dtype=object)})
    X["area"] = np.arange(len(X), dtype=float)
    return X


def image_branch(**params):
    """Return a branch of one convolution."""
    return ImageBranch(**{"size": (SIZE, SIZE), "channels": 1, "filters": (2,), "hidden": (), **params})


def set_convolution(model, branch="photo", layer="conv_1"):
    """Let the first filter return how bright a pixel is, above grey, and the second how dark."""
    kernel = np.zeros((3, 3, 1, 2), dtype="float32")
    kernel[1, 1, 0] = 1.0, -1.0
    sub_network = model.get_layer(f"{branch}_branch")
    sub_network = (
        sub_network.get_layer("encoder") if "encoder" in [part.name for part in sub_network.layers] else sub_network
    )
    sub_network.get_layer(layer).set_weights([kernel, np.zeros(2, dtype="float32")])


def patch_classifier(images=None, slope=20.0, **params):
    """Return a network that says "patch" where an image has white pixels, by the first filter alone."""
    images = patch_images() if images is None else images
    network = MultimodalNetworkClassifier([("photo", image_branch(**params), ["photo"])], head=(), random_state=0)
    network.initialize(table_of(images), ["none", "patch"] * (len(images) // 2))
    set_convolution(network.model_)
    network.model_.get_layer("output").set_weights([np.array([[slope], [0.0]]), np.array([-1.0])])
    return network


def patch_regressor(**params):
    """Return a network that predicts 100 times the mean brightness above grey."""
    images = patch_images()
    network = MultimodalNetworkRegressor([("photo", image_branch(**params), ["photo"])], head=(), random_state=0)
    network.initialize(table_of(images), np.arange(len(images), dtype=float))
    set_convolution(network.model_)
    network.model_.get_layer("output_standardized").set_weights([np.array([[100.0], [0.0]]), np.array([0.0])])
    output = network.model_.get_layer("output")
    output.center.assign([0.0]), output.scale.assign([1.0])
    return network


def is_in_patch(rows=PLACES):
    """Return which pixels of each image are those of its patch, and of the pooling cells that it touches."""
    inside = np.zeros((len(rows), SIZE, SIZE), dtype=bool)
    for image, (top, left) in zip(inside, rows, strict=True):
        image[top : top + 4, left : left + 4] = True
    return inside

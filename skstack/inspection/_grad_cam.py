"""Grad-CAM: which places of an image a prediction comes from."""

import numpy as np
from sklearn.utils import Bunch

from ..training._gradients import Points, in_chunks
from ._insides import insides, mean_of_insides
from ._pixels import check_images, image_size, pixels_of, resized


def grad_cam(estimator, X, *, branch, layer=None, output=None):
    """Show which places of an image speak for a prediction of a network (Grad-CAM [1]_).

    The feature maps of a convolutional layer are added up, each weighted by how much the prediction grows with it, on
    average over the map. Where the sum is above 0, the image speaks for what is predicted. For an image that passes
    through a frozen backbone before the network, the backbone is put in front again, so that the maps are those of
    pixels.

    Parameters
    ----------
    estimator : MultimodalNetworkRegressor, MultimodalNetworkClassifier, MultitaskNetwork or a stack
        Fitted, or a pipeline that ends in one, whose other steps are then applied first. Of a stack it is the
        prediction of the network that the branch is a part of: with joint training that of all branches, else that of
        the branch alone; of a stack with ``refit="folds"`` the mean of what the networks of the folds show.
    X : DataFrame or array-like of shape (n_samples, n_features)
        Rows of data, with all columns that the estimator takes.
    branch : str
        Name of an :class:`~skstack.branches.ImageBranch`.
    layer : str, default=None
        Name of a layer of the branch that returns feature maps, such as "conv_2"; ``None`` takes the last one before
        they are pooled.
    output : object, default=None
        What is explained. Of a classifier a class, ``None`` for the one that is predicted for each row, by the networks
        of the folds together; where there are several targets, labels or quantiles the position of one; of several
        tasks or columns of classes the name of one, or a tuple of it and its output. Classes and names are those of the
        stack, not those that the network in it was fitted to.

    Returns
    -------
    result : Bunch
        ``maps`` : ndarray of shape (n_samples, height, width)
            How much each pixel speaks for the output, not below 0: in units of the logit for classes, else of the
            target. A missing image has 0 everywhere.
        ``images`` : ndarray of uint8 of shape (n_samples, height, width, channels)
            The images as the branch sees them.
        ``outputs`` : ndarray of shape (n_samples,)
            What is explained: the class, or the position of the output.
        ``layer`` : str
            The layer that the maps come from.

        With an axis for the images of a row behind the first one where the branch has several, in columns that share
        it or in a cell.

    Raises
    ------
    ValueError
        If there is no such branch, layer or output, the branch is not one of images or the layer returns no maps.

    See Also
    --------
    saliency : Pixel by pixel, by gradients.
    ImageMapDisplay : Draws the maps over the images.

    References
    ----------
    .. [1] Selvaraju, R. R. et al. (2017). "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
           Localization". ICCV 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skstack import MultimodalNetworkRegressor
    >>> from skstack.branches import ImageBranch
    >>> from skstack.inspection import grad_cam
    >>> photos = np.random.default_rng(0).integers(0, 256, size=(20, 16, 16, 3), dtype="uint8")
    >>> branch = ImageBranch(size=(16, 16), filters=(4, 8))
    >>> network = MultimodalNetworkRegressor([("photo", branch)], epochs=1, random_state=0).fit(photos, range(20))
    >>> grad_cam(network, photos[:3], branch="photo").maps.shape
    (3, 16, 16)
    """
    found = insides(estimator, X, branch, output, pixels=(branch,), logits=True)
    check_images(found[0].opened, branch)
    return mean_of_insides([_of_inside(inside, X, branch, layer) for inside in found])


def _of_inside(inside, X, branch, layer):
    path = _last_maps(inside.opened, branch) if layer is None else layer
    instrumented = inside.opened.instrumented([inside.opened.layer(path, branch)])
    members = [instrumented.values(values) for values in inside.opened.members]
    inputs = inside.encode(X)

    def maps_of(given):
        rows = given["rows"]
        seen = [instrumented.outputs(values, rows) for values in members]
        weights, positions = inside.weights([outputs for outputs, _ in seen], given["asked"])
        maps = [
            _maps(instrumented, values, rows, heard, inside.target, weights, path)
            for values, (_, heard) in zip(members, seen, strict=True)
        ]
        return np.mean(maps, axis=0), positions

    maps, positions = in_chunks(maps_of, {"rows": inputs, "asked": inside.asked})
    uses, size = inside.branch(branch).uses, image_size(inside.opened, branch)
    images = pixels_of(inputs[inside.opened.input_name(branch)])
    maps = resized(maps, size).reshape(len(images), *uses, *size)
    return Bunch(maps=maps, images=images, outputs=inside.target.names(positions), layer=path)


def _maps(instrumented, values, rows, heard, target, weights, path):
    """Return the maps of one member at the size of the feature maps."""
    (features,) = heard[0] if len(heard[0]) == 1 else [None]
    if getattr(features, "ndim", 0) != 4:
        raise ValueError(f"layer {path!r} returns no feature maps of shape (height, width, channels).")
    _, gradients = instrumented.gradients(values, rows, Points({}, heard), target.score, weights)
    importance = gradients.layers[0][0].mean(axis=(1, 2), keepdims=True)
    return np.maximum((features * importance).sum(axis=-1), 0.0)


def _last_maps(opened, branch):
    """Return the path of the last layer that returns feature maps, and does not merely pool them."""
    found = [
        path
        for path, layer in opened.layers(branch).items()
        if len(getattr(getattr(layer, "output", None), "shape", ())) == 4 and "Pooling" not in type(layer).__name__
    ]
    if not found:
        raise ValueError(f"branch {branch!r} has no layer that returns feature maps.")
    return found[-1]

"""Saliency: which pixels change a prediction most."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import Bunch, check_random_state
from sklearn.utils.validation import check_scalar

from ..training._gradients import Points, in_chunks
from ._insides import insides, mean_of_insides
from ._pixels import check_images, pixels_of


def saliency(estimator, X, *, branch, output=None, n_samples=1, noise=0.15, random_state=None):
    """Show which pixels of an image change a prediction of a network most: the gradient [1]_, smoothed if wished [2]_.

    Parameters
    ----------
    estimator : MultimodalNetworkRegressor, MultimodalNetworkClassifier, MultitaskNetwork or a stack
        Fitted; see :func:`grad_cam`.
    X : DataFrame or array-like of shape (n_samples, n_features)
        Rows of data, with all columns that the estimator takes.
    branch : str
        Name of an :class:`~skstack.branches.ImageBranch`.
    output : object, default=None
        What is explained, see :func:`grad_cam`.
    n_samples : int, default=1
        Copies of each image over which gradients are averaged (SmoothGrad); 1 takes the image as it is.
    noise : float, default=0.15
        Standard deviation of the noise on several copies, as a part of the range of pixels.
    random_state : int, RandomState instance or None, default=None
        Determines the noise.

    Returns
    -------
    result : Bunch
        ``maps`` : ndarray of shape (n_samples, height, width)
            The largest absolute gradient over the channels, per unit of a pixel from 0 to 255: for classes that of the
            logit, else that of the target.
        ``images`` : ndarray of uint8 of shape (n_samples, height, width, channels)
            The images as the branch sees them.
        ``outputs`` : ndarray of shape (n_samples,)
            What is explained: the class, or the position of the output.

        With an axis for the images of a row behind the first one where the branch has several.

    Raises
    ------
    ValueError, TypeError
        If there is no such branch or output, the branch is not one of images, or a number is of no use.

    See Also
    --------
    grad_cam : Which places of an image speak for a prediction.
    ImageMapDisplay : Draws the maps over the images.

    References
    ----------
    .. [1] Simonyan, K., Vedaldi, A. and Zisserman, A. (2014). "Deep Inside Convolutional Networks: Visualising Image
           Classification Models and Saliency Maps". ICLR 2014 workshop.
    .. [2] Smilkov, D. et al. (2017). "SmoothGrad: removing noise by adding noise". arXiv:1706.03825.

    Examples
    --------
    >>> import numpy as np
    >>> from skstack import MultimodalNetworkRegressor
    >>> from skstack.branches import ImageBranch
    >>> from skstack.inspection import saliency
    >>> photos = np.random.default_rng(0).integers(0, 256, size=(20, 16, 16, 3), dtype="uint8")
    >>> branch = ImageBranch(size=(16, 16), filters=(4, 8))
    >>> network = MultimodalNetworkRegressor([("photo", branch)], epochs=1, random_state=0).fit(photos, range(20))
    >>> saliency(network, photos[:3], branch="photo", n_samples=4, random_state=0).maps.shape
    (3, 16, 16)
    """
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    check_scalar(noise, "noise", Real, min_val=0)
    found = insides(estimator, X, branch, output, pixels=(branch,), logits=True)
    check_images(found[0].opened, branch)
    seed = check_random_state(random_state).randint(np.iinfo("int32").max)
    deviation = 255.0 * noise if n_samples > 1 else 0.0
    return mean_of_insides([_of_inside(inside, X, branch, n_samples, deviation, seed) for inside in found])


def _of_inside(inside, X, branch, n_samples, deviation, seed):
    instrumented, inputs = inside.opened.instrumented(), inside.encode(X)
    members = [instrumented.values(values) for values in inside.opened.members]
    name, generator = inside.opened.input_name(branch), np.random.default_rng(seed)

    def maps_of(given):
        rows = given["rows"]
        outputs = [instrumented.outputs(values, rows)[0] for values in members]
        weights, positions = inside.weights(outputs, given["asked"])
        pixels, total = np.asarray(rows[name], dtype="float32"), 0.0
        for _ in range(n_samples):
            points = Points({name: pixels + _noise(generator, pixels.shape, deviation)}, [])
            for values in members:
                _, gradients = instrumented.gradients(values, rows, points, inside.target.score, weights)
                total = total + gradients.inputs[name]
        return np.abs(total / (n_samples * len(members))).max(axis=-1), positions

    maps, positions = in_chunks(maps_of, {"rows": inputs, "asked": inside.asked})
    return Bunch(maps=maps, images=pixels_of(inputs[name]), outputs=inside.target.names(positions))


def _noise(generator, shape, deviation):
    return deviation * generator.standard_normal(shape, dtype="float32") if deviation else np.float32(0)

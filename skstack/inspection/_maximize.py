"""Images that excite filters most, found by gradient ascent."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import Bunch, check_random_state
from sklearn.utils.validation import check_scalar

from ..network._opened import OpenedNetwork
from ..training._gradients import Points
from ._activations import check_filters, only_network
from ._pixels import check_images, pixels_of

#: Grey, where the way begins.
_GREY = 127.5


def maximize_activation(
    estimator,
    layer,
    *,
    branch,
    filters=None,
    n_steps=128,
    learning_rate=4.0,
    jitter=2,
    l2=0.02,
    total_variation=0.05,
    random_state=None,
):
    """Look for images that excite filters of a layer most, by gradient ascent from noise [1]_.

    What is maximised is the mean of the filter's map. Three things keep the image from being noise of high frequency:
    it is shifted at random before each step [2]_, drawn back to grey, and smoothed by the squared differences between
    neighbouring pixels (total variation [3]_).

    Parameters
    ----------
    estimator : MultimodalNetworkRegressor, MultimodalNetworkClassifier, MultitaskNetwork or a stack
        Fitted; see :func:`activations`.
    layer : str
        Name of a layer of the branch, such as "conv_2".
    branch : str
        Name of an :class:`~skstack.branches.ImageBranch`.
    filters : list of int, default=None
        Positions of the filters, or units; ``None`` for all.
    n_steps : int, default=128
        Steps of the ascent.
    learning_rate : float, default=4.0
        Size of a step in units of a pixel from 0 to 255, on average over the image.
    jitter : int, default=2
        Pixels by which the image is shifted at most.
    l2 : float, default=0.02
        Part of the distance from grey that is taken back with each step.
    total_variation : float, default=0.05
        Part of the distance from the mean of its neighbours that each pixel goes with each step.
    random_state : int, RandomState instance or None, default=None
        Determines noise and shifts.

    Returns
    -------
    result : Bunch
        ``images`` : ndarray of uint8 of shape (n_filters, height, width, channels)
            What excites each filter.
        ``activations`` : ndarray of shape (n_filters,)
            Means of the filters' maps for these images.
        ``filters`` : ndarray of int of shape (n_filters,)
            Their positions in the layer.

    Raises
    ------
    ValueError, TypeError
        If there is no such branch, layer or filter, the branch is not one of images, or a number is of no use.

    See Also
    --------
    top_examples : The rows that excite a filter most.
    FilterDisplay : Draws both.

    References
    ----------
    .. [1] Erhan, D., Bengio, Y., Courville, A. and Vincent, P. (2009). "Visualizing Higher-Layer Features of a Deep
           Network". Technical report 1341, Université de Montréal.
    .. [2] Mordvintsev, A., Olah, C. and Tyka, M. (2015). "Inceptionism: Going Deeper into Neural Networks". Google
           Research Blog.
    .. [3] Mahendran, A. and Vedaldi, A. (2015). "Understanding Deep Image Representations by Inverting Them". CVPR
           2015.

    Examples
    --------
    >>> import numpy as np
    >>> from skstack import MultimodalNetworkRegressor
    >>> from skstack.branches import ImageBranch
    >>> from skstack.inspection import maximize_activation
    >>> photos = np.random.default_rng(0).integers(0, 256, size=(20, 16, 16, 3), dtype="uint8")
    >>> branch = ImageBranch(size=(16, 16), filters=(4, 8))
    >>> network = MultimodalNetworkRegressor([("photo", branch)], epochs=1, random_state=0).fit(photos, range(20))
    >>> result = maximize_activation(network, "conv_2", branch="photo", filters=[0, 5], n_steps=8, random_state=0)
    >>> result.images.shape
    (2, 16, 16, 3)
    """
    check_scalar(n_steps, "n_steps", Integral, min_val=1)
    check_scalar(learning_rate, "learning_rate", Real, min_val=0, include_boundaries="neither")
    check_scalar(jitter, "jitter", Integral, min_val=0)
    for name, value in (("l2", l2), ("total_variation", total_variation)):
        check_scalar(value, name, Real, min_val=0, max_val=1)
    opened = OpenedNetwork(only_network(estimator, branch).network, pixels=(branch,))
    check_images(opened, branch)
    excitement = _Excitement(opened, layer, branch)
    filters = check_filters(filters, excitement.n_filters, layer)
    generator = np.random.default_rng(check_random_state(random_state).randint(np.iinfo("int32").max))
    images = _GREY + 10 * generator.standard_normal((len(filters), *excitement.shape))
    for _ in range(n_steps):
        shift = tuple(generator.integers(-jitter, jitter + 1, 2))
        _, gradient = excitement(np.roll(images, shift, axis=(1, 2)), filters)
        gradient = np.roll(gradient, (-shift[0], -shift[1]), axis=(1, 2))
        size = np.abs(gradient).mean(axis=(1, 2, 3), keepdims=True)
        images += learning_rate * gradient / np.maximum(size, np.finfo("float32").tiny)
        images += total_variation * (_mean_of_neighbours(images) - images)
        images = np.clip(images + l2 * (_GREY - images), 0, 255)
    found = pixels_of(images)
    return Bunch(images=found, activations=excitement(found, filters)[0], filters=filters)


class _Excitement:
    """How much images excite filters of a layer, and the gradients of that."""

    def __init__(self, opened, layer, branch):
        self._instrumented = opened.instrumented([opened.layer(layer, branch)], branch=branch)
        values = opened.values_of_encoder(branch, opened.members[0])
        self._values = self._instrumented.values(values)
        (self._input,) = self._instrumented.model.inputs
        self.shape = self._input.shape[1:]
        _, heard = self._instrumented.outputs(self._values, {self._input.name: np.zeros((1, *self.shape), "float32")})
        if len(heard[0]) != 1 or not isinstance(heard[0][0], np.ndarray):
            raise ValueError(f"layer {layer!r} does not return one tensor for an image: name another one.")
        self.n_filters = heard[0][0].shape[-1]

    def __call__(self, images, filters):
        inputs = {self._input.name: images.astype("float32")}
        weights = np.eye(self.n_filters, dtype="float32")[filters]
        scores, gradients = self._instrumented.gradients(
            self._values, inputs, Points(inputs, []), _mean_of_map, weights
        )
        return scores, gradients.inputs[self._input.name].astype("float64")


def _mean_of_map(outputs, heard, weights):
    from .._backend import keras

    ((features,),) = heard
    places = tuple(range(1, len(features.shape) - 1))
    means = keras.ops.mean(features, axis=places) if places else features
    return keras.ops.sum(means * weights, axis=-1)


def _mean_of_neighbours(images):
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    return (padded[:, :-2, 1:-1] + padded[:, 2:, 1:-1] + padded[:, 1:-1, :-2] + padded[:, 1:-1, 2:]) / 4

"""What layers return for rows, and the rows for which a filter returns most."""

from numbers import Integral

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils.validation import check_scalar

from ..network._opened import OpenedNetwork
from ._networks import find_networks
from ._pixels import image_branch, pixels_of


def activations(estimator, X, layer, *, branch=None):
    """Return what a layer of a network returns for rows.

    For other estimators to learn from, take :class:`~skstack.NetworkEmbedder`: its features of a training row are those
    of a network that has not seen it.

    Parameters
    ----------
    estimator : MultimodalNetworkRegressor, MultimodalNetworkClassifier, MultitaskNetwork or a stack
        Fitted; see :func:`grad_cam`. A network of several members has features for each of them: give one of
        ``members_``.
    X : DataFrame or array-like of shape (n_samples, n_features)
        Rows of data, with all columns that the estimator takes.
    layer : str
        Its name, such as "conv_2", or its path where several have this name, such as "photo_branch/dense_1".
    branch : str, default=None
        Name of the branch that the layer is in; ``None`` looks in the whole network.

    Returns
    -------
    activations : ndarray of shape (n_samples, ...)
        With an axis behind the first one for the columns or items of a row, where the layer takes them one by one.

    Raises
    ------
    ValueError
        If there is no such branch or layer, several layers have this name, the layer does not return one tensor for a
        row, or there are several networks to look into.

    Examples
    --------
    >>> import numpy as np
    >>> from skstack import MultimodalNetworkRegressor
    >>> from skstack.branches import ImageBranch
    >>> from skstack.inspection import activations
    >>> photos = np.random.default_rng(0).integers(0, 256, size=(20, 16, 16, 3), dtype="uint8")
    >>> branch = ImageBranch(size=(16, 16), filters=(4, 8))
    >>> network = MultimodalNetworkRegressor([("photo", branch)], epochs=1, random_state=0).fit(photos, range(20))
    >>> activations(network, photos[:3], "conv_2", branch="photo").shape
    (3, 8, 8, 8)
    """
    found = only_network(estimator, branch)
    opened = OpenedNetwork(found.network, pixels=(branch,))
    return opened.activations(found.rows(X), layer, branch)


def only_network(estimator, branch):
    """Return the network of an estimator that a branch is in, or raise if there are several, one for each fold."""
    found = find_networks(estimator, branch)
    if len(found) > 1:
        raise ValueError(
            f"the stack has {len(found)} networks, each with features of its own: give one of them, such as "
            "stack.fold_estimators_['network'][0]."
        )
    return found[0]


def top_examples(estimator, X, layer, *, branch, filters=None, n_examples=9):
    """Find the rows for which filters of a layer return most.

    Of a filter that returns a map, or a number for each step, it is the largest value that counts.

    Parameters
    ----------
    estimator : MultimodalNetworkRegressor, MultimodalNetworkClassifier, MultitaskNetwork or a stack
        Fitted; see :func:`activations`.
    X : DataFrame or array-like of shape (n_samples, n_features)
        Rows of data, with all columns that the estimator takes.
    layer : str
        Name of a layer of the branch, such as "conv_2".
    branch : str
        Name of the branch.
    filters : list of int, default=None
        Positions of the filters, or units; ``None`` for all.
    n_examples : int, default=9
        How many rows to return, at most as many as there are.

    Returns
    -------
    result : Bunch
        ``indices`` : ndarray of int of shape (n_filters, n_examples)
            Positions of the rows in X, the best first.
        ``activations`` : ndarray of shape (n_filters, n_examples)
            How much they excite the filter.
        ``filters`` : ndarray of int of shape (n_filters,)
            Positions of the filters in the layer.
        ``images`` : ndarray of uint8 of shape (n_filters, n_examples, height, width, channels) or None
            What the branch sees of these rows, if these are images: of several images in a row the one that counts.

    Raises
    ------
    ValueError, TypeError
        If there is no such branch, layer or filter.

    See Also
    --------
    maximize_activation : An input that excites a filter most.
    FilterDisplay : Draws both.

    Examples
    --------
    >>> import numpy as np
    >>> from skstack import MultimodalNetworkRegressor
    >>> from skstack.branches import ImageBranch
    >>> from skstack.inspection import top_examples
    >>> photos = np.random.default_rng(0).integers(0, 256, size=(20, 16, 16, 3), dtype="uint8")
    >>> branch = ImageBranch(size=(16, 16), filters=(4, 8))
    >>> network = MultimodalNetworkRegressor([("photo", branch)], epochs=1, random_state=0).fit(photos, range(20))
    >>> top_examples(network, photos, "conv_1", branch="photo", n_examples=5).indices.shape
    (4, 5)
    """
    check_scalar(n_examples, "n_examples", Integral, min_val=1)
    found = only_network(estimator, branch)
    opened, rows = OpenedNetwork(found.network, pixels=(branch,)), found.rows(X)
    part = opened.part(branch).branch
    seen = opened.activations(rows, layer, branch)
    n_rows, n_uses = len(seen), int(np.prod(part.uses, dtype=int))
    strongest = seen.reshape(n_rows * n_uses, -1, seen.shape[-1]).max(axis=1)
    filters = check_filters(filters, strongest.shape[1], layer)
    of_rows = strongest[:, filters].reshape(n_rows, n_uses, -1)
    best = of_rows.max(axis=1)
    indices = np.argsort(-best, axis=0, kind="stable")[:n_examples].T
    return Bunch(
        indices=indices,
        activations=np.take_along_axis(best.T, indices, axis=1),
        filters=filters,
        images=_images(opened, rows, branch, indices, of_rows.argmax(axis=1)),
    )


def check_filters(filters, n_filters, layer):
    """Return the positions of filters, or raise if one is of no use."""
    if filters is None:
        return np.arange(n_filters)
    positions = np.atleast_1d(np.asarray(filters))
    if positions.dtype.kind not in "iu" or positions.ndim != 1 or not positions.size:
        raise TypeError(f"'filters' should be a list of positions, got {filters!r}.")
    if positions.min() < 0 or positions.max() >= n_filters:
        raise ValueError(f"layer {layer!r} has {n_filters} filters: 'filters' should lie below, got {filters!r}.")
    return positions


def _images(opened, rows, branch, indices, uses):
    part = opened.part(branch).branch
    if image_branch(part) is None:
        return None
    encoded = opened.encode(rows)[opened.input_name(branch)]
    images = [
        [encoded[index].reshape(-1, *part.cell_shape_)[uses[index, number]] for index in of_filter]
        for number, of_filter in enumerate(indices)
    ]
    return pixels_of(images)

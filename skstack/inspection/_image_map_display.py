"""Images with maps over them."""

import numpy as np

from ._display import axes_for
from ._grad_cam import grad_cam
from ._saliency import saliency

#: How maps are made, by name.
_METHODS = {"grad_cam": grad_cam, "saliency": saliency}


class ImageMapDisplay:
    """Images with maps over them that say which places a prediction comes from.

    Parameters
    ----------
    images : ndarray of uint8 of shape (n_images, height, width, channels)
    maps : ndarray of shape (n_images, height, width)
        Each is drawn from its least value to its greatest.
    titles : list of str, default=None
        What to write above each image.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure

    See Also
    --------
    grad_cam, saliency : Make the maps.

    Examples
    --------
    >>> import numpy as np
    >>> from skstack import MultimodalNetworkRegressor
    >>> from skstack.branches import ImageBranch
    >>> from skstack.inspection import ImageMapDisplay
    >>> photos = np.random.default_rng(0).integers(0, 256, size=(20, 16, 16, 3), dtype="uint8")
    >>> branch = ImageBranch(size=(16, 16), filters=(4, 8))
    >>> network = MultimodalNetworkRegressor([("photo", branch)], epochs=1, random_state=0).fit(photos, range(20))
    >>> ImageMapDisplay.from_estimator(network, photos[:3], branch="photo").maps.shape
    (3, 16, 16)
    """

    def __init__(self, images, maps, *, titles=None):
        self.images = images
        self.maps = maps
        self.titles = titles

    @classmethod
    def from_estimator(
        cls, estimator, X, *, branch, method="grad_cam", titles=None, alpha=0.5, n_columns=6, ax=None, **params
    ):
        """Make maps and draw them.

        Parameters
        ----------
        estimator : MultimodalNetworkRegressor, MultimodalNetworkClassifier, MultitaskNetwork or a stack
            Fitted.
        X : DataFrame or array-like of shape (n_samples, n_features)
            The rows to draw.
        branch : str
            Name of an :class:`~skstack.branches.ImageBranch`.
        method : {"grad_cam", "saliency"}, default="grad_cam"
        titles : list of str, default=None
            What to write above each image; ``None`` writes the class that is explained.
        alpha, n_columns, ax
            See :meth:`plot`.
        **params : dict
            Further arguments of the method, such as `output` or `layer`.

        Returns
        -------
        display : ImageMapDisplay
        """
        if method not in _METHODS:
            raise ValueError(f"'method' should be one of {[*_METHODS]}, got {method!r}.")
        made = _METHODS[method](estimator, X, branch=branch, **params)
        n_each = int(np.prod(made.maps.shape[1:-2], dtype=int))
        if titles is None and made.outputs.dtype.kind not in "iu":
            titles = [str(output) for output in made.outputs]
        titles = None if titles is None else np.repeat(titles, n_each).tolist()
        images = made.images.reshape(-1, *made.images.shape[-3:])
        display = cls(images, made.maps.reshape(-1, *made.maps.shape[-2:]), titles=titles)
        return display.plot(alpha=alpha, n_columns=n_columns, ax=ax)

    def plot(self, ax=None, *, alpha=0.5, n_columns=6, cmap="inferno"):
        """Draw the images, side by side, in one axes.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            ``None`` makes a figure.
        alpha : float, default=0.5
            How much of an image a map covers where it is greatest, from 0 to 1.
        n_columns : int, default=6
            Images side by side at most.
        cmap : str or Colormap, default="inferno"

        Returns
        -------
        display : ImageMapDisplay
        """
        ax, extents = places_of_images(ax, len(self.images), n_columns, type(self).__name__)
        for place, (image, map_, extent) in enumerate(zip(self.images, self.maps, extents, strict=True)):
            draw_image(ax, image, extent)
            strength = _between_0_and_1(map_)
            ax.imshow(strength, extent=extent, cmap=cmap, alpha=alpha * strength, vmin=0, vmax=1)
            if self.titles is not None:
                write_title(ax, self.titles[place], extent)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def draw_image(ax, image, extent):
    """Draw an image of 1, 3 or 4 channels in a rectangle of the axes."""
    grey = image.shape[-1] == 1
    ax.imshow(image[..., 0] if grey else image, extent=extent, cmap="gray" if grey else None, vmin=0, vmax=255)


def places_of_images(ax, n_images, n_columns, owner):
    """Return axes for images side by side, new ones if None, and the rectangle of each image in them.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or None
    n_images : int
    n_columns : int
        Images side by side at most.
    owner : str
        What draws, for messages.
    """
    n_columns = min(n_columns, n_images)
    n_rows = -(-n_images // n_columns)
    ax = axes_for(ax, owner, figsize=(1.8 * n_columns, 2.0 * n_rows), layout="constrained")
    ax.set(xlim=(-0.02, 1.05 * n_columns - 0.03), ylim=(1.2 * n_rows - 0.18, -0.17), aspect="equal")
    ax.axis("off")
    corners = [(place % n_columns * 1.05, place // n_columns * 1.2) for place in range(n_images)]
    return ax, [(left, left + 1, top + 1, top) for left, top in corners]


def write_title(ax, title, extent, weight="normal"):
    """Write above an image in its rectangle."""
    left, _, _, top = extent
    ax.text(left + 0.5, top - 0.03, title, ha="center", va="bottom", fontsize=8, weight=weight, parse_math=False)


def _between_0_and_1(map_):
    least, most = map_.min(), map_.max()
    return (map_ - least) / (most - least) if most > least else np.zeros_like(map_)

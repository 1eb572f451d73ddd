"""A sheet of filters: what excites each of them most."""

from ._activations import top_examples
from ._display import axes_for
from ._image_map_display import draw_image
from ._maximize import maximize_activation


class FilterDisplay:
    """A sheet with a line for each filter of a layer: an image made to excite it most, and the images that do.

    Parameters
    ----------
    filters : ndarray of int of shape (n_filters,)
        Positions of the filters.
    maximized : ndarray of uint8 of shape (n_filters, height, width, channels)
        See :func:`maximize_activation`.
    examples : ndarray of uint8 of shape (n_filters, n_examples, height, width, channels)
        See :func:`top_examples`.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure

    See Also
    --------
    maximize_activation, top_examples : What is drawn.

    Examples
    --------
    >>> import numpy as np
    >>> from skstack import MultimodalNetworkRegressor
    >>> from skstack.branches import ImageBranch
    >>> from skstack.inspection import FilterDisplay
    >>> photos = np.random.default_rng(0).integers(0, 256, size=(20, 16, 16, 3), dtype="uint8")
    >>> branch = ImageBranch(size=(16, 16), filters=(4, 8))
    >>> network = MultimodalNetworkRegressor([("photo", branch)], epochs=1, random_state=0).fit(photos, range(20))
    >>> display = FilterDisplay.from_estimator(
    ...     network, photos, "conv_1", branch="photo", filters=[0, 2], n_examples=5, n_steps=4, random_state=0
    ... )
    >>> display.examples.shape
    (2, 5, 16, 16, 3)
    """

    def __init__(self, filters, maximized, examples):
        self.filters = filters
        self.maximized = maximized
        self.examples = examples

    @classmethod
    def from_estimator(cls, estimator, X, layer, *, branch, filters=None, n_examples=6, ax=None, **params):
        """Find what excites filters of a layer, and draw it.

        Parameters
        ----------
        estimator : MultimodalNetworkRegressor, MultimodalNetworkClassifier, MultitaskNetwork or a stack
            Fitted.
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows that examples are taken from, such as those of the training.
        layer : str
            Name of a layer of the branch.
        branch : str
            Name of an :class:`~skstack.branches.ImageBranch`.
        filters : list of int, default=None
            Positions of the filters; ``None`` for all.
        n_examples : int, default=6
        ax : matplotlib.axes.Axes, default=None
        **params : dict
            Further arguments of :func:`maximize_activation`.

        Returns
        -------
        display : FilterDisplay
        """
        maximized = maximize_activation(estimator, layer, branch=branch, filters=filters, **params)
        given = {"branch": branch, "filters": maximized.filters, "n_examples": n_examples}
        examples = top_examples(estimator, X, layer, **given)
        return cls(maximized.filters, maximized.images, examples.images).plot(ax)

    def plot(self, ax=None):
        """Draw the sheet.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            ``None`` makes a figure.

        Returns
        -------
        display : FilterDisplay
        """
        n_filters, n_examples = self.examples.shape[:2]
        size = (1.1 * (n_examples + 1.6), 1.1 * n_filters + 0.3)
        ax = axes_for(ax, type(self).__name__, figsize=size, layout="constrained")
        for line, (position, image, examples) in enumerate(
            zip(self.filters, self.maximized, self.examples, strict=True)
        ):
            ax.text(-0.08, 1.05 * line + 0.5, str(position), ha="right", va="center", fontsize=9)
            for place, picture in enumerate([image, *examples]):
                left, top = 1.05 * place + 0.15 * (place > 0), 1.05 * line
                draw_image(ax, picture, (left, left + 1, top + 1, top))
        for left, title in ((0.5, "made"), (1.2 + 1.05 * n_examples / 2, "from the rows")):
            ax.text(left, -0.06, title, ha="center", va="bottom", fontsize=9)
        ax.set(xlim=(-0.5, 1.05 * n_examples + 1.2), ylim=(1.05 * n_filters, -0.35), aspect="equal")
        ax.axis("off")
        self.ax_, self.figure_ = ax, ax.figure
        return self

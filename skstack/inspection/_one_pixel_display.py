"""Attacked images with a ring around each changed pixel."""

from ._image_map_display import draw_image, places_of_images, write_title
from ._one_pixel import one_pixel_attack


class OnePixelAttackDisplay:
    """Images after a one-pixel attack, with a ring around each changed pixel.

    Parameters
    ----------
    images : ndarray of uint8 of shape (n_images, height, width, channels)
        The attacked images.
    pixels : ndarray of int of shape (n_images, n_pixels, 2 + n_channels)
        Row, column and colour of each changed pixel.
    success, correct : ndarray of bool of shape (n_images,)
        Whether the attack changed the prediction, and whether there was one: rows without an image, or that are
        predicted wrong, are not attacked.
    scores, attacked_scores : ndarray of shape (n_images,)
        Probability of the class, or the prediction, before and after.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure

    See Also
    --------
    one_pixel_attack : Makes what is drawn.

    Examples
    --------
    >>> import numpy as np
    >>> from skstack import MultimodalNetworkClassifier
    >>> from skstack.branches import ImageBranch
    >>> from skstack.inspection import OnePixelAttackDisplay
    >>> photos = np.random.default_rng(0).integers(0, 256, size=(20, 8, 8, 3), dtype="uint8")
    >>> branch = ImageBranch(size=(8, 8), filters=(4,))
    >>> network = MultimodalNetworkClassifier([("photo", branch)], epochs=1, random_state=0).fit(photos, [0, 1] * 10)
    >>> display = OnePixelAttackDisplay.from_estimator(
    ...     network, photos[:2], branch="photo", population=10, max_iter=2, random_state=0
    ... )
    >>> display.pixels.shape
    (2, 1, 5)
    """

    def __init__(self, images, pixels, *, success, correct, scores, attacked_scores):
        self.images = images
        self.pixels = pixels
        self.success = success
        self.correct = correct
        self.scores = scores
        self.attacked_scores = attacked_scores

    @classmethod
    def from_estimator(cls, estimator, X, y=None, *, branch, n_columns=6, ax=None, **params):
        """Attack rows and draw them.

        Parameters
        ----------
        estimator : estimator
            A fitted network or stack with a branch of images, or a pipeline that ends in one.
        X : DataFrame or array-like of shape (n_samples, n_features)
            The rows to attack.
        y : array-like of shape (n_samples,), default=None
            Classes of the rows; ``None`` takes the predictions as right.
        branch : str
            Name of an :class:`~skstack.branches.ImageBranch`.
        n_columns, ax
            See :meth:`plot`.
        **params : dict
            Further arguments of :func:`one_pixel_attack`.

        Returns
        -------
        display : OnePixelAttackDisplay
        """
        result = one_pixel_attack(estimator, X, y, branch=branch, **params)
        return cls.from_predictions(result, n_columns=n_columns, ax=ax)

    @classmethod
    def from_predictions(cls, result, *, n_columns=6, ax=None):
        """Draw an attack that was made before.

        Parameters
        ----------
        result : Bunch
            What :func:`one_pixel_attack` returned.
        n_columns, ax
            See :meth:`plot`.

        Returns
        -------
        display : OnePixelAttackDisplay
        """
        parts = {name: result[name] for name in ("success", "correct", "scores", "attacked_scores")}
        return cls(result.images, result.pixels, **parts).plot(ax, n_columns=n_columns)

    def plot(self, ax=None, *, n_columns=6, color="tab:red"):
        """Draw the images, side by side, in one axes.

        Above each stands its score before and after; where the attack has changed the prediction, in bold.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            ``None`` makes a figure.
        n_columns : int, default=6
            Images side by side at most.
        color : str, default="tab:red"
            Of the rings.

        Returns
        -------
        display : OnePixelAttackDisplay
        """
        ax, extents = places_of_images(ax, len(self.images), n_columns, type(self).__name__)
        for place, (image, extent) in enumerate(zip(self.images, extents, strict=True)):
            draw_image(ax, image, extent)
            write_title(ax, self._title(place), extent, weight="bold" if self.success[place] else "normal")
            if self.correct[place]:
                left, _, _, top = extent
                for row, column in self._places(place):
                    ax.plot(left + column, top + row, "o", markersize=9, markerfacecolor="none", color=color)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _title(self, place):
        if not self.correct[place]:
            return "not attacked"
        return f"{self.scores[place]:.3g} to {self.attacked_scores[place]:.3g}"

    def _places(self, place):
        """Return where the middle of each changed pixel is, as parts of height and width."""
        height, width = self.images[place].shape[:2]
        return [((row + 0.5) / height, (column + 0.5) / width) for row, column in self.pixels[place][:, :2]]

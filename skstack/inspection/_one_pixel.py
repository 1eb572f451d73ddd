"""One-pixel attack: whether a prediction hangs on a single pixel."""

from numbers import Integral

import numpy as np
from scipy.optimize import differential_evolution
from sklearn.base import is_classifier
from sklearn.utils import Bunch, check_random_state
from sklearn.utils.validation import check_scalar

from .._validation import check_lengths
from ._base_models import last_step_and_rows
from ._cells import BranchCells


def one_pixel_attack(estimator, X, y=None, *, branch, n_pixels=1, population=100, max_iter=30, random_state=None):
    """Look for a pixel, or a few, whose change makes an estimator predict something else (one-pixel attack [1]_).

    Places and colours of the pixels are found by differential evolution, which asks the estimator and needs no
    gradients. So it is the whole estimator that is attacked, a stack with all its base models: with probabilities, the
    probability of the class is brought down until another one is predicted; without, the prediction is moved as far as
    it goes.

    Parameters
    ----------
    estimator : estimator
        A fitted network or stack with a branch of images, a classifier with ``predict_proba`` or a regressor; of a
        pipeline its last step is attacked. One of several tasks as ``estimator.for_task(name)`` returns it.
    X : DataFrame or array-like of shape (n_samples, n_features)
        Rows of data. Images are arrays or whatever the branch reads, such as paths; the estimator is asked about arrays
        in their place.
    y : array-like of shape (n_samples,), default=None
        Classes of the rows. Only rows that are predicted right are attacked; ``None`` takes the predictions as right.
        Regressors ignore its values.
    branch : str
        Name of the :class:`~skstack.branches.ImageBranch`.
    n_pixels : int, default=1
        Pixels that are changed, of the image as the branch sees it.
    population : int, default=100
        Candidates of a generation.
    max_iter : int, default=30
        Generations for each row.
    random_state : int, RandomState instance or None, default=None
        Determines the evolution.

    Returns
    -------
    result : Bunch
        ``success`` : ndarray of bool of shape (n_samples,)
            Whether another class is predicted for the attacked image; of a regressor, whether the prediction moved.
        ``correct`` : ndarray of bool of shape (n_samples,)
            Whether the row has an image and was predicted right, and so attacked: ``success[correct].mean()`` is the
            part of the attacks that succeeded.
        ``images`` : ndarray of uint8 of shape (n_samples, height, width, channels)
            The attacked images, those of the other rows as they were, black where there is none.
        ``pixels`` : ndarray of int of shape (n_samples, n_pixels, 2 + n_channels)
            Row, column and colour of each changed pixel.
        ``scores``, ``attacked_scores`` : ndarray of shape (n_samples,)
            Probability of the class, or the prediction, before and after.
        ``n_evaluations`` : ndarray of int of shape (n_samples,)
            Images that the estimator was asked about.

    Raises
    ------
    ValueError, TypeError
        If there is no such branch, it is not one of images or has several in a row, X lacks columns, `y` has another
        length, or a number is of no use.

    Notes
    -----
    The features of a frozen backbone are computed for every candidate, and kept as those of any image are.

    References
    ----------
    .. [1] Su, J., Vargas, D. V. and Sakurai, K. (2019). "One Pixel Attack for Fooling Deep Neural Networks". IEEE
           Transactions on Evolutionary Computation 23(5). arXiv:1710.08864.

    Examples
    --------
    >>> import numpy as np
    >>> from skstack import MultimodalNetworkClassifier
    >>> from skstack.branches import ImageBranch
    >>> from skstack.inspection import one_pixel_attack
    >>> photos = np.random.default_rng(0).integers(0, 256, size=(20, 8, 8, 3), dtype="uint8")
    >>> branch = ImageBranch(size=(8, 8), filters=(4,))
    >>> network = MultimodalNetworkClassifier([("photo", branch)], epochs=1, random_state=0).fit(photos, [0, 1] * 10)
    >>> result = one_pixel_attack(network, photos[:2], branch="photo", population=10, max_iter=2, random_state=0)
    >>> result.pixels.shape
    (2, 1, 5)
    """
    for name, value in (("n_pixels", n_pixels), ("population", population), ("max_iter", max_iter)):
        check_scalar(value, name, Integral, min_val=1)
    estimator, X = last_step_and_rows(estimator, X)
    if y is not None:
        check_lengths(X, y)
    cells = BranchCells(estimator, X, branch)
    images, present = cells.images()
    kind = _Classes if is_classifier(estimator) else _Numbers
    opponent = kind(estimator, cells.with_cells([cells.beside_missing(images, present)]), y)
    correct = opponent.correct & present
    seeds = check_random_state(random_state).randint(np.iinfo("int32").max, size=len(images))
    how = {"n_pixels": n_pixels, "population": population, "max_iter": max_iter}
    attacks = [
        _Attack(cells, opponent, row, image, n_pixels).run(seed, **how) if attacked else _none(image, n_pixels)
        for row, (image, attacked, seed) in enumerate(zip(images, correct, seeds, strict=True))
    ]
    success, attacked, pixels, scores, n_evaluations = zip(*attacks, strict=True)
    return Bunch(
        success=np.array(success),
        correct=correct,
        images=np.stack(attacked),
        pixels=np.stack(pixels),
        scores=opponent.scores,
        attacked_scores=np.where(correct, np.array(scores), opponent.scores),
        n_evaluations=np.array(n_evaluations),
    )


def _none(image, n_pixels):
    return False, image, np.zeros((n_pixels, 2 + image.shape[-1]), dtype=int), np.nan, 0


_SEVERAL = "an attack is for one number or class to a row, but the estimator predicts several."


class _Classes:
    """A classifier, whose probability of the right class is brought down."""

    def __init__(self, estimator, X, y):
        if isinstance(estimator.classes_, list):
            raise ValueError(_SEVERAL)
        self._estimator = estimator
        probabilities = estimator.predict_proba(X)
        predicted = probabilities.argmax(axis=1)
        self._classes = predicted
        if y is not None:
            self._classes = np.array([self._position(label) for label in np.asarray(y).tolist()])
        self.correct = predicted == self._classes
        self.scores = probabilities[np.arange(len(predicted)), self._classes]

    def _position(self, label):
        classes = self._estimator.classes_.tolist()
        if label not in classes:
            raise ValueError(f"y holds the class {label!r}, which the estimator does not know: it has {classes}.")
        return classes.index(label)

    def judge(self, row, X):
        """Return what is minimised for rows that are changes of one, their scores, and which of them succeed."""
        probabilities = self._estimator.predict_proba(X)
        scores = probabilities[:, self._classes[row]]
        return scores, scores, probabilities.argmax(axis=1) != self._classes[row]

    #: Whether there is nothing more to gain once a candidate has succeeded.
    stops = True


class _Numbers:
    """A regressor, whose prediction is moved as far as it goes."""

    stops = False

    def __init__(self, estimator, X, y):
        if hasattr(estimator, "for_task"):
            raise ValueError(f"{_SEVERAL} Give one of its tasks, as estimator.for_task(name) returns it.")
        self._estimator = estimator
        self.scores = np.asarray(estimator.predict(X), dtype="float64")
        if self.scores.ndim != 1:
            raise ValueError(_SEVERAL)
        self.correct = np.ones(len(self.scores), dtype=bool)

    def judge(self, row, X):
        """Return what is minimised for rows that are changes of one, their scores, and which of them succeed."""
        predictions = np.asarray(self._estimator.predict(X), dtype="float64")
        moved = np.abs(predictions - self.scores[row])
        return -moved, predictions, moved > 0


class _Attack:
    """The evolution of changes of one image."""

    def __init__(self, cells, opponent, row, image, n_pixels):
        self._cells, self._opponent, self._row, self._image = cells, opponent, row, image
        height, width, n_channels = image.shape
        self._bounds = [(0, height - 1), (0, width - 1), *[(0, 255)] * n_channels] * n_pixels
        self._best, self._n_evaluations = None, 0

    def run(self, seed, n_pixels, population, max_iter):
        """Return whether it succeeded, image, pixels and score of the best candidate, and how many there were."""
        differential_evolution(
            self._judge,
            self._bounds,
            maxiter=max_iter,
            popsize=max(1, -(-population // len(self._bounds))),
            recombination=1.0,
            tol=0.0,
            polish=False,
            vectorized=True,
            updating="deferred",
            callback=lambda *_, **__: self._best[0] and self._opponent.stops,
            seed=int(seed),
        )
        success, _, score, pixels = self._best
        return success, self._changed(pixels[np.newaxis])[0], pixels, score, self._n_evaluations

    def _judge(self, candidates):
        pixels = np.rint(candidates.T).astype(int).reshape(candidates.shape[1], -1, 2 + self._image.shape[-1])
        values, scores, succeed = self._opponent.judge(self._row, self._cells.rows(self._row, [*self._changed(pixels)]))
        self._n_evaluations += len(pixels)
        best = min(range(len(pixels)), key=lambda place: (not succeed[place], values[place]))
        found = bool(succeed[best]), values[best], scores[best], pixels[best]
        if self._best is None or (not found[0], found[1]) < (not self._best[0], self._best[1]):
            self._best = found
        return values

    def _changed(self, pixels):
        """Return the image with pixels changed as each candidate says."""
        images = np.repeat(self._image[np.newaxis], len(pixels), axis=0)
        for number in range(pixels.shape[1]):
            rows, columns = pixels[:, number, 0], pixels[:, number, 1]
            images[np.arange(len(pixels)), rows, columns] = pixels[:, number, 2:]
        return images

"""Noise curves: how the score falls when the cells of a modality become unreliable."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.metrics import check_scoring
from sklearn.utils import Bunch, check_random_state
from sklearn.utils.validation import check_scalar

from .._suggestions import did_you_mean
from .._validation import check_lengths
from ..branches._image import ImageBranch
from ..branches._numeric import NumericBranch
from ..branches._sequence import SequenceBranch
from ..branches._text import TextBranch
from ._base_models import last_step_and_rows
from ._cells import BranchCells

#: Ways to make cells unreliable, each with the levels that are tried where none are given, and what these are.
KINDS = {
    "gaussian": ((0.0, 0.1, 0.25, 0.5, 1.0, 2.0), "noise in standard deviations"),
    "pixels": ((0.0, 0.02, 0.05, 0.1, 0.2, 0.4), "noise as a part of the range of pixels"),
    "replace": ((0.0, 0.1, 0.25, 0.5, 0.75, 1.0), "part of the cells replaced"),
    "drop": ((0.0, 0.1, 0.25, 0.5, 0.75, 1.0), "part of the words dropped"),
}


def noise_curve(estimator, X, y, *, branch, kind="auto", levels=None, scoring=None, n_repeats=5, random_state=None):
    """Show how the score of an estimator falls when the cells of a modality become unreliable.

    The cells are changed in the table, for all base models of a stack that read them. Missing cells stay missing, but
    with "replace".

    Parameters
    ----------
    estimator : estimator
        A fitted network or stack, or a pipeline that ends in one: noise is then on what its last step gets.
    X : DataFrame or array-like of shape (n_samples, n_features)
        Rows of data, better not those of the training.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their target.
    branch : str
        Name of the branch whose columns are changed.
    kind : {"auto", "gaussian", "pixels", "replace", "drop"}, default="auto"
        "gaussian" adds noise to numbers, or to the steps of sequences; "pixels" adds noise to images as the branch sees
        them; "replace" takes cells from other rows; "drop" leaves out words. "auto" takes what suits the branch:
        "gaussian" for numbers and sequences, "pixels" for images, "drop" for texts, else "replace".
    levels : array-like of float, default=None
        How much: standard deviations of each column in X; standard deviation of the noise on pixels as a part of their
        range; the part of the cells that is replaced, or of the words that are dropped. ``None`` goes from 0 to a lot.
    scoring : str, callable or None, default=None
        As scikit-learn's; ``None`` is the ``score`` of the estimator.
    n_repeats : int, default=5
        Draws of each level.
    random_state : int, RandomState instance or None, default=None
        Determines the draws.

    Returns
    -------
    result : Bunch
        ``levels`` : ndarray of shape (n_levels,)
        ``scores`` : ndarray of shape (n_levels, n_repeats)
        ``scores_mean``, ``scores_std`` : ndarray of shape (n_levels,)
        ``kind`` : str

    Raises
    ------
    ValueError, TypeError
        If there is no such branch or kind, the kind does not suit the cells, X lacks columns, `y` has another length,
        or a number is of no use.

    See Also
    --------
    NoiseCurveDisplay : Draws it.
    one_pixel_attack : The worst change of an image rather than a random one.

    Examples
    --------
    >>> import pandas as pd
    >>> from skstack import MultimodalNetworkRegressor
    >>> from skstack.branches import NumericBranch
    >>> from skstack.inspection import noise_curve
    >>> X = pd.DataFrame({"area": [50.0, 80.0, 120.0, 70.0] * 10})
    >>> network = MultimodalNetworkRegressor([("numbers", NumericBranch(), ["area"])], epochs=5, random_state=0)
    >>> network = network.fit(X, X["area"])
    >>> noise_curve(network, X, X["area"], branch="numbers", levels=[0, 1], n_repeats=3, random_state=0).scores.shape
    (2, 3)
    """
    check_scalar(n_repeats, "n_repeats", Integral, min_val=1)
    estimator, X = last_step_and_rows(estimator, X)
    check_lengths(X, y)
    cells = BranchCells(estimator, X, branch)
    kind = _check_kind(kind, cells)
    levels = _check_levels(levels, kind)
    score, change = check_scoring(estimator, scoring=scoring), _CHANGES[kind](cells)
    generators = check_random_state(random_state).randint(np.iinfo("int32").max, size=(len(levels), n_repeats))
    scores = np.array(
        [
            [score(estimator, cells.with_cells(change(level, np.random.default_rng(seed))), y) for seed in seeds]
            for level, seeds in zip(levels, generators.tolist(), strict=True)
        ]
    )
    return Bunch(
        levels=levels, scores=scores, scores_mean=scores.mean(axis=1), scores_std=scores.std(axis=1), kind=kind
    )


def _check_kind(kind, cells):
    if kind == "auto":
        suits = {NumericBranch: "gaussian", SequenceBranch: "gaussian", ImageBranch: "pixels", TextBranch: "drop"}
        return next((way for branch, way in suits.items() if isinstance(cells.branch, branch)), "replace")
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}.{did_you_mean(kind, KINDS)} Known are {['auto', *KINDS]}.")
    return kind


def _check_levels(levels, kind):
    levels = np.asarray(KINDS[kind][0] if levels is None else levels, dtype="float64")
    most = np.inf if kind in ("gaussian", "pixels") else 1.0
    if levels.ndim != 1 or not len(levels) or not ((levels >= 0) & (levels <= most)).all():
        raise ValueError(f"'levels' of {kind!r} should be numbers from 0 to {most}, got {levels.tolist()}.")
    return levels


# --- changes ----------------------------------------------------------------------------------------------------------


def _gaussian(cells):
    try:
        arrays = [[_floats(cell) for cell in column] for column in cells.by_column()]
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"noise is for cells of numbers, which branch {cells.name!r} does not have: {error}"
        ) from error
    deviations = [np.nanstd(np.concatenate([np.ravel(cell) for cell in column])) for column in arrays]

    def change(level, generator):
        noisy = [
            [cell + level * deviation * generator.standard_normal(cell.shape) for cell in column]
            for column, deviation in zip(arrays, deviations, strict=True)
        ]
        return [column if any(map(np.ndim, column)) else np.array(column) for column in noisy]

    return change


def _floats(cell):
    return np.asarray(np.nan if cell is pd.NA else cell, dtype="float64")


def _pixels(cells):
    images, present = cells.images()

    def change(level, generator):
        noise = 255.0 * level * generator.standard_normal(images.shape, dtype="float32")
        return [cells.beside_missing(np.clip(np.rint(images + noise), 0, 255).astype("uint8"), present)]

    return change


def _replace(cells):
    columns = cells.by_column()

    def change(level, generator):
        return [_replaced(column, level, generator) for column in columns]

    return change


def _replaced(column, level, generator):
    rows = np.arange(len(column))
    chosen = generator.random(len(rows)) < level
    rows[chosen] = generator.integers(0, len(rows), chosen.sum())
    return column.take(rows) if hasattr(column, "iloc") else column[rows]


def _drop(cells):
    columns = [[*column] for column in cells.by_column()]

    def change(level, generator):
        return [[_without_words(cell, level, generator) for cell in column] for column in columns]

    return change


def _without_words(cell, level, generator):
    if not isinstance(cell, str):
        return cell
    words = cell.split()
    return " ".join(word for word, kept in zip(words, generator.random(len(words)) >= level, strict=True) if kept)


_CHANGES = {"gaussian": _gaussian, "pixels": _pixels, "replace": _replace, "drop": _drop}

"""How the score falls as more and more rows lack a modality."""

import numpy as np
from sklearn.metrics import check_scoring
from sklearn.utils import Bunch, check_random_state, check_scalar

from .._validation import check_lengths
from ._absence import Absence
from ._display import axes_for, legend_of
from ._modalities import check_inspected, column_names, modalities_of
from ._tables import mixed_predictions
from ._views import answering


def dropped_modality_curve(
    estimator,
    X,
    y,
    *,
    shares=(0.0, 0.25, 0.5, 0.75, 1.0),
    scoring=None,
    modalities=None,
    background=None,
    n_repeats=5,
    random_state=None,
):
    """Return the score of a fitted estimator when a modality is missing in a growing share of rows.

    Each row is predicted twice for each modality, with it and without, whatever the shares: a prediction does not
    depend on the rows beside.

    Parameters
    ----------
    estimator : estimator
        Fitted stack, network, or pipeline that ends in one; any other estimator with `modalities`.
    X : DataFrame or array-like of shape (n_samples, n_features)
        Rows to score, best those that the estimator has not been fitted to.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), or DataFrame
        Their target.
    shares : array-like of float, default=(0.0, 0.25, 0.5, 0.75, 1.0)
        Parts of the rows that lack the modality, from 0 to 1.
    scoring : str or callable, default=None
        A scorer of scikit-learn or its name; ``None`` is the estimator's own ``score``, R² or accuracy for estimators
        of others.
    modalities : dict of str to columns, default=None
        Names and columns of X; see :func:`modality_importance`.
    background : DataFrame or array-like of shape (n_background, n_features), default=None
        Rows whose cells take the place of missing ones, see :func:`shapley_values`: for estimators that cannot predict
        rows with missing cells.
    n_repeats : int, default=5
        How often rows are drawn.
    random_state : int, RandomState instance or None, default=None
        Of the rows drawn. A row that lacks a modality at a share lacks it at all larger ones.

    Returns
    -------
    result : :class:`~sklearn.utils.Bunch`
        With these attributes:

        shares : ndarray of shape (n_shares,)
            As given.
        scores : ndarray of shape (n_modalities, n_shares, n_repeats)
            Of each repeat.
        scores_mean, scores_std : ndarray of shape (n_modalities, n_shares)
            Mean and standard deviation over the repeats.
        modalities : dict of str to list
            The columns of each modality.

    Raises
    ------
    ValueError
        If a share is not between 0 and 1, or the estimator cannot predict without a modality.

    See Also
    --------
    DroppedModalityDisplay : Draws it.
    modality_importance : What a modality adds where it is there.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import HistGradientBoostingRegressor
    >>> from skstack.inspection import dropped_modality_curve
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> model = HistGradientBoostingRegressor(random_state=0).fit(X, X[:, 0])
    >>> result = dropped_modality_curve(
    ...     model, X, X[:, 0], modalities={"used": [0], "noise": [1]}, shares=[0, 0.5], random_state=0
    ... )
    >>> (result.scores_mean[:, 0] - result.scores_mean[:, 1] > 0.1).tolist()
    [True, False]
    """
    estimator, X = check_inspected(estimator, X)
    shares = np.asarray(shares, dtype="float64")
    if shares.ndim != 1 or not len(shares) or not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError(f"'shares' should be one or more numbers from 0 to 1, got {shares.tolist()}.")
    check_scalar(n_repeats, "n_repeats", int, min_val=1)
    check_lengths(X, y)
    found = modalities_of(estimator, X, modalities)
    scorer, generator = check_scoring(estimator, scoring), check_random_state(random_state)
    absence = Absence(estimator, X, found, background)
    whole, n_rows = absence.without([]), X.shape[0]
    places = [np.argsort(generator.permutation(n_rows)) for _ in range(n_repeats)]
    scores = np.empty((len(found), len(shares), n_repeats))
    for index in range(len(found)):
        without = absence.without([index])
        for which, share in enumerate(shares):
            lacking = [place < round(share * n_rows) for place in places]
            scores[index, which] = [scorer(_lacking(estimator, whole, without, rows, X), X, y) for rows in lacking]
    return Bunch(
        shares=shares,
        scores=scores,
        scores_mean=scores.mean(axis=2),
        scores_std=scores.std(axis=2),
        modalities={name: column_names(X, columns) for name, columns in found.items()},
    )


def _lacking(estimator, whole, without, rows, X):
    """Return the estimator as it is when some rows lack a modality."""
    known = {}

    def ask(method):
        if method not in known:
            known[method] = mixed_predictions(getattr(whole, method)(X), getattr(without, method)(X), rows)
        return known[method]

    return answering(estimator, ask)


class DroppedModalityDisplay:
    """Drawing of how the score falls as more and more rows lack a modality.

    It is recommended to use :meth:`from_estimator`.

    Parameters
    ----------
    shares : ndarray of shape (n_shares,)
        Parts of the rows that lack the modality.
    scores : ndarray of shape (n_modalities, n_shares, n_repeats)
        Score at each.
    modalities : list of str
        Names of the modalities.
    score_name : str, default=None
        Label of the vertical axis.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D
        One for each modality.

    See Also
    --------
    dropped_modality_curve : Computes it.

    Examples
    --------
    >>> import numpy as np
    >>> from skstack.inspection import DroppedModalityDisplay
    >>> scores = np.array([[[0.9, 0.9], [0.5, 0.7]]])
    >>> display = DroppedModalityDisplay(shares=np.array([0.0, 1.0]), scores=scores, modalities=["photo"]).plot()
    >>> display.lines_[0].get_ydata().tolist()
    [0.9, 0.6]
    """

    def __init__(self, *, shares, scores, modalities, score_name=None):
        self.shares = shares
        self.scores = scores
        self.modalities = modalities
        self.score_name = score_name

    @classmethod
    def from_estimator(cls, estimator, X, y, *, scoring=None, ax=None, **params):
        """Compute the curves and draw them.

        Parameters
        ----------
        estimator : estimator
            Fitted stack, network, or pipeline that ends in one.
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows to score.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), or DataFrame
            Their target.
        scoring : str or callable, default=None
            See :func:`dropped_modality_curve`.
        ax : matplotlib Axes, default=None
            Where to draw; ``None`` makes a figure.
        **params : dict
            Further arguments of :func:`dropped_modality_curve`.

        Returns
        -------
        display : DroppedModalityDisplay
        """
        result = dropped_modality_curve(estimator, X, y, scoring=scoring, **params)
        name = scoring if isinstance(scoring, str) else "score"
        shown = cls(shares=result.shares, scores=result.scores, modalities=list(result.modalities), score_name=name)
        return shown.plot(ax=ax)

    def plot(self, ax=None):
        """Draw the curves, each with a band of one standard deviation over the repeats.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; ``None`` makes a figure.

        Returns
        -------
        display : DroppedModalityDisplay
        """
        ax = axes_for(ax, type(self).__name__)
        mean, deviation = self.scores.mean(axis=2), self.scores.std(axis=2)
        self.lines_ = []
        for name, center, width in zip(self.modalities, mean, deviation, strict=True):
            (line,) = ax.plot(100 * self.shares, center, marker="o", label=name)
            ax.fill_between(100 * self.shares, center - width, center + width, color=line.get_color(), alpha=0.2)
            self.lines_.append(line)
        ax.set(xlabel="Rows that lack the modality (%)", ylabel=self.score_name or "score")
        legend_of(ax, self.lines_, title="modality")
        self.ax_, self.figure_ = ax, ax.figure
        return self

"""Noise curves, drawn."""

import numpy as np

from ._display import axes_for, legend_of
from ._noise import KINDS, noise_curve


class NoiseCurveDisplay:
    """How a score falls when the cells of a modality become unreliable.

    Parameters
    ----------
    levels : ndarray of shape (n_levels,)
    scores : ndarray of shape (n_levels, n_repeats)
    level_name, score_name : str, default=None
        What stands at the axes.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure
    line_ : matplotlib.lines.Line2D

    See Also
    --------
    noise_curve : What is drawn.

    Examples
    --------
    >>> import numpy as np
    >>> from skstack.inspection import NoiseCurveDisplay
    >>> display = NoiseCurveDisplay(np.array([0.0, 1.0]), np.array([[0.9, 0.9], [0.5, 0.7]])).plot(name="area")
    >>> display.line_.get_ydata().tolist()
    [0.9, 0.6]
    """

    def __init__(self, levels, scores, *, level_name=None, score_name=None):
        self.levels = levels
        self.scores = scores
        self.level_name = level_name
        self.score_name = score_name

    @classmethod
    def from_estimator(cls, estimator, X, y, *, branch, score_name=None, name=None, ax=None, **params):
        """Make the cells of a branch unreliable, and draw what becomes of the score.

        Parameters
        ----------
        estimator : estimator
            A fitted network or stack, or a pipeline that ends in one.
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data, better not those of the training.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their target.
        branch : str
            Name of the branch whose columns are changed.
        score_name : str, default=None
            ``None`` takes the name of the `scoring`.
        name : str, default=None
            Of the curve; ``None`` takes that of the branch.
        ax : matplotlib.axes.Axes, default=None
            Several curves of a kind can be drawn into one.
        **params : dict
            Further arguments of :func:`noise_curve`.

        Returns
        -------
        display : NoiseCurveDisplay
        """
        made = noise_curve(estimator, X, y, branch=branch, **params)
        scoring = params.get("scoring")
        score_name = score_name or (scoring.replace("_", " ") if isinstance(scoring, str) else "score")
        display = cls(made.levels, made.scores, level_name=KINDS[made.kind][1], score_name=score_name)
        return display.plot(ax, name=branch if name is None else name)

    def plot(self, ax=None, *, name=None, **line_kwargs):
        """Draw the mean of the repeats, with a band of a standard deviation.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            ``None`` makes a figure.
        name : str, default=None
            Of the curve.
        **line_kwargs : dict
            Of :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : NoiseCurveDisplay
        """
        ax = axes_for(ax, type(self).__name__, layout="constrained")
        mean, deviation = np.mean(self.scores, axis=1), np.std(self.scores, axis=1)
        (self.line_,) = ax.plot(self.levels, mean, **{"marker": "o", "label": name, **line_kwargs})
        ax.fill_between(self.levels, mean - deviation, mean + deviation, alpha=0.2, color=self.line_.get_color())
        ax.set(xlabel=self.level_name or "level", ylabel=self.score_name or "score")
        if name is not None:
            lines = [line for line in ax.get_lines() if not line.get_label().startswith("_child")]  # have a name
            legend_of(ax, lines)
        self.ax_, self.figure_ = ax, ax.figure
        return self

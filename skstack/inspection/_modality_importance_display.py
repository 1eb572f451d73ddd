"""A drawing of the importance of modalities."""

import numpy as np

from ._display import axes_for, bars_from_zero
from ._modality_importance import modality_importance


class ModalityImportanceDisplay:
    """Bars of what each modality adds to the score.

    It is recommended to use :meth:`from_estimator`, or :meth:`from_importance` for what
    :func:`modality_importance` has returned.

    Parameters
    ----------
    importances_mean : ndarray of shape (n_modalities,)
        Length of the bars.
    modalities : list of str
        Names of the modalities.
    importances_std : ndarray of shape (n_modalities,), default=None
        Half the length of the error bars.
    score_name : str, default=None
        What the score is.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    bars_ : matplotlib BarContainer

    See Also
    --------
    modality_importance : Computes it.
    ModalityInteractionDisplay : Draws what pairs of modalities add together.

    Examples
    --------
    >>> from skstack.inspection import ModalityImportanceDisplay
    >>> display = ModalityImportanceDisplay(importances_mean=[0.2, 0.6], modalities=["photo", "text"]).plot()
    >>> len(display.bars_)
    2
    """

    def __init__(self, *, importances_mean, modalities, importances_std=None, score_name=None):
        self.importances_mean = importances_mean
        self.modalities = modalities
        self.importances_std = importances_std
        self.score_name = score_name

    @classmethod
    def from_estimator(cls, estimator, X, y, *, scoring=None, ax=None, **params):
        """Compute the importances and draw them.

        Parameters
        ----------
        estimator : estimator
            Fitted stack, network, or pipeline that ends in one.
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows to score.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), or DataFrame
            Their target.
        scoring : str or callable, default=None
            See :func:`modality_importance`.
        ax : matplotlib Axes, default=None
            Where to draw; ``None`` makes a figure.
        **params : dict
            Further arguments of :func:`modality_importance`.

        Returns
        -------
        display : ModalityImportanceDisplay
        """
        result = modality_importance(estimator, X, y, scoring=scoring, **params)
        name = scoring if isinstance(scoring, str) else None
        return cls.from_importance(result, score_name=name, ax=ax)

    @classmethod
    def from_importance(cls, result, *, score_name=None, ax=None):
        """Draw importances that are known.

        Parameters
        ----------
        result : :class:`~sklearn.utils.Bunch`
            As :func:`modality_importance` returns it.
        score_name : str, default=None
            What the score is.
        ax : matplotlib Axes, default=None
            Where to draw; ``None`` makes a figure.

        Returns
        -------
        display : ModalityImportanceDisplay
        """
        shown = cls(
            importances_mean=result.importances_mean,
            modalities=list(result.modalities),
            importances_std=result.get("importances_std"),
            score_name=score_name,
        )
        return shown.plot(ax=ax)

    def plot(self, ax=None):
        """Draw the bars, the longest on top.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; ``None`` makes a figure.

        Returns
        -------
        display : ModalityImportanceDisplay
        """
        ax = axes_for(ax, type(self).__name__, layout="constrained")
        order = np.argsort(self.importances_mean, kind="stable")
        errors = None if self.importances_std is None else np.asarray(self.importances_std)[order]
        names = [self.modalities[index] for index in order]
        self.bars_ = bars_from_zero(ax, names, np.asarray(self.importances_mean)[order], errors)
        ax.set(xlabel=f"Importance ({self.score_name or 'score'})", ylabel="modality")
        self.ax_, self.figure_ = ax, ax.figure
        return self

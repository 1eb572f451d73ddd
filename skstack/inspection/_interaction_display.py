"""A drawing of the interactions of modalities."""

import numpy as np

from ._display import axes_for
from ._modality_importance import modality_importance
from ._shapley import without_rounding


class ModalityInteractionDisplay:
    """Matrix of what pairs of modalities add together, beyond what each adds, and of what each adds apart from that.

    It is recommended to use :meth:`from_estimator`, or :meth:`from_interactions` for what :func:`modality_importance`
    or :func:`shapley_values` have returned.

    Parameters
    ----------
    interactions : ndarray of shape (n_modalities, n_modalities)
        Shapley interaction index of each pair; on the diagonal what is left of a modality's Shapley value.
    modalities : list of str
        Names of the modalities.
    value_name : str, default=None
        What is added up, such as the name of a score.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    image_ : matplotlib AxesImage
    text_ : ndarray of matplotlib Text of shape (n_modalities, n_modalities)

    See Also
    --------
    modality_importance : Computes it for the score.
    shapley_values : Computes it for single predictions.

    Examples
    --------
    >>> import numpy as np
    >>> from skstack.inspection import ModalityInteractionDisplay
    >>> interactions = np.array([[0.5, -0.1], [-0.1, 0.3]])
    >>> display = ModalityInteractionDisplay(interactions=interactions, modalities=["photo", "text"]).plot()
    >>> display.text_[0, 1].get_text()
    '-0.1'
    """

    def __init__(self, *, interactions, modalities, value_name=None):
        self.interactions = interactions
        self.modalities = modalities
        self.value_name = value_name

    @classmethod
    def from_estimator(cls, estimator, X, y, *, scoring=None, ax=None, **params):
        """Compute the interactions for the score and draw them.

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
            Further arguments of :func:`modality_importance`, whose `method` is "shapley".

        Returns
        -------
        display : ModalityInteractionDisplay
        """
        result = modality_importance(estimator, X, y, method="shapley", scoring=scoring, **params)
        name = scoring if isinstance(scoring, str) else "score"
        return cls.from_interactions(result.interactions, list(result.modalities), value_name=name, ax=ax)

    @classmethod
    def from_interactions(cls, interactions, modalities, *, value_name=None, ax=None):
        """Draw interactions that are known.

        Parameters
        ----------
        interactions : ndarray of shape (n_modalities, n_modalities)
            Of the score, of a row, or the mean over rows.
        modalities : list of str
            Names of the modalities.
        value_name : str, default=None
            What is added up.
        ax : matplotlib Axes, default=None
            Where to draw; ``None`` makes a figure.

        Returns
        -------
        display : ModalityInteractionDisplay
        """
        return cls(interactions=interactions, modalities=list(modalities), value_name=value_name).plot(ax=ax)

    def plot(self, ax=None, *, cmap="RdBu_r", values_format=None):
        """Draw the matrix.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; ``None`` makes a figure.
        cmap : str or matplotlib Colormap, default="RdBu_r"
            Its middle stands for 0.
        values_format : str, default=None
            How numbers are written; ``None`` writes two digits of the largest, and as many decimals of all others.

        Returns
        -------
        display : ModalityInteractionDisplay
        """
        ax = axes_for(ax, type(self).__name__, layout="constrained")
        values, places = np.asarray(self.interactions), np.arange(len(self.modalities))
        limit = np.abs(values).max() or 1.0
        self.image_ = ax.imshow(values, cmap=cmap, vmin=-limit, vmax=limit)
        self.text_ = np.empty(values.shape, dtype=object)
        if values_format is None:
            values_format = f"z.{max(0, 1 - int(np.floor(np.log10(limit))))}f"
        for (row, column), value in np.ndenumerate(without_rounding(values)):
            color = "white" if abs(value) > 0.6 * limit else "black"
            self.text_[row, column] = ax.text(
                column, row, format(value, values_format), ha="center", va="center", color=color
            )
        ax.set_xticks(places, self.modalities, rotation=45, ha="right", parse_math=False)
        ax.set_yticks(places, self.modalities, parse_math=False)
        ax.figure.colorbar(self.image_, ax=ax, label=self.value_name or "")
        self.ax_, self.figure_ = ax, ax.figure
        return self

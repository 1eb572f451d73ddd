"""What columns and time steps add to a prediction, as bars and curves."""

import numpy as np

from ._display import as_they_are, axes_for, legend_of
from ._integrated_gradients import integrated_gradients
from ._networks import find_networks
from ._pixels import image_branch

_FOR, _AGAINST = "tab:blue", "tab:red"


class AttributionDisplay:
    """What columns, or the steps of a sequence, add to the prediction of a row, or to those of many.

    Parameters
    ----------
    attributions : ndarray of shape (n_parts,) or (n_steps, n_channels)
        Bars are drawn of the first, a curve for each channel of the second.
    names : list of str, default=None
        Of the parts or channels.
    label : str, default="attribution"
        What is drawn.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure

    See Also
    --------
    integrated_gradients : Makes the attributions.
    TextAttributionDisplay : The same for words.

    Examples
    --------
    >>> from skstack.inspection import AttributionDisplay
    >>> display = AttributionDisplay([0.5, -0.2, 0.1], ["area", "age", "rooms"]).plot(max_display=2)
    >>> [text.get_text() for text in display.ax_.get_yticklabels()]
    ['1 other', 'age', 'area']
    """

    def __init__(self, attributions, names=None, *, label="attribution"):
        self.attributions = attributions
        self.names = names
        self.label = label

    @classmethod
    def from_estimator(cls, estimator, X, *, branch, max_display=12, ax=None, **params):
        """Attribute predictions to the columns or steps of a branch, and draw that.

        Parameters
        ----------
        estimator : MultimodalNetworkRegressor, MultimodalNetworkClassifier, MultitaskNetwork or a stack
            Fitted.
        X : DataFrame or array-like of shape (n_samples, n_features)
            A row to draw; of several rows the means of the absolute attributions.
        branch : str
            Name of a branch of numbers, categories, entities, dates or sequences.
        max_display : int, default=12
        ax : matplotlib.axes.Axes, default=None
        **params : dict
            Further arguments of :func:`integrated_gradients`.

        Returns
        -------
        display : AttributionDisplay

        Raises
        ------
        ValueError
            If the branch is one of texts or images, which have displays of their own.
        """
        network = find_networks(estimator, branch)[0].network
        of_images = any(part.name == branch and image_branch(part.branch) for part in network.branches_)
        made = integrated_gradients(estimator, X, branch=branch, **params)
        attributions, names = made.attributions[branch], made.names[branch]
        if of_images or attributions.ndim not in (2, 3) or (names is not None and names.ndim > 1):
            raise ValueError(
                f"branch {branch!r} has no columns or steps: see TextAttributionDisplay and ImageMapDisplay."
            )
        single = len(attributions) == 1
        values = attributions[0] if single else np.abs(attributions).mean(axis=0)
        display = cls(values, names, label="attribution" if single else "mean absolute attribution")
        return display.plot(ax, max_display=max_display)

    def plot(self, ax=None, *, max_display=12):
        """Draw bars, the largest on top, or curves.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            ``None`` makes a figure.
        max_display : int, default=12
            Bars at most, or curves; the others are drawn as one bar with their sum, curves are left out.

        Returns
        -------
        display : AttributionDisplay
        """
        values = np.asarray(self.attributions, dtype="float64")
        height = 0.3 * min(len(values), max_display + 1) + 0.9 if values.ndim == 1 else 3.0
        ax = axes_for(ax, type(self).__name__, figsize=(6.4, height), layout="constrained")
        (self._bars if values.ndim == 1 else self._curves)(ax, values, max_display)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _name(self, place):
        return str(place if self.names is None else self.names[place])

    def _bars(self, ax, values, max_display):
        order = np.argsort(-np.abs(values), kind="stable")
        shown, rest = order[:max_display], order[max_display:]
        lengths, names = values[shown].tolist(), [self._name(place) for place in shown]
        if len(rest):
            lengths.append(values[rest].sum())
            names.append(f"{len(rest)} other{'s' if len(rest) > 1 else ''}")
        lengths, names = lengths[::-1], names[::-1]  # the first bar is drawn at the bottom
        colors = [_FOR if length >= 0 else _AGAINST for length in lengths]
        ax.barh(range(len(lengths)), lengths, color=colors, tick_label=names)
        as_they_are(ax.get_yticklabels())
        ax.axvline(0.0, color="gray", linewidth=0.8)
        ax.set_xlabel(self.label)

    def _curves(self, ax, values, max_display):
        lines = []
        for channel in np.argsort(-np.abs(values).sum(axis=0), kind="stable")[:max_display]:
            marker = "." if len(values) <= 40 else None
            lines += ax.plot(values[:, channel], label=self._name(channel), marker=marker)
        ax.axhline(0.0, color="gray", linewidth=0.8)
        ax.set(xlabel="step", ylabel=self.label)
        if values.shape[1] > 1:
            legend_of(ax, lines, title="channel", fontsize=8)

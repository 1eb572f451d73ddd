"""Curves of the training of networks: loss and metrics after each epoch, over the folds of a stack."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._pipelines import last_of
from .._suggestions import did_you_mean
from ..stacking._cross_fit import training_history
from ._base_models import is_stack, networks_of
from ._display import grid_of_axes

_VALIDATION = "val_"


class TrainingHistoryDisplay:
    """Curves of the training of networks, with a band over the folds of a stack.

    Parameters
    ----------
    histories : dict of str to list of dict
        By the name of a network, loss and metrics after each epoch of each of its folds.
    refits : dict of str to dict, default=None
        By the same names, those of the fit to all rows, where there is one.

    Attributes
    ----------
    axes_ : ndarray of matplotlib.axes.Axes of shape (n_networks,)
        The axes drawn into, one for each network.
    figure_ : matplotlib.figure.Figure
        Their figure.
    lines_ : dict of (str, str) to matplotlib.lines.Line2D
        The mean over folds by network and metric.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : How the score of a stack grows with rows.
    sklearn.model_selection.ValidationCurveDisplay : How it depends on a parameter.

    Notes
    -----
    Folds may stop after different epochs. Mean and deviation are those of the folds that are still trained, and the
    number of these may fall along a curve.

    Examples
    --------
    >>> from skstack.inspection import TrainingHistoryDisplay
    >>> folds = [{"loss": [3.0, 2.0, 1.5]}, {"loss": [2.0, 1.0]}]
    >>> display = TrainingHistoryDisplay({"network": folds}).plot()
    >>> display.lines_["network", "loss"].get_ydata()
    array([2.5, 1.5, 1.5])
    """

    def __init__(self, histories, *, refits=None):
        self.histories = histories
        self.refits = refits

    @classmethod
    def from_estimator(cls, estimator, *, metric="loss", ax=None):
        """Draw the curves of a fitted stack or network.

        Parameters
        ----------
        estimator : estimator
            A fitted stack, whose networks are drawn side by side; an estimator with a ``history_``; the best one of a
            search, or a pipeline that ends in one of these.
        metric : str, default="loss"
            What to draw, beside it the same of validation rows where there were some.
        ax : matplotlib.axes.Axes or array-like of Axes, default=None
            Axes whose place is divided among networks, or one for each of them; a new figure by default.

        Returns
        -------
        display : TrainingHistoryDisplay

        Raises
        ------
        ValueError
            If nothing was trained in epochs, or there is no such metric.
        """
        estimator = last_of(estimator)
        check_is_fitted(estimator)
        if not is_stack(estimator):
            alone = training_history(estimator)
            found, refits = ({type(estimator).__name__: [alone]} if alone else {}), None
        else:
            found, fitted = estimator.fold_histories_, getattr(estimator, "named_estimators_", {})
            refits = {name: training_history(fitted[name]) for name in found if name in fitted}
            # Those in a nested stack or a search have no curves of the outer folds, but their own.
            others = {name: training_history(network) for name, network in networks_of(estimator).items()}
            found = {**{name: [history] for name, history in others.items() if history}, **found}
        if not found:
            raise ValueError(f"no part of this {type(estimator).__name__} has been trained in epochs.")
        return cls(found, refits=refits).plot(metric=metric, ax=ax)

    def plot(self, *, metric="loss", ax=None):
        """Draw the curves.

        Parameters
        ----------
        metric : str, default="loss"
            What to draw, beside it the same of validation rows where there were some.
        ax : matplotlib.axes.Axes or array-like of Axes, default=None
            Axes whose place is divided among networks, or one for each of them; a new figure by default.

        Returns
        -------
        display : TrainingHistoryDisplay

        Raises
        ------
        ValueError
            If no network has such a metric.
        """
        known = sorted({key.removeprefix(_VALIDATION) for folds in self.histories.values() for key in _keys(folds)})
        if metric not in known:
            raise ValueError(f"no network has a metric {metric!r}.{did_you_mean(metric, known)} Known are {known}.")
        self.axes_ = np.array(grid_of_axes(ax, len(self.histories), type(self).__name__), dtype=object)
        self.figure_ = self.axes_[0].figure
        self.lines_ = {}
        for axes, (name, folds) in zip(self.axes_, self.histories.items(), strict=True):
            refit = (self.refits or {}).get(name) or {}
            for key, color, label in ((metric, "C0", "training"), (_VALIDATION + metric, "C1", "validation")):
                self._draw(axes, name, folds, refit, key, color, label)
            axes.set(xlabel="epoch", ylabel=metric)
            axes.set_title(name, parse_math=False)
            if axes.lines:
                axes.legend(fontsize="small", frameon=False)
        return self

    def _draw(self, axes, name, folds, refit, key, color, label):
        curves = [history[key] for history in folds if history and history.get(key)]
        if curves:
            mean, deviation = _mean_and_deviation(curves)
            epochs = np.arange(1, len(mean) + 1)
            several = f", {len(curves)} folds" if len(curves) > 1 else ""
            (self.lines_[name, key],) = axes.plot(epochs, mean, color=color, label=label + several, **_marker(mean))
            axes.fill_between(epochs, mean - deviation, mean + deviation, color=color, alpha=0.2, lw=0)
        if refit.get(key):
            epochs = np.arange(1, len(refit[key]) + 1)
            axes.plot(epochs, refit[key], ":", color=color, lw=1.2, label=f"{label}, all rows", **_marker(epochs))


def _keys(folds):
    return [key for history in folds for key in history or {}]


def _marker(values):
    return {"marker": "."} if len(values) == 1 else {}


def _mean_and_deviation(curves):
    """Return mean and deviation after each epoch, over the curves that reach it."""
    by_epoch = np.full((len(curves), max(map(len, curves))), np.nan)
    for row, curve in zip(by_epoch, curves, strict=True):
        row[: len(curve)] = curve
    return np.nanmean(by_epoch, axis=0), np.nanstd(by_epoch, axis=0)

"""A drawing of how the modalities lead from the base value to one prediction."""

import numpy as np

from .._compat import num_samples, take
from ._display import axes_for
from ._shapley import without_rounding
from ._shapley_values import shapley_values

_UP, _DOWN = "tab:red", "tab:blue"


class WaterfallDisplay:
    """Bars that lead from what is predicted without any modality to the prediction for a row, one modality each.

    It is recommended to use :meth:`from_estimator`, or :meth:`from_shapley_values` for what :func:`shapley_values` has
    returned.

    Parameters
    ----------
    shapley_values : ndarray of shape (n_modalities,)
        Length of the bars.
    base_value : float
        Where they begin.
    modalities : list of str
        Names of the modalities.
    value_name : str, default="prediction"
        Label of the horizontal axis.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    bars_ : matplotlib BarContainer
        In the order of `modalities`.

    See Also
    --------
    shapley_values : Computes it.

    Examples
    --------
    >>> import numpy as np
    >>> from skstack.inspection import WaterfallDisplay
    >>> values = np.array([3.0, -1.0])
    >>> display = WaterfallDisplay(shapley_values=values, base_value=10.0, modalities=["photo", "text"]).plot()
    >>> [float(bar.get_width()) for bar in display.bars_]
    [3.0, -1.0]
    """

    def __init__(self, *, shapley_values, base_value, modalities, value_name="prediction"):
        self.shapley_values = shapley_values
        self.base_value = base_value
        self.modalities = modalities
        self.value_name = value_name

    @classmethod
    def from_estimator(cls, estimator, X, *, row=0, target=None, ax=None, **params):
        """Compute the Shapley values of a row and draw them.

        Parameters
        ----------
        estimator : estimator
            Fitted stack, network, or pipeline that ends in one.
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data.
        row : int, default=0
            Position of the row.
        target : int or class, default=None
            Which of several outputs, by its index, or which class.
        ax : matplotlib Axes, default=None
            Where to draw; ``None`` makes a figure.
        **params : dict
            Further arguments of :func:`shapley_values`.

        Returns
        -------
        display : WaterfallDisplay

        Raises
        ------
        ValueError
            If there is no such row, or `target` is needed or is none of the outputs.
        """
        _check_row(row, num_samples(X))
        result = shapley_values(estimator, take(X, [row], axis=0), **params)
        return cls.from_shapley_values(result, target=target, ax=ax)

    @classmethod
    def from_shapley_values(cls, result, *, row=0, target=None, value_name=None, ax=None):
        """Draw Shapley values that are known.

        Parameters
        ----------
        result : :class:`~sklearn.utils.Bunch`
            As :func:`shapley_values` returns it.
        row : int, default=0
            Position of the row among those of `result`.
        target : int or class, default=None
            Which of several outputs, by its index, or which class. ``None`` stands for the only one.
        value_name : str, default=None
            Label of the horizontal axis; ``None`` says what is predicted.
        ax : matplotlib Axes, default=None
            Where to draw; ``None`` makes a figure.

        Returns
        -------
        display : WaterfallDisplay

        Raises
        ------
        ValueError
            If there is no such row, or `target` is needed or is none of the outputs.
        """
        _check_row(row, len(result.shapley_values))
        which, name = _output(result, target)
        shown = cls(
            shapley_values=result.shapley_values[row][(slice(None), *which)],
            base_value=float(result.base_values[row][which]),
            modalities=list(result.modalities),
            value_name=name if value_name is None else value_name,
        )
        return shown.plot(ax=ax)

    def plot(self, ax=None, *, values_format="{:+.4g}"):
        """Draw the bars, the longest on top.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; ``None`` makes a figure.
        values_format : str, default="{:+.4g}"
            How contributions are written.

        Returns
        -------
        display : WaterfallDisplay
        """
        ax = axes_for(ax, type(self).__name__, layout="constrained")
        values = np.asarray(self.shapley_values)
        order = np.argsort(np.abs(values), kind="stable")  # from the base value, at the bottom, up
        ends = self.base_value + np.cumsum(values[order])
        starts, heights = np.empty(len(values)), np.empty(len(values), dtype=int)
        starts[order], heights[order] = ends - values[order], np.arange(len(values))
        colors = [_UP if value >= 0 else _DOWN for value in values]
        self.bars_ = ax.barh(heights, values, left=starts, color=colors, height=0.6)
        labels = [values_format.format(value) for value in without_rounding(values, self.base_value)]
        ax.bar_label(self.bars_, labels, padding=3)
        for height, end in enumerate(ends):
            ax.plot([end, end], [height - 0.3, min(height + 1.3, len(values) - 0.7)], color="gray", linewidth=0.8)
        for value, label, above in ((self.base_value, "base", 3), (ends[-1], "prediction", 14)):
            ax.axvline(value, color="gray", linestyle=":", linewidth=1)
            place = {"xycoords": ("data", "axes fraction"), "xytext": (0, above), "textcoords": "offset points"}
            ax.annotate(f"{label} {value:.4g}", (value, 1.0), **place, ha="center", fontsize="small")
        ax.set_yticks(heights, self.modalities, parse_math=False)
        ax.set_xlabel(self.value_name, parse_math=False)
        ax.set_ylabel("modality")
        _make_room(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _check_row(row, n_rows):
    if not -n_rows <= row < n_rows:
        raise ValueError(f"'row' should be a position from 0 to {n_rows - 1}, got {row}.")


def _make_room(ax):
    """Extend the axes to the sides until all numbers in them have room, however wide they are."""
    ax.figure.canvas.figure.draw_without_rendering()  # for where the layout puts the axes
    for _ in range(10):  # the wider the limits, the more of them a number takes
        boxes = [text.get_window_extent().padded(4).transformed(ax.transData.inverted()) for text in ax.texts]
        low, high = ax.get_xlim()
        ax.set_xlim(min(low, *(box.x0 for box in boxes)), max(high, *(box.x1 for box in boxes)))


def _output(result, target):
    """Return where an output stands on the last axis, as a tuple, and how it is called."""
    classes, n_outputs = result.classes, result.predictions.shape[1:]
    if not n_outputs:
        if target is not None and not (classes is not None and target == classes[0]):
            raise ValueError(f"'target' is {target!r}, but there is one output, which needs none.")
        return (), "prediction" if classes is None else f"prediction for class {classes[0]!s}"
    known = list(range(n_outputs[0])) if classes is None else np.asarray(classes).tolist()
    if target is None or target not in known:
        raise ValueError(f"there are several outputs: 'target' should be one of {known}, got {target!r}.")
    what = "output" if classes is None else "class"
    return (known.index(target),), f"prediction for {what} {target!s}"

"""Predictions of a stack and of each of its base models side by side: residuals, calibration, confusion."""

import numpy as np
import pandas as pd
from sklearn.calibration import CalibrationDisplay
from sklearn.metrics import ConfusionMatrixDisplay, PredictionErrorDisplay
from sklearn.utils.multiclass import unique_labels
from sklearn.utils.validation import check_is_fitted, column_or_1d

from .._pipelines import last_of
from .._suggestions import did_you_mean
from .._validation import check_lengths
from ._base_models import is_stack, last_step_and_rows
from ._display import as_they_are, grid_of_axes
from ._one_target import OneTarget

#: Kinds of pictures, and whether they are of classes.
_KINDS = {"residuals": False, "actual": False, "confusion": True, "calibration": True}

#: How many rows a scatter plot shows.
_N_POINTS = 1000

#: How the predictions of the stack itself are called.
STACK = "stack"


class MemberPredictionsDisplay:
    """Residuals, calibration or confusion of a stack and of each of its base models, side by side.

    Drawn by scikit-learn's own displays, with the same axes for all.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        True targets.
    predictions : dict of str to ndarray of shape (n_samples,) or (n_samples, n_classes)
        By the name of the base model: numbers, classes, or probabilities of the classes.
    classes : ndarray of shape (n_classes,), default=None
        The classes in the order of the probabilities; ``None`` if numbers are predicted.

    Attributes
    ----------
    axes_ : ndarray of matplotlib.axes.Axes of shape (n_panels,)
        The axes drawn into.
    figure_ : matplotlib.figure.Figure
        Their figure.
    displays_ : dict of str to display
        scikit-learn's displays by the name of the base model.

    See Also
    --------
    sklearn.metrics.PredictionErrorDisplay : Draws residuals.
    sklearn.calibration.CalibrationDisplay : Draws calibration.
    sklearn.metrics.ConfusionMatrixDisplay : Draws confusion.

    Notes
    -----
    With more than two classes, calibration is that of the class which is predicted: how often it is right, by the
    probability that it was given [1]_.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern neural networks", ICML 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skstack.inspection import MemberPredictionsDisplay
    >>> y = np.array([1.0, 2.0, 3.0, 4.0])
    >>> display = MemberPredictionsDisplay(y, {"stack": y + 0.1, "ridge": y - 0.5}).plot()
    >>> list(display.displays_)
    ['stack', 'ridge']
    """

    def __init__(self, y, predictions, *, classes=None):
        self.y = y
        self.predictions = predictions
        self.classes = classes

    @classmethod
    def from_estimator(cls, estimator, X, y, *, target=None, kind="auto", ax=None):
        """Draw predictions of given rows, which the stack should not have been fitted to.

        Parameters
        ----------
        estimator : estimator
            A fitted stack, the best one of a search, or a pipeline that ends in one.
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their targets; rows that lack the one that is drawn are left out.
        target : str or int, default=None
            Which of several targets to draw: a task or column of classes by its name, a number or label by its
            position.
        kind : {"auto", "residuals", "actual", "confusion", "calibration"}, default="auto"
            What to draw: residuals or actual targets against predictions, a confusion matrix (each row of it sums to
            1), or a calibration curve; by default residuals of numbers and confusion of classes.
        ax : matplotlib.axes.Axes or array-like of Axes, default=None
            Axes whose place is divided, or one for the stack and each base model; a new figure by default.

        Returns
        -------
        display : MemberPredictionsDisplay

        Raises
        ------
        TypeError, ValueError
            If the estimator is no stack, several targets need a `target`, or `kind` does not go with what it predicts.
        """
        estimator, X = last_step_and_rows(estimator, X)
        stack = _checked(estimator)
        check_lengths(X, y)
        shown = OneTarget(stack, target)
        predictions = {STACK: shown.of_stack(X), **shown.of_members(np.asarray(stack.transform(X)))}
        y = column_or_1d(shown.column(y))
        return cls._of(shown, y, predictions, np.ones(len(y), dtype=bool)).plot(kind=kind, ax=ax)

    @classmethod
    def from_out_of_fold(cls, estimator, y, *, target=None, kind="auto", ax=None):
        """Draw the out-of-fold predictions of the rows that a stack was fitted to.

        Parameters
        ----------
        estimator : estimator
            A fitted stack, the best one of a search, or a pipeline that ends in one.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The targets that it was fitted to. Rows that no fold predicts, or for which the final estimator could not
            be fitted to other folds, are left out.
        target, kind, ax
            See :meth:`from_estimator`.

        Returns
        -------
        display : MemberPredictionsDisplay

        Raises
        ------
        TypeError, ValueError
            If the estimator is no stack with out-of-fold predictions, as it has none with cv="prefit", or as above.
        """
        stack = _checked(estimator)
        if stack.oof_predictions_ is None:
            raise ValueError("a stack with cv='prefit' has no out-of-fold predictions: use from_estimator.")
        check_lengths(stack.oof_predictions_, y)
        shown = OneTarget(stack, target)
        of_stack = shown.decoded(stack.final_oof_predictions_, _final_method(stack))
        predictions = {STACK: of_stack, **shown.of_members(stack.oof_predictions_)}
        known = np.isfinite(stack.oof_predictions_).all(axis=1)
        of_all = known & np.isfinite(stack.final_oof_predictions_).all(axis=1)
        if of_all.any():
            known = of_all
        else:  # what stands on top could not be fitted without a fold
            del predictions[STACK]
        return cls._of(shown, column_or_1d(shown.column(y)), predictions, known).plot(kind=kind, ax=ax)

    @classmethod
    def from_predictions(cls, y, predictions, *, classes=None, kind="auto", ax=None):
        """Draw predictions that are there already, of whatever models.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            True targets.
        predictions : dict of str to array-like of shape (n_samples,) or (n_samples, n_classes), or DataFrame
            By the name of the model: numbers, classes, or probabilities of the classes; of a DataFrame each column is
            a model.
        classes : array-like of shape (n_classes,), default=None
            The classes in the order of the probabilities. By default they are those of y, in sorted order, where
            probabilities or texts or truth values are predicted; whole numbers are taken for numbers.
        kind, ax
            See :meth:`from_estimator`.

        Returns
        -------
        display : MemberPredictionsDisplay

        Raises
        ------
        ValueError
            If there are no predictions, they are of other rows than y or of other classes, or `kind` does not go with
            them.
        """
        y = column_or_1d(y)
        given = {str(name): np.asarray(predictions[name]) for name in predictions}
        if not given:
            raise ValueError("there are no predictions to draw.")
        for name, values in given.items():
            if values.shape[:1] != y.shape:
                raise ValueError(f"predictions of {name!r} have shape {values.shape}, but y has {len(y)} rows.")
        are_classes = any(values.ndim == 2 or values.dtype.kind not in "iuf" for values in (y, *given.values()))
        if classes is None and are_classes:
            classes = unique_labels(y, *(values for values in given.values() if values.ndim == 1))
        classes = None if classes is None else np.asarray(classes)
        for name, values in given.items():
            if values.ndim > 2:
                raise ValueError(f"predictions of {name!r} have shape {values.shape}: give two dimensions at most.")
            if values.ndim == 2 and values.shape[1] != len(classes):
                raise ValueError(
                    f"predictions of {name!r} have shape {values.shape}, but there are {len(classes)} classes: "
                    f"{classes.tolist()}."
                )
        return cls(y, given, classes=classes).plot(kind=kind, ax=ax)

    @classmethod
    def _of(cls, shown, y, predictions, known):
        """Return the display of some rows, those that lack the target left out."""
        known = known & ~pd.isna(y)
        y = np.asarray(y[known].tolist()) if y.dtype.kind == "O" else y[known]  # in a type of its own, beside gaps
        return cls(y, {name: values[known] for name, values in predictions.items()}, classes=shown.classes)

    def plot(self, *, kind="auto", ax=None):
        """Draw the panels.

        Parameters
        ----------
        kind : {"auto", "residuals", "actual", "confusion", "calibration"}, default="auto"
            See :meth:`from_estimator`.
        ax : matplotlib.axes.Axes or array-like of Axes, default=None
            Axes whose place is divided, or one for each panel; a new figure by default.

        Returns
        -------
        display : MemberPredictionsDisplay
        """
        kind = self._kind(kind)
        shown = self.predictions
        if kind == "calibration":
            shown = {name: values for name, values in shown.items() if values.ndim == 2}
            if not shown:
                raise ValueError("kind='calibration' needs probabilities, which nothing here predicts.")
        self.axes_ = np.array(grid_of_axes(ax, len(shown), type(self).__name__), dtype=object)
        self.figure_ = self.axes_[0].figure
        draw, self.displays_ = getattr(self, f"_draw_{kind}"), {}
        for axes, (name, values) in zip(self.axes_, shown.items(), strict=True):
            self.displays_[name] = draw(axes, values)
            axes.set_title(name, parse_math=False)
        if kind == "residuals":
            self._share_limits()
        elif kind == "actual":
            self._share_square()
        return self

    def _kind(self, kind):
        if kind == "auto":
            return "residuals" if self.classes is None else "confusion"
        if kind not in _KINDS:
            raise ValueError(f"unknown kind {kind!r}.{did_you_mean(kind, _KINDS)} Known are {[*_KINDS]}.")
        if _KINDS[kind] != (self.classes is not None):
            predicted = "numbers" if self.classes is None else "classes"
            raise ValueError(f"kind={kind!r} does not go with {predicted}, which this stack predicts.")
        return kind

    def _draw_residuals(self, axes, values):
        return self._draw_errors(axes, values, "residual_vs_predicted")

    def _draw_actual(self, axes, values):
        return self._draw_errors(axes, values, "actual_vs_predicted")

    def _draw_errors(self, axes, values, kind):
        return PredictionErrorDisplay.from_predictions(
            self.y,
            values,
            kind=kind,
            subsample=min(_N_POINTS, len(self.y)),
            random_state=0,
            ax=axes,
            scatter_kwargs={"s": 8, "alpha": 0.5},
        )

    def _draw_confusion(self, axes, values):
        labels = unique_labels(self.classes, self.y) if len(self.classes) else None
        display = ConfusionMatrixDisplay.from_predictions(
            self.y,
            self._classes_of(values),
            labels=labels,
            normalize="true",
            values_format=".2f",
            include_values=len(labels) <= 10,
            xticks_rotation="vertical",
            cmap="Blues",
            colorbar=False,
            ax=axes,
        )
        as_they_are([*axes.get_xticklabels(), *axes.get_yticklabels()])
        return display

    def _draw_calibration(self, axes, values):
        if len(self.classes) == 2:
            right, probability = self.y == self.classes[1], values[:, 1]
        else:
            right, probability = self.y == self._classes_of(values), values.max(axis=1)
        probability = np.clip(probability, 0, 1)  # which single precision may leave by a rounding
        display = CalibrationDisplay.from_predictions(right, probability, n_bins=10, strategy="quantile", ax=axes)
        axes.get_legend().remove()
        axes.set(xlabel="predicted probability", ylabel="part that is so", xlim=(0, 1), ylim=(0, 1))
        return display

    def _classes_of(self, values):
        return self.classes[values.argmax(axis=1)] if values.ndim == 2 else values

    def _share_square(self):
        values = np.concatenate([self.y, *self.predictions.values()])
        margin = 0.03 * (values.max() - values.min() or 1.0)
        limits = values.min() - margin, values.max() + margin
        for axes in self.axes_:
            axes.set_aspect("equal", adjustable="box")
            axes.set(xlim=limits, ylim=limits)

    def _share_limits(self):
        for axis in ("x", "y"):
            limits = np.array([getattr(axes, f"get_{axis}lim")() for axes in self.axes_])
            for axes in self.axes_:
                getattr(axes, f"set_{axis}lim")(limits[:, 0].min(), limits[:, 1].max())


def _checked(estimator):
    """Return a fitted stack of one target, or raise."""
    stack = last_of(estimator)
    check_is_fitted(stack)
    if not is_stack(stack):
        raise TypeError(f"expected a fitted stack, got {type(stack).__name__}.")
    return stack


def _final_method(stack):
    return "predict_proba" if hasattr(stack, "predict_proba") else "predict"

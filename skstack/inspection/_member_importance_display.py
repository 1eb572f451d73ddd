"""A drawing of what base models add to a stack."""

import numpy as np
import pandas as pd

from ._display import axes_for, bars_from_zero
from ._member_importance import member_importance


class MemberImportanceDisplay:
    """Bars of how far the score of a stack falls without each base model, with standard errors and weights.

    It is recommended to use :meth:`from_estimator`, or :meth:`from_importance` for what :func:`member_importance` has
    returned.

    Parameters
    ----------
    importance : DataFrame
        As :func:`member_importance` returns it, of one target.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    bars_ : matplotlib BarContainer

    See Also
    --------
    member_importance : Computes it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from skstack import MultimodalStackingRegressor
    >>> from skstack.inspection import MemberImportanceDisplay
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> y = X[:, 0] + X[:, 1]
    >>> stack = MultimodalStackingRegressor([("one", Ridge(), [0]), ("other", Ridge(), [1])], cv=3).fit(X, y)
    >>> len(MemberImportanceDisplay.from_estimator(stack, X, y).bars_)
    2
    """

    def __init__(self, *, importance):
        self.importance = importance

    @classmethod
    def from_estimator(cls, stack, X, y, *, task=None, ax=None, **params):
        """Compute the importances and draw them.

        Parameters
        ----------
        stack : estimator
            Fitted stack.
        X : DataFrame or array-like of shape (n_samples, n_features)
            The rows that it was fitted to.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), or DataFrame
            Their target.
        task : str, default=None
            Which of several targets.
        ax : matplotlib Axes, default=None
            Where to draw; ``None`` makes a figure.
        **params : dict
            Further arguments of :func:`member_importance`.

        Returns
        -------
        display : MemberImportanceDisplay
        """
        return cls.from_importance(member_importance(stack, X, y, **params), task=task, ax=ax)

    @classmethod
    def from_importance(cls, importance, *, task=None, ax=None):
        """Draw importances that are known.

        Parameters
        ----------
        importance : DataFrame
            As :func:`member_importance` returns it.
        task : str, default=None
            Which of several targets.
        ax : matplotlib Axes, default=None
            Where to draw; ``None`` makes a figure.

        Returns
        -------
        display : MemberImportanceDisplay

        Raises
        ------
        ValueError
            If there are several targets and `task` is none of them.
        """
        if isinstance(importance.index, pd.MultiIndex):
            known = importance.index.get_level_values(0).unique().tolist()
            if task not in known:
                raise ValueError(f"there are several targets: 'task' should be one of {known}, got {task!r}.")
            importance = importance.loc[task]
        return cls(importance=importance).plot(ax=ax)

    def plot(self, ax=None):
        """Draw the bars, the longest on top; what has a weight has it behind its name.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; ``None`` makes a figure.

        Returns
        -------
        display : MemberImportanceDisplay
        """
        ax = axes_for(ax, type(self).__name__, layout="constrained")
        table = self.importance.sort_values("importance", kind="stable")
        names = [
            name if np.isnan(weight) else f"{name}\nweight {weight:.2g}"
            for name, weight in zip(table.index, table["weight"], strict=True)
        ]
        self.bars_ = bars_from_zero(ax, names, table["importance"], table["standard_error"])
        ax.set(xlabel=f"Fall of the score without it ({table['scoring'].iloc[0]})", ylabel="base model")
        self.ax_, self.figure_ = ax, ax.figure
        return self

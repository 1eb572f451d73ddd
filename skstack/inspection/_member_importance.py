"""What each base model adds to a stack."""

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ..stacking._base import BaseStacking
from ..stacking._leave_one_out import leave_one_out
from ._base_models import last_step_and_rows


def member_importance(stack, X, y, *, sample_weight=None, groups=None):
    """Return what each base model adds to a fitted stack: its weight, and how far the score falls without it.

    The score falls by what no other base model knows. It is estimated without fitting any base model anew: the final
    estimator is fitted to the out-of-fold predictions of all folds but one, with and without the columns of a base
    model, and judged on that fold, as ``stack_report_`` judges it.

    Parameters
    ----------
    stack : estimator
        Fitted stack of ours, the best one of a search, or a pipeline that ends in one.
    X : DataFrame or array-like of shape (n_samples, n_features)
        The rows that it was fitted to.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their target.
    sample_weight : array-like of shape (n_samples,), default=None
        Their weights, as they were given to ``fit``.
    groups : array-like of shape (n_samples,), default=None
        Their groups, as they were given to ``fit``: what rows of a group have in common does not average out in
        standard errors.

    Returns
    -------
    table : DataFrame of shape (n_members, 6)
        Indexed by the name of the base model; of several targets by target and base model. Columns are

        - ``importance``: the score minus that without the base model;
        - ``standard_error`` of the importance, the larger of two: over rows, or groups of them, and over folds, which
          is corrected [1]_ because folds share rows to fit to;
        - ``score_without`` and ``score``, as in ``stack_report_`` larger is better;
        - ``scoring``: what they are; "r2" and the like;
        - ``n_rows``: how many rows they are taken from;
        - ``weight``: that of the base model in the final estimator: of a weighted average its weight, of a linear model
          the coefficient, of trees the impurity-based importance. Where a base model has several columns, coefficients
          are added up without their signs, importances as they are. NaN for any other final estimator.

        A line is NaN where the final estimator cannot be fitted without the base model.

    Raises
    ------
    TypeError
        If `stack` is no stack of ours.
    ValueError
        If it has one base model only, was fitted with ``cv="prefit"``, or to another number of rows.

    See Also
    --------
    MemberImportanceDisplay : Draws it.
    modality_importance : What each modality adds, whichever base models read it.

    Notes
    -----
    A base model that says nothing new has an importance of zero or a little less, within its standard error: to weigh
    it costs something (unless, as in a forest, noise keeps the final estimator from overfitting). Two base models that
    say the same are of no importance by this, each alone. Coefficients may be large for members that cancel each other
    out.

    References
    ----------
    .. [1] Nadeau and Bengio, "Inference for the Generalization Error", Machine Learning 52, 2003.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyRegressor
    >>> from sklearn.linear_model import Ridge
    >>> from skstack import MultimodalStackingRegressor
    >>> from skstack.inspection import member_importance
    >>> X = np.random.default_rng(0).normal(size=(100, 2))
    >>> y = X[:, 0] + X[:, 1]
    >>> stack = MultimodalStackingRegressor([("ridge", Ridge()), ("useless", DummyRegressor())], cv=3).fit(X, y)
    >>> member_importance(stack, X, y)[["importance", "weight"]].round(1).abs()
             importance  weight
    name
    ridge           1.0     1.0
    useless         0.0     0.0
    """
    stack, X = last_step_and_rows(stack, X)
    if not isinstance(stack, BaseStacking):
        raise TypeError(f"member_importance needs a stack of skstack, got {type(stack).__name__}.")
    check_is_fitted(stack)
    table = leave_one_out(stack, X, y, sample_weight, groups)
    return table.assign(weight=_weights(stack, table.index))


def _weights(stack, index):
    """Return the weight of each line of the table."""
    final = stack.final_estimator_
    if not isinstance(index, pd.MultiIndex):
        return _weights_of(final, stack.member_columns_, list(index))
    weights = []
    for task, lines in index.to_frame(index=False).groupby("task", sort=False):
        alone = final.for_task(task) if hasattr(final, "for_task") else None
        weights += _weights_of(alone, stack.member_columns_, list(lines["name"]))
    return weights


def _weights_of(final, columns, names):
    final = final[-1] if isinstance(final, Pipeline) else final
    n_columns = max(own.stop for own in columns.values())
    if len(getattr(final, "weights_", ())) == len(names):
        return list(final.weights_)
    coefficients = np.atleast_2d(getattr(final, "coef_", np.empty((1, 0))))
    if coefficients.shape[-1] >= n_columns:
        return [_one_or_sum(coefficients[..., columns[name]]) for name in names]
    importances = getattr(final, "feature_importances_", np.empty(0))
    if len(importances) >= n_columns:
        return [float(importances[columns[name]].sum()) for name in names]
    return [np.nan] * len(names)


def _one_or_sum(coefficients):
    return float(coefficients.ravel()[0]) if coefficients.size == 1 else float(np.abs(coefficients).sum())

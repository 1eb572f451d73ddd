"""Importance of modalities for the score of a fitted estimator."""

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import GroupKFold, check_cv
from sklearn.utils import Bunch, check_random_state, check_scalar
from sklearn.utils.validation import has_fit_parameter

from .._compat import take
from .._validation import check_lengths, rows_of
from ._absence import Absence
from ._modalities import check_inspected, column_names, modalities_of
from ._shapley import shapley, shapley_interactions
from ._views import views_of
from ._without_columns import without_columns

_METHODS = ("permutation", "refit", "shapley")


def modality_importance(
    estimator,
    X,
    y,
    *,
    method="permutation",
    scoring=None,
    modalities=None,
    background=None,
    n_repeats=5,
    cv=None,
    groups=None,
    random_state=None,
):
    """Return what each modality adds to the score of a fitted stack, network or pipeline that ends in one.

    Parameters
    ----------
    estimator : estimator
        Fitted; any estimator with ``predict``, if `modalities` are given.
    X : DataFrame or array-like of shape (n_samples, n_features)
        Rows to score; best those that the estimator has not been fitted to. For ``method="refit"`` the rows to fit to.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), or DataFrame
        Their target.
    method : {"permutation", "refit", "shapley"}, default="permutation"
        "permutation" shuffles all columns of a modality together, so that cells of a modality stay together, and
        "refit" fits clones with and without the modality's columns to the training rows of each fold: in both cases
        the importance is how far the score falls. "shapley" gives exact Shapley values of the score, where an absent
        modality is missing or replaced by `background` rows; they sum to the score of all modalities minus that of
        none.
    scoring : str or callable, default=None
        A scorer of scikit-learn or its name; ``None`` is the estimator's own ``score``, R² or accuracy for estimators
        of others.
    modalities : dict of str to columns, default=None
        Names and columns of X. ``None`` takes the columns of each branch, those of branches that share some together,
        and the columns that learners alone read.
    background : DataFrame or array-like of shape (n_background, n_features), default=None
        Rows whose cells take the place of an absent modality, for "shapley" alone; see :func:`shapley_values`.
    n_repeats : int, default=5
        Number of permutations.
    cv : int, cross-validation generator or iterable, default=None
        Folds of "refit": 5 by default, which hold groups together if there are `groups`.
    groups : array-like of shape (n_samples,), default=None
        Of the rows, for `cv` and for the fits of "refit".
    random_state : int, RandomState instance or None, default=None
        Of the permutations.

    Returns
    -------
    result : :class:`~sklearn.utils.Bunch`
        With these attributes:

        importances_mean : ndarray of shape (n_modalities,)
            How far the score falls, or the Shapley value.
        importances_std : ndarray of shape (n_modalities,)
            Standard deviation over permutations or folds; not for "shapley".
        importances : ndarray of shape (n_modalities, n_repeats)
            Of each permutation or fold; not for "shapley".
        interactions : ndarray of shape (n_modalities, n_modalities)
            For "shapley" alone: Shapley interaction index of each pair, see :func:`shapley_values`.
        score : float
            With all modalities; of "refit" the mean over the folds.
        base_score : float
            For "shapley" alone: with none.
        modalities : dict of str to list
            The columns of each modality.

    Raises
    ------
    ValueError
        If a parameter is of no use, X and y differ in length, or the estimator cannot predict without a modality.
    TypeError
        For "refit" and an estimator whose parts are not known.

    See Also
    --------
    ModalityImportanceDisplay : Draws it.
    shapley_values : Contributions to single predictions.
    dropped_modality_curve : How the score falls as more and more rows lack a modality.
    sklearn.inspection.permutation_importance : Of single columns; works on stacks and networks, too.

    Notes
    -----
    A modality may be of no importance by permutation or refit because another one says the same. Shapley values share
    what several say.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> from skstack.inspection import modality_importance
    >>> generator = np.random.default_rng(0)
    >>> X = generator.normal(size=(200, 3))
    >>> model = LinearRegression().fit(X, X[:, 0] + X[:, 1])
    >>> result = modality_importance(
    ...     model, X, X[:, 0] + X[:, 1], modalities={"used": [0, 1], "noise": [2]}, random_state=0
    ... )
    >>> result.importances_mean.round() + 0.0
    array([2., 0.])
    """
    estimator, X = check_inspected(estimator, X)
    if method not in _METHODS:
        raise ValueError(f"'method' should be one of {_METHODS}, got {method!r}.")
    if background is not None and method != "shapley":
        raise ValueError(f"'background' is for method='shapley', got method={method!r}.")
    if method != "refit" and not (cv is None and groups is None):
        raise ValueError(f"'cv' and 'groups' are for method='refit', got method={method!r}.")
    check_scalar(n_repeats, "n_repeats", int, min_val=1)
    check_lengths(X, y, groups=groups)
    found = modalities_of(estimator, X, modalities)
    scorer = check_scoring(estimator, scoring)
    if method == "permutation":
        result = _by_permutation(estimator, X, y, found, scorer, n_repeats, random_state)
    elif method == "refit":
        result = _by_refit(estimator, X, y, found, scorer, cv, groups)
    else:
        result = _by_shapley(estimator, X, y, found, scorer, background)
    result.modalities = {name: column_names(X, columns) for name, columns in found.items()}
    return result


def _by_permutation(estimator, X, y, modalities, scorer, n_repeats, random_state):
    views, generator = views_of(estimator, X, X), check_random_state(random_state)
    rows = [generator.permutation(X.shape[0]) for _ in range(n_repeats)]
    score = scorer(views.view(frozenset(), rows[0]), X, y)
    permuted = [
        [scorer(views.view(frozenset(columns), of_repeat), X, y) for columns in modalities.values()]
        for of_repeat in rows
    ]
    return _falls(score, score - np.array(permuted).T)


def _by_shapley(estimator, X, y, modalities, scorer, background):
    values = Absence(estimator, X, modalities, background).values(lambda view: scorer(view, X, y))
    return Bunch(
        importances_mean=shapley(values),
        interactions=shapley_interactions(values),
        base_score=float(values[0]),
        score=float(values[-1]),
    )


def _by_refit(estimator, X, y, modalities, scorer, cv, groups):
    candidates = [clone(estimator)]
    candidates += [without_columns(estimator, X, name, columns) for name, columns in modalities.items()]
    cv = GroupKFold() if cv is None and groups is not None else cv
    splits = check_cv(cv, y, classifier=is_classifier(estimator)).split(X, y, groups)
    scores = np.array([[_refitted(c, X, y, groups, scorer, split) for c in candidates] for split in splits]).T
    return _falls(scores[0].mean(), scores[0] - scores[1:])


def _refitted(candidate, X, y, groups, scorer, split):
    """Return the score for the rows held out of an estimator that is fitted to the others."""
    training, held_out = split
    takes_groups = groups is not None and has_fit_parameter(candidate, "groups")
    params = {"groups": rows_of(groups, training)} if takes_groups else {}
    fitted = clone(candidate).fit(take(X, training, axis=0), take(y, training, axis=0), **params)
    return scorer(fitted, take(X, held_out, axis=0), take(y, held_out, axis=0))


def _falls(score, importances):
    return Bunch(
        importances_mean=importances.mean(axis=1),
        importances_std=importances.std(axis=1),
        importances=importances,
        score=float(score),
    )

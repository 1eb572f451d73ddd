"""Sample weights and groups on their way to base models, splitter and final estimator, without metadata routing."""

import warnings

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter


def weights_for(estimator, sample_weight, what):
    """Return the arguments of ``fit`` that bring sample weights to an estimator.

    Parameters
    ----------
    estimator : estimator
    sample_weight : ndarray of shape (n_samples,) or None
    what : str
        What to call the estimator in a message.

    Returns
    -------
    params : dict

    Raises
    ------
    TypeError
        If its ``fit`` takes no weights.
    """
    if sample_weight is None or isinstance(estimator, FrozenEstimator):
        return {}
    if not has_fit_parameter(estimator, "sample_weight"):
        raise TypeError(
            f"{what} does not support sample weights: {estimator!r} has no parameter 'sample_weight' in fit. With "
            "metadata routing enabled, weights go to the learners that request them."
        )
    return {"sample_weight": sample_weight}


def groups_for(estimator, groups, what):
    """Return the arguments of ``fit`` that bring groups to an estimator; none where it has no use for them.

    A warning says which part of it would have a use for them and does not get them.

    Parameters
    ----------
    estimator : estimator
    groups : array-like of shape (n_samples,) or None
    what : str
        What to call the estimator in a message.

    Returns
    -------
    params : dict
    """
    if groups is None:
        return {}
    if has_fit_parameter(estimator, "groups"):
        return {"groups": groups}
    if isinstance(estimator, Pipeline) and has_fit_parameter(estimator.steps[-1][1], "groups"):
        return {f"{estimator.steps[-1][0]}__groups": groups}
    for part in _parts(estimator):
        if has_fit_parameter(part, "groups"):
            warnings.warn(
                f"groups do not reach {type(part).__name__} inside {what}: it may divide them when it sets rows aside. "
                "Give it as a base model by itself, or enable metadata routing and request them by "
                "set_fit_request(groups=True).",
                stacklevel=2,
            )
            return {}
    return {}


def _parts(estimator):
    """Yield the estimators inside an estimator that it fits."""
    if isinstance(estimator, FrozenEstimator) or isinstance(estimator, type) or not hasattr(estimator, "get_params"):
        return
    for value in estimator.get_params(deep=False).values():
        for candidate in _flattened(value):
            if hasattr(candidate, "fit") and not isinstance(candidate, type):
                yield candidate
                yield from _parts(candidate)


def _flattened(value):
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _flattened(item)
    else:
        yield value

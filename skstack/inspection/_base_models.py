"""The base models of a fitted stack, by name."""

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .._pipelines import last_of, unwrapped
from .._suggestions import did_you_mean
from ._networks import networks_in
from ._views import is_network


def last_step_and_rows(estimator, X):
    """Return the last step of a pipeline, within searches and what is frozen too, and the rows that it gets."""
    estimator = unwrapped(estimator)
    if not isinstance(estimator, Pipeline):
        return estimator, X
    return last_step_and_rows(estimator[-1], estimator[:-1].transform(X) if len(estimator) > 1 else X)


def is_stack(estimator):
    """Tell whether an estimator is a fitted stack of ours, or of scikit-learn, which is none with other attributes."""
    return hasattr(estimator, "oof_predictions_")


def networks_of(estimator):
    """Return the fitted networks of an estimator by name: itself, or those among and in the base models of a stack.

    Parameters
    ----------
    estimator : estimator
        Fitted stack or network; of a stack with refit="folds" the networks of the first fold.
    """
    return {name: of_folds[0].network for name, of_folds in networks_in(estimator).items()}


def network_of(estimator, name=None):
    """Return a fitted network: an estimator itself, the last step of a pipeline, or one of the networks of a stack.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    name : str, default=None
        Of the base model of a stack; the first that is a network by default.

    Raises
    ------
    ValueError
        If a stack has no such network.
    TypeError
        If the estimator is neither a network nor a stack.
    """
    estimator = last_of(estimator)
    check_is_fitted(estimator)
    if not is_network(estimator) and not is_stack(estimator):
        raise TypeError(f"expected a fitted network or stack, got {type(estimator).__name__}.")
    networks = networks_of(estimator)
    if not networks:
        raise ValueError(f"none of the base models {[*estimator.member_columns_]} is a network.")
    if name is not None and name not in networks:
        raise ValueError(f"no base model {name!r} is a network.{did_you_mean(name, networks)} Networks: {[*networks]}.")
    return networks[next(iter(networks)) if name is None else name]

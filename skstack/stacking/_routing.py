"""Sample weights, groups and other metadata on their way to base models, splitter and final estimator."""

import warnings
from numbers import Integral

from sklearn.compose import TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GroupKFold, check_cv
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, get_routing_for_object, process_routing
from sklearn.utils.validation import has_fit_parameter

from .._compat import own_requests, routing_enabled
from .._protocols import takes_validation_rows
from .._suggestions import did_you_mean
from .._validation import VALIDATION
from ..branches._base import Branch
from ._members import JOINT
from ._validation_rows import validation_for


def refuse_metadata(stack, fit_params):
    """Raise if there is metadata besides weights and groups, which needs scikit-learn's metadata routing."""
    if fit_params and not routing_enabled():
        hints = [did_you_mean(name, ("sample_weight", "groups", *VALIDATION)) for name in fit_params]
        raise ValueError(
            f"{sorted(fit_params)} are given to {type(stack).__name__}.fit, but such metadata is only supported if "
            f"enable_metadata_routing=True, as sklearn.set_config(enable_metadata_routing=True) does.{''.join(hints)}"
        )


def route(stack, models, final, sample_weight, groups, validation, fit_params):
    """Return what each base model, the splitter and the final estimator get beside X and y.

    Parameters
    ----------
    stack : estimator
    models : list of BaseModel
    final : estimator
    sample_weight : ndarray of shape (n_samples,) or None
    groups : array-like of shape (n_samples,) or None
    validation : dict
        Rows of the caller's own that decide when to stop, see :func:`check_validation_rows`.
    fit_params : dict
        Further metadata.

    Returns
    -------
    routed : Bunch
        Arguments of a method by ``routed[name].fit``, of the splitter by ``routed.splitter.split``, and of the final
        estimator by ``routed.final_estimator.fit``.
    """
    if not routing_enabled():
        return _route_by_hand(stack, models, final, sample_weight, groups, validation)
    given = {"sample_weight": sample_weight, "groups": groups, **validation, **fit_params}
    given = {name: value for name, value in given.items() if value is not None}
    routed = process_routing(stack, "fit", **given)
    if not given:  # scikit-learn then returns an object that knows any name, but not which names it knows
        return routed
    for model in models:
        if model.has_branches and model.name != JOINT:  # branch networks take what the template takes
            routed[model.name] = routed[JOINT]
    if groups is not None and stack.cv != "prefit" and not routed.splitter.split:
        _warn_of_divided_groups(stack)
    return routed


def _route_by_hand(stack, models, final, sample_weight, groups, validation):
    """Return the same without metadata routing; with fitted learners only the final estimator gets anything."""

    def params_of(estimator, what):
        given = weights_for(estimator, sample_weight, what) | groups_for(estimator, groups, what)
        return given | validation_for(estimator, inner_estimators(estimator), validation, what)

    routed = Bunch(splitter=Bunch(split={} if groups is None else {"groups": groups}))
    for model in models:
        is_fitted = stack.cv == "prefit"
        routed[model.name] = Bunch(fit={} if is_fitted else params_of(model.estimator, f"learner {model.name!r}"))
    routed["final_estimator"] = Bunch(fit=params_of(final, "'final_estimator'"))
    if validation and not any("X_val" in routed[name].fit for name in routed if name != "splitter"):
        raise TypeError(
            f"X_val and y_val are given to {type(stack).__name__}.fit, but neither a base model nor the final "
            "estimator stops early on such rows: their fit has no parameter X_val, or they have early_stopping=False."
        )
    return routed


def _warn_of_divided_groups(stack):
    """Say what scikit-learn's splitters say without metadata routing, which hands them only what they take."""
    if hasattr(stack.cv, "split"):
        warnings.warn(
            f"The groups parameter is ignored by {type(stack.cv).__name__}: rows of a group fall on both sides of a "
            "split. Give a number of folds as cv, or a splitter that takes groups, such as GroupKFold.",
            stacklevel=5,
        )


def make_router(stack, parts, network_class, final):
    """Return the metadata router of a stack: to the learners, the splitter, networks and the final estimator.

    Parameters
    ----------
    stack : estimator
    parts : list of (str, branch or estimator)
    network_class : callable
        Returns the class of networks that are made of branches.
    final : estimator

    Returns
    -------
    router : MetadataRouter
    """
    fits = MethodMapping().add(caller="fit", callee="fit")
    router = MetadataRouter(owner=type(stack).__name__)
    for name, part in parts:
        if hasattr(part, "fit") and not isinstance(part, Branch):
            router.add(**{name: part}, method_mapping=fits)
    if any(isinstance(part, Branch) for _, part in parts):
        network = stack.network
        if network is None:
            network = network_class()().set_fit_request(
                sample_weight=True, groups=True, X_val=True, y_val=True, sample_weight_val=True
            )
        router.add(**{JOINT: network}, method_mapping=fits)
    if not isinstance(stack.cv, str):
        # Folds of which only the number is said leave groups whole, where there are some.
        splitter = GroupKFold() if stack.cv is None or isinstance(stack.cv, Integral) else check_cv(stack.cv)
        router.add(splitter=splitter, method_mapping=MethodMapping().add(caller="fit", callee="split"))
    router.add(
        final_estimator=_requests_of_final(final),
        method_mapping=MethodMapping().add(caller="fit", callee="fit").add(caller="predict", callee="predict"),
    )
    return router


def _requests_of_final(final):
    """Return the requests of the final estimator, which gets what its ``fit`` takes unless it refuses it.

    As in scikit-learn's stacking, it need not ask: the default one could not.
    """
    routing = get_routing_for_object(final)
    requests = own_requests(routing, "fit")
    for name, request in list(requests.requests.items()) if requests is not None else []:
        if request is None:
            wanted = name not in VALIDATION or takes_validation_rows(final)
            requests.add_request(param=name, alias=wanted)
    return routing


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
    prefix, last = last_step(estimator)
    if not has_fit_parameter(last, "sample_weight"):
        raise TypeError(
            f"{what} does not support sample weights: {last!r} has no parameter 'sample_weight' in fit. With "
            "metadata routing enabled, weights go to the learners that request them."
        )
    return {f"{prefix}sample_weight": sample_weight}


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
    prefix, last = last_step(estimator)
    if has_fit_parameter(last, "groups"):
        return {f"{prefix}groups": groups}
    for part in inner_estimators(estimator):
        if has_fit_parameter(part, "groups"):
            warnings.warn(
                f"groups do not reach {type(part).__name__} inside {what}: it may divide them when it sets rows aside. "
                "Give it as a base model by itself, or enable metadata routing and request them by "
                "set_fit_request(groups=True).",
                stacklevel=2,
            )
            return {}
    return {}


def last_step(estimator):
    """Return what in the end is fitted to the target, and what the parameters of its ``fit`` are called with.

    Parameters
    ----------
    estimator : estimator
        Perhaps a pipeline, or a regressor of a transformed target.

    Returns
    -------
    prefix, last : str, estimator
        An estimator of another kind is its own last step.
    """
    prefix = ""
    while True:
        if isinstance(estimator, Pipeline):
            name, estimator = estimator.steps[-1]
            prefix += f"{name}__"
        elif isinstance(estimator, TransformedTargetRegressor) and estimator.regressor is not None:
            estimator = estimator.regressor
        else:
            return prefix, estimator


def inner_estimators(estimator):
    """Yield the estimators inside an estimator that it fits."""
    if isinstance(estimator, FrozenEstimator) or isinstance(estimator, type) or not hasattr(estimator, "get_params"):
        return
    for value in estimator.get_params(deep=False).values():
        for candidate in _flattened(value):
            if hasattr(candidate, "fit") and not isinstance(candidate, type):
                yield candidate
                yield from inner_estimators(candidate)


def _flattened(value):
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _flattened(item)
    else:
        yield value

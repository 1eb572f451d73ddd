"""Rows of the caller's own that decide when base models and final estimator stop."""

import warnings

from sklearn.utils.validation import has_fit_parameter

from .._parts import naming
from .._protocols import takes_validation_rows
from .._validation import check_lengths, check_weights, has_validation_rows
from ..branches._base import Branch
from ..tasks._checks import refuse_rows


def check_validation_rows(stack, task, X_val, y_val, sample_weight_val):
    """Return what base models are given beside X and y of the caller's own rows to validate on.

    Parameters
    ----------
    stack : estimator
        Has recorded the columns of the training rows.
    task : Task
        Fitted to their target.
    X_val, y_val, sample_weight_val : array-like or None

    Returns
    -------
    params : dict
        Arguments of ``fit``, with labels as base models are fitted to them; none where there are no such rows.

    Raises
    ------
    ValueError
        If X_val has other columns, or a target cannot be used, naming the row.
    """
    if not has_validation_rows(X_val, y_val, sample_weight_val):
        return {}
    with naming("X_val, y_val"):
        check_lengths(X_val, y_val, sample_weight_val=sample_weight_val)
        params = {"X_val": stack._check_columns(X_val)}
    with naming("y_val"):
        checked = task.check(y_val)
        refuse_rows(y_val, checked, ~task.knows(checked), "a class that no training row has")
        params["y_val"] = task.encode_labels(checked)
    if sample_weight_val is not None:
        with naming("sample_weight_val"):
            params["sample_weight_val"] = check_weights(sample_weight_val, len(params["y_val"]))
    return params


def any_takes_validation_rows(parts, network, final):
    """Tell whether a part of a stack stops early on rows that it is given.

    Parameters
    ----------
    parts : list of (str, branch or estimator) tuples
    network : estimator or None
        The template of networks made of branches; ``None`` is a default one, which stops early.
    final : estimator or None
    """
    estimators = [part for _, part in parts if hasattr(part, "fit") and not isinstance(part, Branch)]
    if any(isinstance(part, Branch) for _, part in parts):
        if network is None:
            return True
        estimators.append(network)
    return any(takes_validation_rows(estimator) for estimator in [*estimators, *([] if final is None else [final])])


def validation_for(estimator, parts, validation, what):
    """Return the arguments of ``fit`` that bring rows to validate on to an estimator; none where these are of no use.

    A warning says which part of it would have a use for them and does not get them.

    Parameters
    ----------
    estimator : estimator
    parts : iterable of estimator
        What it holds.
    validation : dict
        See :func:`check_validation_rows`.
    what : str
        What to call the estimator in a message.

    Returns
    -------
    params : dict
    """
    if not validation:
        return {}
    if takes_validation_rows(estimator):
        return {name: values for name, values in validation.items() if has_fit_parameter(estimator, name)}
    for part in parts:
        if takes_validation_rows(part):
            warnings.warn(
                f"X_val does not reach {type(part).__name__} inside {what}, which stops on rows of its own choice. "
                "With metadata routing enabled, request it by set_fit_request(X_val=True, y_val=True); "
                "Pipeline(..., transform_input=['X_val']) then transforms it on the way.",
                stacklevel=2,
            )
            break
    return {}

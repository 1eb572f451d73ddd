"""Estimators whose parts do without some columns of the table."""

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from .._columns import is_table, resolve_columns, select_columns
from .._parts import split_part
from .._pipelines import last_of, unwrapped
from ..stacking._base import BaseStacking
from ._modalities import columns_of_last_step
from ._views import is_network


def without_columns(estimator, X, modality, columns):
    """Return an unfitted estimator like a fitted one, none of whose parts reads some columns.

    Parts that read nothing else are left out.

    Parameters
    ----------
    estimator : estimator
        Fitted stack, network, or pipeline that ends in one.
    X : DataFrame or ndarray of shape (n_samples, n_features)
    modality : str
        What the columns are, for messages.
    columns : list of int
        Positions in X.

    Raises
    ------
    ValueError
        If no part is left.
    TypeError
        If it is another estimator.
    """
    estimator = unwrapped(estimator)
    if isinstance(estimator, Pipeline):
        return _pipeline(estimator, X, modality, columns)
    if not isinstance(estimator, BaseStacking) and not is_network(estimator):
        raise TypeError(
            f"method='refit' leaves parts out, which {type(estimator).__name__} has not: give a stack, a network or a "
            "Pipeline that ends in one."
        )
    reduced = _without(estimator, _parts(estimator), X, columns)
    if reduced is None:
        raise ValueError(f"without the modality {modality!r}, no part of {type(estimator).__name__} is left.")
    return reduced


def _without(estimator, parts, X, columns):
    """Return a stack or network without some columns, or None where it reads nothing else."""
    is_stack = isinstance(estimator, BaseStacking)
    parts = [kept for part in parts if (kept := _reduced(split_part(part), X, columns))]
    if not parts or all(isinstance(part, str) for _, part, _ in parts):
        return None
    params = {"estimators" if is_stack else "branches": parts}
    if is_stack and estimator.passthrough is not False:
        params["passthrough"] = _passed(estimator.passthrough, X, columns)
    return clone(estimator).set_params(**params)


def _pipeline(pipeline, X, modality, columns):
    places = columns_of_last_step(pipeline, X)
    own = [place for place, column in enumerate(places) if column in columns]
    seen = pipeline[:-1].transform(X) if len(pipeline) > 1 else X
    reduced = clone(pipeline)
    name = pipeline.steps[-1][0]
    return reduced.set_params(**{name: without_columns(pipeline[-1], seen, modality, own)})


def _parts(estimator):
    """Return the parts that an estimator was fitted with, those that were suggested and a default branch included."""
    if isinstance(estimator, BaseStacking):
        return estimator.suggestion_ if estimator.estimators is None else estimator.estimators
    if estimator.branches is not None:
        return estimator.branches
    return [(part.name, part.branch, part.positions) for part in estimator.branches_]


def _reduced(part, X, columns):
    """Return a part without some columns, or None where it reads nothing else."""
    name, estimator, specification = part
    if isinstance(estimator, str):
        return part
    positions = resolve_columns(X, specification)
    own = list(range(X.shape[1])) if positions is None else np.atleast_1d(positions).tolist()
    kept = [position for position in own if position not in columns]
    if len(kept) == len(own):
        return name, clone(estimator), specification
    inner = last_of(estimator)
    parts = inner.estimators if isinstance(inner, BaseStacking) else getattr(inner, "branches", None)
    if kept and parts:  # whose columns are named within
        if inner is not estimator:
            raise ValueError(
                f"method='refit' cannot leave out a part of the {type(inner).__name__} within {name!r}: give "
                "'modalities', of which one holds all its columns."
            )
        lost = [place for place, position in enumerate(own) if position in columns]
        reduced = _without(estimator, parts, select_columns(X, positions), lost)
        return reduced and (name, reduced, specification)
    return (name, clone(estimator), _named(X, kept)) if kept else None


def _passed(passthrough, X, columns):
    positions = resolve_columns(X, None if passthrough is True else passthrough)
    own = list(range(X.shape[1])) if positions is None else np.atleast_1d(positions).tolist()
    return _named(X, [position for position in own if position not in columns]) or False


def _named(X, positions):
    return [X.columns[position] for position in positions] if is_table(X) else positions

"""Checks of what the parts of a stack contribute to its predictions."""

import numpy as np
from scipy import sparse
from sklearn.base import clone, is_classifier, is_regressor

from ._check import NotApplicable
from ._modalities import modalities_of
from ._tables import mixed

#: Rows that predictions are compared on.
_N_ROWS = 300

#: Part of the deviation of predictions from which on they change with a modality.
_DEAD = 1e-3

#: Standard errors from which on a difference of scores is none by chance.
_CERTAIN = 2

#: Part of the standard error of a score up to which a difference is of no matter, however certain it is.
_OF_NO_MATTER = 0.1

#: Part of all weight by which that of a base model may differ between folds.
_UNSTABLE = 0.5


def dead_modality(checked):
    """Say which modalities change no prediction when their cells are exchanged between rows."""
    X = checked.X
    if sparse.issparse(X) or np.ndim(X) < 2:
        raise NotApplicable("X is no table.")
    rows = np.unique(np.linspace(0, X.shape[0] - 1, min(X.shape[0], _N_ROWS)).astype(int))
    X = X[rows] if not hasattr(X, "iloc") else X.iloc[rows]
    expected = _responses(checked.stack, X)
    order = np.roll(np.random.RandomState(0).permutation(len(rows)), 1)
    found = []
    for name, positions in modalities_of(checked.stack, X).items():
        change = _responses(checked.stack, mixed(X, X, order, positions)) - expected
        part = np.sqrt((change**2).mean()) / (expected.std() or 1.0)
        if part < _DEAD:
            found.append(
                f"Modality {name!r} changes nothing: with its cells exchanged between rows, predictions move by "
                f"{part:.1g} of their deviation. Leave it out, or see what is wrong with what reads it."
            )
    return found


def _responses(stack, X):
    if is_classifier(stack) and hasattr(stack, "predict_proba"):
        predicted = stack.predict_proba(X)
    elif is_classifier(stack) or is_regressor(stack):
        predicted = stack.predict(X)
    else:
        raise NotApplicable("The stack predicts several tasks.")
    try:
        return np.concatenate([np.asarray(part, dtype="float64").ravel() for part in predicted])
    except ValueError:
        raise NotApplicable("The stack predicts classes without probabilities.") from None


def below_best_member(checked):
    """Say where the stack is worse than one of its base models."""
    report = checked.stack.stack_report_
    named = [(None, report)]
    if "task" in report.index.names:
        named = [(task, report.loc[task]) for task in report.index.unique("task")]
    return [said for task, of_task in named for said in _below_best(task, of_task)]


def _below_best(task, report):
    models = report.loc["base model", "score"].dropna()
    used = report[report["used"]].iloc[0]
    if len(models) < 2 or not np.isfinite(used["difference"]):
        return
    certain = used["difference"] + _CERTAIN * used["difference_standard_error"] < 0
    if certain and abs(used["difference"]) > _OF_NO_MATTER * used["standard_error"]:
        where = "" if task is None else f" for task {task!r}"
        yield (
            f"The stack{where} is worse than its base model {models.idxmax()!r}: {used['scoring']} {used['score']:.3f} "
            f"against {models.max():.3f}, a difference of {used['difference']:.3f} with standard error "
            f"{used['difference_standard_error']:.3f}. Leave final_estimator at its default, or set guard=True."
        )


def unstable_weights(checked):
    """Say which base models get other weights when the final estimator is fitted without a fold."""
    stack = checked.stack
    if stack.oof_predictions_ is None:
        raise NotApplicable("The stack has no out-of-fold predictions.")
    columns = stack.oof_predictions_
    if getattr(stack.final_estimator_, "n_features_in_", None) != columns.shape[1]:
        raise NotApplicable("The final estimator gets more than predictions, or those of some base models only.")
    targets = np.asarray(checked.y)
    if targets.ndim > 1 or len(stack.member_columns_) < 2:
        raise NotApplicable("There are several targets, or there is one base model.")
    if is_classifier(stack):
        targets = np.searchsorted(stack.classes_, targets)
    known = np.isfinite(columns).all(axis=1)
    weights = [_weights(stack, columns[rows], targets[rows]) for rows in _without_a_fold(stack.splits_, known)]
    if len(weights) < 2:
        raise NotApplicable("There are too few folds to compare.")
    weights = np.array(weights)
    spread = weights.max(axis=0) - weights.min(axis=0)
    return [
        f"The final estimator gives base model {name!r} between {low:+.2f} and {high:+.2f} of all weight, depending on "
        "the fold that is left out: base models that predict much the same take turns, or rows are few."
        for name, wide, low, high in zip(
            stack.member_columns_, spread, weights.min(axis=0), weights.max(axis=0), strict=True
        )
        if wide > _UNSTABLE
    ]


def _without_a_fold(splits, known):
    for _, held_out in splits:
        rows = known.copy()
        rows[held_out] = False
        if rows.sum() > 1:
            yield np.flatnonzero(rows)


def _weights(stack, columns, targets):
    """Return the part of all weight that each base model gets from a final estimator fitted to some rows."""
    final = clone(stack.final_estimator_).fit(columns, targets)
    weights = getattr(final, "weights_", None)
    if weights is None:
        coefficients = getattr(final, "coef_", None)
        if coefficients is None:
            raise NotApplicable(f"{type(final).__name__} has no weights.")
        each = (np.atleast_2d(coefficients) * columns.std(axis=0)).mean(axis=0)
        weights = np.array([each[place].sum() for place in stack.member_columns_.values()])
    return np.asarray(weights) / (np.abs(weights).sum() or 1.0)

"""Checks of a fitted stack: what its scores do not tell, and what they are worth."""

import warnings
from typing import NamedTuple

from sklearn.base import is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils.validation import check_is_fitted

from .._compat import num_samples
from .._pipelines import last_of
from .._suggestions import did_you_mean
from .._validation import check_lengths
from ._base_models import is_stack, last_step_and_rows
from ._check import Check, Checked, NotApplicable
from ._leak_checks import duplicates, giveaways, leaking_groups
from ._stack_checks import below_best_member, dead_modality, unstable_weights

CHECKS = (
    Check("SKS001", "dead_modality", "A modality changes no prediction", "issue", dead_modality, slow=True),
    Check("SKS002", "below_best_member", "The stack is below its best base model", "issue", below_best_member),
    Check("SKS003", "duplicates", "Rows occur on both sides of a split", "issue", duplicates, slow=True, of_rows=True),
    Check("SKS004", "leaking_groups", "Groups stand on both sides of a split", "issue", leaking_groups, of_rows=True),
    Check("SKS005", "giveaways", "A column gives the target away", "issue", giveaways, of_rows=True),
    Check(
        "SKS006", "unstable_weights", "Weights of base models depend on the fold", "tip", unstable_weights, slow=True
    ),
)


class Finding(NamedTuple):
    """Something that speaks against a stack, or for a look at it.

    Parameters
    ----------
    check : str
        Name of the check.
    severity : {"issue", "tip"}
        An issue makes scores or predictions wrong; a tip asks for a look.
    message : str
        What was found, and what helps.

    Examples
    --------
    >>> from skstack.inspection import Finding
    >>> print(Finding("duplicates", "issue", "2 rows are the same."))
    duplicates (issue): 2 rows are the same.
    """

    check: str
    severity: str
    message: str

    def __str__(self):
        return f"{self.check} ({self.severity}): {self.message}"


def check_stack(estimator, X, y, *, groups=None, cv=None, checks=None):
    """Look for what is wrong with a fitted stack and the way that it is judged.

    Parameters
    ----------
    estimator : estimator
        A fitted stack, the best one of a search, or a pipeline that ends in one, whose other steps are then applied
        first.
    X : DataFrame or array-like of shape (n_samples, n_features)
        The rows that it was fitted to.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their targets.
    groups : array-like of shape (n_samples,), default=None
        Group of each row, such as a patient, of which rows on both sides of a split are a leak.
    cv : int, cross-validation generator or iterable, default=None
        Splits to look at, such as those that scores come from; ``None`` for the stack's own, ``splits_``.
    checks : str or list of str, default=None
        Which checks to make; all by default:

        - "dead_modality": exchanging the cells of a modality between rows changes no prediction;
        - "below_best_member": by ``stack_report_`` the stack is worse than one of its base models, by more than twice
          the standard error of the difference, and a tenth of that of the score;
        - "duplicates": the same rows or images stand on both sides of a split; rows, of the same target too, more
          often than by chance; images, unless a tenth of all rows look the same, as drawings may;
        - "leaking_groups": a group stands on both sides of a split;
        - "giveaways": a column predicts the target nearly perfectly by itself;
        - "unstable_weights": the part of all weight that a base model gets from the final estimator differs by more
          than a half between folds.

    Returns
    -------
    findings : list of Finding
        Named tuples of ``check``, ``severity`` and ``message``; empty if nothing was found. Checks that have nothing to
        say of this stack find nothing.

    Raises
    ------
    TypeError, ValueError
        If the estimator is no fitted stack, there is no such check, or X is of another length than the rows that the
        stack was fitted to.

    See Also
    --------
    skstack_checks : The same checks for reports of skore.
    report : A page that holds the findings too.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from skstack import MultimodalStackingRegressor
    >>> from skstack.inspection import check_stack
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> y = X[:, 0] + 0.3 * np.random.default_rng(1).normal(size=60)
    >>> stack = MultimodalStackingRegressor([("one", Ridge(), [0]), ("other", Ridge(), [1])], cv=3).fit(X, y)
    >>> patients = np.arange(60) // 25
    >>> for finding in check_stack(stack, X, y, groups=patients, checks=["leaking_groups"]):
    ...     print(finding.message.partition(":")[0])
    2 groups (0, 1) with rows on both sides of a split, in 3 of 3 folds
    """
    stack = last_of(estimator)
    check_is_fitted(stack)
    if not is_stack(stack):
        raise TypeError(f"expected a fitted stack, got {type(stack).__name__}.")
    _, X = last_step_and_rows(estimator, X)
    check_lengths(X, y, groups=groups)
    if stack.oof_predictions_ is not None and num_samples(X) != len(stack.oof_predictions_):
        raise ValueError(
            f"X has {num_samples(X)} rows, the stack was fitted to {len(stack.oof_predictions_)}: give those rows."
        )
    splits = stack.splits_
    if cv is not None:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The groups parameter is ignored")  # which is what a check looks for
            splits = list(check_cv(cv, y, classifier=is_classifier(stack)).split(X, y, groups))
    return findings_of(Checked(stack, X, y, groups, splits), checks)


def findings_of(checked, names=None):
    """Return what checks find, all of them for None."""
    return [
        Finding(check.name, check.severity, message) for check in chosen(names) for message in messages(check, checked)
    ]


def chosen(names=None):
    """Return checks by name, all of them for None, or raise if there is no such check."""
    names = [names] if isinstance(names, str) else names
    known = {check.name: check for check in CHECKS}
    for name in names or []:
        if name not in known:
            raise ValueError(f"there is no check {name!r}.{did_you_mean(name, known)} Known are {[*known]}.")
    return [check for check in CHECKS if names is None or check.name in names]


def messages(check, checked):
    """Return what a check finds, nothing where it does not apply."""
    try:
        return check.function(checked)
    except NotApplicable:
        return []

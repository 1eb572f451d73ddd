"""The checks of this package for reports of skore."""

from .._pipelines import last_of, unwrapped
from ._base_models import is_stack
from ._check import Checked, NotApplicable
from ._check_stack import chosen


def skstack_checks(checks=None, *, groups=None):
    """Return the checks of :func:`check_stack` in the form that reports of skore take.

    They are for reports of one estimator or of cross-validation, of a stack and no pipeline around one. In a report
    of cross-validation rows are looked at across its own splits, and the stack of the first split is looked at; in that
    of one estimator, which has to have been given training rows, across the splits within the stack.

    Parameters
    ----------
    checks : str or list of str, default=None
        Names of checks, see :func:`check_stack`; all by default.
    groups : array-like of shape (n_samples,), default=None
        Group of each row of the report's X, or of its training rows, for "leaking_groups".

    Returns
    -------
    checks : list
        For ``report.checks.add``. skore calls a check by its code, "SKS001" to "SKS006" in the order of
        :func:`check_stack`.

    Raises
    ------
    ValueError
        If there is no such check.

    See Also
    --------
    check_stack : The same checks without skore.

    References
    ----------
    .. [1] skore, https://docs.skore.probabl.ai, section "Automated checks".

    Examples
    --------
    >>> from skstack.inspection import skstack_checks
    >>> [check.code for check in skstack_checks(["dead_modality", "duplicates"])]
    ['SKS001', 'SKS003']

    ``report.checks.add(skstack_checks())`` adds them to a report, ``report.checks.summarize()`` runs them.
    """
    return [_SkoreCheck(check, groups) for check in chosen(checks)]


class _SkoreCheck:
    """A check with the attributes of ``skore.Check``, a protocol for which nothing has to be inherited."""

    docs_url = None

    def __init__(self, check, groups):
        self.code, self.title, self.severity, self.slow = check.code, check.title, check.severity, check.slow
        self.report_types = ["estimator", "cross-validation"]
        self._check, self._groups = check, groups

    def check_function(self, report):
        """Return what is found, or None."""
        from skore import CheckNotApplicable

        try:
            found = self._check.function(self._checked(report))
        except NotApplicable as reason:
            raise CheckNotApplicable(str(reason)) from None
        return " ".join(found) or None

    def _checked(self, report):
        first = report.reports_[0] if hasattr(report, "reports_") else report
        stack = last_of(first.estimator_)
        if not is_stack(stack):
            raise NotApplicable("The estimator is no stack of skstack.")
        if stack is not unwrapped(first.estimator_):
            raise NotApplicable("The stack is the last step of a pipeline, whose rows the report does not know.")
        if first is not report and self._check.of_rows:
            return Checked(stack, report.X, report.y, self._groups, list(report.split_indices))
        if first.X_train is None:
            raise NotApplicable("The report has no training rows, as its estimator was fitted before.")
        groups = self._groups if first is report else None
        return Checked(stack, first.X_train, first.y_train, groups, stack.splits_)

"""From the parameter `cv` to a splitter, which keeps groups whole where there are groups."""

from numbers import Integral

from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, StratifiedKFold, check_cv


def make_splitter(cv, y, *, classifier, groups=None):
    """Return the splitter that `cv` stands for.

    Parameters
    ----------
    cv : int, cross-validation generator, iterable or None
        A number of folds, stratified for classes as :func:`sklearn.model_selection.check_cv` does it. Where there are
        groups, these folds are of whole groups: scikit-learn's would tear them apart, and only warn.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    classifier : bool
        Whether y holds classes.
    groups : array-like of shape (n_samples,), default=None

    Returns
    -------
    splitter : cross-validation generator
    """
    splitter = check_cv(cv, y=y, classifier=classifier)
    if groups is None or not (cv is None or isinstance(cv, Integral)):
        return splitter
    of_groups = StratifiedGroupKFold if isinstance(splitter, StratifiedKFold) else GroupKFold
    return of_groups(splitter.n_splits)

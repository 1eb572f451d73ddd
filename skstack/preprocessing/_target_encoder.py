"""scikit-learn's encoder of categories by means of the target, mended."""

from inspect import signature

from sklearn import config_context, preprocessing
from sklearn.model_selection import KFold, StratifiedKFold

#: Until scikit-learn 1.9, `cv` is a number, and the folds have a seed of their own.
_TAKES_SPLITTERS = signature(preprocessing.TargetEncoder).parameters["random_state"].default is not None


class TargetEncoder(preprocessing.TargetEncoder):
    """Encode categories by means of the target, also where metadata are routed and there are no groups.

    It is :class:`sklearn.preprocessing.TargetEncoder`, of which scikit-learn 1.9 raises a ``KeyError: 'groups'`` in
    ``fit_transform`` if metadata routing is enabled and nothing is routed to it. Suggested learners encode columns of
    many categories with it, see :func:`~skstack.suggest_estimators`. Attributes are those of scikit-learn's encoder.

    Parameters
    ----------
    categories : "auto" or list of array-like of shape (n_categories,), default="auto"
        The categories of each feature; "auto" takes those of the training rows.
    target_type : {"auto", "continuous", "binary", "multiclass"}, default="auto"
        What the target is; "auto" tells by its values, so that whole numbers are classes.
    smooth : "auto" or float, default="auto"
        How much the mean of all rows counts in that of a category, as so many rows; "auto" is an empirical Bayes
        estimate.
    cv : int or splitter, default=5
        Folds in which ``fit_transform`` encodes the training rows by the others. Those of a number are shuffled
        without a seed, before scikit-learn 1.9 with seed 0; splitters need scikit-learn 1.9.

    Examples
    --------
    >>> import sklearn
    >>> from skstack.preprocessing import TargetEncoder
    >>> X, y = [["dog"], ["cat"], ["dog"], ["cat"]] * 5, [3.5, 1.5, 3.5, 1.5] * 5
    >>> with sklearn.config_context(enable_metadata_routing=True):
    ...     TargetEncoder().fit_transform(X, y)[:2]
    array([[3.5],
           [1.5]])
    """

    def __init__(self, categories="auto", target_type="auto", smooth="auto", cv=5):
        seed = {} if _TAKES_SPLITTERS else {"random_state": 0}
        super().__init__(categories=categories, target_type=target_type, smooth=smooth, cv=cv, **seed)

    def fit_transform(self, X, y, **params):
        """Fit to all rows, and encode each of them by means of folds that it is not in.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        **params : dict
            Metadata to route to the splitter `cv`, such as `groups`.

        Returns
        -------
        X_trans : ndarray of shape (n_samples, n_features) or (n_samples, n_features * n_classes)
        """
        if params:
            return super().fit_transform(X, y, **params)
        with config_context(enable_metadata_routing=False):
            return super().fit_transform(X, y)


def seeded_target_encoder(has_classes):
    """Return an encoder whose folds are the same each time; the seed of a stack does not reach them.

    Parameters
    ----------
    has_classes : bool
        Whether the target is a class. Whole numbers would be taken for classes.

    Returns
    -------
    encoder : TargetEncoder
    """
    target_type = "auto" if has_classes else "continuous"
    folds = (StratifiedKFold if has_classes else KFold)(5, shuffle=True, random_state=0)
    return TargetEncoder(target_type=target_type, cv=folds if _TAKES_SPLITTERS else 5)

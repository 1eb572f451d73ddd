"""Final estimators that average the predictions of base models with weights."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MultiOutputMixin, RegressorMixin
from sklearn.utils import compute_sample_weight
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from .._compat import fit_context
from .._doc_links import DocLinkMixin
from .._protocols import TakesGaps
from .._validation import check_lengths, check_weights
from ..tasks._classification import ClassificationTask
from ..tasks._multilabel import MultilabelTask, is_multilabel
from ..tasks._regression import check_regression_target
from ._weighting import WEIGHTINGS, LogLoss, SquaredLoss

#: How far rounding in single precision takes probabilities out of their range, or their sum away from 1.
_ROUNDING = 1e-3


class _WeightedAverage(DocLinkMixin, BaseEstimator):
    """What regressor and classifier share: members side by side in X, a weight for each."""

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        "weighting": [StrOptions(set(WEIGHTINGS))],
        "n_rounds": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, weighting="nonnegative", *, n_rounds=50):
        self.weighting = weighting
        self.n_rounds = n_rounds

    def _members(self, X):
        """Return the predictions of each member, of shape (n_members, n_samples, width)."""
        width = self._width
        if X.shape[1] % width:
            raise ValueError(
                f"X has {X.shape[1]} columns, but the target has {width} values to predict: each member needs so many "
                f"columns. {type(self).__name__} takes predictions and nothing else, no columns passed through."
            )
        return X.reshape(len(X), -1, width).transpose(1, 0, 2)

    def _find_weights(self, loss, n_members):
        self.weights_ = WEIGHTINGS[self.weighting](loss, n_members, self.n_rounds)

    def _average(self, X):
        """Return the weighted average of the members, of shape (n_samples, width)."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype="float64")
        return np.tensordot(self.weights_, self._members(X), axes=1)


def _relative(sample_weight, X):
    """Return weights that are 1 in sum."""
    weight = np.ones(len(X)) if sample_weight is None else check_weights(sample_weight, len(X), dtype=np.float64)
    return weight / weight.sum()


class WeightedAverageRegressor(TakesGaps, MultiOutputMixin, RegressorMixin, _WeightedAverage):
    """Average of the predictions of base models, with weights that are never negative and 1 in sum.

    A final estimator for :class:`MultimodalStackingRegressor`. Unlike a linear regression it cannot play
    members off against each other, and it predicts nothing that lies outside of what they predict: a few rows with very
    large targets, as prices and incomes have, then do little harm.

    Parameters
    ----------
    weighting : {"nonnegative", "selection", "mean", "best"}, default="nonnegative"
        How weights are found:

        - "nonnegative": those with the least squared error, by non-negative least squares [1]_ [2]_;
        - "selection": greedy ensemble selection with replacement [3]_, where most members end up without a weight;
        - "mean": all alike;
        - "best": all weight for the member with the least squared error.
    n_rounds : int, default=50
        How often ensemble selection takes a member.

    Attributes
    ----------
    weights_ : ndarray of shape (n_members,)
        The weight of each member, in the order of the columns.
    n_features_in_ : int
        Number of columns seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of these columns, where X has string names.

    See Also
    --------
    WeightedAverageClassifier : The same for probabilities of classes.
    sklearn.ensemble.VotingRegressor : Averages estimators with weights that are given.

    Notes
    -----
    With several targets, errors are measured in units of the deviation of each target, and a member has the same weight
    for all of them. Rows may lack some of them (NaN): each target counts by the rows that have it.

    References
    ----------
    .. [1] L. Breiman, "Stacked regressions", Machine Learning 24, 1996.
    .. [2] M. J. van der Laan, E. C. Polley and A. E. Hubbard, "Super learner", Statistical Applications in Genetics
       and Molecular Biology 6, 2007.
    .. [3] R. Caruana, A. Niculescu-Mizil, G. Crew and A. Ksikes, "Ensemble selection from libraries of models", ICML
       2004.

    Examples
    --------
    >>> import numpy as np
    >>> from skstack import WeightedAverageRegressor
    >>> y = np.array([1.0, 2.0, 3.0, 4.0])
    >>> predictions = np.column_stack([y + 0.5, y - 0.5, [0.0, 9.0, 1.0, 2.0]])
    >>> WeightedAverageRegressor().fit(predictions, y).weights_.round(2)
    array([0.5, 0.5, 0. ])
    """

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Find the weights.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_members * n_outputs)
            Predictions of the members, side by side.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Target values; of several, some may be missing.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the columns of X are no whole number of members, or a target has no values.
        """
        X, y = self._checked(X, y)
        self._ndim = y.ndim
        targets = y.reshape(len(y), -1)
        self._width = targets.shape[1]
        weight = _relative(sample_weight, X)[:, np.newaxis] * ~np.isnan(targets)
        if not weight.any(axis=0).all():
            raise ValueError(f"y has no values of target {weight.any(axis=0).argmin()}.")
        weight /= weight.sum(axis=0)
        targets = np.nan_to_num(targets)
        deviation = np.sqrt(np.average((targets - np.average(targets, 0, weight)) ** 2, 0, weight))
        errors = (self._members(X) - targets) / np.where(deviation > 0, deviation, 1.0)
        self._find_weights(SquaredLoss(errors, weight), len(errors))
        return self

    def _checked(self, X, y):
        """Return checked X and y, of which only targets beside others may be missing."""
        if len(shape := np.asarray(y).shape) < 2 or shape[1] == 1:
            return validate_data(self, X, y, dtype="float64", multi_output=True, y_numeric=True)
        X, y = validate_data(self, X, dtype="float64"), check_regression_target(y)
        check_lengths(X, y)
        return X, y

    def predict(self, X):
        """Return the weighted average.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_members * n_outputs)
            Predictions of the members, side by side.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Averaged predictions.
        """
        average = self._average(X)
        return average[:, 0] if self._ndim == 1 else average

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True  # where X holds no predictions of y
        return tags


class WeightedAverageClassifier(ClassifierMixin, _WeightedAverage):
    """Average of the probabilities that base models predict, with weights that are never negative and 1 in sum.

    A final estimator for :class:`MultimodalStackingClassifier`, whose members all have ``predict_proba``.

    Parameters
    ----------
    weighting : {"nonnegative", "selection", "mean", "best"}, default="nonnegative"
        How weights are found:

        - "nonnegative": those that make the true classes likeliest, by expectation maximisation, as the parts of a
          mixture [1]_;
        - "selection": greedy ensemble selection with replacement [2]_, where most members end up without a weight;
        - "mean": all alike;
        - "best": all weight for the member with the least log loss.
    n_rounds : int, default=50
        How often ensemble selection takes a member.
    class_weight : dict or "balanced", default=None
        Weight of each class, by which its rows count; "balanced" weights are inversely proportional to the classes'
        frequencies.

    Attributes
    ----------
    weights_ : ndarray of shape (n_members,)
        The weight of each member, in the order of the columns.
    classes_ : ndarray of shape (n_classes,) or list of ndarray
        The classes; for several labels per row the two values of each.
    n_features_in_ : int
        Number of columns seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of these columns, where X has string names.

    See Also
    --------
    WeightedAverageRegressor : The same for numbers.
    sklearn.ensemble.VotingClassifier : Averages estimators with weights that are given.

    References
    ----------
    .. [1] A. P. Dempster, N. M. Laird and D. B. Rubin, "Maximum likelihood from incomplete data via the EM algorithm",
       Journal of the Royal Statistical Society B 39, 1977.
    .. [2] R. Caruana, A. Niculescu-Mizil, G. Crew and A. Ksikes, "Ensemble selection from libraries of models", ICML
       2004.

    Examples
    --------
    >>> import numpy as np
    >>> from skstack import WeightedAverageClassifier
    >>> probabilities = np.array([[0.2, 0.9], [0.3, 0.1], [0.8, 0.6], [0.9, 0.3]])
    >>> average = WeightedAverageClassifier().fit(probabilities, ["no", "no", "yes", "yes"])
    >>> average.predict_proba([[0.7, 0.2]]).round(1)
    array([[0.3, 0.7]])
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        **_WeightedAverage._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(self, weighting="nonnegative", *, n_rounds=50, class_weight=None):
        super().__init__(weighting, n_rounds=n_rounds)
        self.class_weight = class_weight

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Find the weights.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_members * n_columns)
            Probabilities that the members predict, side by side: of the second of two classes, of each of more classes,
            or of having each of several labels.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Classes, or a column of two values for each of several labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the columns of X are no whole number of members, or hold no probabilities; if there are weights of
            classes, but several labels per row.
        """
        X = validate_data(self, X, dtype="float64")
        self._task = MultilabelTask() if is_multilabel(y) else ClassificationTask(type(self).__name__)
        y = self._task.check(y)
        labels = self._task.fit(y).encode_labels(y)
        if len(labels) != len(X):
            raise ValueError(f"y has {len(labels)} values, X has {len(X)} rows: inconsistent numbers of samples.")
        self.classes_ = self._task.classes_
        self._width = self._task.n_units_
        members = self._members(X)
        self._check_probabilities(members)
        true = np.stack([self._task.true_probabilities(labels, member) for member in members])
        loss = LogLoss(true.reshape(*true.shape[:2], -1), self._weight(sample_weight, X, y))
        self._find_weights(loss, len(members))
        return self

    def _weight(self, sample_weight, X, y):
        """Return the weight of each row, those of all being 1 in sum."""
        weight = _relative(sample_weight, X)
        if self.class_weight is None:
            return weight
        if isinstance(self._task, MultilabelTask):
            raise ValueError("'class_weight' is for one class per row, y has several labels: give sample_weight.")
        return _relative(weight * compute_sample_weight(self.class_weight, y), X)

    def _check_probabilities(self, members):
        outside = (members < -_ROUNDING) | (members > 1 + _ROUNDING)
        exclusive = self._width > 1 and not isinstance(self._task, MultilabelTask)
        if exclusive:
            outside |= (np.abs(members.sum(axis=2) - 1) > _ROUNDING)[:, :, np.newaxis]
        if outside.any():
            member, row, column = np.argwhere(outside)[0]
            raise ValueError(
                f"{type(self).__name__} averages probabilities, but in row {row} member {member} predicts "
                f"{members[member, row].tolist() if exclusive else members[member, row, column]}."
            )

    def predict_proba(self, X):
        """Return the weighted average of the probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_members * n_columns)
            Probabilities that the members predict, as for :meth:`fit`.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes) or (n_samples, n_labels)
            In the order of ``classes_``; for several labels per row, that the row has each of them.
        """
        return self._task.decode(np.clip(self._average(X), 0.0, 1.0))

    def predict(self, X):
        """Return the class with the highest probability.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_members * n_columns)
            Probabilities that the members predict, as for :meth:`fit`.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            Classes, or the values of several labels.
        """
        return self._task.predict(self.predict_proba(X))

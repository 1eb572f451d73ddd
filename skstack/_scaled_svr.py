"""Support vector regression that needs no scaling of target, weights and table as a whole."""

from numbers import Real

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import SVR
from sklearn.utils import gen_batches
from sklearn.utils._param_validation import Interval
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.sparsefuncs import mean_variance_axis
from sklearn.utils.validation import check_is_fitted, validate_data

from ._compat import fit_context
from ._doc_links import DocLinkMixin
from ._suggestions import SuggestingParams
from ._validation import check_weights

#: Pairs of rows and support vectors that are looked at together, 32 MB of them.
_BLOCK = 2**22


class ScaledSVR(DocLinkMixin, SuggestingParams, RegressorMixin, BaseEstimator):
    """Support vector regression whose parameters are relative to the scale of the rows, the target and the weights.

    :class:`sklearn.svm.SVR` with a radial basis function is fitted to the target with mean 0 and standard deviation 1,
    to the columns divided by one number, so that their variances are 1 in sum, and to weights with mean 1. Its
    parameters then mean the same for every table, however many columns it has: two rows have a squared distance of 2
    on average. Columns are not scaled one by one, and sparse matrices stay sparse.

    Parameters
    ----------
    C : float, default=5.0
        Inverse strength of the penalty, for a row of mean weight. Must be positive.
    gamma : float, default=0.3
        Coefficient of the kernel, ``exp(-gamma * squared_distance)``. Must be positive. ``gamma="scale"`` of
        :class:`~sklearn.svm.SVR` is about 1 here.
    epsilon : float, default=0.1
        Errors up to this part of the standard deviation of the target cost nothing.

    Attributes
    ----------
    svr_ : :class:`~sklearn.svm.SVR`
        What is fitted to the scaled rows.
    X_scale_ : float
        What cells are divided by: the square root of the sum of the variances of the columns.
    y_mean_, y_scale_ : float
        Mean and standard deviation of the target.
    n_features_in_ : int
        Number of columns seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of these columns, where X has string names.

    See Also
    --------
    suggest_estimators : Suggests it for numbers to be predicted from few rows.

    Notes
    -----
    Time to fit grows with more than the square of the number of rows.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.model_selection import cross_val_score
    >>> from sklearn.svm import SVR
    >>> from skstack import ScaledSVR
    >>> X, y = load_diabetes(return_X_y=True)
    >>> cross_val_score(SVR(), X, y, cv=3).mean().round(2)
    np.float64(0.15)
    >>> cross_val_score(ScaledSVR(), X, y, cv=3).mean().round(2)
    np.float64(0.46)
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        "C": [Interval(Real, 0.0, None, closed="neither")],
        "gamma": [Interval(Real, 0.0, None, closed="neither")],
        "epsilon": [Interval(Real, 0.0, None, closed="left")],
    }

    def __init__(self, *, C=5.0, gamma=0.3, epsilon=0.1):
        self.C = C
        self.gamma = gamma
        self.epsilon = epsilon

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit the support vectors.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Finite numbers.
        y : array-like of shape (n_samples,)
            Target values.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, relative to the mean weight. Rows of weight 0 have no say.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=np.float64, y_numeric=True)
        weight = check_weights(sample_weight, len(y), dtype=np.float64)
        weight = weight / weight.mean()
        self.X_scale_ = _deviation(*_moments(X, weight), len(y))
        self.y_mean_, variance = _moments(y.astype(np.float64), weight)
        self.y_scale_ = _deviation(self.y_mean_, variance, len(y))
        self.svr_ = SVR(C=self.C, gamma=self.gamma, epsilon=self.epsilon)
        self.svr_.fit(X / self.X_scale_, (y - self.y_mean_) / self.y_scale_, sample_weight=weight)
        return self

    def predict(self, X):
        """Predict the target.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows of data.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Predicted values.
        """
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=False)
        return self._decide(X / self.X_scale_) * self.y_scale_ + self.y_mean_

    def _decide(self, X):
        """Return what `svr_` predicts, by products of matrices: its loop over pairs takes seven times as long."""
        vectors, decided = self.svr_.support_vectors_, np.full(X.shape[0], self.svr_.intercept_[0])
        if vectors.shape[0]:
            for rows in gen_batches(X.shape[0], max(_BLOCK // vectors.shape[0], 1)):
                kernel = rbf_kernel(X[rows], vectors, self.svr_.gamma)
                decided[rows] += safe_sparse_dot(kernel, self.svr_.dual_coef_.T, dense_output=True).ravel()
        return decided

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _moments(values, weight):
    """Return weighted mean and variance, of each column where there are several."""
    if sparse.issparse(values):
        return mean_variance_axis(values, axis=0, weights=weight)
    mean = np.average(values, axis=0, weights=weight)
    return mean, np.average(np.square(values - mean), axis=0, weights=weight)


def _deviation(mean, variance, n_rows):
    """Return the square root of the sum of variances, or 1 where nothing varies but by rounding."""
    total, rounding = np.sum(variance), (n_rows * np.finfo(np.float64).eps) ** 2 * np.sum(np.square(mean))
    return float(np.sqrt(total)) if total > rounding else 1.0

"""All columns of a table, scaled by one number."""

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.sparsefuncs import mean_variance_axis
from sklearn.utils.validation import check_is_fitted, validate_data

from .._doc_links import DocLinkMixin


class TotalVarianceScaler(DocLinkMixin, OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Scale all columns by one number, so that their variances are 1 in sum.

    Two rows then have a squared distance of 2 on average, however many columns there are, so that the ``gamma`` of a
    kernel means the same for every table. Columns keep their proportions and sparse matrices stay sparse. Suggested
    support vectors get their rows so, see :func:`~skstack.suggest_estimators`.

    Attributes
    ----------
    scale_ : float
        What cells are divided by: the square root of the total variance, 1 where no column varies.
    n_features_in_ : int
        Number of columns seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of these columns, where X has string names.

    See Also
    --------
    sklearn.preprocessing.StandardScaler : Scale each column by itself.

    Notes
    -----
    With ``gamma="scale"``, :class:`~sklearn.svm.SVR` divides by about the total variance, too, which is its only other
    choice beside a number that has to suit the table.

    Examples
    --------
    >>> from skstack.preprocessing import TotalVarianceScaler
    >>> scaler = TotalVarianceScaler().fit([[0.0, 0.0], [6.0, 8.0]])
    >>> scaler.scale_
    5.0
    >>> scaler.transform([[3.0, 4.0]])
    array([[0.6, 0.8]])
    """

    def fit(self, X, y=None):
        """Learn the total variance.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Finite numbers.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted scaler.
        """
        X = self._checked(X, reset=True)
        means, variances = _moments(X)
        total = variances.sum(dtype=np.float64)
        # What the variance of constant columns is by rounding, as in scikit-learn's StandardScaler.
        rounding = (X.shape[0] * np.finfo(np.float64).eps) ** 2 * np.square(means, dtype=np.float64).sum()
        self.scale_ = float(np.sqrt(total)) if total > rounding else 1.0
        return self

    def transform(self, X):
        """Divide cells by the square root of the total variance.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Finite numbers.

        Returns
        -------
        X_out : {ndarray, sparse matrix} of shape (n_samples, n_features)
            32-bit numbers stay 32-bit.
        """
        check_is_fitted(self)
        X = self._checked(X, reset=False)
        return X * (1.0 / self.scale_)  # sparse 32-bit numbers would become 64-bit if they were divided

    def _checked(self, X, reset):
        return validate_data(self, X, accept_sparse=("csr", "csc"), dtype=(np.float64, np.float32), reset=reset)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _moments(X):
    """Return mean and variance of each column."""
    if sparse.issparse(X):
        return mean_variance_axis(X, axis=0)
    return X.mean(axis=0, dtype=np.float64), X.var(axis=0, dtype=np.float64)

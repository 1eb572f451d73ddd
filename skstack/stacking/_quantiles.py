"""The final estimator of a stack that predicts quantiles."""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, clone

from .._protocols import CrossFitter
from ..tasks._quantiles import quantile_levels


class QuantileRegressors(RegressorMixin, BaseEstimator):
    """A regressor for each quantile, whose predictions are put in order.

    Where two of them cross, each row's predictions are sorted, which brings them nearer to the quantiles [1]_.

    Parameters
    ----------
    estimator : estimator
        Regressor with a parameter `quantile`, of its own or of a part, which is set for each.
    quantile : float or list of float
        Probabilities, in increasing order.

    Attributes
    ----------
    estimators_ : list of estimator
        One for each quantile.

    References
    ----------
    .. [1] V. Chernozhukov, I. Fernandez-Val, A. Galichon, "Quantile and Probability Curves Without Crossing",
       Econometrica 78 (2010).
    """

    def __init__(self, estimator, quantile):
        self.estimator = estimator
        self.quantile = quantile

    def fit(self, X, y, sample_weight=None):
        """Fit the regressors.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : ndarray of shape (n_samples,)
        sample_weight : ndarray of shape (n_samples,), default=None

        Returns
        -------
        self : object
        """
        given = {} if sample_weight is None else {"sample_weight": sample_weight}
        self.estimators_ = [
            clone(self.estimator).set_params(**_params(self.estimator, level)).fit(X, y, **given)
            for level in quantile_levels(self.quantile)
        ]
        return self

    def predict(self, X):
        """Predict the quantiles.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        quantiles : ndarray of shape (n_samples,) or (n_samples, n_quantiles)
            One-dimensional for a plain number.
        """
        columns = np.sort(np.column_stack([estimator.predict(X) for estimator in self.estimators_]), axis=1)
        return columns[:, 0] if np.ndim(self.quantile) == 0 else columns


def final_of_quantiles(final, quantile):
    """Return an unfitted final estimator that predicts quantiles.

    Parameters
    ----------
    final : estimator
        With a parameter `quantile`. A network predicts all quantiles at once, of others there is one for each.
    quantile : float or list of float

    Raises
    ------
    ValueError
        If it cannot predict quantiles.
    """
    params = _params(final, quantile)
    if not params:
        raise ValueError(
            "'final_estimator' of a stack of quantiles should have a parameter 'quantile', as QuantileRegressor, "
            f"HistGradientBoostingRegressor and MultimodalNetworkRegressor have, got {final!r}."
        )
    given = final.get_params(deep=True)
    for name in params:
        if name.endswith("loss") and given[name] not in (None, "quantile"):
            raise ValueError(f"'final_estimator' of a stack of quantiles should have {name}='quantile', got {final!r}.")
    if isinstance(final, CrossFitter):
        return final.set_params(**params)
    return QuantileRegressors(final, quantile)


def _params(estimator, quantile):
    """Return the parameters by which an estimator, or parts of it, predict a quantile."""
    given, params = estimator.get_params(deep=True), {}
    for name in given:
        prefix, separator, own = name.rpartition("__")
        if own == "quantile":
            params[name] = quantile
            if (loss := f"{prefix}{separator}loss") in given:
                params[loss] = "quantile"
    return params

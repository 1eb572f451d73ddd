"""What a stack asks of base models that can do more than other estimators."""

from abc import ABC, abstractmethod

from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import has_fit_parameter


class TrainsNetworks:
    """An estimator whose fit may train networks, which searches let it do together with other fits."""


class CrossFitter(TrainsNetworks, ABC):
    """An estimator that fits itself for all folds of a stack, rather than being cloned for each.

    It is asked for by its class. Wrappers that hand on every attribute, as
    :class:`~sklearn.frozen.FrozenEstimator` does, have the methods of what they wrap and are none.
    """

    @abstractmethod
    def cross_fit(
        self,
        X,
        y,
        splits,
        *,
        sample_weight=None,
        groups=None,
        bar=None,
        deadline=None,
        validation=None,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
        refit=True,
    ):
        """Fit on all rows and on the training rows of each split; yield what predicts for each in its turn.

        `validation` is what :meth:`split_validation` returned for the same rows; ``None`` lets the estimator split.
        `X_val`, `y_val` and `sample_weight_val` are rows of the caller's own, which then take the place of such a part.
        Training ends before `deadline`, a :class:`~skstack._deadline.Deadline`, whatever it has come to by then.
        Without `refit`, there is no fit on all rows, and nothing is yielded for it.
        """

    @abstractmethod
    def split_validation(self, y, splits, *, sample_weight=None, groups=None):
        """Return a pair of rows to train on and rows to validate on, for all rows and for each split.

        `splits` holds the training rows of each split, as in :meth:`cross_fit`.
        """

    @abstractmethod
    def check_data(self, X, X_val=None):
        """Raise what fitting to X, with X_val to stop on, would raise because of a parameter or a cell."""

    @abstractmethod
    def missing_rows(self, X):
        """Return, by the name of each part, which rows of X lack what it predicts from."""

    #: How many fits the one of it is made of: a network may be trained in several stages.
    n_fits = 1


class TakesGaps:
    """An estimator whose ``fit`` takes several targets of which rows may lack some, as NaN.

    A stack fits any other one to each target by itself, on the rows that have it.
    """


def takes_validation_rows(estimator):
    """Tell whether an estimator stops early on rows that it is given in ``fit``.

    Parameters
    ----------
    estimator : estimator
    """
    if isinstance(estimator, FrozenEstimator) or not has_fit_parameter(estimator, "X_val"):
        return False
    of_parts = getattr(type(estimator), "_takes_validation_rows", None)
    if of_parts is not None:
        return of_parts(estimator)
    return getattr(estimator, "early_stopping", True) is not False

"""The mean of copies of an estimator that differ in their random state."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, RegressorMixin, clone, is_classifier
from sklearn.utils import check_random_state, column_or_1d, get_tags
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_is_fitted

from ._compat import fit_context
from ._doc_links import DocLinkMixin
from ._protocols import takes_validation_rows
from ._suggestions import SuggestingParams


class SeedEnsemble(DocLinkMixin, SuggestingParams, MetaEstimatorMixin, BaseEstimator):
    """What regressor and classifier share."""

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        "estimator": [HasMethods(["fit", "predict"])],
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(self, estimator, *, n_estimators=4, random_state=None):
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.random_state = random_state

    @staticmethod
    def _takes_validation_rows(ensemble):
        return takes_validation_rows(ensemble.estimator)

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, X_val=None, y_val=None, sample_weight_val=None):
        """Fit the copies.

        Parameters
        ----------
        X : DataFrame, array-like or sparse matrix of shape (n_samples, n_features)
            Rows of data, which the copies get as they are.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Target values; several of a regressor that takes several.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, for an estimator that takes them.
        X_val, y_val, sample_weight_val : array-like, default=None
            Rows that say when to stop, for an estimator that takes them.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        given = {
            "sample_weight": sample_weight,
            "X_val": X_val,
            "y_val": y_val,
            "sample_weight_val": sample_weight_val,
        }
        given = {name: values for name, values in given.items() if values is not None}
        if is_classifier(self):
            y = column_or_1d(y, warn=True)
        random_state = check_random_state(self.random_state)
        self.estimators_ = [
            _seeded(clone(self.estimator), random_state).fit(X, y, **given) for _ in range(self.n_estimators)
        ]
        first = self.estimators_[0]
        for name in ("n_features_in_", "feature_names_in_", "classes_"):
            if hasattr(first, name):
                setattr(self, name, getattr(first, name))
        return self

    def _mean(self, method, X):
        """Return the mean of what the copies say."""
        check_is_fitted(self)
        return np.mean([getattr(estimator, method)(X) for estimator in self.estimators_], axis=0)

    def __sklearn_tags__(self):
        tags, inner = super().__sklearn_tags__(), get_tags(self.estimator)
        tags.input_tags, tags.target_tags = inner.input_tags, inner.target_tags
        tags.classifier_tags = inner.classifier_tags
        return tags


def _seeded(estimator, random_state):
    """Give an estimator, and whatever is inside it, other random states."""
    names = [name for name in estimator.get_params() if name == "random_state" or name.endswith("__random_state")]
    return estimator.set_params(**{name: random_state.randint(np.iinfo(np.int32).max) for name in sorted(names)})


class SeedEnsembleRegressor(RegressorMixin, SeedEnsemble):
    """Mean of several copies of a regressor that differ in their random state and nothing else.

    What is left to chance costs accuracy: which rows are set aside for early stopping, which columns are drawn. The
    mean of several draws costs less of it. In a stack it is one base model.

    Parameters
    ----------
    estimator : regressor
        What is copied. Every parameter of it, and of estimators inside it, that is called ``random_state`` gets a
        value of its own in each copy.
    n_estimators : int, default=4
        How many copies are fitted.
    random_state : int, RandomState instance or None, default=None
        Determines the random states of the copies.

    Attributes
    ----------
    estimators_ : list of regressor
        The fitted copies.
    n_features_in_ : int
        Number of columns seen during fit, where the copies know it.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of these columns, where the copies know them.

    See Also
    --------
    SeedEnsembleClassifier : The same for classes.
    sklearn.ensemble.BaggingRegressor : Fits copies to different rows, and makes an array of a DataFrame.
    sklearn.ensemble.VotingRegressor : Averages different estimators.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import HistGradientBoostingRegressor
    >>> from sklearn.model_selection import cross_val_score
    >>> from skstack import SeedEnsembleRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> boosting = HistGradientBoostingRegressor(early_stopping=True, random_state=0)
    >>> cross_val_score(boosting, X, y, cv=3).mean().round(2)
    np.float64(0.45)
    >>> cross_val_score(SeedEnsembleRegressor(boosting, random_state=0), X, y, cv=3).mean().round(2)
    np.float64(0.46)
    """

    def predict(self, X):
        """Predict the mean of the copies.

        Parameters
        ----------
        X : DataFrame, array-like or sparse matrix of shape (n_samples, n_features)
            Rows of data.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        return self._mean("predict", X)


class SeedEnsembleClassifier(ClassifierMixin, SeedEnsemble):
    """Mean of several copies of a classifier that differ in their random state and nothing else.

    What is left to chance costs accuracy: which rows are set aside for early stopping, which columns are drawn. The
    mean of the probabilities of several draws costs less of it. In a stack it is one base model.

    Parameters
    ----------
    estimator : classifier
        What is copied; it has to predict probabilities. Every parameter of it, and of estimators inside it, that is
        called ``random_state`` gets a value of its own in each copy.
    n_estimators : int, default=4
        How many copies are fitted.
    random_state : int, RandomState instance or None, default=None
        Determines the random states of the copies.

    Attributes
    ----------
    estimators_ : list of classifier
        The fitted copies.
    classes_ : ndarray of shape (n_classes,)
        Labels of the classes.
    n_features_in_ : int
        Number of columns seen during fit, where the copies know it.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of these columns, where the copies know them.

    See Also
    --------
    SeedEnsembleRegressor : The same for numbers.
    sklearn.ensemble.BaggingClassifier : Fits copies to different rows, and makes an array of a DataFrame.
    sklearn.ensemble.VotingClassifier : Averages different estimators.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import HistGradientBoostingClassifier
    >>> from sklearn.model_selection import cross_val_score
    >>> from skstack import SeedEnsembleClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> boosting = HistGradientBoostingClassifier(early_stopping=True, random_state=0)
    >>> ensemble = SeedEnsembleClassifier(boosting, random_state=0)
    >>> cross_val_score(ensemble, X, y, cv=3, scoring="neg_log_loss").mean().round(2)
    np.float64(-0.11)
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        **SeedEnsemble._parameter_constraints,
        "estimator": [HasMethods(["fit", "predict_proba"])],
    }

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = tags.classifier_tags.multi_label = False
        return tags

    def predict_proba(self, X):
        """Predict the mean of the probabilities of the copies.

        Parameters
        ----------
        X : DataFrame, array-like or sparse matrix of shape (n_samples, n_features)
            Rows of data.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
        """
        return self._mean("predict_proba", X)

    def predict(self, X):
        """Predict the class of the highest mean probability.

        Parameters
        ----------
        X : DataFrame, array-like or sparse matrix of shape (n_samples, n_features)
            Rows of data.

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        places = self.predict_proba(X).argmax(axis=1)
        return self.classes_[places]

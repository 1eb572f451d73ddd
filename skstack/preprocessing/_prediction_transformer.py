"""A fitted model as a transformer: what it predicts becomes columns for the next one."""

from copy import deepcopy
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, is_classifier
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods, StrOptions
from sklearn.utils.validation import check_is_fitted

from .._columns import check_table, is_polars, is_table, resolve_columns, select_columns
from .._compat import check_response_method, fit_context, take
from .._doc_links import DocLinkMixin
from .._parts import check_instance
from .._suggestions import SuggestingParams, did_you_mean

#: What is called for predictions, the best first.
_METHODS = {"classifier": ("predict_proba", "decision_function", "predict"), "other": ("predict_tasks", "predict")}


class PredictionTransformer(DocLinkMixin, SuggestingParams, TransformerMixin, BaseEstimator):
    """Predictions of a fitted model as columns for the next model.

    The model was fitted on other rows, of another table perhaps, and stays as it is: `fit` learns nothing, and clones
    hold the same fitted model, so that it can stand in pipelines, searches and stacks. Its predictions of the rows that
    it was fitted on look better than those of new rows; for a model of the same rows take a stack, which cross-fits.

    Parameters
    ----------
    estimator : estimator
        Fitted regressor, classifier, network, stack or pipeline.
    columns : str, int, list, slice, mask, callable or None, default=None
        The columns of X that the model gets, as in :class:`~sklearn.compose.ColumnTransformer`. ``None`` takes those
        that it was fitted with, by name and in their order, if both X and the model have names; else every column.
    rename : dict of str to str, default=None
        For columns that the model knows by another name: their names in X, mapped to the names in the model. Where X
        has a column that is called like the model's too, the renamed one is taken.
    method : {"auto", "predict", "predict_proba", "decision_function"}, default="auto"
        What is called for the predictions. "auto" is ``predict``, for a classifier the first that it has of
        ``predict_proba``, ``decision_function`` and ``predict``, and for an estimator of several tasks their numbers
        and probabilities, ``predict_tasks``.
    prefix : str, default="prediction"
        Begins the names of the columns.

    Attributes
    ----------
    method_ : str
        The method that is called.
    n_features_in_ : int
        Number of columns seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of these columns, where X has string names.

    See Also
    --------
    MultimodalStackingRegressor : Takes fitted models as base models, in a :class:`~sklearn.frozen.FrozenEstimator` each
        or all of them with ``cv="prefit"``.
    sklearn.frozen.FrozenEstimator : A fitted model that is not fitted again.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.compose import make_column_transformer
    >>> from sklearn.linear_model import LinearRegression
    >>> from skstack.preprocessing import PredictionTransformer
    >>> league = pd.DataFrame({"rating_diff": [-2.0, 0.0, 1.0, 3.0], "margin": [-4.0, 0.0, 2.0, 6.0]})
    >>> model = LinearRegression().fit(league[["rating_diff"]], league["margin"])
    >>> cup = pd.DataFrame({"strength": [2.0, -1.0, 0.5], "seed_diff": [4, -1, 2]})
    >>> forecast = PredictionTransformer(model, rename={"strength": "rating_diff"}, prefix="forecast")
    >>> features = make_column_transformer(
    ...     (forecast, ["strength"]), ("passthrough", ["seed_diff"]), verbose_feature_names_out=False
    ... )
    >>> features.set_output(transform="pandas").fit_transform(cup).round(6)
       forecast  seed_diff
    0       4.0          4
    1      -2.0         -1
    2       1.0          2
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        "estimator": [HasMethods("predict")],
        "columns": [None, str, Integral, list, slice, tuple, np.ndarray, callable],
        "rename": [None, dict],
        "method": [StrOptions({"auto", "predict", "predict_proba", "decision_function"})],
        "prefix": [str],
    }

    def __init__(self, estimator, *, columns=None, rename=None, method="auto", prefix="prediction"):
        self.estimator = estimator
        self.columns = columns
        self.rename = rename
        self.method = method
        self.prefix = prefix

    # --- fitting ----------------------------------------------------------------------------------------------------

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Find the columns of the model in X; nothing is learned from the rows.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows with the columns of the model, of which the first one is predicted to see that it can be.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The transformer.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the model is not fitted.
        ValueError
            If X lacks a column of the model, or the model cannot predict the first row.
        """
        self._check_model()
        X = check_table(self, X, reset=True)
        self._positions, self._names = self._find_columns(X)
        methods = _METHODS["classifier" if is_classifier(self.estimator) else "other"]
        wanted = methods if self.method == "auto" else (self.method,)
        self.method_ = check_response_method(self.estimator, wanted).__name__
        self._suffixes = self._predict(take(X, [0], axis=0))[1]
        return self

    def _check_model(self):
        check_instance(self.estimator, f"'estimator' of {type(self).__name__}")
        message = (
            f"'estimator' of {type(self).__name__}, a %(name)s, is not fitted, and {type(self).__name__} does not fit "
            "it: its predictions of the rows that it is fitted on would look better than those of new rows. Fit it on "
            "other rows first, or take it as a base model of a stack, which cross-fits."
        )
        check_is_fitted(self.estimator, msg=message)

    def _find_columns(self, X):
        """Return the positions of the model's columns in X, and what the model calls them where X has names."""
        if self.rename and not is_table(X):
            raise ValueError("'rename' needs a DataFrame: columns of an array have no names.")
        sources = self._sources(X)
        known = getattr(self.estimator, "feature_names_in_", None)
        if self.columns is None and known is not None and is_table(X):
            return self._known_columns(X, sources, list(known))
        positions = resolve_columns(X, self.columns)
        if not is_table(X) or isinstance(positions, Integral):
            return positions, None
        called = {source: name for name, source in sources.items()}
        chosen = X.columns if positions is None else [X.columns[position] for position in positions]
        return positions, [called.get(name, name) for name in chosen]

    def _sources(self, X):
        """Return the columns of X that have another name in the model, by that name."""
        for name in self.rename or ():
            if name not in X.columns:
                raise ValueError(f"'rename' names {name!r}, which is no column of X.{did_you_mean(name, X.columns)}")
        sources = {}
        for name, new in (self.rename or {}).items():
            if new in sources:
                raise ValueError(f"'rename' calls both {sources[new]!r} and {name!r} {new!r}.")
            sources[new] = name
        return sources

    def _known_columns(self, X, sources, known):
        columns = list(X.columns)
        missing = [name for name in known if sources.get(name, name) not in columns]
        if missing and not getattr(self.estimator, "allow_missing_columns", False):
            raise ValueError(
                f"X lacks columns that {type(self.estimator).__name__} was fitted with: {missing}; it has {columns}. "
                "If they are called otherwise there, say so with 'rename'."
            )
        names = [name for name in known if name not in missing]
        return [columns.index(sources.get(name, name)) for name in names], names

    # --- predicting -------------------------------------------------------------------------------------------------

    def transform(self, X):
        """Return the model's predictions.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows with the columns that `fit` saw.

        Returns
        -------
        predictions : ndarray of shape (n_samples, n_columns)
            A column for each output. Of a classifier's probabilities one for each class, except the first of two, which
            is one minus the other.
        """
        check_is_fitted(self)
        return self._predict(check_table(self, X, reset=False))[0]

    def _predict(self, X):
        """Return the predictions as columns, and what is added to the prefix for their names."""
        X = _renamed(select_columns(X, self._positions), self._names)
        predictions = getattr(self.estimator, self.method_)(X)
        classes = getattr(self.estimator, "classes_", None) if self.method_ != "predict" else None
        return _columns_of(predictions, classes, self.method_ in ("predict_proba", "predict_tasks"))

    def get_feature_names_out(self, input_features=None):
        """Return the names of the columns.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Ignored: no column of X comes out.

        Returns
        -------
        names : ndarray of str objects
            The prefix alone for a single number; else followed by the number of the output or the name of its column,
            and the class.
        """
        check_is_fitted(self)
        return np.array([f"{self.prefix}{suffix}" for suffix in self._suffixes], dtype=object)

    # --- parameters -------------------------------------------------------------------------------------------------

    def get_params(self, deep=True):
        """Get the parameters of this transformer, those of the fitted model not included.

        Parameters
        ----------
        deep : bool, default=True
            Ignored: the model is fitted, and other parameters would change nothing.

        Returns
        -------
        params : dict
            Parameter names mapped to their values.
        """
        return super().get_params(deep=False)

    def set_params(self, **params):
        """Set the parameters of this transformer.

        Parameters
        ----------
        **params : dict
            Parameter names mapped to their new values.

        Returns
        -------
        self : object
            This transformer.

        Raises
        ------
        ValueError
            If there is no parameter of a name, or it is one of the fitted model's.
        """
        nested = sorted(name for name in params if name.startswith("estimator__"))
        if nested:
            raise ValueError(f"{nested} cannot be set: the model is fitted, and {type(self).__name__} does not fit it.")
        return super().set_params(**params)

    def __sklearn_clone__(self):
        """Return an unfitted transformer with the same fitted model, rather than one that has to be fitted again."""
        twin = type(self)(**self.get_params())
        if hasattr(self, "_sklearn_output_config"):
            twin._sklearn_output_config = deepcopy(self._sklearn_output_config)
        return twin

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if hasattr(self.estimator, "__sklearn_tags__"):
            tags.input_tags = deepcopy(get_tags(self.estimator).input_tags)
        tags.transformer_tags.preserves_dtype = []
        return tags


def _renamed(X, names):
    """Return a table with other names of columns."""
    if names is None or list(X.columns) == names:
        return X
    if is_polars(X):
        return X.rename(dict(zip(X.columns, names, strict=True)))
    return X.set_axis(names, axis=1)


def _side_by_side(parts):
    """Return columns and suffixes of several outputs as one, from those of each by what its suffixes begin with."""
    suffixes = [f"{begin}{suffix}" for begin, (_, of_output) in parts.items() for suffix in of_output]
    return np.hstack([columns for columns, _ in parts.values()]), suffixes


def _columns_of(predictions, classes, are_probabilities):
    """Return predictions as an array of shape (n_samples, n_columns), and what tells the names of the columns apart."""
    if isinstance(predictions, list):  # probabilities of several outputs
        outputs = enumerate(zip(predictions, classes, strict=True))
        return _side_by_side({f"{number}": _columns_of(*output, are_probabilities) for number, output in outputs})
    if isinstance(predictions, dict):  # of several tasks
        tasks = ((name, (given, classes.get(name))) for name, given in predictions.items())
        return _side_by_side({f"_{name}": _columns_of(*of_task, are_probabilities) for name, of_task in tasks})
    if hasattr(predictions, "columns"):
        return predictions.to_numpy(), [f"_{name}" for name in predictions.columns]
    columns = np.asarray(predictions)
    columns = columns.reshape(len(columns), -1)
    if columns.shape[1] == 1:
        return columns, [""]
    if classes is None or isinstance(classes, list) or len(classes) != columns.shape[1]:
        return columns, [str(number) for number in range(columns.shape[1])]
    first = 1 if are_probabilities and len(classes) == 2 else 0
    return columns[:, first:], [f"_{name}" for name in classes[first:]]

"""Exact Shapley values of modalities for single predictions."""

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import Bunch

from .._compat import check_response_method
from ._absence import Absence
from ._modalities import check_inspected, column_names, modalities_of
from ._shapley import shapley, shapley_interactions

_RESPONSES = ("auto", "predict_proba", "decision_function", "predict")


def shapley_values(estimator, X, *, modalities=None, background=None, response_method="auto"):
    """Return what each modality contributes to single predictions: exact Shapley values and pairwise interactions.

    A modality is absent where its cells are missing: networks then predict from what they have learned to put in the
    place of what is missing. For learners that cannot do without, give `background` rows.

    Parameters
    ----------
    estimator : estimator
        Fitted stack, network, or pipeline that ends in one; any other estimator with `modalities`.
    X : DataFrame or array-like of shape (n_samples, n_features)
        Rows to explain, as ``predict`` takes them.
    modalities : dict of str to columns, default=None
        Names and columns of X, at most 12; columns in none of them are always there. ``None`` takes the columns of each
        branch, those of branches that share some together, and the columns that learners alone read.
    background : DataFrame or array-like of shape (n_background, n_features), default=None
        Rows whose cells take the place of an absent modality, each in turn: a prediction is then the mean over these
        rows, and Shapley values are the interventional ones. ``None`` lets the cells be missing.
    response_method : {"auto", "predict_proba", "decision_function", "predict"}, default="auto"
        What is explained. "auto" is the first of these that a classifier has, ``predict`` of any other estimator.

    Returns
    -------
    result : :class:`~sklearn.utils.Bunch`
        With these attributes; of several outputs or classes there is one more axis at the end, and of two classes the
        probability of the second one counts.

        shapley_values : ndarray of shape (n_samples, n_modalities)
            Shapley values: with ``base_values`` they sum to ``predictions``.
        interactions : ndarray of shape (n_samples, n_modalities, n_modalities)
            Shapley interaction index of each pair. The diagonal holds what is left of a modality apart from its
            interactions: with half of each of them it is the Shapley value.
        base_values : ndarray of shape (n_samples,)
            Predictions when all modalities are absent.
        predictions : ndarray of shape (n_samples,)
            Predictions for the rows as they are.
        modalities : dict of str to list
            The columns of each modality, in order.
        classes : ndarray or None
            Which class each entry of the last axis is about.

    Raises
    ------
    ValueError
        If there are too many modalities, columns that X has not, or an estimator cannot predict without a modality.

    See Also
    --------
    WaterfallDisplay : Draws the contributions to one prediction.
    modality_importance : The same for the score.

    Notes
    -----
    All coalitions of modalities are asked, so values are exact [1]_; interactions are the Shapley interaction index of
    order 2 [2]_. Base models are asked once for each combination of the modalities that they read, and networks compute
    the features of each branch once.

    References
    ----------
    .. [1] Lundberg and Lee, "A Unified Approach to Interpreting Model Predictions", NeurIPS 2017.
    .. [2] Grabisch and Roubens, "An axiomatic approach to the concept of interaction among players in cooperative
       games", International Journal of Game Theory 28, 1999.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> from skstack.inspection import shapley_values
    >>> X = np.array([[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]])
    >>> model = LinearRegression().fit(np.eye(3), [1.0, 2.0, 3.0])
    >>> result = shapley_values(model, X, modalities={"first": [0], "others": [1, 2]}, background=X[:1])
    >>> result.shapley_values[1].round(2)
    array([-1.,  3.])
    """
    estimator, X = check_inspected(estimator, X)
    if response_method not in _RESPONSES:
        raise ValueError(f"'response_method' should be one of {_RESPONSES}, got {response_method!r}.")
    found = modalities_of(estimator, X, modalities)
    method = _method(estimator, response_method)
    values = Absence(estimator, X, found, background).values(lambda view: _response(view, method))
    interactions = shapley_interactions(values)
    return Bunch(
        shapley_values=np.moveaxis(shapley(values), 0, 1),
        interactions=np.moveaxis(interactions, 2, 0),
        base_values=values[0],
        predictions=values[-1],
        modalities={name: column_names(X, columns) for name, columns in found.items()},
        classes=_classes(estimator, method, values),
    )


def _method(estimator, response_method):
    if response_method != "auto":
        return check_response_method(estimator, response_method).__name__
    wanted = _RESPONSES[1:] if is_classifier(estimator) else "predict"
    return check_response_method(estimator, wanted).__name__


def _response(view, method):
    response = getattr(view, method)(None)
    if isinstance(response, dict) or hasattr(response, "columns"):
        raise TypeError(
            f"{type(view).__name__} predicts several tasks: give one of them, as estimator.for_task(name) returns it."
        )
    if isinstance(response, list):
        raise TypeError("several columns of classes have no single response: give response_method='predict'.")
    response = np.asarray(response)
    if response.dtype.kind not in "biuf":
        raise TypeError(f"{method} of {type(view).__name__} returns no numbers: of these alone there are values.")
    classes = getattr(view, "classes_", None)  # a list of them where there are several labels
    binary = method == "predict_proba" and isinstance(classes, np.ndarray) and len(classes) == response.shape[1] == 2
    return response[:, 1] if binary else response


def _classes(estimator, method, values):
    classes = getattr(estimator, "classes_", None)
    if method == "predict" or not isinstance(classes, np.ndarray):  # none, or those of several labels
        return None
    return classes[1:] if values.ndim == 2 else classes

"""What a fitted estimator says when only some modalities are there, the others missing or those of other rows."""

import numpy as np
from sklearn.base import is_classifier

from .._columns import is_table
from ..tasks._classification import of_both_classes
from ..tasks._targets import side_by_side
from ._shapley import MAX_PLAYERS, coalitions
from ._tables import as_rows, missing_row
from ._views import answering, views_of


class Absence:
    """Makes views of an estimator in which modalities are absent.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    X : DataFrame or ndarray of shape (n_samples, n_features)
    modalities : dict of str to list of int
        Positions of the columns of each.
    background : DataFrame or ndarray of shape (n_background, n_features), default=None
        Rows whose cells take the place of those of an absent modality: predictions are the means over these rows.
        ``None`` lets the cells be missing.
    """

    def __init__(self, estimator, X, modalities, background=None):
        source = missing_row(X) if background is None else _like(X, background)
        self._columns = [frozenset(columns) for columns in modalities.values()]
        self._names, self._missing = list(modalities), background is None
        self._views = views_of(estimator, X, source)
        self._estimator, self._X = estimator, X
        self._rows = [np.full(X.shape[0], row) for row in range(source.shape[0])]

    def without(self, absent):
        """Return the estimator as it is when some modalities are absent.

        Parameters
        ----------
        absent : list of int
            Which of the modalities.
        """
        columns = frozenset().union(*(self._columns[index] for index in absent))
        rows = self._rows if len(absent) else self._rows[:1]
        try:
            views = [self._views.view(columns, of_row) for of_row in rows]
        except (ValueError, TypeError) as error:
            raise self._refused(absent, error) from error
        return answering(self._estimator, lambda method: self._ask(views, method, absent))

    def values(self, value):
        """Return the value of every coalition of modalities that are there, in the order of ``coalitions``.

        Parameters
        ----------
        value : callable
            Called with the estimator as it is then.
        """
        n_modalities = len(self._columns)
        if n_modalities > MAX_PLAYERS:
            raise ValueError(
                f"exact Shapley values of {n_modalities} modalities need 2 ** {n_modalities} predictions of each row: "
                f"unite some of them to {MAX_PLAYERS} at most by 'modalities'. They are {self._names}."
            )
        present = coalitions(n_modalities)
        return np.array([value(self.without(np.flatnonzero(~those).tolist())) for those in present], dtype="float64")

    def _ask(self, views, method, absent):
        try:
            if len(views) == 1:
                return getattr(views[0], method)(self._X)
            if method == "predict" and is_classifier(self._estimator):
                return self._likeliest(views)
            return _mean([getattr(view, method)(self._X) for view in views])
        except (ValueError, TypeError) as error:
            raise self._refused(absent, error) from error

    def _likeliest(self, views):
        probabilities, classes = _mean([view.predict_proba(self._X) for view in views]), self._estimator.classes_
        if not isinstance(classes, list):
            return classes[np.argmax(probabilities, axis=1)]
        if isinstance(probabilities, np.ndarray):  # of each label, that a row has it
            probabilities = [of_both_classes(column) for column in probabilities.T]
        columns = zip(classes, probabilities, strict=True)
        return side_by_side([known[np.argmax(of_column, axis=1)] for known, of_column in columns])

    def _refused(self, absent, error):
        if not absent or not self._missing:
            return error
        names = [self._names[index] for index in absent]
        return ValueError(
            f"{type(self._estimator).__name__} cannot predict rows in which the modalities {names} are missing: give "
            f"rows whose cells take their place as 'background'. What was raised is: {error}"
        )


def _like(X, background):
    """Return background rows, checked to be of the kind of X."""
    background = as_rows(background)
    if is_table(background) != is_table(X) or background.shape[1:] != X.shape[1:]:
        raise ValueError(
            f"'background' should be rows like those of X, which has shape {X.shape}, got "
            f"{type(background).__name__} of shape {background.shape}."
        )
    if is_table(X) and list(background.columns) != list(X.columns):
        raise ValueError("'background' should have the columns of X, in their order.")
    if not background.shape[0]:
        raise ValueError("'background' has no rows.")
    return background


def _mean(predictions):
    first = predictions[0]
    if isinstance(first, dict):
        return {name: _mean([each[name] for each in predictions]) for name in first}
    if isinstance(first, list):
        return [_mean(parts) for parts in zip(*predictions, strict=True)]
    return sum(predictions) / len(predictions)

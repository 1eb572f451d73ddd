"""Evaluating a candidate of a search fold by fold, with a word after each fold and epoch."""

from contextlib import nullcontext

import numpy as np
from sklearn.base import clone

from .._compat import check_method_params, fit_and_score, take
from .._epoch_scores import listening


class Pruned(BaseException):
    """A candidate is given up. No error of its estimator, which would count as a failed fit: see `error_score`."""


class Evaluation:
    """How the candidates of a search are evaluated; can be sent to another process.

    Parameters
    ----------
    estimator : estimator
        What candidates are clones of.
    splits : list of (ndarray of int, ndarray of int)
        Training and test rows of each fold.
    scorer : callable
        Of scikit-learn; returns a number or a dict of numbers.
    metric : str or None
        Which of several scores leads the search; ``None`` for the only or first one.
    fit_params, score_params : dict
        What estimator and scorer are given beside rows.
    settings : dict
        ``error_score``, ``return_train_score`` and ``verbose`` of the search.
    """

    def __init__(self, estimator, splits, scorer, metric, fit_params, score_params, settings):
        self.estimator, self.splits = estimator, splits
        self._scorer, self._metric = scorer, metric
        self._fit_params, self._score_params = fit_params, score_params
        self._settings = settings

    @property
    def n_splits(self):
        """How many folds there are."""
        return len(self.splits)

    def fold(self, X, y, parameters, index, hear=None, callbacks=None):
        """Fit a candidate to the training rows of a fold, and score it on the others.

        Parameters
        ----------
        X, y
            All rows.
        parameters : dict
        index : int
            Of the fold.
        hear : callable, default=None
            Is given the score on the test rows after each epoch.
        callbacks : dict, default=None
            What callbacks of scikit-learn need to know.

        Returns
        -------
        result : dict
            As scikit-learn's searches know it: scores, times and, if the fit failed, an error.
        """
        estimator = clone(self.estimator)
        train, test = self.splits[index]
        heard = nullcontext() if hear is None else listening(estimator, self._scoring(X, y, test, hear))
        with heard:
            return fit_and_score(
                estimator,
                X,
                y,
                scorer=self._scorer,
                train=train,
                test=test,
                parameters=parameters,
                fit_params=self._fit_params,
                score_params=self._score_params,
                return_n_test_samples=True,
                return_times=True,
                split_progress=(index, self.n_splits),
                **self._settings,
                **(callbacks or {}),
            )

    def _scoring(self, X, y, test, hear):
        """Return what scores an estimator on the test rows of a fold, which are taken once."""
        rows = [take(X, test, axis=0), *([] if y is None else [take(y, test, axis=0)])]
        params = check_method_params(X, params=self._score_params, indices=test)
        return lambda estimator: hear(self._led_by(self._scorer(estimator, *rows, **params)))

    def score(self, results):
        """Return what the search is led by: the mean score of the given folds, NaN if one of them failed."""
        return float(np.mean([self._led_by(result["test_scores"]) for result in results]))

    def _led_by(self, scores):
        if not isinstance(scores, dict):
            return float(scores)
        # A name that is not there is an error as soon as the candidate is over.
        return float(scores.get(self._metric, next(iter(scores.values()))))


class Trial:
    """The evaluation of a candidate, that tells how good it looks after each epoch and fold.

    Parameters
    ----------
    evaluation : Evaluation
    report : callable
        Is given the mean of the scores so far, an epoch's among them; may raise Pruned.
    results : list of dict, default=()
        Of the first folds, where an earlier try got that far.
    """

    def __init__(self, evaluation, report, results=()):
        self._evaluation, self._report = evaluation, report
        self.results = list(results)

    @property
    def is_complete(self):
        """Whether all folds are over."""
        return len(self.results) == self._evaluation.n_splits

    def run(self, folds):
        """Go through the folds that are left; after the last one there is nothing more to tell.

        Parameters
        ----------
        folds : iterable of dict
            The result of each of them, in order.
        """
        for result in folds:
            self.results.append(result)
            if not self.is_complete:
                self._report(self._evaluation.score(self.results))

    def hear(self, score):
        """Tell how good the candidate looks in the midst of a fold, whose score so far is given."""
        n_over = len(self.results)
        before = self._evaluation.score(self.results) if n_over else 0.0
        self._report((n_over * before + score) / (n_over + 1))

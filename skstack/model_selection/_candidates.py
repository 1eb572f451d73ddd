"""The candidates that a search has evaluated so far, as a table."""

import warnings

import numpy as np

from .._compat import insert_error_scores, warn_or_raise_about_fit_failures


class Candidates:
    """What became of the candidates of a search, in the order in which they were suggested.

    Parameters
    ----------
    n_splits : int
    error_score : float or "raise"
        See the searches of scikit-learn.
    """

    def __init__(self, n_splits, error_score):
        self._n_splits, self._error_score = n_splits, error_score
        self._over = {}

    def __len__(self):
        return len(self._over)

    def __contains__(self, index):
        return index in self._over

    def add(self, index, params, results):
        """Add a candidate that is over.

        Parameters
        ----------
        index : int
            The how many-th suggestion it was.
        params : dict
        results : list of dict
            Of its folds; of the first ones only if it was given up.
        """
        self._over[index] = params, results
        self._over = dict(sorted(self._over.items()))

    @property
    def _params(self):
        return [params for params, _ in self._over.values()]

    @property
    def _results(self):
        return [results for _, results in self._over.values()]

    @property
    def pruned(self):
        """Whether each candidate was given up before it was evaluated on all folds, as a list of bool."""
        return [len(results) < self._n_splits for results in self._results]

    def check(self):
        """Warn of failed fits.

        Raises
        ------
        ValueError
            If no candidate was evaluated, or none to its end, or every fit failed.
        """
        if not self:
            raise ValueError("No candidate was evaluated: the time was over before the first one.")
        if all(self.pruned):
            raise ValueError(
                f"None of {len(self)} candidates was evaluated on all {self._n_splits} folds: all were pruned. Give "
                "the search more candidates or time, or prune later (n_warmup_steps, grace_period, max_t)."
            )
        warn_or_raise_about_fit_failures(self._done(), self._error_score)

    def table(self, format_results, with_pruned):
        """Return ``cv_results_``.

        Folds that a candidate did not get to have scores that are NaN, and so is its mean, by which it comes last.

        Parameters
        ----------
        format_results : callable
            Of a search of scikit-learn.
        with_pruned : bool
            Whether there is a column that says what was given up.
        """
        rows = [self._all_folds(results) for results in self._results]
        more = {"pruned": self.pruned} if with_pruned else {}
        insert_error_scores(self._done(), self._error_score)
        with warnings.catch_warnings():
            if any(self.pruned):  # as it should be
                warnings.filterwarnings("ignore", "One or more of the", category=UserWarning)
            return format_results(self._params, self._n_splits, [fold for row in rows for fold in row], more)

    def best(self, score):
        """Return the best score of a candidate that was evaluated on all folds, or None.

        Parameters
        ----------
        score : callable
            Returns the mean score of some results.
        """
        scores = [score(results) for results, pruned in zip(self._results, self.pruned, strict=True) if not pruned]
        return max((one for one in scores if np.isfinite(one)), default=None)

    @property
    def has_scores(self):
        """Whether a fold of a candidate is over."""
        return any(self._results)

    @property
    def first_scores(self):
        """The score of the first fold that was over, or a dict of several."""
        return self._done()[0]["test_scores"]

    def _done(self):
        return [fold for results in self._results for fold in results]

    def _all_folds(self, results):
        return results + [self._not_begun()] * (self._n_splits - len(results))

    def _not_begun(self):
        """Return a fold that looks like those that are over."""
        over = self._done()[0]
        no_time = {name: 0.0 for name in ("fit_time", "score_time")}
        no_score = {name: _unknown(over[name]) for name in ("test_scores", "train_scores") if name in over}
        return {**over, **no_time, **no_score, "fit_error": None}


def _unknown(scores):
    return dict.fromkeys(scores, np.nan) if isinstance(scores, dict) else np.nan

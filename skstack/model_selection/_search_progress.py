"""How far a search is: a bar with the best score so far and the time that is left."""

from collections import defaultdict
from contextlib import contextmanager

import numpy as np

from .._progress import showing_bar


class SearchProgress:
    """A bar over the fits of the candidates that a search evaluates at once.

    Parameters
    ----------
    title : str
    wanted : bool
        Whether to show it.
    """

    def __init__(self, title, wanted):
        self._title, self._wanted = title, wanted
        self._bar, self._n_fits, self._n_over = None, 0, 0
        self._scores = defaultdict(list)

    @contextmanager
    def showing(self, n_fits):
        """Show the bar for a block in which so many fits are scored."""
        self._n_fits, self._n_over = n_fits, 0
        self._scores.clear()  # a search by halving scores a candidate again
        with showing_bar(self._title, n_fits, self._wanted) as self._bar:
            yield

    def over(self, kwargs, result):
        """Take note of a fit that is scored.

        Parameters
        ----------
        kwargs : dict
            What scikit-learn's ``_fit_and_score`` was given.
        result : dict
            What it returned.
        """
        if self._bar is None:
            return
        self._n_over += 1
        if not isinstance(result["test_scores"], dict):  # of several scores, none is the best by itself
            self._scores[kwargs["candidate_progress"][0]].append(result["test_scores"])
        self._bar.evaluated(self._n_over, self._so_far(kwargs["split_progress"][1]))

    def _so_far(self, n_splits):
        counted = f"{self._n_over} of {self._n_fits} fits"
        means = [np.mean(scores) for scores in self._scores.values() if len(scores) == n_splits]
        best = max((mean for mean in means if np.isfinite(mean)), default=None)
        return counted if best is None else f"{counted}, best score {best:.4g}"

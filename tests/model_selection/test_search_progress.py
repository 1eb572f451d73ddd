"""The bar of a search."""

import numpy as np
import pytest
from _small import make_table, network_regressor
from sklearn.model_selection import KFold

from skstack.model_selection import GridSearchCV, _search_progress
from skstack.model_selection._search_progress import SearchProgress


class Bar:
    """Keeps what it is told."""

    def __init__(self):
        self.told = []

    def evaluated(self, index, text):
        """Note it."""
        self.told.append((index, text))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass


@pytest.fixture
def bar(monkeypatch):
    bar = Bar()
    shown = []
    monkeypatch.setattr(_search_progress, "showing_bar", lambda *args: shown.append(args) or bar)
    bar.shown = shown
    return bar


def _fit(candidate, score):
    return {"candidate_progress": (candidate, 2), "split_progress": (0, 2)}, {"test_scores": score}


def test_the_best_score_is_that_of_a_candidate_with_all_folds(bar):
    progress = SearchProgress("search", True)
    with progress.showing(4):
        for fit in (_fit(0, 0.5), _fit(1, 0.9), _fit(0, 0.7), _fit(1, np.nan)):
            progress.over(*fit)
    assert bar.shown == [("search", 4, True)]
    assert bar.told == [
        (1, "1 of 4 fits"),
        (2, "2 of 4 fits"),
        (3, "3 of 4 fits, best score 0.6"),
        (4, "4 of 4 fits, best score 0.6"),
    ]
    with progress.showing(2):  # another iteration begins anew
        progress.over(*_fit(0, 0.1))
    assert bar.told[-1] == (1, "1 of 2 fits")


def test_of_several_scores_none_is_the_best(bar):
    progress = SearchProgress("search", True)
    with progress.showing(2):
        progress.over(*_fit(0, {"r2": 0.1}))
        progress.over(*_fit(0, {"r2": 0.2}))
    assert bar.told[-1] == (2, "2 of 2 fits")


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_search_shows_it(bar, n_jobs):
    X, y = make_table()
    grid = {"optimizer__learning_rate": [0.01, 0.1]}
    search = GridSearchCV(network_regressor(), grid, cv=KFold(2), verbose=1, n_jobs=n_jobs, refit=False).fit(X, y)
    assert bar.shown == [("GridSearchCV", 4, True)]
    best = search.cv_results_["mean_test_score"].max()
    assert bar.told[-1] == (4, f"4 of 4 fits, best score {best:.4g}")
    GridSearchCV(network_regressor(), grid, cv=KFold(2), refit=False).fit(X, y)
    assert bar.shown[-1] == ("GridSearchCV", 4, False)

"""Run scikit-learn's own tests of its searches on OptunaSearchCV, and tell where these differ.

    python tests/run_sklearn_engine_tests.py [arguments for pytest]

The tests are those of the installed scikit-learn, sklearn/model_selection/tests/test_search.py. GridSearchCV and
RandomizedSearchCV are searches by Optuna there, whose trials go through scikit-learn's candidates. What a search by Ray
does beyond drawing candidates and sending them to workers is the same code. The exit status is 1 if a test fails that
does not stand in the table below, or passes though it stands there. The table is made for scikit-learn 1.9.
"""

import sys

import numpy as np
from _sklearn_tests import SklearnTests
from sklearn.model_selection import ParameterGrid, ParameterSampler

from skstack.model_selection import OptunaSearchCV

EXPECTED = {
    "test_custom_run_search": (
        "The test implements _run_search, which is not called: it is told of a candidate when all folds are over."
    ),
}


class _Given(OptunaSearchCV):
    """A search by Optuna whose trials go through given candidates.

    Parameters
    ----------
    params : dict
        Of a search of scikit-learn.
    """

    _parameter_constraints: dict = {}  # noqa: RUF012 - spaces are checked where candidates are made of them
    timeout = sampler = pruner = callbacks = random_state = None

    def _keep(self, params):
        vars(self).update({name: value for name, value in params.items() if name not in ("self", "__class__")})

    @property
    def n_trials(self):
        """How many candidates there are."""
        return len(self._candidates())

    def _suggesting(self, optuna):
        candidates = list(self._candidates())
        return lambda trial: candidates[trial.number]


class GridSearchCV(_Given):
    """Optuna in place of a grid search."""

    def __init__(
        self,
        estimator,
        param_grid,
        *,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        error_score=np.nan,
        return_train_score=False,
    ):
        self._keep(locals())

    def _candidates(self):
        return ParameterGrid(self.param_grid)


class RandomizedSearchCV(_Given):
    """Optuna in place of a randomized search."""

    def __init__(
        self,
        estimator,
        param_distributions,
        *,
        n_iter=10,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        random_state=None,
        error_score=np.nan,
        return_train_score=False,
    ):
        self._keep(locals())

    def _candidates(self):
        return ParameterSampler(self.param_distributions, self.n_iter, random_state=self.random_state)


def _swap():
    """Put our searches in the place of scikit-learn's, for this process."""
    import sklearn.model_selection

    for ours in (GridSearchCV, RandomizedSearchCV):
        setattr(sklearn.model_selection, ours.__name__, ours)


TESTS = SklearnTests(__file__, "model_selection", "test_search.py", _swap, EXPECTED)

if __name__ == "__main__":
    sys.exit(TESTS.main(sys.argv[1:]))

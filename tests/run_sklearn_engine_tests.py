"""Run scikit-learn's own tests of its searches on OptunaSearchCV, and tell where these differ.

    python tests/run_sklearn_engine_tests.py [arguments for pytest]

The tests are those of the installed scikit-learn, sklearn/model_selection/tests/test_search.py. GridSearchCV is a
search by Optuna whose trials go through the grid, RandomizedSearchCV one whose trials are drawn by Optuna. What a search
by Ray does beyond drawing candidates and sending them to workers is the same code. The exit status is 1 if a test fails
that does not stand in the table below, or passes though it stands there. The table is made for scikit-learn 1.9.
"""

import sys

import numpy as np
from _sklearn_tests import SklearnTests
from sklearn.model_selection import ParameterGrid

from skstack.model_selection import OptunaSearchCV

EXPECTED = {}


class GridSearchCV(OptunaSearchCV):
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
        vars(self).update({name: value for name, value in locals().items() if name not in ("self", "__class__")})

    timeout = sampler = pruner = callbacks = random_state = None

    @property
    def n_trials(self):
        """The size of the grid."""
        return len(ParameterGrid(self.param_grid))

    @property
    def param_distributions(self):
        """A space that goes through the grid."""
        grid = ParameterGrid(self.param_grid)
        return lambda trial: grid[trial.number]


class RandomizedSearchCV(OptunaSearchCV):
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
        vars(self).update({name: value for name, value in locals().items() if name not in ("self", "__class__")})

    timeout = sampler = pruner = callbacks = None

    @property
    def n_trials(self):
        """As scikit-learn calls it."""
        return self.n_iter


def _swap():
    """Put our searches in the place of scikit-learn's, for this process."""
    import sklearn.model_selection

    for ours in (GridSearchCV, RandomizedSearchCV):
        setattr(sklearn.model_selection, ours.__name__, ours)


TESTS = SklearnTests(__file__, "model_selection", "test_search.py", _swap, EXPECTED)

if __name__ == "__main__":
    sys.exit(TESTS.main(sys.argv[1:]))

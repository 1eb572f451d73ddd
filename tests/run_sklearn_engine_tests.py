"""Run scikit-learn's own tests of its searches on OptunaSearchCV, and tell where these differ.

    python tests/run_sklearn_engine_tests.py [arguments for pytest]

The tests are those of the installed scikit-learn, sklearn/model_selection/tests/test_search.py. GridSearchCV is a
search by Optuna whose trials go through the grid, RandomizedSearchCV one whose trials Optuna draws. What a search
by Ray does beyond drawing candidates and sending them to workers is the same code. The exit status is 1 if a test fails
that does not stand in the table below, or passes though it stands there. The table is made for scikit-learn 1.9.
"""

import sys

import numpy as np
from _sklearn_tests import SklearnTests
from sklearn.model_selection import ParameterGrid

from skstack.model_selection import OptunaSearchCV

_DRAWN = (
    "The test expects that two candidates of a list of two values are both of them, in order; Optuna draws each anew."
)

EXPECTED = {
    "test_refit_callable_out_bound[RandomizedSearchCV-2]": _DRAWN,
    "test_search_cv_timing": _DRAWN,
    "test_random_search_cv_results": (
        "A list of dicts as a space is refused: a function of the trial says the same, and more."
    ),
    "test_custom_run_search": (
        "The test implements _run_search, which is not called: it evaluates all folds of a candidate before it tells of one."
    ),
}


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

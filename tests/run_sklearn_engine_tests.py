"""Run scikit-learn's own tests of its searches on OptunaSearchCV or RayTuneSearchCV, and tell where these differ.

    python tests/run_sklearn_engine_tests.py [arguments for pytest]
    SKSTACK_ENGINE=ray python tests/run_sklearn_engine_tests.py [arguments for pytest]

The tests are those of the installed scikit-learn, sklearn/model_selection/tests/test_search.py. GridSearchCV and
RandomizedSearchCV are searches by the engine there, whose trials go through scikit-learn's candidates. The exit status
is 1 if a test fails that does not stand in the table below, or passes though it stands there. The tables are made for
scikit-learn 1.9. Ray takes some twenty minutes, as each search sends its candidates to other processes.
"""

import os
import sys

import numpy as np
from _sklearn_tests import SklearnTests
from sklearn.model_selection import ParameterGrid, ParameterSampler

from skstack.model_selection import OptunaSearchCV, RayTuneSearchCV

ENGINE = os.environ.get("SKSTACK_ENGINE", "optuna")

_COPIES = "Candidates are evaluated in other processes, on copies of {}."
_PRINTED = "Folds are evaluated in other processes; what these print is Ray's to show."
_HEARD = (
    "Callbacks of scikit-learn hear of the search and of the last fit, which are in this process; folds of candidates "
    "are fitted in others, of which Ray's own callbacks hear."
)
_BOTH = ("GridSearchCV-param_grid", "RandomizedSearchCV-param_distributions")
_FINITE = ("GridSearchCV-specialized_params0", "RandomizedSearchCV-specialized_params1")

EXPECTED = {
    "optuna": {
        "test_custom_run_search": (
            "The test implements _run_search, which is not called: it is told of a candidate when all folds are over."
        ),
    },
    "ray": {
        "test_custom_run_search": "The test implements _run_search, which is not called: Ray suggests candidates.",
        **{
            f"test_searchcv_raise_warning_with_non_finite_score[{search}-{train_score}]": _COPIES.format(
                "a scorer that counts its calls and returns NaN at each fifth"
            )
            for search in _FINITE
            for train_score in (False, True)
        },
        **{f"test_search_cv_verbose_3[{train_score}]": _PRINTED for train_score in (True, False)},
        **{
            f"test_multi_metric_search_forwards_metadata[{search}]": _COPIES.format(
                "a list in which estimators and scorers enter themselves"
            )
            for search in _BOTH
        },
        **{
            f"test_search_callbacks_{way}[search{at}-{refit}]": _HEARD
            for way in ("no_propagation", "propagation")
            for at in (0, 1)
            for refit in (True, False)
        },
        "test_search_callbacks_receive_sample_weight": _HEARD,
        "test_search_callbacks_with_partial_fit_failures": _HEARD,
    },
}


class _Given:
    """A search whose trials go through given candidates.

    Parameters
    ----------
    params : dict
        Of a search of scikit-learn.
    """

    _parameter_constraints: dict = {}  # noqa: RUF012 - spaces are checked where candidates are made of them
    callbacks = random_state = None

    def _keep(self, params):
        vars(self).update({name: value for name, value in params.items() if name not in ("self", "__class__")})

    @property
    def n_trials(self):
        """How many candidates there are."""
        return len(self._list())

    def _list(self):
        """List the candidates, which an engine may hide the space of while it runs."""
        return vars(self).get("_listed") or list(self._candidates())


class _ByOptuna(_Given, OptunaSearchCV):
    timeout = sampler = pruner = None

    def _suggesting(self, optuna):
        candidates = self._list()
        return lambda trial: candidates[trial.number]


class _ByRay(_Given, RayTuneSearchCV):
    search_alg = scheduler = time_budget_s = resources_per_trial = storage_path = None

    def _suggest_and_evaluate(self, *args):
        candidates = self._list()
        # For the time of the search, in which nobody asks for parameters.
        own = vars(self).get("param_distributions")
        self._listed, self.param_distributions = candidates, lambda trial: candidates[trial.number]
        try:
            super()._suggest_and_evaluate(*args)
        finally:
            self._listed, self.param_distributions = None, own


_BY_ENGINE = {"optuna": _ByOptuna, "ray": _ByRay}[ENGINE]


class GridSearchCV(_BY_ENGINE):
    """The engine in place of a grid search."""

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


class RandomizedSearchCV(_BY_ENGINE):
    """The engine in place of a randomized search."""

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

    if ENGINE == "ray":
        import ray

        ray.init(num_cpus=2, include_dashboard=False, object_store_memory=100 * 2**20, log_to_driver=False)
    for ours in (GridSearchCV, RandomizedSearchCV):
        setattr(sklearn.model_selection, ours.__name__, ours)


TESTS = SklearnTests(__file__, "model_selection", "test_search.py", _swap, EXPECTED[ENGINE])

if __name__ == "__main__":
    sys.exit(TESTS.main(sys.argv[1:]))

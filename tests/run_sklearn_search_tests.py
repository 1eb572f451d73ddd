"""Run scikit-learn's own tests of its searches on those of skstack, and tell where these differ.

    python tests/run_sklearn_search_tests.py [arguments for pytest]

The tests are those of the installed scikit-learn, sklearn/model_selection/tests/test_search.py. Estimators there are
taken for ones that train networks, so that their fits take turns as those of networks do. The exit status is 1 if one
fails that does not stand in the table below, or passes though it stands there. The table is made for scikit-learn 1.9.
"""

import sys

from _sklearn_tests import SklearnTests

_ABOVE = (
    "Looks for fit of the search among the functions that run when a score is computed. Fits that take turns run in "
    "threads of their own, as those of n_jobs=2 do in other processes, and are not called from there."
)
EXPECTED = {
    f"test_multi_metric_search_forwards_metadata[{search}]": _ABOVE
    for search in ("GridSearchCV-param_grid", "RandomizedSearchCV-param_distributions")
}


def _swap():
    """Put our searches in the place of scikit-learn's, for this process."""
    import sklearn.model_selection

    from skstack import model_selection
    from skstack.model_selection import _searches

    _searches.trains_networks = lambda estimator: True
    for name in ("GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV"):
        setattr(sklearn.model_selection, name, getattr(model_selection, name))


TESTS = SklearnTests(__file__, "model_selection", "test_search.py", _swap, EXPECTED)

if __name__ == "__main__":
    sys.exit(TESTS.main(sys.argv[1:]))

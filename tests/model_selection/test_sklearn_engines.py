"""scikit-learn's own tests of its searches pass on a search by Optuna, all but those that the script names."""

import pytest
import sklearn
from _sklearn_tests import verdicts
from run_sklearn_engine_tests import TESTS
from sklearn.utils.fixes import parse_version

pytest.importorskip("optuna")

#: The script runs all of them; these are what a search by an engine does itself.
CHOSEN = "refit or multimetric or groups or error or cv_results or callbacks"


@pytest.mark.skipif(
    parse_version(sklearn.__version__) < parse_version("1.9"),
    reason="older versions of scikit-learn test another search, with other messages",
)
def test_tests_of_scikit_learn():
    ours = TESTS.outcomes(["-k", CHOSEN])
    assert not verdicts(ours, TESTS.expected)
    assert sum(how is None for how in ours.values()) > 40

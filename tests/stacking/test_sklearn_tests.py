"""scikit-learn's own tests of its stacking pass on our stacks, all but those that the script in tests/ names."""

import pytest
import sklearn
from _sklearn_tests import verdicts
from run_sklearn_stacking_tests import TESTS
from sklearn.utils.fixes import parse_version

#: These are about the numbers that learners reach, and take as long as all others together.
SLOW = ("with_sample_weight", "stratify_default", "cv_influence", "drop_binary_prob")


@pytest.mark.skipif(
    parse_version(sklearn.__version__) < parse_version("1.9"),
    reason="older versions of scikit-learn test another stacking, with other messages",
)
def test_tests_of_scikit_learn():
    ours = TESTS.outcomes(["-k", " and ".join(f"not {name}" for name in SLOW)])
    assert not verdicts(ours, TESTS.expected)
    assert sum(how is None for how in ours.values()) > 65


def test_verdicts():
    outcomes = {"passes": None, "fails": "no", "known": "no", "mended": None}
    wrong = verdicts(outcomes, {"known": "why", "mended": "why", "not run": "why"})
    assert wrong == ["fails fails:\nno", "mended passes and should leave the table"]

"""Run scikit-learn's own tests of its stacking on the stacks of skstack, and tell where these differ.

    python tests/run_sklearn_stacking_tests.py [arguments for pytest]

The tests are those of the installed scikit-learn, sklearn/ensemble/tests/test_stacking.py. The exit status is 1 if one
fails that does not stand in the table below, or passes though it stands there. The table is made for scikit-learn 1.9.
"""

import sys

from _sklearn_tests import SklearnTests

EXPECTED = {
    "test_stacking_classifier_error[y2-params2-TypeError-does not support sample weight]": (
        "The learner has neither weights nor a method that predicts. Ours says the latter before anything is fitted; "
        "scikit-learn would find out when all learners are."
    ),
}


def _swap():
    """Put our stacks in the place of scikit-learn's, for this process."""
    import sklearn.ensemble

    from skstack import MultimodalStackingClassifier, MultimodalStackingRegressor

    # The name of the class is a part of messages and of the names of columns.
    for ours in (MultimodalStackingClassifier, MultimodalStackingRegressor):
        name = ours.__name__.removeprefix("Multimodal")
        setattr(sklearn.ensemble, name, type(name, (ours,), {"__module__": __name__}))


TESTS = SklearnTests(__file__, "ensemble", "test_stacking.py", _swap, EXPECTED)

if __name__ == "__main__":
    sys.exit(TESTS.main(sys.argv[1:]))

"""Run scikit-learn's own tests of its stacking on the stacks of skstack, and tell where these differ.

    python tests/run_sklearn_stacking_tests.py [arguments for pytest]

The tests are those of the installed scikit-learn, sklearn/ensemble/tests/test_stacking.py. They run in a process where
``sklearn.ensemble.StackingRegressor`` and ``StackingClassifier`` are ours and nothing else is changed; nothing gets
written beside scikit-learn. Every test must pass, or stand in the table below with the reason why it cannot; the exit
status is 1 if one does neither, or stands there and passes. The table is made for scikit-learn 1.9.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

EXPECTED = {
    "test_stacking_classifier_error[y2-params2-TypeError-does not support sample weight]": (
        "The learner has neither weights nor a method that predicts. Ours says the latter before anything is fitted; "
        "scikit-learn would find out when all learners are."
    ),
}


class _Recorder:
    """A plugin of pytest that notes how every test failed, or None."""

    def __init__(self):
        self.outcomes = {}

    def pytest_collectreport(self, report):
        if report.failed:
            self.outcomes[_name(report)] = report.longreprtext

    def pytest_runtest_logreport(self, report):
        if report.failed or report.when == "call":
            self.outcomes[_name(report)] = report.longreprtext if report.failed else None


def _name(report):
    return report.nodeid.rpartition("::")[2]


def _swap():
    """Put our stacks in the place of scikit-learn's, for this process."""
    import sklearn.ensemble

    from skstack import MultimodalStackingClassifier, MultimodalStackingRegressor

    # The name of the class is a part of messages and of the names of columns.
    for ours in (MultimodalStackingClassifier, MultimodalStackingRegressor):
        name = ours.__name__.removeprefix("Multimodal")
        setattr(sklearn.ensemble, name, type(name, (ours,), {"__module__": __name__}))


def _record(path, *arguments):
    """Run the tests in this process and write down their outcomes."""
    import pytest
    import sklearn.ensemble

    _swap()
    recorder = _Recorder()
    tests = Path(sklearn.ensemble.__file__).parent / "tests" / "test_stacking.py"
    # Neither the settings of this project, which the virtual environment may lie in, nor a cache beside scikit-learn.
    options = ["--quiet", "--tb=short", "-p", "no:cacheprovider", f"--rootdir={tests.parents[2]}", "-c", os.devnull]
    pytest.main([*options, str(tests), *arguments], plugins=[recorder])
    Path(path).write_text(json.dumps(recorder.outcomes), encoding="utf-8")


def outcomes(arguments=()):
    """Map the tests to how they fail, or None.

    Parameters
    ----------
    arguments : list of str
        For pytest.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "outcomes.json"
        command = [sys.executable, __file__, "--record", path, *arguments]
        # No compiled files beside scikit-learn, and skstack from where this file is.
        paths = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": paths.rstrip(os.pathsep)}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        if not path.exists():
            raise RuntimeError(f"the tests did not run:\n{done.stdout}{done.stderr}")
        return json.loads(path.read_text(encoding="utf-8"))


def verdicts(ours, expected):
    """Return what is wrong, a message each.

    Parameters
    ----------
    ours : dict of str to str or None
        How each test fails; None if it does not.
    expected : dict of str to str
        Reasons why tests fail.
    """
    failed = {test: how for test, how in ours.items() if how is not None}
    wrong = [f"{test} fails:\n{how}" for test, how in failed.items() if test not in expected]
    now_fine = sorted(expected.keys() & ours.keys() - failed.keys())
    return wrong + [f"{test} passes and should leave the table" for test in now_fine]


def main(arguments):
    ours = outcomes(arguments)
    wrong = verdicts(ours, EXPECTED)
    print(*wrong, sep="\n\n")
    n_passed = sum(how is None for how in ours.values())
    print(f"{n_passed} of {len(ours)} tests pass; unexpected: {len(wrong)}.")
    return 1 if wrong or not n_passed else 0


if __name__ == "__main__":
    sys.exit(_record(*sys.argv[2:]) if sys.argv[1:2] == ["--record"] else main(sys.argv[1:]))

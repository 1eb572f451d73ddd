"""Running scikit-learn's own tests of a class on ours, and telling where they differ.

The tests are those of the installed scikit-learn. They run in a process where scikit-learn's classes are ours and
nothing else is changed; nothing gets written beside scikit-learn. Every test must pass, or stand in a table of expected
differences with the reason why it cannot.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path


class SklearnTests:
    """Tests of scikit-learn that are run on our classes.

    Parameters
    ----------
    script : str
        The file that is run for them; it calls :meth:`main`.
    package : str
        Of scikit-learn, such as ``"ensemble"``.
    file : str
        In the folder of its tests.
    swap : callable
        Puts our classes in the place of scikit-learn's, for the process.
    expected : dict of str to str
        Reasons why tests fail, by the name of the test.
    """

    def __init__(self, script, package, file, swap, expected):
        self._script, self._package, self._file, self._swap = script, package, file, swap
        self.expected = expected

    def main(self, arguments):
        """Run the tests and print what is wrong; return the exit status.

        Parameters
        ----------
        arguments : list of str
            For pytest.
        """
        if arguments[:1] == ["--record"]:
            return self._record(*arguments[1:])
        ours = self.outcomes(arguments)
        wrong = verdicts(ours, self.expected)
        print(*wrong, sep="\n\n")
        n_passed = sum(how is None for how in ours.values())
        print(f"{n_passed} of {len(ours)} tests pass; unexpected: {len(wrong)}.")
        return 1 if wrong or not n_passed else 0

    def outcomes(self, arguments=()):
        """Map the tests to how they fail, or None.

        Parameters
        ----------
        arguments : list of str
            For pytest.
        """
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "outcomes.json"
            command = [sys.executable, self._script, "--record", path, *arguments]
            # No compiled files beside scikit-learn, and skstack from where this file is.
            paths = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
            environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": paths.rstrip(os.pathsep)}
            done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
            if not path.exists():
                raise RuntimeError(f"the tests did not run:\n{done.stdout}{done.stderr}")
            return json.loads(path.read_text(encoding="utf-8"))

    def _record(self, path, *arguments):
        """Run the tests in this process and write down their outcomes."""
        import pytest
        import sklearn

        self._swap()
        recorder = _Recorder()
        root = Path(sklearn.__file__).parent
        # Neither the settings of this project, which the virtual environment may lie in, nor a cache beside them.
        options = ["--quiet", "--tb=short", "-p", "no:cacheprovider", f"--rootdir={root.parent}", "-c", os.devnull]
        pytest.main([*options, str(root / self._package / "tests" / self._file), *arguments], plugins=[recorder])
        Path(path).write_text(json.dumps(recorder.outcomes), encoding="utf-8")
        return 0


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

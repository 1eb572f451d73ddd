"""Run SciKeras's own tests on the wrappers of skstack, and tell where these differ from SciKeras's.

    python tests/run_scikeras_tests.py CHECKOUT [arguments for pytest]

CHECKOUT, or the environment variable SCIKERAS_SOURCE, is a checkout of SciKeras, whose wheel has no tests; nothing is
written to it. Its tests run twice in processes of their own, with SciKeras's wrappers and with ours in their place, and
take a quarter of an hour; name some of its files to run fewer, such as ``tests/test_errors.py``. A test that fails with
SciKeras's wrappers too (SciKeras is older than scikit-learn) says nothing about ours. Any other must pass, or stand in
the table below with the reason why it cannot; the exit status is 1 if one does neither.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

_REFUSED = "A name that nothing takes is refused when it is given, by a ValueError with the names that are near."
_NUMBERS = "Numbers may change their type between calls; Keras turns all of them into those of its precision."

EXPECTED = {
    "tests/test_api.py::TestInitialize::test_prebuilt_model": (
        "Probabilities always have the shape (rows, classes), which scikit-learn asks for."
    ),
    "tests/test_compile_kwargs.py::test_loss_uncompilable": _REFUSED,
    "tests/test_compile_kwargs.py::test_metrics_uncompilable": _REFUSED,
    "tests/test_errors.py::test_build_fn_and_init_signature_do_not_agree": _REFUSED,
    "tests/test_param_routing.py::test_exclude_parameters_with_further_routing": (
        "SciKeras drops parameters of an optimizer's parameters without a word, so that no such name can have an "
        "effect; it is refused like any other that nothing takes."
    ),
    "tests/test_errors.py::test_X_dtype_changes_incremental_fit": _NUMBERS,
    "tests/test_errors.py::test_target_dtype_changes_incremental_fit": _NUMBERS,
}


class _Recorder:
    """A plugin of pytest that seeds every test and notes how it failed, or None."""

    def __init__(self):
        self.outcomes = {}

    def pytest_runtest_setup(self, item):
        _seed()

    def pytest_collectreport(self, report):
        if report.failed:
            self.outcomes[report.nodeid] = report.longreprtext

    def pytest_runtest_logreport(self, report):
        if report.failed or report.when == "call":
            self.outcomes[report.nodeid] = report.longreprtext if report.failed else None


def _seed():
    import numpy as np

    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - what SciKeras's tests draw from


def _swap():
    """Put our wrappers in the place of SciKeras's, for this process."""
    import scikeras.wrappers

    from skstack import _scikeras

    scikeras.wrappers.BaseWrapper = _scikeras.MendedWrapper
    scikeras.wrappers.KerasClassifier = _scikeras.KerasClassifier
    scikeras.wrappers.KerasRegressor = _scikeras.KerasRegressor


def _record(wrappers, checkout, path, *arguments):
    """Run tests in this process and write down their outcomes."""
    import pytest
    from keras.src.backend.common import variables

    # Newer versions of Keras call the class differently that the tests import.
    vars(variables).setdefault("KerasVariable", getattr(variables, "Variable", None))
    if wrappers == "ours":
        _swap()
    recorder = _Recorder()
    _seed()
    options = [f"--rootdir={checkout}", "--quiet", "-p", "no:cacheprovider", "--continue-on-collection-errors"]
    pytest.main([*options, *arguments], plugins=[recorder])
    Path(path).write_text(json.dumps(recorder.outcomes), encoding="utf-8")


def outcomes(wrappers, checkout, arguments):
    """Map the tests of a checkout to how they fail, or None, with the wrappers "scikeras" or "ours"."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "outcomes.json"
        command = [sys.executable, __file__, "--record", wrappers, checkout, path, *arguments]
        # No compiled files in the checkout either.
        subprocess.run(command, cwd=checkout, check=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        return json.loads(path.read_text(encoding="utf-8"))


def verdicts(theirs, ours, expected):
    """Return what is wrong, a message each, and the number of tests that pass with both wrappers.

    Parameters
    ----------
    theirs, ours : dict of str to str or None
        How each test fails with SciKeras's wrappers and with ours; None if it does not.
    expected : dict of str to str
        Reasons why tests fail with ours alone, by their names without parameters.

    Returns
    -------
    wrong : list of str
    n_passed : int
    """
    judged = [test for test, failure in theirs.items() if failure is None]
    failed = {test: ours.get(test, "it was not run") for test in judged if ours.get(test, "") is not None}
    wrong = [f"{test} fails:\n{how}" for test, how in failed.items() if test.partition("[")[0] not in expected]
    still = {test.partition("[")[0] for test in failed}
    now_fine = {test.partition("[")[0] for test in judged} & expected.keys() - still
    wrong += [f"{test} passes and should leave the table" for test in sorted(now_fine)]
    return wrong, len(judged) - len(failed)


def main(arguments):
    if "SCIKERAS_SOURCE" in os.environ:
        arguments = [os.environ["SCIKERAS_SOURCE"], *arguments]
    if not arguments or not Path(arguments[0], "tests").is_dir():
        print(__doc__, file=sys.stderr)
        return 2
    checkout = str(Path(arguments[0]).resolve())
    selected = arguments[1:] or ["tests"]
    theirs, ours = (outcomes(wrappers, checkout, selected) for wrappers in ("scikeras", "ours"))
    wrong, n_passed = verdicts(theirs, ours, EXPECTED)
    print(*wrong, sep="\n\n")
    n_mended = sum(failure is not None and ours.get(test, "") is None for test, failure in theirs.items())
    print(f"{n_passed} tests pass with both wrappers, {n_mended} with ours alone; unexpected: {len(wrong)}.")
    return 1 if wrong or not n_passed else 0


if __name__ == "__main__":
    sys.exit(_record(*sys.argv[2:]) if sys.argv[1:2] == ["--record"] else main(sys.argv[1:]))

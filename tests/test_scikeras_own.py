"""SciKeras's own tests with our wrappers in place of SciKeras's, and the script that runs them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from run_scikeras_tests import EXPECTED, verdicts  # isort: skip

SCRIPT = Path(__file__).with_name("run_scikeras_tests.py")


def _run(*arguments, **environment):
    kept = {name: value for name, value in os.environ.items() if name != "SCIKERAS_SOURCE"}
    command = [sys.executable, SCRIPT, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env={**kept, **environment}, check=False)


@pytest.mark.skipif("SCIKERAS_SOURCE" not in os.environ, reason="SCIKERAS_SOURCE names no checkout of SciKeras")
def test_scikeras_own_tests_pass_but_for_the_differences_named():
    done = _run(SCIKERAS_SOURCE=os.environ["SCIKERAS_SOURCE"])
    assert done.returncode == 0, done.stdout + done.stderr


CHECKOUT = """
from scikeras.wrappers import BaseWrapper, KerasClassifier, KerasRegressor

def test_both():
    assert issubclass(KerasClassifier, BaseWrapper) and issubclass(KerasRegressor, BaseWrapper)

def test_ours_alone():
    assert {KerasClassifier.__module__, KerasRegressor.__module__, BaseWrapper.__module__} == {"skstack._scikeras"}

def test_theirs_alone():
    assert KerasClassifier.__module__ == "scikeras.wrappers", "these are ours"
"""


def test_wrappers_are_swapped_in_a_checkout_that_stays_as_it_is(tmp_path):
    test_file = tmp_path / "tests" / "test_checkout.py"
    test_file.parent.mkdir()
    test_file.write_text(CHECKOUT, encoding="utf-8")
    done = _run(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "tests/test_checkout.py::test_theirs_alone fails" in done.stdout
    assert "these are ours" in done.stdout
    assert "1 tests pass with both wrappers, 1 with ours alone; unexpected: 1." in done.stdout
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [test_file]


def test_a_checkout_has_to_be_named(tmp_path):
    done = _run(tmp_path)
    assert done.returncode == 2
    assert "CHECKOUT" in done.stderr


@pytest.mark.parametrize(
    ("theirs", "ours", "wrong"),
    [
        ({"a": None, "b": "old"}, {"a": None, "b": "old"}, []),
        ({"a": None}, {"a": "error"}, ["a fails:\nerror"]),
        ({"a": None}, {}, ["a fails:\nit was not run"]),
        ({"known[1]": None, "known[2]": None}, {"known[1]": "error", "known[2]": None}, []),
        ({"known[1]": None}, {"known[1]": None}, ["known passes and should leave the table"]),
        ({"known": "old"}, {"known": None}, []),
    ],
)
def test_verdicts(theirs, ours, wrong):
    assert verdicts(theirs, ours, {"known": "A reason."})[0] == wrong


def test_every_expected_difference_has_a_sentence():
    assert all(reason[0].isupper() and reason.endswith(".") for reason in EXPECTED.values())

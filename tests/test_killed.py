"""Fits that are killed at any moment and run again end as if nothing had happened.

One process imports everything and forks one for each fit, which kills itself at the n-th of the moments at which
something is about to be written, named or locked, so that nothing depends on time.
"""

import json
import subprocess
import sys

import pytest

KILLED = """
import json, os, pickle, random, signal, sys
from pathlib import Path

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeRegressor

from skstack import MultimodalStackingRegressor
from skstack.caching import _file_lock, _result_files
{imports}

home = Path(sys.argv[1])
X = np.random.default_rng(0).normal(size=(60, 3))
y = X[:, 0] + np.sin(X[:, 1])


def stack(checkpoint):
    {stack}


def moments(kill_at):
    # Takes note of the moments; at one of them, the n-th of a name, the process dies without a word.
    passed = []

    def before(function):
        def noting(*args, **kwargs):
            passed.append(function.__name__)
            if [function.__name__, passed.count(function.__name__)] == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)
        return noting

    for module, names in ((os, ("open", "fsync", "replace", "unlink")), ({training}, ("{counted}",))):
        for name in names:
            setattr(module, name, before(getattr(module, name)))
    _result_files._Hashed.write = before(_result_files._Hashed.write)
    _file_lock._lock = before(_file_lock._lock)
    return passed


def fit(checkpoint, result, kill_at=None):
    # Fits in a process of its own; returns whether it came to its end.
    process = os.fork()
    if process == 0:
        passed = moments(kill_at)
        fitted = stack(checkpoint).fit(X, y)
        values = pickle.dumps({values})
        result.write_bytes(pickle.dumps([values, passed]))
        os._exit(0)
    return os.waitpid(process, 0)[1] == 0


def values_of(result):
    return pickle.loads(result.read_bytes())[0]


assert fit(None, home / "expected")
{chosen}
outcomes = []
for number, kill_at in enumerate(chosen):
    folder, result = home / str(number), home / f"{{number}}.result"
    died = not fit(folder, result, kill_at)
    left = len(list(folder.glob("*.kept")))
    ended = fit(folder, result)
    same = ended and values_of(result) == values_of(home / "expected")
    n_fits = pickle.loads(result.read_bytes())[1].count("{counted}")
    # The lock of a process that died before it removed the file is no lock.
    others = [path.name for path in folder.iterdir() if path.suffix not in (".kept", ".lock")]
    outcomes.append([died, same, left, n_fits, others])
print(json.dumps(outcomes))
"""


#: Of a stack: what has to be the same, bit for bit, and a random choice among all moments of a whole fit.
VALUES = "[fitted.predict(X), fitted.oof_predictions_, fitted.final_oof_predictions_]"
CHOSEN = """
assert fit(home / "whole", home / "whole.result")
assert values_of(home / "whole.result") == values_of(home / "expected")
passed = pickle.loads((home / "whole.result").read_bytes())[1]
moments_of_all = [[name, passed[: place + 1].count(name)] for place, name in enumerate(passed)]
chosen = random.Random(0).sample(moments_of_all, {n_moments})
"""


def _outcomes(tmp_path, **parts):
    code = KILLED.format(**{"values": VALUES, "imports": "", **parts})
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_twenty_fits_that_are_killed_and_run_again(tmp_path):
    outcomes = _outcomes(
        tmp_path,
        stack="""return MultimodalStackingRegressor(
        [("ridge", Ridge(), [0, 1]), ("tree", DecisionTreeRegressor(max_depth=3, splitter="random"), [1, 2])],
        cv=3, random_state=0, checkpoint=checkpoint,
    )""",
        training="Ridge",
        counted="fit",
        chosen=CHOSEN.format(n_moments=20),
    )
    assert len(outcomes) == 20
    for died, same, n_left, n_fits, others in outcomes:
        assert died
        assert same
        assert others == []
        # Four fits of the ridge regression, of which what was whole is not done again. Two files are no fits.
        assert n_fits == 4 - min(max(n_left - 2, 0), 4)
    assert {n_fits for _, _, _, n_fits, _ in outcomes} == {0, 1, 2, 3, 4}


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_twenty_searches_that_are_killed_and_run_again(tmp_path):
    outcomes = _outcomes(
        tmp_path,
        imports="from skstack.model_selection import GridSearchCV",
        stack="""tree = DecisionTreeRegressor(max_depth=3, splitter="random")
    parts = [("ridge", Ridge(), [0, 1]), ("tree", tree, [1, 2])]
    stack = MultimodalStackingRegressor(parts, cv=2, random_state=0)
    return GridSearchCV(stack, {"ridge__alpha": [0.1, 10.0]}, cv=2, checkpoint=checkpoint)""",
        values="""[fitted.predict(X), fitted.best_estimator_.oof_predictions_] + [
            fitted.cv_results_[f"{part}_test_score"] for part in ("split0", "split1", "mean", "rank")
        ]""",
        training="Ridge",
        counted="fit",
        chosen=CHOSEN.format(n_moments=20),
    )
    assert len(outcomes) == 20
    assert all(died and same and not others for died, same, _, _, others in outcomes)
    # Three fits of the ridge regression for each of two candidates on two folds, and three of the best on all rows.
    fits = [n_fits for _, _, _, n_fits, _ in outcomes]
    assert max(fits) <= 15 and sorted(fits)[10] < 15


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_a_network_that_is_killed_goes_on_with_the_folds_that_are_left(tmp_path):
    outcomes = _outcomes(
        tmp_path,
        imports="""
from skstack import MultimodalNetworkRegressor
from skstack.branches import NumericBranch
from skstack.training import _fit
""",
        stack="""network = MultimodalNetworkRegressor(
        epochs=2, batch_size=16, head=(4,), early_stopping=False, fold_training="sequential"
    )
    branch = NumericBranch(hidden=(4,), scale="standard", embedding=None)
    return MultimodalStackingRegressor(
        [("numbers", branch, [0, 1, 2])], network=network, cv=2, random_state=0, checkpoint=checkpoint
    )""",
        training="_fit",
        counted="_trained_alone",
        # Before the third and last network: the first two are kept by themselves.
        chosen="chosen = [['_trained_alone', 3]]",
    )
    assert outcomes == [[True, True, 2, 1, []]]

"""What is taken from scikit-learn's private modules."""

from pathlib import Path

import numpy as np
import pandas as pd

import skstack
from skstack import _compat
from skstack._compat import NoCallbacks, take


def test_every_name_is_there():
    assert all(getattr(_compat, name) is not None for name in _compat.__all__)


def test_nothing_private_of_scikit_learn_is_used_elsewhere():
    """Its parameter validation aside, which all its own estimators are written with."""
    allowed = ("sklearn.utils._param_validation",)
    for path in Path(skstack.__file__).parent.rglob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            words = line.split()
            if path.name != "_compat.py" and words[:1] in (["from"], ["import"]) and words[1].startswith("sklearn"):
                assert "._" not in words[1] or words[1] in allowed, f"{path.name}: {line}"


def test_nobody_is_told_where_there_are_no_callbacks():
    context = NoCallbacks()
    assert context.subcontext(task_name="fit").call_on_fit_task_begin() is context
    assert context.call_on_fit_task_end() is False
    with context.propagate_callback_context(None):
        pass


def test_rows_of_an_array_of_pandas_are_taken():
    texts = pd.array(["a", "b", "c"], dtype="string")
    assert list(take(texts, [2, 0])) == ["c", "a"]
    assert list(take(texts, np.array([True, False, False]), axis=0)) == ["a"]
    assert take(np.eye(3), [1], axis=1).shape == (3, 1)

"""Digests: the same for the same content in every process, others for other content."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge

from skstack.caching._content import digest
from skstack.preprocessing import tensor_column


def make_frame():
    """Return a table with a column of each kind."""
    return pd.DataFrame(
        {
            "number": [1.0, np.nan, 3.0],
            "whole": [1, 2, 3],
            "text": ["a", None, "ccc"],
            "python": pd.Series(["a", "b", "c"], dtype=object),
            "mixed": pd.Series(["1", 1, None], dtype=object),
            "kind": pd.Categorical(["x", "y", "y"]),
            "day": pd.to_datetime(["2026-01-01", "2026-01-02", None]),
            "tensor": tensor_column(np.arange(12.0).reshape(3, 2, 2)),
        }
    ).set_axis([7, 8, 9])


def test_equal_content_has_equal_digests_however_it_lies_in_memory():
    array = np.arange(12.0).reshape(3, 4)
    assert digest(array) == digest(np.asfortranarray(array)) == digest(np.repeat(array, 2, axis=0)[::2])
    frame = make_frame()
    in_blocks = pd.concat([frame.iloc[:1], frame.iloc[1:]])[list(frame)].astype(frame.dtypes)
    assert digest(frame) == digest(in_blocks) == digest(pd.concat([frame, frame]).iloc[3:])
    assert digest({"b", "a"}, ["a" * 2, "aa"]) == digest({"a", "b"}, ["aa", "aa"])


@pytest.mark.parametrize("column", list(make_frame()))
def test_each_cell_counts(column):
    frame = make_frame()
    other = frame.iloc[[0, 1, 0]].set_index(frame.index)
    digests = digest(frame), digest(frame.assign(**{column: other[column]}))
    assert None not in digests
    assert digests[0] != digests[1]


@pytest.mark.parametrize(
    "others",
    [
        (np.arange(3), np.arange(3.0), np.arange(3, dtype="int32"), np.arange(3).reshape(3, 1)),
        (np.array(["ab", "c"], dtype=object), np.array(["a", "bc"], dtype=object), np.array(["ab", "c"])),
        (np.array(["1", None], dtype=object), np.array([1, None], dtype=object)),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]}), pd.DataFrame({"a": [1]}, index=[1]), pd.Series([1])),
        (sparse.csr_array([[1.0, 0.0]]), sparse.csr_array([[0.0, 1.0]]), sparse.csc_array([[1.0, 0.0]])),
        (Ridge(), Ridge(alpha=2.0), FrozenEstimator(Ridge().fit([[0.0], [1.0]], [0.0, 1.0])), Ridge, "Ridge"),
        (
            FrozenEstimator(Ridge().fit([[0.0], [1.0]], [0.0, 1.0])),
            FrozenEstimator(Ridge().fit([[0.0], [1.0]], [0, 2])),
        ),
        (np.dtype("f4"), np.dtype("f8"), None, 0, 0.0, False, "", (), []),
        (np.datetime64("2026-01-01"), np.array("2026-01-01", dtype="M8[D]"), np.array(1.0), np.array([1.0])),
    ],
)
def test_other_content_has_other_digests(others):
    assert len({digest(other) for other in others} - {None}) == len(others)


def test_several_things_are_told_apart_from_their_order():
    assert digest(1, 2) != digest(2, 1)


def test_what_cannot_be_told_apart_has_no_digest():
    assert digest(open) is not None
    assert digest(sys) is None
    assert digest([iter([1]), (number for number in [1])]) is None


def test_polars_and_arrow_by_their_cells():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None]})
    assert digest(frame) == digest(polars.concat([frame[:1], frame[1:]]))
    assert None not in (digest(frame), digest(frame[::-1]))
    assert digest(frame) != digest(frame[::-1])


COMPUTING = """
import numpy as np
from sklearn.linear_model import Ridge
from skstack.caching._content import digest
def scaled(x, by=2.0):
    return x * by + sum(y for y in x)
found = digest({"a", "b", "c", "d"}, frozenset({1, "x"}), Ridge(), scaled, np.array(["a", "b"], dtype=object))
print(found)
"""


def test_other_processes_compute_the_same():
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", COMPUTING], env=environment, capture_output=True, text=True, timeout=120
    )
    scope = {"__name__": "__main__"}
    exec(COMPUTING, scope)
    assert len(scope["found"]) == 40
    assert done.stdout.strip() == scope["found"], done.stderr

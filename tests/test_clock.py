"""Lengths of time as text, and the one place that looks at a clock."""

from pathlib import Path

import pytest

import skstack
from skstack import _clock


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (119.4, "119 s"),
        (119.6, "2 min"),
        (3569.0, "59 min"),
        (3571.0, "1 h 0 min"),
        (2 * 3600 + 5 * 60, "2 h 5 min"),
    ],
)
def test_lengths_of_time(seconds, text):
    assert _clock.duration(seconds) == text


def test_the_clock_never_goes_back():
    before = _clock.now()
    assert _clock.now() >= before


def test_nobody_else_asks_a_clock_how_long_things_take():
    folder = Path(skstack.__file__).parent
    looking = [
        path.name
        for path in sorted(folder.rglob("*.py"))
        if any(name in path.read_text(encoding="utf-8") for name in ("time.monotonic", "perf_counter"))
    ]
    assert looking == ["_clock.py"]

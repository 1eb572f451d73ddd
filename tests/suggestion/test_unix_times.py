"""Numbers that may be seconds or milliseconds since 1970."""

import pytest

from skstack.suggestion._unix_times import are_unix_times


@pytest.mark.parametrize(
    ("least", "most", "are_times"),
    [
        (1.3e9, 1.5e9, True),
        (1.3e12, 1.5e12, True),
        (1.3e9, 1.3e9 + 60_000, False),  # running numbers
        (2e9, 9e9, False),  # of telephones
        (1.3e9, 1.3e12, False),
        (0, 1.5e9, False),
    ],
)
def test_times_are_of_years_around_now_and_months_apart(least, most, are_times):
    assert are_unix_times(least, most) == are_times

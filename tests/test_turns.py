"""Waiting for others."""

from skstack._turns import wait_until


def test_waiting_ends_as_soon_as_a_condition_holds():
    answers = iter([False, False, True])
    wait_until(lambda: next(answers))
    assert list(answers) == []

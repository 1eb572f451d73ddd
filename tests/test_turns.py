"""Waiting for another thread."""

from skstack._turns import set_aside


def test_waiting_changes_nothing_where_there_are_no_turns():
    with set_aside():
        pass

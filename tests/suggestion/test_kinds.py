"""What is found out about a column."""

from skstack.suggestion._kinds import KINDS, LEFT_OUT, Column


def test_columns_that_no_part_gets_are_not_used():
    used = {kind for kind in KINDS if Column("a", 0, "a", kind, "").is_used}
    assert used == set(KINDS) - set(LEFT_OUT)
    assert set(LEFT_OUT) < set(KINDS)

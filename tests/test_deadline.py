"""What is given up so that something is over in time."""

import pytest
from _clocks import FakeClock

from skstack._deadline import Deadline, EndInTime, OutOfTime


@pytest.fixture
def clock(monkeypatch):
    return FakeClock(monkeypatch)


def test_a_part_of_the_time_that_remains(clock):
    deadline = Deadline(100.0)
    clock.sleep(20.0)
    assert deadline.remaining == 80.0 and deadline.passed == 20.0
    assert deadline.part(0.25).remaining == 20.0
    clock.sleep(90.0)
    assert deadline.remaining == -10.0


def test_what_takes_too_long_is_refused(clock):
    deadline = Deadline(10.0)
    deadline.check(10.0)
    with pytest.raises(OutOfTime, match=r"10 s more"):
        deadline.check(10.1)


def _paced(clock, deadline, lengths):
    """Return how many pieces of work of these lengths were begun."""
    n_begun = 0
    try:
        for seconds in deadline.paced(lengths, [1] * len(lengths)):
            n_begun += 1
            clock.sleep(seconds)
    except OutOfTime:
        return n_begun
    return f"all {n_begun}"


@pytest.mark.parametrize(
    ("lengths", "begun"),
    [
        ([3.0, 3.0, 3.0], "all 3"),
        ([4.0, 4.0, 4.0], 1),  # one tells that there would be 12
        ([1.0, 5.0, 5.0], 2),  # the longest counts
        ([5.0, 1.0, 1.0], 1),
        ([1.0, 1.0, 9.0], "all 3"),  # nobody could know
        ([11.0], "all 1"),
    ],
)
def test_pieces_of_work_go_on_as_long_as_all_can_be_done(clock, lengths, begun):
    assert _paced(clock, Deadline(10.0), lengths) == begun


@pytest.mark.parametrize(("first", "begun"), [(2.0, "all 3"), (1.0, 1)])
def test_pieces_may_differ_in_size(clock, first, begun):
    deadline, n_begun = Deadline(10.0), 0
    try:
        for seconds in deadline.paced([3.0, 1.0, 4.0], [first, 1, 3]):
            n_begun += 1
            clock.sleep(seconds)
    except OutOfTime:
        assert begun == n_begun
    else:
        assert begun == f"all {n_begun}"


def _epochs(clock, ends, indices, seconds, first=None, n_epochs=100):
    """Train networks together until somebody ends it; return how many epochs they had."""
    for index in indices:
        ends.begin(index, n_epochs)
    for done in range(1, n_epochs + 1):
        clock.sleep(first if first is not None and done == 1 else seconds)
        if any([ends.end_epoch(index, {}, None) for index in indices]):
            break
    for index in indices:
        ends.end(index)
    return done


def test_networks_that_are_trained_together_get_all_the_time(clock):
    deadline = Deadline(10.0)
    ends = EndInTime(deadline, 3)
    assert _epochs(clock, ends, [0, 1, 2], 1.0) == 10
    assert clock.seconds == 10.0 and not deadline.was_met


def test_networks_that_are_trained_one_after_the_other_get_the_same_part_of_it(clock):
    ends = EndInTime(Deadline(30.0), 3)
    assert [_epochs(clock, ends, [index], 2.0) for index in range(3)] == [5, 5, 5]
    assert clock.seconds == 30.0


def test_time_that_one_does_not_need_is_for_the_others(clock):
    deadline = Deadline(30.0)
    ends = EndInTime(deadline, 3)
    assert _epochs(clock, ends, [0], 2.0, n_epochs=2) == 2
    assert deadline.was_met
    assert [_epochs(clock, ends, [index], 1.0) for index in (1, 2)] == [13, 13]
    assert not deadline.was_met


def test_the_first_epoch_does_not_tell_how_long_the_next_one_takes(clock):
    ends = EndInTime(Deadline(10.0), 1)
    assert _epochs(clock, ends, [0], 0.5, first=6.0) == 9


def test_the_first_epoch_is_the_last_one_where_time_is_over(clock):
    ends = EndInTime(Deadline(10.0), 2)
    assert _epochs(clock, ends, [0, 1], 1.0, first=11.0) == 1


def test_nothing_is_trained_further_where_others_would_have_no_epoch(clock):
    ends = EndInTime(Deadline(10.0), 6)
    ends.begin(0, 100)
    clock.sleep(3.0)
    assert not ends.end_epoch(0, {}, None)  # it may have been the compiling that took so long
    clock.sleep(3.0)
    with pytest.raises(OutOfTime):
        ends.end_epoch(0, {}, None)


@pytest.mark.parametrize(("seconds", "n_epochs"), [(6.0, 100), (3.0, 1)])
def test_where_there_can_be_no_second_epoch_the_first_one_tells(clock, seconds, n_epochs):
    ends = EndInTime(Deadline(10.0), 6)
    ends.begin(0, n_epochs)
    clock.sleep(seconds)
    with pytest.raises(OutOfTime):
        ends.end_epoch(0, {}, None)


def test_programs_are_compiled_in_the_time_of_all(clock):
    """The first of five is not left with two epochs, nor are the others left out."""
    ends = EndInTime(Deadline(20.0), 5)
    n_epochs = [_epochs(clock, ends, [0], 0.5, first=5.0)]
    n_epochs += [_epochs(clock, ends, [index], 0.5) for index in range(1, 5)]
    assert n_epochs == [6, 6, 6, 6, 7]
    assert clock.seconds <= 20.0


def test_fits_that_are_slower_than_others_end_in_time_too(clock):
    """As that of a network whose branches were trained one by one before."""
    ends = EndInTime(Deadline(40.0), 4)
    assert [_epochs(clock, ends, [index], 0.1, n_epochs=50) for index in (0, 1)] == [50, 50]
    assert [_epochs(clock, ends, [index], 3.0) for index in (2, 3)] == [5, 5]
    assert clock.seconds <= 40.0


def test_where_an_epoch_takes_longer_than_the_part_of_a_fit_each_has_one(clock):
    ends = EndInTime(Deadline(10.0), 4)
    assert _epochs(clock, ends, [0], 2.0) == 2  # until it is known
    assert [_epochs(clock, ends, [index], 2.0) for index in (1, 2, 3)] == [1, 1, 1]
    assert clock.seconds == 10.0


def test_those_that_end_earlier_than_the_others_beside_them_do_not_change_what_these_get(clock):
    ends = EndInTime(Deadline(12.0), 4)
    for index in (0, 1):
        ends.begin(index, 100)
    clock.sleep(1.0)
    assert not any([ends.end_epoch(index, {}, None) for index in (0, 1)])
    ends.end(1)
    clock.sleep(4.0)
    assert not ends.end_epoch(0, {}, None)
    clock.sleep(1.0)
    assert ends.end_epoch(0, {}, None)  # half of the time is over, for half of the networks

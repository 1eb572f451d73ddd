"""When a fit has to be over, and what is given up so that it is."""

import math
from itertools import pairwise

from . import _clock


class OutOfTime(Exception):
    """Something would not be over in time. A stack leaves it out, so that nobody else sees this.

    Parameters
    ----------
    seconds : float
        That it would take further.
    """

    def __init__(self, seconds):
        super().__init__(f"it would take {_clock.duration(seconds)} more")


class Deadline:
    """When something has to be over.

    Parameters
    ----------
    seconds : float
        From now.

    Attributes
    ----------
    was_met : bool
        Whether nothing had to be ended before it was done.
    """

    def __init__(self, seconds):
        self._begin = _clock.now()
        self.end = self._begin + seconds
        self.was_met = True

    @property
    def remaining(self):
        """Seconds from now; negative when it is over."""
        return self.end - _clock.now()

    @property
    def passed(self):
        """Seconds until now."""
        return _clock.now() - self._begin

    def part(self, share):
        """Return an earlier deadline, that leaves a part of the time that remains."""
        return Deadline(self.remaining * share)

    def check(self, seconds):
        """Raise OutOfTime if something that takes so many seconds would not be over in time."""
        if seconds > self.remaining:
            raise OutOfTime(seconds)

    def paced(self, pieces, sizes):
        """Yield pieces of work for as long as all of them can be done in time.

        Parameters
        ----------
        pieces : list
        sizes : list of float
            What the time that each of them takes is in proportion to.

        Raises
        ------
        OutOfTime
            As soon as those that are left would take too long, at the slowest pace so far.
        """
        slowest = 0.0
        for index, (piece, size) in enumerate(zip(pieces, sizes, strict=True)):
            self.check(slowest * sum(sizes[index:]))
            started = _clock.now()
            yield piece
            slowest = max(slowest, (_clock.now() - started) / size)


class EndInTime:
    """Ends the training of networks so that all of them have been trained by a deadline; see Watchers.

    Each fit gets the same part of the time, and fits that run together what all of them get; the time in which programs
    are compiled is nobody's. An epoch is not begun that would end too late, except the first one of each fit.

    Parameters
    ----------
    deadline : Deadline
    n_fits : int
        How many fits there are in all.
    """

    def __init__(self, deadline, n_fits):
        self._deadline, self._n_left = deadline, n_fits
        self._running = set()
        self._fastest = math.inf  # of all epochs that followed another one, in seconds

    def begin(self, index, n_epochs):
        """See Watchers."""
        if not self._running:  # the first of some that are trained together
            self._started, self._n_waiting = _clock.now(), self._n_left
            self._epochs = {}
        self._running.add(index)
        self._epochs[index] = [_clock.now()]
        self._n_epochs = n_epochs

    def begin_epoch(self, index):
        """See Watchers."""

    def end_epoch(self, index, logs, values):
        """Tell whether the time of these fits is over, see Watchers.

        Raises
        ------
        OutOfTime
            If those that wait for their turn could not have an epoch each.
        """
        ends = self._epochs[index]
        ends.append(_clock.now())
        first, *later = (after - before for before, after in pairwise(ends))
        self._fastest = min([self._fastest, *later])
        # Programs are compiled in the first epoch of the first fit: another one tells how long an epoch takes.
        knows = self._fastest < math.inf
        if not knows and self._n_epochs > 1 and ends[-1] + first <= self._deadline.end:
            return False
        # Those of other fits may be faster, where branches are trained one by one.
        epoch = min([first, *later]) if later else min(first, self._fastest)
        share = len(self._epochs) / self._n_waiting
        if share < 1:
            self._deadline.check(epoch * (1 / share - 1))
        began = self._started + first - epoch
        is_over = ends[-1] + (epoch if knows else 0.0) > began + (self._deadline.end - began) * share
        self._deadline.was_met &= not is_over
        return is_over

    def end(self, index):
        """See Watchers."""
        self._running.remove(index)
        self._n_left -= 1

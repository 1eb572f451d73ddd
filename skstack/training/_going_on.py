"""Trainings that go on where shorter ones with everything else the same have ended.

A search by halving trains the candidates that are left for more epochs each time. The order of the rows, random numbers
and the state of the optimizer follow from the seed and the number of steps: a network that was trained for 3 epochs and
goes on to the 9th is the one that 9 epochs at once make.
"""

from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass, replace

from ..caching._lru import LRU
from ._kept import training_digest
from ._stopping import Stopping

#: Bytes of the networks whose training may go on.
_MAX_BYTES = 2**30

_earlier = ContextVar("how far trainings have come", default=None)


@dataclass
class Progress:
    """How far the training of a network has come.

    Parameters
    ----------
    epochs : int
        After how many the training stopped or was stopped.
    values : dict of str to ndarray
        After the last of them.
    best : dict of str to ndarray or None
        After the best of them, where validation rows tell which it was.
    optimizer_state : OptimizerState
    stopping : Stopping
        What the losses so far mean for early stopping.
    history : dict of str to list of float
    is_over : bool
        Whether the training ended before its last epoch.
    """

    epochs: int
    values: dict
    best: dict | None
    optimizer_state: object
    stopping: Stopping
    history: dict
    is_over: bool

    @property
    def n_bytes(self):
        """About the size of it in memory, of which the optimizer keeps as much again as of the weights."""
        return sum(value.nbytes for value in self.values.values()) * 4


@contextmanager
def going_on():
    """Let trainings in the block go on where others in it have ended."""
    token = _earlier.set(LRU(_MAX_BYTES, size_of=lambda progress: progress.n_bytes))
    try:
        yield
    finally:
        _earlier.reset(token)


class Further:
    """A training that goes on from an earlier one, if there is one.

    Parameters
    ----------
    network : keras.Model
        A network of the architecture.
    training : Training
    """

    def __init__(self, network, training):
        self._earlier, self.key = _earlier.get(), None
        self.training = training
        if self._earlier is None or training.schedule.callbacks:
            return
        self.key = training_digest(network, training.settings, training.job, training.schedule)
        progress = None if self.key is None else self._earlier.get(self.key)
        if progress is not None and progress.epochs <= training.schedule.epochs:
            self.training = _from(progress, training)
        elif self.key is not None:
            self.training = training._replace(tells_progress=True)

    @property
    def is_trained(self):
        """Whether the earlier training has left nothing to train."""
        progress, schedule = self.training.progress, self.training.schedule
        return progress is not None and (progress.is_over or progress.epochs == schedule.epochs)

    def keep(self, trained):
        """Take note of how far the training has come now."""
        if self.key is not None and trained.progress is not None:
            self._earlier.put(self.key, trained.progress)


def _from(progress, training):
    job = replace(training.job, values=progress.values, optimizer_state=progress.optimizer_state)
    schedule = replace(training.schedule, initial_epoch=progress.epochs)
    return training._replace(job=job, schedule=schedule, progress=progress, tells_progress=True)


def begun(schedule, progress):
    """Return what decides when to stop and the history so far, of a training that goes on or begins."""
    if progress is None:
        return Stopping(schedule.patience), {}
    stopping = copy(progress.stopping)
    return stopping, {name: list(values) for name, values in progress.history.items()}

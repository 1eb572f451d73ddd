"""What a network would predict between the epochs of its training, for a search that stops bad candidates."""

from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy

from sklearn.pipeline import Pipeline

from ._pipelines import last_of

_listener = ContextVar("listener", default=None)


@contextmanager
def listening(estimator, hear):
    """Listen to the epochs of an estimator that a block fits, if it is a network or a pipeline that ends in one.

    What is inside others, such as the networks of a stack, is not heard: what it predicts is not what they predict.

    Parameters
    ----------
    estimator : estimator
    hear : callable
        Is given the estimator as it stands after each epoch, ready to predict. What it raises ends the fit.
    """
    token = _listener.set((estimator, hear))
    try:
        yield
    finally:
        _listener.reset(token)


def epoch_listener(network, epochs):
    """Return a watcher that tells a search about a network that is about to be trained, or None if none listens.

    Parameters
    ----------
    network : estimator
    epochs : EpochCallbacks
        ``as_it_stands`` makes a network that predicts.
    """
    estimator, hear = _listener.get() or (None, None)
    if last_of(estimator) is not network:
        return None
    return EpochListener(lambda *moment: hear(_with_last_step(estimator, epochs.as_it_stands(*moment))))


def _with_last_step(estimator, network):
    """Return a pipeline around another network; the steps before it are fitted by the time that it is trained."""
    if not isinstance(estimator, Pipeline):
        return network
    *before, (name, last) = estimator.steps
    pipeline = copy(estimator)
    pipeline.steps = [*before, (name, _with_last_step(last, network))]
    return pipeline


class EpochListener:
    """A watcher (see Watchers) that hears a network after each epoch: of several, such as members, the first.

    Parameters
    ----------
    hear : callable
        Is given the index of the network and a callable that returns its values.
    """

    def __init__(self, hear):
        self._hear, self._first = hear, None

    def begin(self, index, n_epochs):
        """See Watchers."""
        self._first = index if self._first is None else self._first

    def begin_epoch(self, index):
        """See Watchers."""

    def end_epoch(self, index, logs, values):
        """See Watchers."""
        if index == self._first:
            self._hear(index, values)
        return False

    def end(self, index):
        """See Watchers."""

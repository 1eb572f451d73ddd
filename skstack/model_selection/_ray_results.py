"""What comes back from the trials of Ray, as soon as each of them is over."""

from contextlib import contextmanager
from pathlib import PurePath

from ._ray_trial import FOLDS

#: Who listens, by the name of the search: Ray pickles callbacks, which can hold no more than the name.
_listeners = {}


@contextmanager
def listening(name, params_of, add):
    """Take note of the trials of a search for a block.

    Parameters
    ----------
    name : str
        Of the search.
    params_of : callable
        Returns the parameters of a candidate from what Ray has drawn.
    add : callable
        Is given index, parameters and results of the folds of each candidate that is over.

    Yields
    ------
    listener : Listener
    """
    _listeners[name] = Listener(params_of, add)
    try:
        yield _listeners[name]
    finally:
        del _listeners[name]


def folder_of(trial):
    """Return how the folder of a trial is called: by the how many-th it is, as Ray's order changes with ``restore``."""
    return f"{trial.experiment_tag.partition('_')[0]}_{trial.trial_id}"


def listener(name):
    """Return who listens to a search."""
    return _listeners[name]


class Listener:
    """Takes note of trials that are over, each once; see ``listening``."""

    def __init__(self, params_of, add):
        self._params_of, self._add = params_of, add
        self._known, self._error = set(), None

    def over(self, folder, drawn, metrics):
        """Take note of a trial, unless it had no time to begin.

        Parameters
        ----------
        folder : str
            See ``folder_of``.
        drawn, metrics : dict
            What Ray has drawn for it, and was last told of it.
        """
        index = int(folder.partition("_")[0])
        if index not in self._known and metrics and FOLDS in metrics:
            self._known.add(index)
            try:
                self._add(index, self._params_of(drawn), metrics[FOLDS])
            except Exception as error:
                self._error = error  # Ray logs what a callback raises, and goes on
                raise

    def check(self, results):
        """Take note of trials that nobody told of: those that were over before Ray went on with a search.

        Parameters
        ----------
        results : ray.tune.ResultGrid

        Raises
        ------
        Exception
            With which a trial ended, or that was raised when it was taken note of.
        """
        if self._error is not None:
            raise self._error
        for result in results:
            if result.error is not None:
                raise getattr(result.error, "cause", None) or result.error
            self.over(PurePath(result.path).name, result.config, result.metrics)

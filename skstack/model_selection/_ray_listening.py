"""A callback of Ray Tune; the only file that imports Ray at once."""

from ray.tune import Callback

from ._ray_results import folder_of, listener
from ._ray_state import keep_state


class Telling(Callback):
    """Tells who listens to a search about its trials.

    Parameters
    ----------
    name : str
        Of the search.
    keeps : bool
        Whether what Ray knows is kept a second time when a trial is over.
    """

    def __init__(self, name, keeps):
        self._name, self._keeps = name, keeps

    def on_trial_complete(self, iteration, trials, trial, **info):
        """See Callback."""
        listener(self._name).over(folder_of(trial), trial.config, trial.last_result)
        if self._keeps:
            keep_state(trial)

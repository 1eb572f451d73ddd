"""A callback of Ray Tune; the only file that imports Ray at once."""

from ray.tune import Callback

from ._ray_results import folder_of, listener


class Telling(Callback):
    """Tells who listens to a search about its trials.

    Parameters
    ----------
    name : str
        Of the search.
    """

    def __init__(self, name):
        self._name = name

    def on_trial_complete(self, iteration, trials, trial, **info):
        """See Callback."""
        listener(self._name).over(folder_of(trial), trial.config, trial.last_result)

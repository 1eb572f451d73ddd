"""Networks that were trained before a fit was killed, found again by what their training begins with.

A stack keeps a network that is trained for all folds when all of them are done. Large networks are trained one after
the other: until that is over, each finished one is kept by itself, where a fit keeps its results at all.
"""

from dataclasses import replace

from .._progress import Watchers
from ..caching._code import running_keras, versions
from ..caching._content import digest
from ..caching._result_files import MISSING
from ._optimizers import rate_multipliers
from ._programs import architecture_key, settings_key
from ._values import divided


def trained_once(network, training, train):
    """Return a trained network, which `train` trains unless a fit that was killed has done so.

    Parameters
    ----------
    network : keras.Model
        A network of the architecture.
    training : Training
        Its results are those of :func:`~skstack.caching._keeping.unfinished_results` where it was asked for.
    train : callable
        Takes a training and returns the trained network.

    Returns
    -------
    trained : Trained
    """
    job, settings, schedule, results = training.job, training.settings, training.schedule, training.results
    # What callbacks do, or see, is not in the result.
    key = None if results is None or schedule.callbacks else _key(network, settings, job, schedule)
    if key is None:
        return train(training)
    trained = results.find(key)
    if trained is not MISSING:
        schedule.watchers.begin(job.index, schedule.epochs - schedule.initial_epoch)
        schedule.watchers.end(job.index)
        return trained
    watching = _Watching([schedule.watchers])
    trained = train(training._replace(schedule=replace(schedule, watchers=watching)))
    if not watching.wanted_end:
        results.add(key, trained)
    return trained


def _key(network, settings, job, schedule):
    whole = training_digest(network, settings, job, schedule)
    return None if whole is None else digest(whole, schedule.epochs)


def training_digest(network, settings, job, schedule):
    """Return a text that tells trainings apart, but for how long they take; None where code of the user's decides.

    Parameters
    ----------
    network : keras.Model
    settings : dict
    job : Job
    schedule : Schedule
    """
    of_settings = settings_key(settings)
    if of_settings is None or architecture_key(network) is None:
        return None
    trained = divided(network)[0]
    trains = dict(zip(trained, rate_multipliers(trained.values()), strict=True))
    how = schedule.initial_epoch, schedule.batch_size, schedule.patience
    begins = job.values, job.data, job.training_rows, job.validation_rows, job.seed, job.optimizer_state
    return digest(
        versions(), running_keras(), network.get_config(), of_settings, trains, how, begins, job.validation_data
    )


class _Watching(Watchers):
    """Takes note of whether somebody wants a training to end, which is then not what its schedule stands for."""

    wanted_end = False

    def end_epoch(self, index, logs, values):
        """See Watchers."""
        wants_end = super().end_epoch(index, logs, values)
        self.wanted_end |= wants_end
        return wants_end

"""Training networks: one, those of all folds, or all those that several fits ask for."""

from copy import copy
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np

from .._backend import float32_unless_mixed, keras
from .._progress import Watchers
from .._turns import ask, takes_turns
from ..caching._keeping import unfinished_results
from ._batches import Order
from ._divergence import check_trained, is_lost
from ._engine import Engine, VectorizedEngine, row_bytes
from ._going_on import Further, Progress, begun
from ._kept import trained_once
from ._keras_fit import fit_with_keras
from ._programs import acquired
from ._rule import in_groups, is_fused, is_fused_alone, is_vectorized
from ._values import divided

#: Bytes of encoded rows that are evaluated at once.
_VALIDATION_BYTES = 2**21


@dataclass
class Job:
    """A network to be trained, and the rows to train it on.

    Parameters
    ----------
    values : dict of str to ndarray
        Where training begins, by the names of the variables.
    data : dict
        ``inputs`` is a dict of arrays of shape (n_samples, ...), ``targets`` one of arrays of shape
        (n_samples, n_outputs) by the name of the task, ``weights`` (left out where rows have none) one of arrays of
        shape (n_samples,); a row without a target has weight 0 there. Jobs may share arrays.
    training_rows, validation_rows : ndarray of int
        Rows that gradients come from, and rows that decide when to stop; the latter may be empty.
    seed : int
        Determines the order of the rows.
    optimizer_state : OptimizerState, default=None
        What an earlier training returned, to go on from there.
    index : int, default=0
        What `watchers` of the schedule know this network by.
    name : str, default=""
        What messages, and callbacks in ``params["fit"]``, call this training where there are others.
    validation_data : dict, default=None
        What the validation rows are taken from, of the same form as `data`; ``None`` stands for `data`.
    """

    values: dict
    data: dict
    training_rows: np.ndarray
    validation_rows: np.ndarray
    seed: int
    optimizer_state: object = None
    index: int = 0
    name: str = ""
    validation_data: dict | None = None

    @property
    def stopping_data(self):
        """What the validation rows are taken from."""
        return self.data if self.validation_data is None else self.validation_data


@dataclass
class Trained:
    """A trained network.

    Parameters
    ----------
    values : dict of str to ndarray
    optimizer_state : OptimizerState
    history : dict of str to list of float
        Loss and metrics after each epoch.
    progress : Progress, default=None
        How far the training has come, where somebody may go on from there.
    """

    values: dict
    optimizer_state: object
    history: dict
    progress: Progress | None = None


@dataclass
class Schedule:
    """How long networks are trained, and in what steps.

    Parameters
    ----------
    epochs, initial_epoch : int
        Where to stop and to begin counting passes over the training rows.
    batch_size : int
    patience : int or None
        Epochs without a better loss on the validation rows before training stops and the best weights come back;
        ``None`` trains all epochs and keeps the last weights.
    callbacks : list of keras.callbacks.Callback
    vectorized : bool, default=None
        Whether networks are trained all at once; ``None`` does what is faster.
    watchers : Watchers
        Are told about the epochs of each network.
    """

    epochs: int
    initial_epoch: int
    batch_size: int
    patience: int | None
    callbacks: list
    vectorized: bool | None = None
    watchers: Watchers = field(default_factory=Watchers)


def fit(network, settings, make, jobs, schedule):
    """Train networks of one architecture.

    Parameters
    ----------
    network : keras.Model
        A network of the architecture.
    settings : dict
        Optimizer, and by the name of the task loss and metrics; also, where there are several tasks, "loss_weights",
        what the loss of each counts, and "gaps", whether rows lack its target.
    make : callable
        Returns a model of the architecture, compiled with `settings`.
    jobs : list of Job
    schedule : Schedule

    Yields
    ------
    trained : Trained
        For each job in its turn.

    Raises
    ------
    ValueError
        If the loss or the weights of a network became NaN or infinite, and there is no better epoch to go back to.
    """
    with float32_unless_mixed():
        weights = divided(network)[0]
        results = unfinished_results()
        each = [Further(network, Training(job, settings, schedule, results)) for job in jobs]
        waiting = [further.training for further in each if not further.is_trained]
        trainings = Trainings(network, make, waiting)
        all_trained = iter(_all_trained(trainings) if waiting else ())
        for job, further in zip(jobs, each, strict=True):
            trained = _as_before(further.training.progress) if further.is_trained else next(all_trained)
            further.keep(trained)
            name = f"{network.name}, {job.name}," if job.name else network.name
            check_trained(trained, weights, name, schedule)
            yield trained
        next(all_trained, None)  # only at its end do others get the program


def _all_trained(trainings):
    return ask(trainings) if takes_turns() else train(trainings)


def _as_before(progress):
    """Return what came of an earlier training."""
    values = progress.values if progress.best is None else progress.best
    return Trained(values, progress.optimizer_state, progress.history, progress)


class Training(NamedTuple):
    """A job with the settings and the schedule that it is trained with, and where it is kept when it is over."""

    job: Job
    settings: dict
    schedule: Schedule
    results: object = None
    progress: Progress | None = None  #: from which it goes on
    tells_progress: bool = False


class Trainings(NamedTuple):
    """Trainings that one program can do, with a network of its architecture and what makes a model for it; see fit.

    Their settings and schedules differ, if at all, in what is handed to the program as values, in watchers and in how
    many epochs there are.
    """

    network: object
    make: object
    each: list


def train(trainings):
    """Train networks of one architecture, whatever becomes of them.

    Parameters
    ----------
    trainings : Trainings

    Yields
    ------
    trained : Trained
    """
    network, make, each = trainings
    jobs, settings, schedule = [training.job for training in each], each[0].settings, each[0].schedule
    if needs_keras_fit(settings, schedule):
        with acquired(network, settings, make, joins=None) as program:
            for training in each:
                yield trained_once(network, training, partial(_keras_fit, program))
        return
    with acquired(network, settings, make, joins=not schedule.callbacks) as program:
        if any(settings["metrics"].values()) or len(settings["loss"]) > 1:
            program.steps.prepare_metrics(_first_rows(jobs[0].data))
        if is_vectorized(network, jobs, schedule, program.device):
            fused = is_fused(network, jobs, schedule, program.device)
            for group in in_groups(network, each):
                yield from _run(VectorizedEngine(program, group, fused), group)
            return
        placed = {}
        for training in each:
            fused = is_fused_alone(network, training.job, training.schedule, program.device)
            yield trained_once(network, training, partial(_trained_alone, program, placed, fused))


def _trained_alone(program, placed, fused, training):
    if fused:
        engine = VectorizedEngine(program, [training], fused)
    else:
        engine = Engine(program, training.settings, training.job, placed)
    (trained,) = _run(engine, [training])
    return trained


def needs_keras_fit(settings, schedule):
    """Tell whether something has to happen between batches that only Keras ``fit`` does."""
    optimizer = keras.optimizers.get(settings["optimizer"])
    return (
        keras.backend.backend() not in ("tensorflow", "jax")
        or any(map(_has_batch_hooks, schedule.callbacks))
        # They write to variables under a condition, which values cannot express.
        or bool(optimizer.use_ema or optimizer.gradient_accumulation_steps)
        # One holds other optimizers, and one relies on reading a variable after it was written.
        or type(optimizer).__name__ in ("MultiOptimizer", "ScheduleFreeAdamW")
    )


def _has_batch_hooks(callback):
    hooks = [f"on_{phase}_batch_{moment}" for phase in ("train", "test") for moment in ("begin", "end")]
    base = keras.callbacks.Callback
    return any(
        getattr(type(callback), hook) is not getattr(base, hook) or hook in vars(callback)  # as LambdaCallback does
        for hook in [*hooks, "on_batch_begin", "on_batch_end"]
    )


def _first_rows(data):
    return {kind: {name: np.asarray(array[:2]) for name, array in part.items()} for kind, part in data.items()}


def _run(engine, trainings):
    """Train the networks of an engine epoch by epoch and yield them."""
    jobs, schedule = [training.job for training in trainings], trainings[0].schedule
    orders = [Order(job.training_rows, job.seed) for job in jobs]
    validation = [job.validation_rows for job in jobs]
    validation_batch = _validation_batch(jobs[0].data, schedule.batch_size)
    runs = [_Run(engine, place, training) for place, training in enumerate(trainings)]
    listeners = engine.listen(schedule)
    for epoch in range(schedule.initial_epoch, max(one.schedule.epochs for one in trainings)):
        listeners.begin_epoch(epoch)
        for run in runs:
            run.begin_epoch()
        logs = engine.train([order.at(epoch) for order in orders], schedule.batch_size)
        if len(validation[0]):
            for of_network, values in zip(logs, engine.evaluate(validation, validation_batch), strict=True):
                of_network |= {f"val_{name}": value for name, value in values.items()}
        wants_end = listeners.end_epoch(epoch, logs[0])  # callbacks may add to the logs and change the weights
        for run, of_network in zip(runs, logs, strict=True):
            run.after(epoch, of_network)
        for run in runs:  # when all have been told of the epoch
            run.end_with(epoch)
        if wants_end or all(run.is_over for run in runs):
            break
    listeners.end()
    for run in runs:
        run.end()
    for run in runs:
        yield run.finish()


class _Run:
    """The training of one network.

    Parameters
    ----------
    engine : Engine or VectorizedEngine
    place : int
        Of the network in the engine.
    training : Training
    """

    def __init__(self, engine, place, training):
        schedule = training.schedule
        self._engine, self._place, self._index = engine, place, training.job.index
        self._training, self._epoch, self._last_epoch = training, schedule.initial_epoch - 1, schedule.epochs - 1
        self._stopping, self.history = begun(schedule, training.progress)
        self._watchers = schedule.watchers
        self._last, self._was_stopped = None, False
        self.is_over = False
        self._watchers.begin(self._index, schedule.epochs - schedule.initial_epoch)

    def begin_epoch(self):
        """Tell that an epoch begins."""
        if not self.is_over:
            self._watchers.begin_epoch(self._index)

    def after(self, epoch, logs):
        """Take note of an epoch; those after the network's own end, while others go on, do not count."""
        if self.is_over:
            return
        self._epoch = epoch
        for name, value in logs.items():
            self.history.setdefault(name, []).append(float(value))
        state = self._engine.state_of(self._place)
        if "val_loss" in logs:
            self._stopping.after(epoch, logs["val_loss"], state)
        wants_end = self._watchers.end_epoch(self._index, logs, lambda: self._finished(None, state)[0])
        self._was_stopped |= wants_end
        if wants_end or self._stopping.is_over or is_lost(logs):
            self.end()

    def end_with(self, epoch):
        """End the training here if this was its last epoch, while others may go on."""
        if epoch == self._last_epoch:
            self.end()

    def end(self):
        """End the training here, unless it is over."""
        if not self.is_over:
            self.is_over, self._last = True, self._engine.state_of(self._place)
            self._watchers.end(self._index)

    def finish(self):
        """Return the trained network."""
        best, earlier = self._stopping.best, self._training.progress
        values, optimizer_state = self._finished(best, self._last)
        if best is None and earlier is not None and earlier.best is not None:
            values = earlier.best  # no later epoch was better
        # Where a watcher has stopped the training, it is not what its settings make of it.
        tells = self._training.tells_progress and not self._was_stopped
        progress = self._progress(values, optimizer_state) if tells else None
        return Trained(values, optimizer_state, self.history, progress)

    def _progress(self, values, optimizer_state):
        stopping = copy(self._stopping)
        stopping.best = None  # its values are kept, by name
        last = self._finished(None, self._last)[0]
        best = values if stopping.has_best else None
        is_over = self._epoch < self._last_epoch
        return Progress(self._epoch + 1, last, best, optimizer_state, stopping, self.history, is_over)

    def _finished(self, best, last):
        return self._engine.finish(self._place, best, last)


def _validation_batch(data, batch_size):
    """Return how many rows to evaluate at once, which is a matter of memory alone."""
    return int(np.clip(_VALIDATION_BYTES // row_bytes(data), max(batch_size, 256), max(batch_size, 4096)))


def _keras_fit(program, training):
    job, settings, schedule = training.job, training.settings, training.schedule
    validation_batch = _validation_batch(job.data, schedule.batch_size)
    values, optimizer_state, history = fit_with_keras(program, settings, job, schedule, validation_batch)
    return Trained(values, optimizer_state, history)

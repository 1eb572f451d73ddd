"""Training networks of one architecture stage after stage.

All that a stage knows of the one before it are the values by name that it ended with: it is one more
:func:`skstack.training._fit.fit` with jobs that begin with them.
"""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

import numpy as np

from .._progress import Watchers
from ..training._fit import Job, fit
from ..training._programs import program_key, settings_key
from ..training._seeds import seeded
from ..training._trainable import AsItWas
from ..training._values import values_of
from ._assembly import Assembly
from ._individual import Individual


class TrainedStage(NamedTuple):
    """What happened to a network in a stage: which branches were trained, how many weights, loss after each epoch."""

    training: str
    branches: list
    n_trained: int
    history: dict


@dataclass
class Member:
    """A network in training: the one of all rows, or that of a fold, or one of the members of such a one.

    Parameters
    ----------
    assembly : Assembly
    job : Job
        How its training begins. After each stage it says how the next one begins.
    optimizer : str, default=None
        What :func:`optimizer_key` says of the optimizer that the state in the job comes from.
    history : dict of str to list of float
        Of the fused network, over all its stages.
    stages : list of TrainedStage
    individual : dict of str to Individual
        By the name of the branch, the networks of single branches as they were trained last.
    number : int, default=0
        Which of the members of its network it is.
    """

    assembly: Assembly
    job: Job
    optimizer: str | None = None
    history: dict = field(default_factory=dict)
    stages: list = field(default_factory=list)
    individual: dict = field(default_factory=dict)
    number: int = 0

    def joint_job(self, optimizer, **params):
        """Return how to train the fused network; momenta that another optimizer gathered mean nothing to this one."""
        state = self.job.optimizer_state if self.optimizer == optimizer else None
        return replace(self.job, optimizer_state=state, **params)

    def keep(self, trained, optimizer, stage):
        """Take over what a joint stage brought about."""
        self.job = replace(self.job, values=trained.values, optimizer_state=trained.optimizer_state)
        self.optimizer = optimizer
        self.stages.append(stage)
        for name, values in trained.history.items():
            self.history.setdefault(name, []).extend(values)


def optimizer_key(settings):
    """Return a text that tells optimizers apart, or None if one holds code of the user's."""
    return settings_key({"optimizer": settings["optimizer"], "loss": {}, "metrics": {}})


# --- fits that watchers are told of -----------------------------------------------------------------------------------


def fits_of(stages, branches, n_members=1):
    """Return what the fits of a network are called, in the order of its stages, and in each in that of its members.

    Parameters
    ----------
    stages : list of Stage
    branches : list of str
    n_members : int, default=1

    Returns
    -------
    fits : list of str
        For each member one for each branch of an individual stage and one for a joint one; without a name where there
        is no other.
    """
    fits = []
    for number, stage in enumerate(stages, start=1):
        trained = [name for name in branches if stage.trains_at_all(name)] if _is_individual(stage) else ["joint"]
        fits += [f"stage {number}, {name}" for name in trained]
    fits = fits if len(fits) > 1 else [""]
    members = [f"member {number}" for number in range(1, n_members + 1)] if n_members > 1 else [""]
    return [", ".join(filter(None, [fit, member])) for fit in fits for member in members]


def _is_individual(stage):
    return stage.training == "individual"


class _InFused(Watchers):
    """Tells watchers of the training of individual networks, as if it was a part of the fused one's."""

    def __init__(self, watchers, individuals):
        super().__init__([watchers])
        self._individuals = individuals

    def end_epoch(self, index, logs, values):
        individual = self._individuals[index]
        return super().end_epoch(index, logs, lambda: individual.fused_values(values()))


# --- training ---------------------------------------------------------------------------------------------------------


class StagedTraining:
    """Trains networks of one architecture, each stage of all of them before the next one.

    Parameters
    ----------
    network : estimator
        Its parameters say how.
    model : keras.Model
        Of the first member. What it trains at the end is what the last stage trained.
    members : list of Member
    n_fits : int
        How many networks there are in all, of which these are some, or the members of some; their jobs have indices
        below it.
    watchers : Watchers
        Index ``n_fits * i + j`` stands for the i-th of :func:`fits_of` and network j.
    """

    def __init__(self, network, model, members, n_fits, watchers):
        self._network, self._model, self.members = network, model, members
        self._n_fits, self._watchers = n_fits, watchers
        self._n_begun = 0

    def run(self, stages):
        """Train from the beginning.

        Parameters
        ----------
        stages : list of Stage
        """
        names = [part.name for part in self.members[0].assembly.branches]
        self._labels = fits_of(stages, names, self._network.n_networks)
        as_built, done = AsItWas(self._model), 0
        for stage in stages:
            if _is_individual(stage):
                self._train_individually(stage, [name for name in names if stage.trains_at_all(name)])
                continue
            as_built.restore()
            stage.apply(self.members[0].assembly, self._model)
            self._train_jointly(stage, done)
            done += stage.n_epochs(self._network)

    def go_on(self, stage, done):
        """Train the fused network further; what is trained of it stays as it is set on the model.

        Parameters
        ----------
        stage : Stage
        done : int
            Epochs so far.
        """
        self._labels = fits_of([stage], [], self._network.n_networks)
        self._train_jointly(stage, done)

    def _train_jointly(self, stage, done):
        assembly = self.members[0].assembly
        settings = stage.settings(self._network, assembly.tasks)
        optimizer, number = optimizer_key(settings), self._next_number()
        jobs = [member.joint_job(optimizer, **self._fit_of(member, number)) for member in self.members]
        schedule = self._schedule(stage, done, self._watchers)
        trained = fit(self._model, settings, partial(assembly.compiled, settings), jobs, schedule)
        names = [part.name for part in assembly.branches if stage.trains_at_all(part.name)]
        for member, of_member in zip(self.members, trained, strict=True):
            member.keep(of_member, optimizer, _trained_stage(stage, names, self._model, of_member))

    def _train_individually(self, stage, names):
        groups = {}
        for name in names:
            model, individuals, jobs = self._individual_jobs(stage, name)
            settings = stage.settings(self._network, individuals[0].assembly.tasks)
            key = program_key(model, settings) or name
            group = groups.setdefault(key, _Group(model, settings, individuals[0].assembly))
            group.add(individuals, jobs)
        for group in groups.values():
            group.train(stage, self._schedule, self._watchers)

    def _individual_jobs(self, stage, name):
        """Return a model, networks and jobs for one branch of each member."""
        number, model, drawn, individuals, jobs = self._next_number(), None, {}, [], []
        for member in self.members:
            individual, seed = Individual(member, name), member.job.seed
            if seed not in drawn:
                with seeded(seed):
                    built = individual.assembly.build()
                drawn[seed] = values_of(built)
                model = built if model is None else model
            individuals.append(individual)
            jobs.append(individual.job(model, drawn[seed], **self._fit_of(member, number)))
        stage.apply_to(name, individuals[0].layers(model))
        return model, individuals, jobs

    def _next_number(self):
        self._n_begun += 1
        return self._n_begun - 1

    def _fit_of(self, member, number):
        """Return what tells the fit of a member apart from others: its index and its name."""
        number = number * self._network.n_networks + member.number
        names = filter(None, [self._labels[number], member.job.name])
        return {"index": member.job.index + number * self._n_fits, "name": ", ".join(names)}

    def _schedule(self, stage, done, watchers):
        network = self._network
        n_rows = min(len(member.job.training_rows) for member in self.members)
        schedule = network._schedule(done, stage.n_epochs(network), n_rows, watchers)
        return replace(schedule, patience=stage.patience(network))


class _Group:
    """Individual networks of one architecture, which one program trains, together where that is faster."""

    def __init__(self, model, settings, assembly):
        self._model, self._settings, self._assembly = model, settings, assembly
        self._individuals, self._jobs = [], []

    def add(self, individuals, jobs):
        """Add the networks of a branch."""
        self._individuals += individuals
        self._jobs += jobs

    def train(self, stage, make_schedule, watchers):
        """Train all networks of the group."""
        by_index = {job.index: individual for job, individual in zip(self._jobs, self._individuals, strict=True)}
        schedule = make_schedule(stage, 0, _InFused(watchers, by_index))
        make = partial(self._assembly.compiled, self._settings)
        trained = fit(self._model, self._settings, make, self._jobs, schedule)
        for individual, of_network in zip(self._individuals, trained, strict=True):
            name = individual.part.name
            individual.keep(of_network, _trained_stage(stage, [name], self._model, of_network))


def _trained_stage(stage, names, model, trained):
    n_trained = sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
    return TrainedStage(stage.training, names, n_trained, trained.history)

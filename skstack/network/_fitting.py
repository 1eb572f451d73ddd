"""How a network is fitted to rows, at once or in stages, anew or further."""

import numpy as np
from sklearn.base import clone

from .._atomic import unchanged_on_error
from .._callbacks import EpochCallbacks, callback_context, watching
from ..training._fit import Job
from ..training._inference import CompiledCall, predicting
from ..training._seeds import draw_seed, seeded
from ..training._values import assign_values, values_of
from ._assembly import encode_rows
from ._cross_fit import assemble, split_members
from ._initial_values import InitialValues
from ._members import TrainedMember, individual_networks, mean_history, mean_stages, member_jobs, member_seeds
from ._shared_models import shared_model
from ._staged import StagedTraining, fits_of
from ._stages import stages_of
from ._validation_rows import ValidationRows


class Fitting:
    """What is behind ``fit`` and ``partial_fit`` of a network."""

    def _fit(self, X, y, sample_weight, groups, validation):
        further = self.warm_start and self.initialized_
        given = (X, y, sample_weight)
        X, targets = self._check_fit_data(*given, groups, reset=not further)
        validation_rows = ValidationRows.of(self, *validation)
        seed = draw_seed(self.random_state)
        splits = split_members(self, targets, groups, member_seeds(seed, self.n_networks), validation_rows is None)
        stages = stages_of(self)
        fits = fits_of(stages[-1:] if further else stages, self._branch_names(), self.n_networks)
        n_parts = stages[-1].n_epochs(self) if len(fits) == 1 else len(fits)
        with callback_context(self, "fit", *given, n_subtasks=n_parts, sequential=len(fits) == 1) as context:
            shared = None if further else self._initialize(X, targets, splits[0][0], seed)
            self._keep([member.without_history() for member in self._trained_members])
            watchers = EpochCallbacks(self, context, *given, self._predicting_with, fits=fits)
            with watching(self, watchers, fits=fits) as watchers:
                training = self._training(X, targets, splits, seed, watchers, validation_rows, shared)
                if further:
                    training.go_on(stages[-1], 0)
                else:
                    training.run(stages)
            self._take_over(training.members, shared)
        return self

    def _initialize(self, X, targets, training, seed, stage=None):
        """Let branches and tasks learn from the training rows, and build the untrained model, for a stage if given.

        Returns
        -------
        shared : SharedModel or None
            The model, where it is also that of others.
        """
        assembly = assemble(self, X, targets, np.arange(len(targets)), training)
        shared = shared_model(self, assembly, seed) if stage is None else None
        if shared is None:
            with seeded(seed):
                model = assembly.build()
            initial = InitialValues(assembly, model, seed)
        else:
            model, initial = shared.model, shared.initial(seed)
        values = initial.of_members(member_seeds(seed, self.n_networks), assembly)
        if stage is not None:
            stage.apply(assembly, model)
        self._begin(assembly, model, values, shared)
        return shared

    def _begin(self, assembly, model, values, shared=None):
        """Take over what was learned before training, and the values that each member begins with."""
        vars(self).pop("individual_networks_", None)
        vars(self).update(self._learned_attributes(assembly))
        self._keep([TrainedMember()] * len(values))
        self._hold(model, values, shared)

    def _hold(self, model, values, shared=None):
        """Predict with the given values of each member; those of a single one are written into a model of its own."""
        vars(self).pop("model_", None)
        if len(values) > 1:
            self._compiled_call = predicting(model, values)
        elif shared is not None:
            self._compiled_call = shared.call(*values)
        else:
            assign_values(model, *values)
            self.model_ = model
            self._compiled_call = CompiledCall(model)

    def _keep(self, trained):
        """Keep what the training of each member brought about besides its weights."""
        self._trained_members = trained
        self.history_ = mean_history([member.history for member in trained])
        self.stages_ = mean_stages([member.stages for member in trained])

    @property
    def initialized_(self):
        """Whether the network has been built."""
        return hasattr(self, "_compiled_call")

    def _learned_attributes(self, assembly):
        """Return the attributes that say what was learned before training."""
        return {"_assembly": assembly, "branches_": assembly.branches, "tasks_": assembly.tasks}

    def _predicting_with(self, index, values):
        """Return the attributes of this network when it has the given values."""
        return {"_compiled_call": CompiledCall(self._compiled_call.model, values)}

    def _training(self, X, targets, splits, seed, watchers, validation_rows=None, shared=None):
        """Return the training that is about to begin."""
        model, values = self._trained_from(shared)
        data = {"inputs": encode_rows(self._assembly, X), **self._assembly.encode_targets(targets)}
        job = Job(values[0], data, *splits[0], seed)
        if validation_rows is not None:
            job, splits = validation_rows.deciding(job, self, self._assembly), None
        jobs = member_jobs(self, job, values, member_seeds(seed, len(values)), splits)
        kept = zip(jobs, self._trained_members, strict=True)
        members = [before.member(self._assembly, job, number) for number, (job, before) in enumerate(kept)]
        return StagedTraining(self, model, members, 1, watchers)

    def _trained_from(self, shared):
        """Return the model that says what is trained, and the values that each member goes on from."""
        n_members = len(self._trained_members)
        if n_members != self.n_networks:
            raise ValueError(
                f"n_members is {self.n_members}, but the network that is to be trained further has {n_members}: fit it "
                "anew, with warm_start=False."
            )
        if n_members == 1 and shared is None:
            return self.model_, [values_of(self.model_)]
        if n_members == 1:
            return shared.model, [self._compiled_call.values]
        return self._compiled_call.model, [call.values for call in self._compiled_call.calls]

    def _take_over(self, members, shared=None):
        """Keep what training brought about."""
        self._keep([before.then(member) for before, member in zip(self._trained_members, members, strict=True)])
        model = self.model_ if len(members) == 1 and shared is None else self._compiled_call.model
        self._hold(model, [member.job.values for member in members], shared)
        if self.keep_individual and members[0].individual:
            self.individual_networks_ = individual_networks(self, members)

    def _partial_fit(self, X, y, sample_weight, **known):
        """Train for an epoch; `known` is what the task is told beside the target at the first call."""
        with unchanged_on_error(self):
            started = self.initialized_
            X, targets = self._check_fit_data(X, y, sample_weight, None, reset=not started, **known)
            rows, seed, stage = targets.weighted_rows(), draw_seed(self.random_state), stages_of(self)[-1]
            if not started:
                self._initialize(X, targets, rows, seed, stage)
            with watching(self, fits=fits_of([stage], [], self.n_networks)) as watchers:
                training = self._training(X, targets, [(rows, rows[:0])] * self.n_networks, seed, watchers)
                training.go_on(clone(stage).set_params(epochs=1), self.current_epoch)
            self._take_over(training.members)
        return self

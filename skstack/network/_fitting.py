"""How a network is fitted to rows, at once or in stages, anew or further."""

import numpy as np
from sklearn.base import clone

from .._atomic import unchanged_on_error
from .._callbacks import EpochCallbacks, callback_context, watching
from ..training._fit import Job
from ..training._inference import CompiledCall
from ..training._seeds import draw_seed, seeded
from ..training._values import assign_values, values_of
from ._assembly import encode_rows
from ._cross_fit import assemble, split_targets
from ._individual import individual_networks
from ._staged import Member, StagedTraining, fits_of
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
        split = split_targets(self, targets, groups, seed, validation_rows is None)
        stages = stages_of(self)
        fits = [""] if further else fits_of(stages, self._branch_names())
        n_parts = stages[-1].n_epochs(self) if len(fits) == 1 else len(fits)
        with callback_context(self, "fit", *given, n_subtasks=n_parts, sequential=len(fits) == 1) as context:
            if not further:
                self._initialize(X, targets, split[0], seed)
            self.history_, self.stages_ = {}, []
            watchers = EpochCallbacks(self, context, *given, self._predicting_with, fits=fits)
            with watching(self, watchers, fits=fits) as watchers:
                training = self._training(X, targets, split, seed, watchers, validation_rows)
                if further:
                    training.go_on(stages[-1], 0)
                else:
                    training.run(stages)
            self._take_over(*training.members)
        return self

    def _initialize(self, X, targets, training, seed, stage=None):
        """Let branches and tasks learn from the training rows, and build the untrained model, for a stage if given."""
        assembly = assemble(self, X, targets, np.arange(len(targets)), training)
        with seeded(seed):
            model = assembly.build()
        assembly.assign_statistics(model)
        if stage is not None:
            stage.apply(assembly, model)
        self._begin(assembly, model)

    def _begin(self, assembly, model):
        """Take over what was learned before training."""
        vars(self).update(self._learned_attributes(assembly), model_=model, _compiled_call=CompiledCall(model))
        self._optimizer = self._optimizer_state = None
        self.history_, self.stages_ = {}, []
        vars(self).pop("individual_networks_", None)

    def _learned_attributes(self, assembly):
        """Return the attributes that say what was learned before training."""
        return {"_assembly": assembly, "branches_": assembly.branches, "tasks_": assembly.tasks}

    def _predicting_with(self, index, values):
        """Return the attributes of this network when it has the given values."""
        return {"_compiled_call": CompiledCall(self.model_, values)}

    def _training(self, X, targets, split, seed, watchers, validation_rows=None):
        """Return the training that is about to begin."""
        data = {"inputs": encode_rows(self._assembly, X), **self._assembly.encode_targets(targets)}
        job = Job(values_of(self.model_), data, *split, seed, self._optimizer_state)
        if validation_rows is not None:
            job = validation_rows.deciding(job, self, self._assembly)
        return StagedTraining(self, self.model_, [Member(self._assembly, job, self._optimizer)], 1, watchers)

    def _take_over(self, member):
        """Keep what training brought about."""
        assign_values(self.model_, member.job.values)
        self._optimizer, self._optimizer_state = member.optimizer, member.job.optimizer_state
        self.stages_ = [*self.stages_, *member.stages]
        for name, values in member.history.items():
            self.history_.setdefault(name, []).extend(values)
        if self.keep_individual and member.individual:
            self.individual_networks_ = individual_networks(self, member)

    def _partial_fit(self, X, y, sample_weight, **known):
        """Train for an epoch; `known` is what the task is told beside the target at the first call."""
        with unchanged_on_error(self):
            started = self.initialized_
            X, targets = self._check_fit_data(X, y, sample_weight, None, reset=not started, **known)
            rows, seed = targets.weighted_rows(), draw_seed(self.random_state)
            if not started:
                self._initialize(X, targets, rows, seed, stages_of(self)[-1])
            with watching(self) as watchers:
                training = self._training(X, targets, (rows, rows[:0]), seed, watchers)
                training.go_on(clone(stages_of(self)[-1]).set_params(epochs=1), self.current_epoch)
            self._take_over(*training.members)
        return self

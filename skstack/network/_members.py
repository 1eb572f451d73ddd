"""Networks of several members: what tells these apart, what they are trained on, and what is kept of them."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from sklearn.base import clone

from ..training._inference import predicting
from ..training._seeds import draw_seed
from ..training._values import assign_values
from ._staged import Member

#: Tells the draws of rows apart from others that the same seed determines.
_ROWS = 1


def check_members(network):
    """Raise if the members of a network cannot be trained as its parameters say."""
    if network.share_weights and (network.bootstrap or network.max_samples != 1):
        raise ValueError(
            "'bootstrap' and 'max_samples' are for members with weights of their own: with share_weights=True all see "
            "the same rows."
        )


# --- training ---------------------------------------------------------------------------------------------------------


def member_seeds(seed, n_members):
    """Return the seeds of the members of a network, the first of which is that of the network."""
    return [seed, *(draw_seed(np.random.RandomState([seed, number])) for number in range(1, n_members))]


def member_jobs(network, job, values, seeds, splits=None):
    """Return how the members of a network are trained: from values of their own, in an order of their own.

    Parameters
    ----------
    network : estimator
    job : Job
        Of the network.
    values : list of dict of str to ndarray
        Where each member begins.
    seeds : list of int
    splits : list of (ndarray of int, ndarray of int), default=None
        Rows that each member is trained on, and those that decide when it stops; ``None`` takes those of the job.

    Returns
    -------
    jobs : list of Job
    """
    splits = [(job.training_rows, job.validation_rows)] * len(seeds) if splits is None else splits
    return [
        replace(
            job,
            values=of_member,
            seed=seed,
            training_rows=_rows_of_member(network, training, seed),
            validation_rows=validation,
        )
        for of_member, seed, (training, validation) in zip(values, seeds, splits, strict=True)
    ]


def _rows_of_member(network, rows, seed):
    """Return those of the training rows that a member learns from, in which some may occur several times."""
    if not network.bootstrap and network.max_samples == 1:
        return rows
    n_rows = max(1, round(network.max_samples * len(rows)))
    return np.random.default_rng([seed, _ROWS, n_rows]).choice(rows, n_rows, replace=network.bootstrap)


# --- what there is after training -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TrainedMember:
    """What is kept of the training of a member besides its weights; see Member."""

    optimizer: str | None = None
    optimizer_state: object = None
    history: dict = field(default_factory=dict)
    stages: list = field(default_factory=list)

    def without_history(self):
        """Return what a training that begins to count anew goes on from."""
        return replace(self, history={}, stages=[])

    def member(self, assembly, job, number):
        """Return a member that goes on from here, with a job that does not say so yet."""
        return Member(assembly, replace(job, optimizer_state=self.optimizer_state), self.optimizer, number=number)

    def then(self, member):
        """Return what there is after a further training."""
        new = {name: [*self.history.get(name, []), *values] for name, values in member.history.items()}
        stages = [*self.stages, *member.stages]
        return TrainedMember(member.optimizer, member.job.optimizer_state, {**self.history, **new}, stages)


def mean_history(histories):
    """Return the mean of the histories of several members, after each epoch of those that were still trained."""
    return {
        name: [float(np.mean(values)) for values in _by_epoch([history[name] for history in histories])]
        for name in histories[0]
    }


def _by_epoch(values):
    """Return the values of the members that there are after each epoch."""
    return [
        [of_member[epoch] for of_member in values if epoch < len(of_member)] for epoch in range(max(map(len, values)))
    ]


def mean_stages(stages):
    """Return the stages of several members, which differ in their histories, as one."""
    return [
        parts[0]._replace(history=mean_history([part.history for part in parts])) for parts in zip(*stages, strict=True)
    ]


def individual_networks(network, members, like=None):
    """Return the networks of single branches as estimators, by the name of the branch.

    Parameters
    ----------
    network : estimator
        The fused network; it knows the columns of X.
    members : list of Member
        The training of each of its members.
    like : dict of str to estimator, default=None
        What this returned for another fold of the same architecture, whose models are used; ``None`` makes models.
    """
    made = {}
    for name in members[0].individual:
        first, *others = (member.individual[name] for member in members)
        assembly, model, values = first.under_its_name(None if like is None else like[name]._compiled_call.model)
        values = [values, *(individual.under_its_name(model)[2] for individual in others)]
        alone = network.of_one_branch(next((part for part in network.branches or [] if part[0] == name), None))
        alone._adopt_columns(network)
        if like is None:
            alone._begin(assembly, model, values)
        else:
            vars(alone).update(alone._learned_attributes(assembly), _compiled_call=predicting(model, values))
        alone._keep([TrainedMember(history=member.individual[name].history) for member in members])
        made[name] = alone
    return made


class Members:
    """What a fitted network shows of its members."""

    @cached_property
    def model_(self):
        """The network as one Keras model, built when it is asked for, unless training has left one."""
        if not hasattr(self, "_compiled_call"):
            raise AttributeError(f"{type(self).__name__} has no model_ before it is fitted.")
        calls = getattr(self._compiled_call, "calls", None)
        if calls is None:
            model = self._assembly.build()
            assign_values(model, self._compiled_call.values)
            return model
        model, members = self._assembly.build_mean(len(calls))
        for member, call in zip(members, calls, strict=True):
            assign_values(member, call.values)
        return model

    @property
    def members_(self):
        """The networks whose mean this one is, each of which predicts by itself; this one, where there is one."""
        calls = getattr(self._compiled_call, "calls", None)
        if calls is None:
            return [self]
        trained = vars(self).get("_trained_members", [TrainedMember()] * len(calls))
        return [self._as_network(call, of_member) for call, of_member in zip(calls, trained, strict=True)]

    def _as_network(self, call, trained):
        network = clone(self).set_params(n_members=1)
        network._adopt_columns(self)
        vars(network).update(self._learned_attributes(self._assembly), _compiled_call=call)
        network._keep([trained])
        return network

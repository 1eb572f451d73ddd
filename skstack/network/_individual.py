"""Networks of single branches, which are trained before the branches are fused."""

from dataclasses import replace

from ..training._values import assign_values, named_variables, values_of
from ._assembly import Assembly, FittedBranch

#: What the only branch of an individual network is called. Branches of the same architecture then share a program.
_ALONE = "branch"


class Individual:
    """A network of one branch of a fused one, with a head of its own.

    Parameters
    ----------
    member : Member
        Holds the fused network.
    name : str
        Of the branch.
    """

    def __init__(self, member, name):
        self.member = member
        self.part = next(part for part in member.assembly.branches if part.name == name)
        self._alone = FittedBranch(_ALONE, self.part.branch, self.part.positions)
        self.assembly = self._assembly_of(self._alone)
        self.values, self.history = None, {}

    def _assembly_of(self, part):
        fused = self.member.assembly
        return Assembly([part], fused.tasks, fused.architecture)

    def layers(self, model):
        """Return the layers of the branch in a model of this network."""
        return self.assembly.layers_of(self._alone, model)

    def job(self, model, drawn, **params):
        """Return how to train the network: on the rows of the fused one, from the weights that the branch has there.

        Parameters
        ----------
        model : keras.Model
            Of this network, or of the same branch in another fold.
        drawn : dict of str to ndarray
            Its initial values.
        **params : dict
            Of the Job.
        """
        assign_values(model, drawn)
        self.assembly.assign_statistics(model)
        fused, job = self.member.assembly, self.member.job
        of_branch = fused.values_of_branch(self.part, job.values)
        values = self.assembly.with_values_of_branch(self._alone, values_of(model), of_branch)
        job = replace(job, values=values, data=self._data(job.data), optimizer_state=None, **params)
        return job if job.validation_data is None else replace(job, validation_data=self._data(job.validation_data))

    def _data(self, given):
        """Return what this network takes of the data of the fused one."""
        own, fused = self.assembly.names, self.member.assembly.names
        inputs = {own.input(_ALONE): given["inputs"][fused.input(self.part.name)]}
        if self.assembly.has_missing_embedding(self.part.branch):
            inputs[own.missing(_ALONE)] = given["inputs"][fused.missing(self.part.name)]
        return {**given, "inputs": inputs}

    def keep(self, trained, stage):
        """Take over what training brought about, and let the fused network begin with it."""
        self.values, self.history = trained.values, trained.history
        self.member.job = replace(self.member.job, values=self.fused_values(trained.values))
        self.member.stages.append(stage)
        self.member.individual[self.part.name] = self

    def fused_values(self, values):
        """Return the values of the fused network with those that the branch has in this one."""
        of_branch = self.assembly.values_of_branch(self._alone, values)
        return self.member.assembly.with_values_of_branch(self.part, self.member.job.values, of_branch)

    def under_its_name(self, model=None):
        """Return assembly, model and values of this network with the branch called as it is.

        Parameters
        ----------
        model : keras.Model, default=None
            Made by this method for another fold.
        """
        assembly = self._assembly_of(self.part)
        model = assembly.build() if model is None else model
        return assembly, model, dict(zip(named_variables(model), self.values.values(), strict=True))

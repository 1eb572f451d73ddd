"""The forward pass of a fitted network in two: what each branch makes of its columns, and what is made of that.

Who wants to know what a network says with one kind of data or another in place computes the features of each branch
once, and goes through the small rest of the network as often as there are combinations.
"""

import numpy as np

from .._backend import keras
from ..caching._lru import Cache
from ..training._inference import CompiledCall
from ..training._programs import architecture_key
from ..training._seeds import seeded
from ..training._values import values_of
from ._assembly import encode_branch

#: Calls of the parts of networks, each for all networks of an architecture: to build them takes longer than to call.
_calls = Cache(max_items=16)


class Branchwise:
    """A fitted network, branch by branch.

    Parameters
    ----------
    network : estimator
        Fitted.

    Attributes
    ----------
    branches : list of FittedBranch
    """

    def __init__(self, network):
        self._assembly = network._assembly
        self.branches = self._assembly.branches
        # A branch that differs for members returns a row for each, which is none of the rows that are combined.
        if any(self._assembly.differs_in(part.branch) for part in self.branches):
            self._of_branch, self._rests = None, network._compiled_call
        else:
            self._of_branch, self._rests = self._parts(network)

    def _parts(self, network):
        """Return calls for the features of each branch, and for the rest, of each member."""
        given = [call.values for call in getattr(network._compiled_call, "calls", [network._compiled_call])]
        values = [values_of(network.model_) if of_member is None else of_member for of_member in given]
        key = architecture_key(network._compiled_call.model)
        calls, rest = _built(self._assembly) if key is None else _calls.get(key, lambda: _built(self._assembly))
        of_branch = {name: [call.with_values(of_member) for of_member in values] for name, call in calls.items()}
        return of_branch, [rest.with_values(of_member) for of_member in values]

    def features(self, part, X):
        """Return what a branch makes of rows of X, row by row.

        Parameters
        ----------
        part : FittedBranch
        X : DataFrame or ndarray of shape (n_samples, ...)

        Returns
        -------
        features : list of dict of str to ndarray of shape (n_samples, ...)
            For each member.
        """
        inputs = encode_branch(self._assembly, part, X)
        if self._of_branch is None:
            return [inputs]
        name = self._assembly.names.input(part.name)
        return [{name: call(inputs)} for call in self._of_branch[part.name]]

    def outputs(self, features):
        """Return the outputs of the network.

        Parameters
        ----------
        features : list of list of dict
            What :meth:`features` returned for each branch.
        """
        of_members = zip(*features, strict=True)
        joined = [{name: rows for part in of_member for name, rows in part.items()} for of_member in of_members]
        if self._of_branch is None:
            return self._rests(joined[0])
        outputs = [rest(of_member) for rest, of_member in zip(self._rests, joined, strict=True)]
        if len(outputs) == 1:
            return outputs[0]
        return keras.tree.map_structure(lambda *arrays: np.mean(arrays, axis=0, dtype="float64"), *outputs)


def _built(assembly):
    """Return calls for the features of each branch, and for the rest, with initial values."""
    with seeded(0):  # the weights of these models are replaced
        models = {part.name: assembly.build_branch(part) for part in assembly.branches}
        rest = assembly.build_rest({name: model.output for name, model in models.items()})
    return {name: CompiledCall(model) for name, model in models.items()}, CompiledCall(rest)


def with_outputs(network, outputs):
    """Return a fitted network that predicts from given outputs, whatever the rows are.

    Parameters
    ----------
    network : estimator
        Fitted; stays as it is.
    outputs : ndarray or dict of str to ndarray
        What :meth:`Branchwise.outputs` returned for as many rows.
    """
    seeing = object.__new__(type(network))
    vars(seeing).update(vars(network), _forward=lambda X: outputs)
    return seeing

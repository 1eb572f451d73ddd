"""A fitted network, opened: what its branches and layers return for rows, and gradients of its outputs."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._backend import float32_unless_mixed, keras
from .._columns import check_table
from .._suggestions import did_you_mean
from ..training._gradients import Instrumented, in_chunks, returned
from ..training._seeds import seeded
from ..training._values import values_of
from ._assembly import Assembly, FittedBranch, encode_rows

#: Names that an error lists.
_MAX_NAMED = 30


class OpenedNetwork:
    """A copy of the model of a fitted network, the values that each member has there, and how rows are encoded for it.

    Parameters
    ----------
    network : MultimodalNetwork
        Fitted.
    pixels : collection of str, default=()
        Names of branches in front of which a frozen backbone is put again, that else gets its features.
    logits : bool, default=False
        Whether classes have an output before the softmax or sigmoid, rather than a probability.

    Attributes
    ----------
    assembly : Assembly
        With the branches in detail, see :meth:`~skstack.branches._inspectable.Inspectable.in_detail`.
    model : keras.Model
    """

    def __init__(self, network, pixels=(), logits=False):
        check_is_fitted(network)
        self.network = network
        own = network._assembly
        branches = [
            FittedBranch(part.name, part.branch.in_detail(pixels=part.name in pixels), part.positions)
            for part in own.branches
        ]
        self.assembly = Assembly(branches, own.tasks, own.architecture)
        with seeded(0), float32_unless_mixed():  # its weights are replaced
            self.model = self.assembly.build()
        fresh = values_of(self.model)
        self.members = [
            {**fresh, **{name: value for name, value in learned.items() if name in fresh}}
            for learned in _learned_values(network)
        ]
        if logits:
            self._show_logits()

    def _show_logits(self):
        for name, task in self.assembly.tasks.items():
            if task.has_classes:
                self.model.get_layer(self.assembly.output_layer(name)).activation = keras.activations.linear

    # --- rows -------------------------------------------------------------------------------------------------------

    def encode(self, X):
        """Return rows of X as the model takes them; see MultimodalNetwork.encode."""
        return encode_rows(self.assembly, check_table(self.network, X, reset=False))

    # --- branches and layers ----------------------------------------------------------------------------------------

    def part(self, name):
        """Return a branch in detail with its name and columns, or raise if there is none of this name."""
        parts = {part.name: part for part in self.assembly.branches}
        if name not in parts:
            raise ValueError(f"there is no branch {name!r}.{did_you_mean(name, parts)} Branches are {list(parts)}.")
        return parts[name]

    def input_name(self, branch):
        """Return the name of the input of a branch."""
        return self.assembly.names.input(branch)

    def encoder(self, branch):
        """Return the sub-network of a branch, for one use of it."""
        sub_network = self.model.get_layer(self.assembly.names.of_branch(branch, "branch"))
        return sub_network.get_layer("encoder") if self.part(branch).branch.uses else sub_network

    def layers(self, branch=None):
        """Return the layers of the model, or of the sub-network of a branch, by their paths, from first to last.

        A path is the name of a layer, with the names of those it lies in before it: "backbone/block1_conv".
        """
        return dict(_walk(self.model if branch is None else self.encoder(branch)))

    def layer(self, name, branch=None):
        """Return a layer by its path, or by its own name where only one is called so.

        Raises
        ------
        ValueError
            If there is none, or there are several.
        """
        layers = self.layers(branch)
        if name in layers:
            return layers[name]
        found = [path for path in layers if path.rpartition("/")[2] == name]
        if len(found) == 1:
            return layers[found[0]]
        where = "the network" if branch is None else f"branch {branch!r}"
        if found:
            raise ValueError(f"{where} has several layers {name!r}: {_listed(found)}.")
        names = [path.rpartition("/")[2] for path in layers]
        raise ValueError(f"{where} has no layer {name!r}.{did_you_mean(name, names)} Layers are {_listed(layers)}.")

    def instrumented(self, layers=(), listen=returned, branch=None):
        """Return the model, or the sub-network of a branch for one use, with some of its layers listened to."""
        if branch is None:
            return Instrumented(self.model, list(layers), listen)
        encoder = self.encoder(branch)
        inputs = {tensor.name: tensor for tensor in encoder.inputs}
        return Instrumented(keras.Model(inputs, encoder.outputs[0]), list(layers), listen)

    def values_of_encoder(self, branch, values):
        """Return those of the values of a member that belong to the sub-network of a branch for one use."""
        of_branch = self.assembly.weights_of_branch(self.part(branch), values)
        prefix = "encoder/" if self.part(branch).branch.uses else ""
        return {name.removeprefix(prefix): value for name, value in of_branch.items() if name.startswith(prefix)}

    # --- what layers return -----------------------------------------------------------------------------------------

    def activations(self, X, name, branch=None):
        """Return what a layer returns for rows of X.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
        name : str
            See :meth:`layer`.
        branch : str, default=None
            Whose sub-network it is in; ``None`` looks in the whole model.

        Returns
        -------
        activations : ndarray of shape (n_samples, ...)
            With an axis for the uses of the sub-network on a row, where it has several.

        Raises
        ------
        ValueError
            If the network has several members, each of which has features of its own, or the layer does not return one
            tensor for a row.
        """
        if len(self.members) > 1:
            raise ValueError(
                f"the network has {len(self.members)} members, each with features of its own: give one of its members_."
            )
        layer, inputs = self.layer(name, branch), self.encode(X)
        instrumented = self.instrumented([layer])
        values = instrumented.values(self.members[0])
        heard = in_chunks(lambda rows: instrumented.outputs(values, rows)[1][0], inputs)
        if len(heard) != 1 or not isinstance(heard[0], np.ndarray):
            raise ValueError(f"layer {name!r} does not return one tensor for a row: name another one.")
        uses = self._uses(name, branch)
        return heard[0].reshape(-1, *uses, *heard[0].shape[1:]) if uses else heard[0]

    def _uses(self, name, branch):
        """Return the uses, on a row, of the sub-network for one use that a layer lies in, if it does."""
        if branch is not None:
            return self.part(branch).branch.uses
        path = next(path for path in self.layers() if path == name or path.rpartition("/")[2] == name)
        for part in self.assembly.branches:
            if path.startswith(f"{self.assembly.names.of_branch(part.name, 'branch')}/encoder/"):
                return part.branch.uses
        return ()


def _learned_values(network):
    """Return the values of the variables of each member, by name."""
    for member in network.members_:
        values = member._compiled_call.values
        yield values_of(member.model_) if values is None else values


def _walk(layer, prefix=""):
    """Yield the layers in a layer with their paths: those of a model, and those that other layers hold."""
    inner = layer.layers if isinstance(layer, keras.Model) else layer._layers
    names = {}  # a model knows those of its layers by their own names
    if not isinstance(layer, keras.Model):
        names = {id(value): name.lstrip("_") for name, value in vars(layer).items()}
    for part in inner:
        if isinstance(part, keras.layers.InputLayer):
            continue
        if isinstance(part, keras.Model) and not isinstance(layer, keras.Model):
            yield from _walk(part, prefix)  # what a layer is around has no name of its own
            continue
        path = f"{prefix}{names.get(id(part), part.name)}"
        yield path, part
        yield from _walk(part, f"{path}/")


def _listed(names):
    names = list(names)
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    return ", ".join(map(repr, names[:_MAX_NAMED])) + more

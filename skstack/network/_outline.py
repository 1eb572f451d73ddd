"""What a fitted network is made of, as data: branches, fusion, head and outputs with their shapes and weights."""

from dataclasses import dataclass, field

import numpy as np

from .._backend import keras


@dataclass
class Block:
    """A branch, a way of fusing, or a layer of the head or of an output with those that only follow it.

    Parameters
    ----------
    name : str
        Of the branch or the first layer.
    role : {"branch", "fusion", "head", "output"}
    kind : str
        Classes of the branch or the layers.
    shape : tuple of int
        What it returns for a row.
    n_trainable, n_weights : int
        Numbers that training changes, and all of them: statistics and frozen weights too.
    given : list of str
        The blocks that it gets what they return from; none for a branch.
    columns : list of str
        Of the table, that a branch reads.
    input_shape : tuple of int
        What a branch makes of the cells of a row before anything is learned.
    """

    name: str
    role: str
    kind: str
    shape: tuple
    n_trainable: int = 0
    n_weights: int = 0
    given: list = field(default_factory=list)
    columns: list = field(default_factory=list)
    input_shape: tuple = ()

    def add(self, layer):
        """Take in a layer."""
        self.n_trainable += _size(layer.trainable_variables)
        self.n_weights += _size(layer.weights)  # without the state of random generators
        self.shape = _shape_of(layer)


def outline(network):
    """Return the blocks of a fitted network, in the order that a row goes through them.

    Parameters
    ----------
    network : MultimodalNetworkRegressor, MultimodalNetworkClassifier or MultitaskNetwork
        Fitted. Of several members, all of which are alike, the first is described.

    Returns
    -------
    blocks : list of Block
    """
    network = network.members_[0]
    model, assembly = network.model_, network._assembly
    owners, blocks = {}, {}
    for part in assembly.branches:
        blocks[part.name] = block = Block(part.name, "branch", type(part.branch).__name__, ())
        block.columns = _column_names(network, part.positions)
        block.input_shape = tuple(part.branch.input_shape_)
        for layer in assembly.layers_of(part, model):
            owners[layer.name] = part.name
            block.add(layer)
    inbound, outputs, named = _inbound(model), assembly.output_layers, {}  # an output is called like its last layer
    for layer in model.layers:
        given = list(dict.fromkeys(owners[name] for name in inbound[layer.name] if name in owners))
        if layer.name in owners or not given:  # a layer of a branch, or an input
            continue
        owner = given[0] if len(given) == 1 and _only_follows(layer, blocks[given[0]]) else layer.name
        owners[layer.name] = owner
        if owner == layer.name:
            role = "fusion" if len(given) > 1 and all(blocks[name].role == "branch" for name in given) else "head"
            kind = network.fusion if role == "fusion" and isinstance(network.fusion, str) else type(layer).__name__
            blocks[owner] = Block(owner, role, kind, (), given=given)
        elif blocks[owner].role != "branch":
            blocks[owner].kind += f", {_said(layer)}"
        blocks[owner].add(layer)
        if layer.name in outputs:
            blocks[owner].role, named[owner] = "output", layer.name
    for block in blocks.values():
        block.name, block.given = named.get(block.name, block.name), [named.get(name, name) for name in block.given]
    return list(blocks.values())


def _only_follows(layer, block):
    """Tell whether a layer belongs to the block in front of it: it learns nothing, and is none of a branch's own."""
    return not layer.trainable_variables and (block.role != "branch" or type(layer).__name__ in ("Merge", "RepeatRows"))


def _said(layer):
    if isinstance(layer, keras.layers.Activation):
        return layer.get_config()["activation"]
    return type(layer).__name__


def _inbound(model):
    """Return the names of the layers that each layer of a model gets something from."""
    return {
        layer["name"]: list(dict.fromkeys(_histories(layer["inbound_nodes"]))) for layer in model.get_config()["layers"]
    }


def _histories(config):
    if isinstance(config, dict):
        if "keras_history" in config:
            yield config["keras_history"][0]
        config = list(config.values())
    if isinstance(config, (list, tuple)):
        for part in config:
            yield from _histories(part)


def _column_names(network, positions):
    names = getattr(network, "feature_names_in_", None)
    names = [f"x{number}" for number in range(network.n_features_in_)] if names is None else list(names)
    chosen = names if positions is None else np.array(names, dtype=object)[np.atleast_1d(positions)]
    return [str(name) for name in chosen]


def _shape_of(layer):
    first = keras.tree.flatten(layer.output)[0]  # which flags may follow
    return tuple(first.shape[1:])


def _size(variables):
    return sum(int(np.prod(variable.shape)) for variable in variables)

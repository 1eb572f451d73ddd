"""The one place where a network is put together.

Branches, an embedding for what is missing, fusion, head, outputs of the tasks: this file makes them one Keras model,
owns the names of its layers, and turns a table into what the model takes.
"""

import warnings
from copy import copy
from dataclasses import dataclass
from typing import NamedTuple

from sklearn.base import clone

from .._backend import float32_unless_mixed, keras
from .._columns import branch_columns, resolve_columns
from .._compat import take
from .._parts import naming
from ..branches._base import Branch
from ..branches._blocks import dense_layers, dense_of_members
from ..branches._item_layers import PoolItems
from ..branches._layers import Merge, MissingEmbedding
from ..branches._member_layers import MeanOfMembers, RepeatRows, ScaleOfMembers
from ..fusion._base import fuse
from ..tasks._base import FEATURES
from ..tasks._members import LossOfMembers, of_mean
from ..tasks._metrics import of_present
from ..tasks._specs import in_order
from ..training._outputs import lone
from ._layer_names import LayerNames, layer_names

#: What belongs to a branch of what is trained.
_OF_BRANCH = ("branch", "items", "missing_embedding")


@dataclass(frozen=True)
class Architecture:
    """What a network is made of besides branches and tasks; see the parameters of the networks."""

    name: str
    fusion: object
    head: tuple
    activation: str
    dropout: float
    modality_dropout: float
    n_members: int = 1  #: that share weights


class Assembly:
    """Fitted branches and tasks, and how they become one Keras model.

    Parameters
    ----------
    branches : list of FittedBranch
    tasks : dict of str to Task
    architecture : Architecture
    """

    def __init__(self, branches, tasks, architecture):
        self.branches = branches
        self.tasks = tasks
        self.architecture = architecture
        self.names = LayerNames([part.name for part in branches])
        self.output_names = layer_names(list(tasks))
        # Before other layers ask for names, which may depend on what was built.
        self._output_layers = {task: self.names.output(name) for task, name in self.output_names.items()}

    @property
    def output_layers(self):
        """The names of the layers that return the outputs."""
        n_members = self.architecture.n_members
        names = self._output_layers.values()
        return (
            list(names) if n_members == 1 else [self.names.own(f"{name}_mean") for name in self.output_names.values()]
        )

    # --- model ------------------------------------------------------------------------------------------------------

    @float32_unless_mixed()
    def build(self, name=None):
        """Return the Keras model with initial weights alone; see :meth:`assign_statistics`."""
        inputs, features = self._fused_features()
        x = self._head(features)
        return keras.Model(inputs, self._by_output(self._outputs(x)), name=name or self.architecture.name)

    @float32_unless_mixed()
    def build_mean(self, n_members):
        """Return a Keras model whose outputs are the means of those of several networks, and the models of these."""
        members = [self.build(name=f"member_{number}") for number in range(1, n_members + 1)]
        inputs = {
            tensor.name: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=tensor.name)
            for tensor in members[0].inputs
        }
        outputs = keras.tree.map_structure(_mean_output, *[member(inputs) for member in members])
        return keras.Model(inputs, outputs, name=self.architecture.name), members

    @float32_unless_mixed()
    def build_features(self):
        """Return a Keras model of the fused features alone, whose variables are called as in the whole network."""
        return keras.Model(*self._fused_features(), name=self.architecture.name)

    @float32_unless_mixed()
    def build_branch(self, part):
        """Return a Keras model of the features of one branch, whose variables are called as in the whole network."""
        inputs = {}
        features = self._branch_features(part, inputs)
        return keras.Model(inputs, features, name=self.names.of_branch(part.name, "features"))

    @float32_unless_mixed()
    def build_rest(self, features):
        """Return a Keras model from the features of the branches to the outputs.

        Parameters
        ----------
        features : dict of str to keras.KerasTensor
            By the name of the branch: what models of :meth:`build_branch` return. Inputs are called like branches.
        """
        inputs = {
            self.names.input(name): keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=self.names.input(name))
            for name, tensor in features.items()
        }
        x = self._head(self._fused([inputs[self.names.input(part.name)] for part in self.branches]))
        return keras.Model(inputs, self._by_output(self._outputs(x)), name=self.architecture.name)

    def _fused_features(self):
        """Return the inputs of the network, and what the branches make of them, fused."""
        inputs, features = {}, []
        for part in self.branches:
            with naming(f"branch {part.name!r}"):
                features.append(self._branch_features(part, inputs))
        return inputs, self._fused(features)

    def _fused(self, features):
        """Return the features of all branches as one, in a row for each member that shares the weights."""
        pairs = zip(self.branches, features, strict=True)
        of_members = [self._member_features(part, of_branch) for part, of_branch in pairs]
        return fuse(self.architecture.fusion, of_members, self.names.own("fusion"))

    def _member_features(self, part, features):
        """Return the features of a branch in a row for each member that shares the weights of the network."""
        if self.differs_in(part.branch) or self.architecture.n_members == 1:
            return features
        return RepeatRows(self.architecture.n_members, name=self.names.of_branch(part.name, "members"))(features)

    def differs_in(self, branch):
        """Tell whether members that share weights differ in a branch, which then returns a row for each."""
        return self.architecture.n_members > 1 and branch.has_adapters

    def _branch_features(self, part, inputs):
        """Return the features of a branch and add what it takes to the inputs."""
        name, branch, names = part.name, part.branch, self.names
        sub_network = branch.assemble(names.of_branch(name, "branch"), self.architecture.n_members)
        x = inputs[names.input(name)] = keras.Input(
            branch.input_shape_, dtype=branch.input_dtype_, name=names.input(name)
        )
        x = sub_network(x)
        if self.has_missing_embedding(branch):
            flags = inputs[names.missing(name)] = keras.Input(branch.uses or (1,), name=names.missing(name))
            if branch.item_pooling is not None:
                x, flags = PoolItems(branch.item_pooling, name=names.of_branch(name, "items"))([x, flags])
            if self.differs_in(branch):
                flags = RepeatRows(self.architecture.n_members, name=names.of_branch(name, "missing_members"))(flags)
            embedding = MissingEmbedding(self.drops_modalities(), name=names.of_branch(name, "missing_embedding"))
            x = embedding([x, flags])
        return Merge(branch.merge, name=names.of_branch(name, "merge"))(x) if branch.shared else x

    def _head(self, x):
        given, dense = self.architecture, None
        if given.n_members > 1:
            begin_here = not all(self.differs_in(part.branch) for part in self.branches)
            dense = dense_of_members(given.n_members, signs=begin_here)
        settings = given.head, given.activation, given.dropout, False
        return dense_layers(x, *settings, "head", rename=self.names.own, dense=dense)

    def _outputs(self, features):
        """Return the output of each task, computed from the features or from outputs of other tasks."""
        built = {}
        for name in in_order(self.tasks):
            task = self.tasks[name]
            built[name] = task.build_output(self._input_of(name, features, built), self._output_layers[name])
        return {name: self._mean_of_members(name, built[name]) for name in self.tasks}

    def _mean_of_members(self, name, output):
        if self.architecture.n_members == 1:
            return output
        own = self.names.own(f"{self.output_names[name]}_mean")
        return MeanOfMembers(self.architecture.n_members, dtype=output.dtype, name=own)(output)

    def _by_output(self, parts):
        """Return what there is for each task as the model takes and returns it, or None where there is nothing.

        Keras makes scopes of the names of outputs, in which not everything can stand that is the name of a column.
        """
        renamed = {self.output_names[name]: part for name, part in parts.items()}
        return (lone(renamed) if len(self.tasks) == 1 else renamed) if parts else None

    def by_task(self, outputs):
        """Return the outputs of the model by the names of the tasks."""
        if not isinstance(outputs, dict):
            return dict.fromkeys(self.tasks, outputs)
        return {task: outputs[name] for task, name in self.output_names.items()}

    def encode_targets(self, targets):
        """Return what the losses of the model take for checked targets; see Targets."""
        return {
            kind: {self.output_names[name]: array for name, array in parts.items()}
            for kind, parts in targets.encode().items()
        }

    def output_layer(self, task):
        """Return the name of the last layer of a task."""
        return self._output_layers[task]

    def _input_of(self, name, features, built):
        parts = [
            features if other == FEATURES else self.tasks[other].as_input(built[other])
            for other in self.tasks[name].inputs or (FEATURES,)
        ]
        own = f"{self.output_names[name]}_input"
        x = parts[0] if len(parts) == 1 else keras.layers.Concatenate(name=self.names.own(own))(parts)
        if self.architecture.n_members == 1:
            return x
        return ScaleOfMembers(self.architecture.n_members, name=self.names.own(f"{own}_scale"))(x)

    def has_missing_embedding(self, branch):
        """Tell whether a trained vector can take the place of a branch's features."""
        return branch.missing_embedding or self.drops_modalities()

    def drops_modalities(self):
        """Tell whether branches are withheld at random; a network of one branch has nothing else to predict from."""
        return self.architecture.modality_dropout > 0 and len(self.branches) > 1

    def assign_statistics(self, model):
        """Write what branches and tasks learned from their rows into a model that :meth:`build` made."""
        for part in self.branches:
            part.branch.assign_statistics_to(model.get_layer(self.names.of_branch(part.name, "branch")))
            if self.drops_modalities():
                embedding = model.get_layer(self.names.of_branch(part.name, "missing_embedding"))
                embedding.rate.assign(self.architecture.modality_dropout)
        for name, task in self.tasks.items():
            task.assign_statistics(model.get_layer(self._output_layers[name]))

    # --- branches ---------------------------------------------------------------------------------------------------

    def layers_of(self, part, model):
        """Return the layers of a model that belong to a branch: its sub-network and, if any, pooling and embedding.

        Parameters
        ----------
        part : FittedBranch
        model : keras.Model
            As :meth:`build` made it.
        """
        has = (True, part.branch.item_pooling is not None, self.has_missing_embedding(part.branch))
        kinds = (kind for kind, is_there in zip(_OF_BRANCH, has, strict=True) if is_there)
        return [model.get_layer(self.names.of_branch(part.name, kind)) for kind in kinds]

    def values_of_branch(self, part, values):
        """Return those of the values of a model that belong to a branch, by names that are the same in any network.

        Parameters
        ----------
        part : FittedBranch
        values : dict of str to ndarray
        """
        found = {}
        for kind in _OF_BRANCH:
            prefix = f"{self.names.of_branch(part.name, kind)}/"
            of_kind = {name: value for name, value in values.items() if name.startswith(prefix)}
            found |= {f"{kind}/{name.removeprefix(prefix)}": value for name, value in of_kind.items()}
        return found

    def weights_of_branch(self, part, values):
        """Return those of the values of a model that belong to the sub-network of a branch, by their names in there."""
        of_branch = self.values_of_branch(part, values)
        prefix = f"{_OF_BRANCH[0]}/"
        return {name.removeprefix(prefix): value for name, value in of_branch.items() if name.startswith(prefix)}

    def with_values_of_branch(self, part, values, of_branch):
        """Return the values of a model with those that :meth:`values_of_branch` of another network returned.

        A network that withholds branches at random has one more than others, which stays.
        """
        taken = {}
        for name, value in of_branch.items():
            kind, _, inside = name.partition("/")
            taken[f"{self.names.of_branch(part.name, kind)}/{inside}"] = value
        return {name: taken.get(name, value) for name, value in values.items()}

    def compiled(self, settings):
        """Return a compiled copy of the model, for training.

        The model that users hold stays free of losses and optimizers, which may be functions that cannot be saved.

        Parameters
        ----------
        settings : dict
            Optimizer, and by the name of the task loss and metrics; where there are several tasks, what the loss of
            each counts as "loss_weights".
        """
        model = self.build()
        losses = {
            name: task.resolve_loss(settings["loss"][name], model.get_layer(self._output_layers[name]))
            for name, task in self.tasks.items()
        }
        # Keras hands the weights of rows to weighted metrics alone, which tell there what is missing.
        gaps = [name for name, task in self.tasks.items() if task.has_gaps_]
        metrics = {name: given for name, given in settings["metrics"].items() if given and name not in gaps}
        of_gaps = {
            name: of_present(self.tasks[name].resolve_metrics(settings["metrics"][name]))
            for name in gaps
            if settings["metrics"][name]
        }
        if self.architecture.n_members > 1:
            losses = {name: LossOfMembers(loss) for name, loss in losses.items()}
            metrics = {name: of_mean(self.tasks[name].resolve_metrics(given)) for name, given in metrics.items()}
            of_gaps = {name: of_mean(given) for name, given in of_gaps.items()}
        model.compile(
            optimizer=settings["optimizer"],
            loss=self._by_output(losses),
            loss_weights=self._by_output(settings["loss_weights"]) if len(losses) > 1 else None,
            metrics=self._by_output(metrics),
            weighted_metrics=self._by_output(of_gaps),
        )
        return model

    def is_built_like(self, other):
        """Tell whether another assembly of the same parameters has the same architecture."""
        pairs = zip(self.branches, other.branches, strict=True)
        return all(task.is_built_like(other.tasks[name]) for name, task in self.tasks.items()) and all(
            one.branch.input_shape_ == another.branch.input_shape_ and one.branch.is_built_like(another.branch)
            for one, another in pairs
        )


def _mean_output(*outputs):
    return keras.layers.Average(dtype=outputs[0].dtype)(outputs)


# --- rows -------------------------------------------------------------------------------------------------------------


class FittedBranch(NamedTuple):
    """A branch with its name and the columns of X that it reads, resolved to positions."""

    name: str
    branch: Branch
    positions: object

    def columns_of(self, X):
        """Return the columns of the branch."""
        return branch_columns(X, self.positions, self.branch.accept_sparse)


def fit_branches(parts, X, rows, weight=None):
    """Fit branches on some rows of a table.

    Parameters
    ----------
    parts : list of (str, Branch, columns) tuples
        The branches are fitted themselves.
    X : DataFrame or ndarray of shape (n_samples, ...)
    rows : ndarray of int
    weight : ndarray of shape (n_rows,), default=None
        Of each of these rows, in means and quantiles.

    Returns
    -------
    branches : list of FittedBranch
    """
    X_fit = X if len(rows) == X.shape[0] else take(X, rows, axis=0)
    fitted = []
    for name, branch, columns in parts:
        with naming(f"branch {name!r}"):
            positions = resolve_columns(X, columns)
            if isinstance(positions, list) and not positions:
                raise ValueError(f"columns={columns!r} choose none of the columns of X, which a branch cannot read.")
            part = FittedBranch(name, branch, positions)
            try:
                branch.fit(part.columns_of(X_fit), sample_weight=weight)
            except (ValueError, TypeError, OSError):
                clone(branch).fit(part.columns_of(X))  # an error there names the row as X has it
                raise
            fitted.append(part)
    return fitted


def encode_rows(assembly, X, like=None):
    """Return rows of a table as the inputs of a network.

    Parameters
    ----------
    assembly : Assembly
    X : DataFrame or ndarray of shape (n_samples, ...)
    like : (Assembly, dict) tuple, default=None
        Another network of the same parameters and its encoded rows of X, which are taken over where a branch encodes
        in the same way.

    Returns
    -------
    inputs : dict of str to ndarray of shape (n_samples, ...)
        By the name of the input.
    """
    inputs, known = {}, {}
    if like is not None:
        known = {part.name: part.branch for part in like[0].branches}
    for part in assembly.branches:
        name, flags = assembly.names.input(part.name), assembly.names.missing(part.name)
        if part.name in known and _is_encoded_like(part.branch, known[part.name]):
            inputs |= {key: like[1][key] for key in (name, flags) if key in like[1]}
        else:
            inputs |= encode_branch(assembly, part, X)
    return inputs


def encode_branch(assembly, part, X):
    """Return rows of a table as the inputs of one branch of a network, by name.

    Parameters
    ----------
    assembly : Assembly
    part : FittedBranch
    X : DataFrame or ndarray of shape (n_samples, ...)
    """
    with naming(f"branch {part.name!r}"):
        columns = part.columns_of(X)
        encoded, missing = part.branch.encode_with_missing(columns)
    inputs = {assembly.names.input(part.name): encoded}
    if assembly.has_missing_embedding(part.branch):
        missing = missing if part.branch.missing_embedding else part.branch.missing(columns)
        inputs[assembly.names.missing(part.name)] = missing.astype("float32")
    return inputs


def warn_of_unreadable(assembly, inputs, X):
    """Say which cells cannot be read and count as missing, where a branch lets them.

    Parameters
    ----------
    assembly : Assembly
    inputs : dict of str to ndarray
        The encoded rows of X.
    X : DataFrame or ndarray of shape (n_samples, ...)
    """
    for part in assembly.branches:
        flags = inputs.get(assembly.names.missing(part.name))
        if getattr(part.branch, "on_error", None) != "missing" or flags is None:
            continue
        columns = part.columns_of(X)
        unreadable = flags.astype(bool) & ~part.branch.missing(columns)
        n_rows = int(unreadable.reshape(len(unreadable), -1).any(axis=1).sum())
        if n_rows:
            warnings.warn(
                f"branch {part.name!r}: {_first_error(part.branch, columns)} {n_rows} of {len(unreadable)} rows hold "
                "what cannot be read; it counts as missing.",
                stacklevel=2,
            )


def _first_error(branch, columns):
    """Return what a branch says of the first cell that it cannot read."""
    strict = copy(branch)
    strict.on_error = "raise"
    try:
        strict.encode(columns)
    except (ValueError, OSError) as error:
        return str(error)
    return ""


def _is_encoded_like(branch, other):
    return branch.input_shape_ == other.input_shape_ and branch.is_encoded_like(other)


def missing_rows(branches, X):
    """Return which rows of X lack what a branch predicts from, by the name of the branch."""
    missing = {}
    for part in branches:
        with naming(f"branch {part.name!r}"):
            columns = part.columns_of(X)
            if part.branch.missing_embedding:
                flags = part.branch.encode_with_missing(columns)[1]
            else:
                flags = part.branch.missing(columns)
        missing[part.name] = flags.reshape(len(flags), -1).all(axis=1)
    return missing

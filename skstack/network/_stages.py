"""Stages of training: what each of them trains, and how a network's parameters say so."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions

from .._backend import keras
from .._doc_links import DocLinkMixin
from .._parts import check_instance, naming
from .._suggestions import SuggestingParams, did_you_mean
from ..training._trainable import check_trainable, narrow_trainable, set_all_trainable, set_learning_rate_multiplier

#: The short spelling for networks of single branches first, then the fused one.
INDIVIDUAL_THEN_JOINT = "individual+joint"


class Stage(DocLinkMixin, SuggestingParams, BaseEstimator):
    """A stage of training: what is trained in it, how fast and how long.

    A list of them is the parameter `stages` of a network. Each stage begins with the weights that the one before it
    ended with, on the same training and validation rows.

    Parameters
    ----------
    training : {"joint", "individual"}, default="joint"
        Whether the fused network is trained, or each branch by itself, with a head of its own that is thrown away.
    branches : list of str, default=None
        Names of the branches that are trained: in an individual stage the others wait, in a joint one they are frozen.
        ``None`` means all; an empty list leaves fusion and head.
    trainable : bool, int, str or dict, default=True
        Which layers of these branches are trained: all (True), none (False), the last so many, or those whose names fit
        a pattern such as ``"dense_*"``; a dict says so by the name of the branch, with True for one that it leaves out.
        Layers count as in ``model_.get_layer("<name>_branch").layers``, those without weights too, and those of models
        inside one by one. A layer that its branch froze stays frozen.
    branch_learning_rate : float or dict, default=1.0
        Factor of the learning rate for the weights of branches; a dict says so by the name of the branch, with 1.0 for
        one that it leaves out.
    learning_rate : float, default=None
        Learning rate of the optimizer; ``None`` is the network's.
    epochs : int, default=None
        Passes over the training rows, at most; ``None`` is the network's.
    early_stopping : bool, default=None
        Whether to stop early and restore the best weights; ``None`` does as the network. False trains all epochs on the
        same rows and keeps the last weights.

    See Also
    --------
    MultimodalNetworkRegressor : Its parameter `stages` takes a list of them.

    Examples
    --------
    >>> import pandas as pd
    >>> from skstack import MultimodalNetworkRegressor, Stage
    >>> from skstack.branches import CategoricalBranch, NumericBranch
    >>> X = pd.DataFrame({"area": [50.0, 80.0, 120.0, 70.0] * 10, "city": ["A", "B", "A", "B"] * 10})
    >>> network = MultimodalNetworkRegressor(
    ...     [("numbers", NumericBranch(hidden=(8,)), ["area"]), ("place", CategoricalBranch(), ["city"])],
    ...     stages=[Stage("individual", branches=["numbers"], epochs=2), Stage("joint", epochs=1, learning_rate=1e-4)],
    ...     random_state=0,
    ... )
    >>> [(stage.training, len(stage.history["loss"])) for stage in network.fit(X, 3.0 * X["area"]).stages_]
    [('individual', 2), ('joint', 1)]
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        "training": [StrOptions({"individual", "joint"})],
        "branches": [list, tuple, None],
        "trainable": ["boolean", Integral, str, dict],
        "branch_learning_rate": [Interval(Real, 0, None, closed="neither"), dict],
        "learning_rate": [Interval(Real, 0, None, closed="neither"), None],
        "epochs": [Interval(Integral, 1, None, closed="left"), None],
        "early_stopping": ["boolean", None],
    }

    def __init__(
        self,
        training="joint",
        *,
        branches=None,
        trainable=True,
        branch_learning_rate=1.0,
        learning_rate=None,
        epochs=None,
        early_stopping=None,
    ):
        self.training = training
        self.branches = branches
        self.trainable = trainable
        self.branch_learning_rate = branch_learning_rate
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.early_stopping = early_stopping

    # --- checks -----------------------------------------------------------------------------------------------------

    def check(self, names):
        """Raise if a parameter has a value that no training could use.

        Parameters
        ----------
        names : list of str
            Of the branches of the network.

        Raises
        ------
        ValueError, TypeError
            If a value cannot be used, or a branch is named that the network does not have.
        """
        self._validate_params()
        if self.branches is not None:
            check_branch_names("branches", self.branches, names)
        check_by_branch("trainable", self.trainable, names, check_trainable)
        check_by_branch("branch_learning_rate", self.branch_learning_rate, names, _check_factor)
        if self.training == "individual" and not any(map(self.trains_at_all, names)):
            raise ValueError("an individual stage should train a branch: 'branches' and 'trainable' leave none.")

    # --- what is trained --------------------------------------------------------------------------------------------

    def trains(self, branch):
        """Return which layers of a branch are trained."""
        if self.branches is not None and branch not in self.branches:
            return False
        trainable = _of_branch(self.trainable, branch, True)
        return bool(trainable) if isinstance(trainable, np.bool_) else trainable

    def trains_at_all(self, branch):
        """Tell whether a layer of a branch is trained."""
        return self.trains(branch) is not False

    def apply(self, assembly, model):
        """Set what a model trains, and how fast, which was as it was built before.

        Parameters
        ----------
        assembly : Assembly
            How the model was built; a branch in it may be called otherwise, see :meth:`apply_to`.
        model : keras.Model
        """
        for part in assembly.branches:
            self.apply_to(part.name, assembly.layers_of(part, model))

    def apply_to(self, branch, layers):
        """Set what is trained of a branch, and how fast.

        Parameters
        ----------
        branch : str
        layers : list of keras.layers.Layer
            Its sub-network and, where there is one, what pools items and takes the place of missing rows.
        """
        trainable, factor = self.trains(branch), _of_branch(self.branch_learning_rate, branch, 1.0)
        with naming(f"branch {branch!r}"):
            if layers[0].trainable_weights:
                narrow_trainable(layers[0], trainable)
        for layer in layers:
            if trainable is False:
                set_all_trainable(layer, False)
            if factor != 1:
                set_learning_rate_multiplier(layer, factor)

    # --- how --------------------------------------------------------------------------------------------------------

    def settings(self, network, tasks):
        """Return fresh optimizer, and by the name of the task losses and metrics, for this stage of a network."""
        settings = network._compile_arguments(tasks)
        if self.learning_rate is not None:
            optimizer = keras.optimizers.get(settings["optimizer"])
            config = {**optimizer.get_config(), "learning_rate": float(self.learning_rate)}
            settings["optimizer"] = type(optimizer).from_config(config)
        return settings

    def n_epochs(self, network):
        """Return how many passes over the training rows the stage makes at most."""
        return network.epochs if self.epochs is None else self.epochs

    def patience(self, network):
        """Return after how many epochs without a better loss the stage ends, or None if never."""
        stops = network.early_stopping if self.early_stopping is None else self.early_stopping
        return network.patience if stops else None


def _of_branch(value, branch, default):
    return value.get(branch, default) if isinstance(value, dict) else value


def _check_factor(factor):
    if not isinstance(factor, Real) or isinstance(factor, bool) or not factor > 0:
        raise ValueError(f"The 'branch_learning_rate' parameter should be a number above 0, got {factor!r}.")


def check_by_branch(parameter, value, names, check):
    """Check a value that concerns all branches, or those that are the keys of a dict.

    Parameters
    ----------
    parameter : str
    value : object
    names : list of str
        Of the branches of the network.
    check : callable
        Raises if a value for one branch cannot be used.
    """
    if not isinstance(value, dict):
        check(value)
        return
    check_branch_names(parameter, value, names)
    for branch, of_branch in value.items():
        with naming(f"branch {branch!r}"):
            check(of_branch)


def check_branch_names(parameter, given, names):
    """Raise if a name is not one of the branches'."""
    for name in given:
        if name not in names:
            raise ValueError(
                f"the {parameter!r} parameter names a branch {name!r}, which there is not.{did_you_mean(name, names)} "
                f"Branches are {list(names)}."
            )


# --- the stages of a network ------------------------------------------------------------------------------------------


def stages_of(network):
    """Return the stages of training that the parameters of a network ask for."""
    if isinstance(network.stages, (list, tuple)):
        return list(network.stages)
    first = [Stage("individual")] if network.stages == INDIVIDUAL_THEN_JOINT else []
    frozen = [Stage(branches=[], epochs=network.freeze_epochs, early_stopping=False)] if network.freeze_epochs else []
    last = Stage(trainable=network.trainable, branch_learning_rate=network.branch_learning_rate)
    return [*first, *frozen, last]


def check_stages(network, names):
    """Raise if the stages of a network cannot be trained.

    Parameters
    ----------
    network : estimator
        The types of its parameters are checked.
    names : list of str
        Of its branches.

    Raises
    ------
    ValueError, TypeError
        Naming the stage.
    """
    if not isinstance(network.stages, (list, tuple)):
        stages_of(network)[-1].check(names)
        return
    if not network.stages or not all(isinstance(stage, Stage) for stage in network.stages):
        for stage in network.stages:
            check_instance(stage, "a stage in 'stages'")
        raise TypeError(f"'stages' should be 'individual+joint' or a list of Stage, got {network.stages!r}.")
    if network.trainable is not True or network.branch_learning_rate != 1 or network.freeze_epochs:
        raise ValueError(
            "'trainable', 'branch_learning_rate' and 'freeze_epochs' are for networks without a list of 'stages', each "
            "of which says for itself what it trains."
        )
    for number, stage in enumerate(network.stages, start=1):
        with naming(f"stage {number}"):
            stage.check(names)
            if stage.early_stopping and not network.early_stopping:
                raise ValueError("early_stopping=True needs validation rows: set it on the network.")
    if network.stages[-1].training != "joint":
        raise ValueError("the last of the 'stages' should be a joint one: it is the fused network that predicts.")


def check_layers(network, branches):
    """Raise if a stage of a network chooses layers that a branch does not have.

    Parameters
    ----------
    network : estimator
    branches : list of FittedBranch
    """
    for stage in stages_of(network):
        for part in branches:
            if not isinstance(stage.trains(part.name), bool):
                stage.apply_to(part.name, [part.branch.assemble("branch")])

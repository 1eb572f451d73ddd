"""The parameters of networks: which there are, whether they can be used, and what Keras makes of them."""

import inspect
from contextlib import suppress
from functools import lru_cache
from numbers import Integral, Real

import numpy as np
from sklearn.base import clone
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from .._backend import float32_unless_mixed, names_of_their_own
from .._parts import PartsMixin, check_part_names, check_part_tuples, naming, split_part
from .._scikeras import MendedWrapper, routes
from ..branches._base import Branch, check_no_branch_inside
from ..branches._blocks import check_activation, check_units
from ..branches._numeric import NumericBranch
from ..caching._lru import LRU
from ..fusion._base import check_fusion
from ..tasks._base import Task
from ..tasks._losses import check_learning_rate, check_metrics, check_optimizer, resolve_loss
from ..training._fit import Schedule
from ._assembly import Architecture
from ._members import check_members
from ._shared_models import plain_text
from ._staged import fits_of
from ._stages import INDIVIDUAL_THEN_JOINT, check_stages, stages_of

#: Constructor arguments that parameters such as ``optimizer__learning_rate`` are routed to.
_ROUTED = ("optimizer", "loss", "metrics", "callbacks")

#: The name of the only branch of a network that is given none.
NUMERIC = "numeric"

#: Whether networks of folds are trained together, by `fold_training`; None where a rule decides.
VECTORIZED = {"auto": None, "vectorized": True, "sequential": False}

#: Texts of plain settings of optimizer, loss and metrics that Keras takes.
_checked = LRU(max_size=256)


class NetworkParameters(PartsMixin, MendedWrapper):
    """The parameters of a network, checked and made ready for Keras."""

    _parts_attribute = "branches"

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        "fusion": [str, HasMethods("get_config")],
        "head": ["array-like", Integral],
        "activation": [str],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "modality_dropout": [Interval(Real, 0, 1, closed="left")],
        "allow_missing_columns": ["boolean"],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "early_stopping": ["boolean"],
        "patience": [Interval(Integral, 0, None, closed="left")],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "stages": [StrOptions({INDIVIDUAL_THEN_JOINT}), list, tuple, None],
        "trainable": ["boolean", Integral, str, dict],
        "branch_learning_rate": [Interval(Real, 0, None, closed="neither"), dict],
        "freeze_epochs": [Interval(Integral, 0, None, closed="left")],
        "keep_individual": ["boolean"],
        "n_members": [Interval(Integral, 1, None, closed="left")],
        "bootstrap": ["boolean"],
        "share_weights": ["boolean"],
        "max_samples": [Interval(Real, 0, 1, closed="right")],
        "validation_part": [StrOptions({"auto", "random", "latest"})],
        "fold_training": [StrOptions(set(VECTORIZED))],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        branches=None,
        *,
        fusion="concatenate",
        head=(64,),
        activation="relu",
        dropout=0.1,
        modality_dropout=0.0,
        loss=None,
        optimizer="adamw",
        metrics=None,
        epochs=200,
        batch_size="auto",
        early_stopping=True,
        patience=10,
        validation_fraction=0.1,
        validation_part="auto",
        n_members=1,
        bootstrap=False,
        max_samples=1.0,
        share_weights=False,
        callbacks=None,
        stages=None,
        trainable=True,
        branch_learning_rate=1.0,
        freeze_epochs=0,
        keep_individual=False,
        fold_training="auto",
        allow_missing_columns=False,
        warm_start=False,
        random_state=None,
        verbose=0,
        **routed,
    ):
        self.branches = branches
        self.fusion = fusion
        self.head = head
        self.activation = activation
        self.dropout = dropout
        self.modality_dropout = modality_dropout
        self.loss = loss
        self.optimizer = optimizer
        self.metrics = metrics
        self.epochs = epochs
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.validation_part = validation_part
        self.n_members = n_members
        self.bootstrap = bootstrap
        self.max_samples = max_samples
        self.share_weights = share_weights
        self.callbacks = callbacks
        self.stages = stages
        self.trainable = trainable
        self.branch_learning_rate = branch_learning_rate
        self.freeze_epochs = freeze_epochs
        self.keep_individual = keep_individual
        self.fold_training = fold_training
        self.allow_missing_columns = allow_missing_columns
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose
        vars(self).update(routed)
        self._refuse_unknown(routed)

    # --- parameters -------------------------------------------------------------------------------------------------

    def _get_param_names(self):
        return sorted([*self._own_names(), *(name for name in vars(self) if "__" in name and name[0] != "_")])

    def _own_names(self):
        return _names_of(type(self))

    def _known_names(self):
        known = super()._known_names()
        if isinstance(self.loss, str):
            with suppress(ValueError):  # `fit` says that there is no such loss
                known.update(routes("loss", resolve_loss(self.loss)))
        return {prefix: names for prefix, names in known.items() if prefix.partition("__")[0] in ("", *_ROUTED)}

    def _refuse_unknown(self, names):
        parts = dict(self._named_parts)
        super()._refuse_unknown(name for name in names if name.partition("__")[0] not in parts)

    def _model_function(self):
        # The branches build the model; no parameter of the network is handed on to a function.
        return lambda: None

    def _validated_branches(self):
        """Return clones of the branches with their names and columns, after checking them."""
        if self.branches is None:
            return [(NUMERIC, NumericBranch(hidden=()), None)]
        owner = type(self).__name__
        check_part_tuples(self.branches, owner, "branches")
        parts = [split_part(part) for part in self.branches]
        check_part_names([name for name, _, _ in parts], self._reserved_names(), owner, "branches")
        for name, branch, _ in parts:
            if not isinstance(branch, Branch):
                check_no_branch_inside(branch, f"branch {name!r} of {owner}")
                raise TypeError(f"branch {name!r} of {owner} should be one of skstack.branches, got {branch!r}.")
        return [(name, clone(branch), columns) for name, branch, columns in parts]

    @property
    def n_fits(self):
        """Number of fits that the training of this network is made of."""
        self._check_settings()
        return len(fits_of(stages_of(self), self._branch_names(), self.n_networks))

    @property
    def n_networks(self):
        """Number of networks that are trained: members that share weights are one."""
        return 1 if self.share_weights else self.n_members

    def of_one_branch(self, branch):
        """Return an unfitted network of one branch, without what says how several are trained.

        Parameters
        ----------
        branch : (str, Branch, columns) tuple or None
            ``None`` stands for numbers in every column.

        Returns
        -------
        network : estimator
            Has the other parameters of this one.
        """
        alone = {"stages": None, "trainable": True, "branch_learning_rate": 1.0, "freeze_epochs": 0}
        branches = None if branch is None else [branch]
        return clone(self).set_params(branches=branches, keep_individual=False, **alone)

    def _branch_names(self):
        return [name for name, _ in self._named_parts] or [NUMERIC]

    def _reserved_names(self):
        return {*self._own_names(), *_ROUTED}

    def _check_settings(self):
        """Raise if a parameter of the network has a value that no training could use."""
        owner = type(self).__name__
        self._validate_params()
        self._refuse_unknown(name for name in self.get_params(deep=False) if "__" in name)
        with naming(owner):
            check_fusion(self.fusion)
            check_units(self.head, "head")
            check_activation(self.activation)
            check_stages(self, self._branch_names())
            check_members(self)
            self._check_compiled()
            self._initialize_callbacks()

    def _check_compiled(self):
        """Raise if Keras could not make optimizer and metrics; it takes milliseconds to make them, each time."""
        settings = plain_text([self.optimizer, self.loss, self.metrics, *sorted(self._routed().items())])
        if settings is None or not _checked.get(settings):
            check_optimizer(self.optimizer)
            check_metrics(self.metrics)
            check_learning_rate(self._compile_arguments({})["optimizer"])
            if settings is not None:
                _checked.put(settings, True)

    @float32_unless_mixed()
    @names_of_their_own()
    def _compile_arguments(self, tasks):
        """Return a fresh optimizer, and by the name of the task fresh losses and metrics.

        Parameters
        ----------
        tasks : dict of str to Task
            Fitted, so that they know their default loss.
        """
        by_task = {name: self._keras_arguments(task) for name, task in tasks.items()}
        # Without a task there is no loss to ask for, but the optimizer is the same.
        optimizer = next(iter(by_task.values()), None) or self._keras_arguments(Task)
        return {
            "optimizer": optimizer["optimizer"],
            "loss": {name: of_task["loss"] for name, of_task in by_task.items()},
            "metrics": {name: of_task["metrics"] for name, of_task in by_task.items()},
            "loss_weights": {name: task.loss_weight for name, task in tasks.items()},
            "gaps": {name: task.has_gaps_ for name, task in tasks.items()},
        }

    def _routed(self):
        """Return the parameters that go to optimizer, losses, metrics or callbacks, by name."""
        return {name: value for name, value in self.get_params(deep=False).items() if "__" in name}

    def _keras_arguments(self, task):
        """Return fresh arguments of Keras's ``compile``, with the defaults of a task where none are given."""
        loss = resolve_loss(_first_given(task.loss, self.loss, task.default_loss))
        metrics = _first_given(task.metrics, self.metrics, list(task.default_metrics))
        settings = NetworkParameters(
            optimizer=self.optimizer,
            loss=loss,
            metrics=metrics,
            callbacks=self.callbacks,
            **self._routed(),
        )
        arguments = settings._get_compile_kwargs()
        if inspect.isclass(arguments["loss"]):
            arguments["loss"] = arguments["loss"]()
        # An optimizer or metric belongs to the model it is compiled with, so that given instances are copied.
        if arguments["optimizer"] is self.optimizer:
            arguments["optimizer"] = _copied(self.optimizer)
        arguments["metrics"] = [_copied(metric) for metric in arguments["metrics"] or []]
        return arguments

    def _given_losses(self, tasks):
        """Return the loss that was given for each task, or None where the task's default counts."""
        return {name: resolve_loss(_first_given(task.loss, self.loss)) for name, task in tasks.items()}

    def _architecture(self):
        """Return what the network is made of besides branches and tasks."""
        given = self.fusion, self.head, self.activation, self.dropout, self.modality_dropout
        return Architecture(type(self).__name__, *given, self.n_members if self.share_weights else 1)

    def _schedule(self, done, epochs, n_rows, watchers):
        """Return how long to train on so many rows, after so many epochs are done."""
        self._initialize_callbacks()
        return Schedule(
            epochs=done + epochs,
            initial_epoch=done,
            batch_size=_suitable_batch(n_rows) if self.batch_size == "auto" else self.batch_size,
            patience=self.patience,
            callbacks=self._fit_callbacks or [],
            watchers=watchers,
            vectorized=VECTORIZED[self.fold_training],
        )


@lru_cache(maxsize=64)
def _names_of(cls):
    """Return the names of the parameters of a class of networks."""
    parameters = inspect.signature(cls.__init__).parameters.values()
    return frozenset(part.name for part in parameters if part.kind is not part.VAR_KEYWORD) - {"self"}


def _suitable_batch(n_rows):
    """Return rows of a batch: the power of two nearest to the 64th part of the rows, from 32 to 256."""
    return 2 ** int(np.clip(np.round(np.log2(n_rows / 64)), 5, 8))


def _first_given(*values):
    """Return the first value that is not None, or None."""
    return next((value for value in values if value is not None), None)


def _copied(part):
    """Return a fresh Keras optimizer or metric with the settings of the given one; a name comes back as it is."""
    return part.__class__.from_config(part.get_config()) if hasattr(part, "get_config") else part

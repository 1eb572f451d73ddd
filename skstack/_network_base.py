"""What networks of several branches have in common, whatever they predict."""

import inspect
from contextlib import suppress
from numbers import Integral, Real

import numpy as np
from sklearn.base import clone
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from ._atomic import unchanged_on_error
from ._backend import float32_unless_mixed, keras, names_of_their_own
from ._callbacks import EpochTasks, callback_task, watching
from ._columns import branch_columns, resolve_columns
from ._compat import CallbackSupportMixin, VisualBlock, take
from ._layer_names import layer_names
from ._losses import check_learning_rate, check_metrics, check_optimizer, resolve_loss
from ._parts import PartsMixin, check_part_names, check_part_tuples, naming, split_part
from ._protocols import CrossFitter
from ._scikeras import MendedWrapper, _routes
from ._validation import (
    check_lengths,
    check_table,
    check_validation_fraction,
    check_weights,
    rows_of,
    split_rows,
)
from .branches._base import Branch, check_activation, check_no_branch_inside, check_units, dense_layers
from .branches._layers import Merge, StandIn
from .branches._numeric import NumericBranch
from .preprocessing._cells import row_name
from .training._fit import Schedule, Task, fit
from .training._inference import CompiledCall
from .training._programs import settings_key
from .training._seeds import draw_seed, seeded
from .training._steps import Values

#: Constructor arguments that parameters such as ``optimizer__learning_rate`` are routed to.
_ROUTED = ("optimizer", "loss", "metrics", "callbacks")

#: Whether networks of folds are trained together, by `fold_training`; None where a rule decides.
_TOGETHER = {"auto": None, "vectorized": True, "sequential": False}


class _MultimodalNetwork(CallbackSupportMixin, PartsMixin, CrossFitter, MendedWrapper):
    """What regressor and classifier share."""

    _parts_attribute = "branches"

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        "head": ["array-like", Integral],
        "activation": [str],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "modality_dropout": [Interval(Real, 0, 1, closed="left")],
        "allow_missing_columns": ["boolean"],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
        "patience": [Interval(Integral, 0, None, closed="left")],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "fold_training": [StrOptions(set(_TOGETHER))],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        branches=None,
        *,
        head=(32,),
        activation="relu",
        dropout=0.0,
        modality_dropout=0.0,
        loss=None,
        optimizer="adam",
        metrics=None,
        epochs=100,
        batch_size=32,
        early_stopping=True,
        patience=10,
        validation_fraction=0.1,
        callbacks=None,
        fold_training="auto",
        allow_missing_columns=False,
        warm_start=False,
        random_state=None,
        verbose=0,
        **routed,
    ):
        self.branches = branches
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
        self.callbacks = callbacks
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
        parameters = inspect.signature(type(self).__init__).parameters.values()
        return {parameter.name for parameter in parameters if parameter.kind is not parameter.VAR_KEYWORD} - {"self"}

    def _known_names(self):
        known = super()._known_names()
        if isinstance(self.loss, str):
            with suppress(ValueError):  # `fit` says that there is no such loss
                known.update(_routes("loss", resolve_loss(self.loss)))
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
            return [("numeric", NumericBranch(hidden=()), None)]
        owner = type(self).__name__
        check_part_tuples(self.branches, owner, "branches")
        parts = [split_part(part) for part in self.branches]
        check_part_names([name for name, _, _ in parts], self._reserved_names(), owner, "branches")
        for name, branch, _ in parts:
            if not isinstance(branch, Branch):
                check_no_branch_inside(branch, f"branch {name!r} of {owner}")
                raise TypeError(f"branch {name!r} of {owner} should be one of skstack.branches, got {branch!r}.")
        return [(name, clone(branch), columns) for name, branch, columns in parts]

    def _reserved_names(self):
        return {*self._own_names(), *_ROUTED, "head", "output"}

    def _check_settings(self):
        """Raise if a parameter of the network has a value that no training could use."""
        owner = type(self).__name__
        self._validate_params()
        self._refuse_unknown(name for name in self.get_params(deep=False) if "__" in name)
        with naming(owner):
            check_units(self.head, "head")
            check_activation(self.activation)
            check_optimizer(self.optimizer)
            check_metrics(self.metrics)
            check_learning_rate(self._compile_arguments()["optimizer"])
            self._initialize_callbacks()

    @float32_unless_mixed()
    @names_of_their_own()
    def _compile_arguments(self):
        """Return fresh optimizer, loss and metrics."""
        loss = self._default_loss() if self.loss is None else self.loss
        settings = type(self)(**{**self.get_params(deep=False), "loss": resolve_loss(loss)})
        arguments = settings._get_compile_kwargs()
        if inspect.isclass(arguments["loss"]):
            arguments["loss"] = arguments["loss"]()
        # An optimizer or metric belongs to the model it is compiled with, so that given instances are copied.
        if arguments["optimizer"] is self.optimizer:
            arguments["optimizer"] = _copied(self.optimizer)
        arguments["metrics"] = [_copied(metric) for metric in arguments["metrics"] or []]
        return arguments

    # --- data -------------------------------------------------------------------------------------------------------

    def _fit_branches(self, X, rows, weight=None):
        """Fit the branches on some rows of X, with a weight for each of these rows."""
        X_fit = X if len(rows) == X.shape[0] else take(X, rows, axis=0)
        self.branches_ = []
        for name, branch, columns in self._validated_branches():
            with naming(f"branch {name!r}"):
                positions = resolve_columns(X, columns)
                if isinstance(positions, list) and not positions:
                    raise ValueError(
                        f"columns={columns!r} choose none of the columns of X, which a branch cannot read."
                    )
                try:
                    branch.fit(_columns_of(X_fit, positions, branch), sample_weight=weight)
                except (ValueError, TypeError, OSError):
                    clone(branch).fit(_columns_of(X, positions, branch))  # an error there names the row as X has it
                    raise
                self.branches_.append((name, branch, positions))
        self._layer_names = layer_names([name for name, _, _ in self.branches_])

    def _encode(self, X, like=None):
        """Return the encoded rows of X by the name of their input.

        Those that another fitted network of the same parameters encoded in the same way are taken over: `like` is the
        network and its encoded rows of X.
        """
        encoded = {}
        others = {} if like is None else {name: branch for name, branch, _ in like[0].branches_}
        for name, branch, positions in self.branches_:
            layer = self._layer_names[name]
            flags = _missing_input(layer)
            if name in others and _is_encoded_like(branch, others[name]):
                encoded |= {key: like[1][key] for key in (layer, flags) if key in like[1]}
                continue
            with naming(f"branch {name!r}"):
                columns = _columns_of(X, positions, branch)
                encoded[layer], missing = branch.encode_with_missing(columns)
            if self._has_stand_in(branch):
                missing = missing if branch.stand_in else branch.missing(columns)
                encoded[flags] = missing.astype("float32")
        return encoded

    def _has_stand_in(self, branch):
        """Tell whether a trained vector can take the place of a branch's features."""
        return branch.stand_in or self._drops_modalities()

    def _drops_modalities(self):
        # A network of one branch has nothing else to predict from.
        return self.modality_dropout > 0 and len(self.branches_) > 1

    def missing_rows(self, X):
        """Tell which rows of X lack what a branch predicts from.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data.

        Returns
        -------
        missing : dict of str to ndarray of bool of shape (n_samples,)
            By the name of the branch, where all of its cells are missing; those that cannot be read too, with
            ``on_error="missing"``.
        """
        check_is_fitted(self)
        X = check_table(self, X, reset=False)
        missing = {}
        for name, branch, positions in self.branches_:
            with naming(f"branch {name!r}"):
                columns = _columns_of(X, positions, branch)
                flags = branch.encode_with_missing(columns)[1] if branch.stand_in else branch.missing(columns)
            missing[name] = flags.all(axis=1)
        return missing

    def check_data(self, X):
        """Raise what fitting to X would raise because of a parameter or a cell, without training anything.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The rows that are going to be used.

        Raises
        ------
        ValueError, TypeError, FileNotFoundError
            Naming the branch, and the row where one is to blame.
        """
        trial = clone(self)
        trial._check_settings()
        X = check_table(trial, X, reset=True)
        if trial.early_stopping and X.shape[0] > 1:
            check_validation_fraction(trial.validation_fraction, X.shape[0])
        trial._fit_branches(X, np.arange(X.shape[0]))
        trial._encode(X)

    # --- model ------------------------------------------------------------------------------------------------------

    @float32_unless_mixed()
    def _build_keras_model(self):
        inputs, features = {}, []
        for name, branch, _ in self.branches_:
            layer = self._layer_names[name]
            with naming(f"branch {name!r}"):
                part = branch.assemble(f"{layer}_branch")
            inputs[layer] = keras.Input(branch.input_shape_, dtype=branch.input_dtype_, name=layer)
            x = part(inputs[layer])
            if self._has_stand_in(branch):
                flags = _missing_input(layer)
                inputs[flags] = keras.Input((branch.input_shape_[0] if branch.shared else 1,), name=flags)
                x = StandIn(drops=self._drops_modalities(), name=f"{layer}_stand_in")([x, inputs[flags]])
            features.append(Merge(branch.merge, name=f"{layer}_merge")(x) if branch.shared else x)
        x = keras.layers.Concatenate(name="concatenate")(features) if len(features) > 1 else features[0]
        x = dense_layers(x, self.head, self.activation, self.dropout, False, prefix="head")
        return keras.Model(inputs, self._output(x), name=type(self).__name__)

    def _pour(self, model):
        """Write what branches and target encoder learned from their rows into a network."""
        for name, branch, _ in self.branches_:
            layer = self._layer_names[name]
            branch.pour_into(model.get_layer(f"{layer}_branch"))
            if self._drops_modalities():
                model.get_layer(f"{layer}_stand_in").rate.assign(self.modality_dropout)

    def _training_program(self, settings):
        """Return a function that builds and compiles a copy of ``model_``.

        ``model_`` itself stays free of losses and optimizers, which may be functions that cannot be saved.
        """

        def make():
            model = self._build_keras_model()
            loss = self._training_loss(settings["loss"], model)
            model.compile(optimizer=settings["optimizer"], loss=loss, metrics=settings["metrics"])
            return model

        return make

    # --- fitting ----------------------------------------------------------------------------------------------------

    def _learn(self, X, y, rows, training, weight=None):
        """Fit the branches and the target encoder.

        Parameters
        ----------
        X : DataFrame or ndarray of shape (n_samples, ...)
        y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
            Target of the given rows.
        rows : ndarray of int of shape (n_rows,)
        training : ndarray of int
            Which of the given rows are trained on.
        weight : ndarray of shape (n_rows,), default=None
            Of each of the given rows, in means and quantiles.
        """
        self._optimizer = self._optimizer_state = None
        weight = rows_of(weight, training)
        self.target_encoder_ = self._fit_target_encoder(y, training, weight)
        self._fit_branches(X, rows[training], weight)

    def _is_built_like(self, other):
        """Tell whether another fitted network of the same parameters has the same architecture."""
        pairs = zip(self.branches_, other.branches_, strict=True)
        targets = [(network.target_encoder_.n_units_, self._output_dtype(network)) for network in (self, other)]
        return targets[0] == targets[1] and all(
            one.input_shape_ == another.input_shape_ and one.is_built_like(another)
            for (_, one, _), (_, another, _) in pairs
        )

    @staticmethod
    def _output_dtype(network):
        return getattr(network.target_encoder_, "dtype_", None)

    def _initialize(self, X, y, training_rows=None, weight=None, seed=None):
        """Fit the branches and the target encoder on the training rows and build the untrained model."""
        rows = np.arange(X.shape[0])
        self._learn(X, y, rows, rows if training_rows is None else training_rows, weight)
        with seeded(draw_seed(self.random_state) if seed is None else seed):
            self.model_ = self._build_keras_model()
        self._pour(self.model_)
        self._compiled_call = CompiledCall(self.model_)

    def initialize(self, X, y):
        """Fit the branches' encoders and build the network, without training it.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Target values.

        Returns
        -------
        self : object
            This estimator.
        """
        with unchanged_on_error(self):
            X, y, _ = self._check_fit_data(X, y, None, None, reset=True)
            self._initialize(X, y)
        return self

    def _check_fit_data(self, X, y, sample_weight, groups, *, reset):
        self._check_settings()
        X = check_table(self, X, reset=reset)
        check_lengths(X, y, sample_weight=sample_weight, groups=groups)
        return X, *self._check_fit_target(y, sample_weight)

    def _check_fit_target(self, y, sample_weight):
        """Return the checked target and the weight of each row, or None."""
        y = self._check_target(y)
        if sample_weight is not None:
            sample_weight = check_weights(sample_weight, len(y), dtype=np.float32)
        return y, self._row_weight(y, sample_weight)

    def _split(self, y, weight, groups, seed):
        """Return the rows to train on and those that decide when to stop; rows of weight 0 do neither."""
        fraction = self.validation_fraction if self.early_stopping else 0
        rows = _weighted_rows(y, weight)
        training, validation = split_rows(y[rows], rows_of(groups, rows), fraction, seed, classes=self._has_classes)
        return rows[training], rows[validation]

    def _adopt_columns(self, other):
        """Take over what another network recorded of the columns of X."""
        for name in ("n_features_in_", "feature_names_in_", "_row_shape"):
            if hasattr(other, name):
                setattr(self, name, getattr(other, name))

    def fit(self, X, y, sample_weight=None, groups=None):
        """Train the network.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features), or (n_samples, height, width[, channels])
            Rows of data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Target values; one column of classes for a classifier.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row in the loss.
        groups : array-like of shape (n_samples,), default=None
            Rows of a group stay on one side when the inner validation part is split off.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError, FileNotFoundError
            If a parameter, a cell or a target value cannot be used; the message names branch and row.
        """
        with unchanged_on_error(self):
            return self._fit_network(X, y, sample_weight, groups)

    def _fit_network(self, X, y, sample_weight, groups):
        continuing = self.warm_start and self.initialized_
        X, y, weight = self._check_fit_data(X, y, sample_weight, groups, reset=not continuing)
        seed = draw_seed(self.random_state)
        training_rows, validation_rows = self._split(y, weight, groups, seed)
        given = (X, y, sample_weight)
        with callback_task(self, "fit", *given, n_subtasks=self.epochs) as context:
            if not continuing:
                self._initialize(X, y, training_rows, weight, seed)
            self.history_ = {}
            tasks = EpochTasks(self, context, *given, self._predicting_with)
            self._train(X, y, weight, training_rows, validation_rows, epochs=self.epochs, seed=seed, tasks=tasks)
        return self

    def _predicting_with(self, number, values):
        """Return the attributes of this network when it has the given values."""
        return {"_compiled_call": CompiledCall(self.model_, values)}

    def _train(self, X, y, weight, training_rows, validation_rows, *, epochs, seed, tasks=None):
        settings = self._compile_arguments()
        # Momenta that another optimizer gathered mean nothing to this one.
        state = self._optimizer_state if self._optimizer == _optimizer_key(settings) else None
        data = {"inputs": self._encode(X), "target": self.target_encoder_.encode(y)}
        if weight is not None:
            data["weight"] = weight
        task = Task(Values.of(self.model_), data, training_rows, validation_rows, seed, state)
        with watching(self, tasks) as watchers:
            schedule = self._schedule(epochs, watchers)
            (trained,) = fit(self.model_, settings, self._training_program(settings), [task], schedule)
        self._take_over(trained, settings)

    def _take_over(self, trained, settings):
        """Keep what training brought about."""
        trained.values.write_to(self.model_)
        self._optimizer, self._optimizer_state = _optimizer_key(settings), trained.optimizer_state
        for name, values in trained.history.items():
            self.history_.setdefault(name, []).extend(values)

    def _schedule(self, epochs, watchers):
        self._initialize_callbacks()
        done = self.current_epoch
        return Schedule(
            epochs=done + epochs,
            initial_epoch=done,
            batch_size=self.batch_size,
            patience=self.patience,
            callbacks=self._fit_callbacks or [],
            watchers=watchers,
            together=_TOGETHER[self.fold_training],
        )

    def cross_fit(self, X, y, splits, *, sample_weight=None, groups=None, bar=None):
        """Fit this network on all rows and clones of it on the training rows of several splits.

        The results are those of a ``fit`` each, found in less time: see :ref:`the trainer <trainer>`.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data.
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Target values.
        splits : list of ndarray of int
            Training rows of each split.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row in the loss.
        groups : array-like of shape (n_samples,), default=None
            Rows of a group stay on one side when the inner validation part is split off.
        bar : object, default=None
            Progress bar of a stack that this network is a part of; ``None`` shows one if `verbose` is 1.

        Yields
        ------
        fitted : estimator
            This network first, then one for each split, which can predict and no more.
        """
        from ._folds import cross_fit

        yield from cross_fit(self, X, y, splits, sample_weight=sample_weight, groups=groups, bar=bar)

    @property
    def current_epoch(self):
        """Number of epochs that ``history_`` holds."""
        return len(getattr(self, "history_", {}).get("loss", []))

    def _partial_fit(self, X, y, sample_weight, y_all):
        with unchanged_on_error(self):
            started = self.initialized_
            X, y, weight = self._check_fit_data(X, y, sample_weight, None, reset=not started)
            rows, seed = _weighted_rows(y, weight), draw_seed(self.random_state)
            if not started:
                self._initialize(X, self._check_target(y_all), rows, weight, seed)
                self.history_ = {}
            self._train(X, y, weight, rows, rows[:0], epochs=1, seed=seed)
        return self

    # --- predicting -------------------------------------------------------------------------------------------------

    def _outputs(self, X):
        """Return the decoded outputs of the network for rows of X."""
        check_is_fitted(self)
        X = check_table(self, X, reset=False)
        outputs = self.target_encoder_.decode(self._compiled_call(self._encode(X)))
        if not np.isfinite(outputs).all():
            row = np.argwhere(~np.isfinite(outputs))[0][0]
            raise ValueError(
                f"{type(self).__name__} predicts NaN or infinity for {row_name(X, row)}: its weights or the cells of "
                "this row are too large to compute with."
            )
        return outputs

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_compiled_call")

    # --- scikit-learn and pickle ------------------------------------------------------------------------------------

    def __getstate__(self):
        state = super().__getstate__().copy()
        # They are made from the parameters for every fit.
        state.pop("_fit_callbacks", None)
        state.pop("_predict_callbacks", None)
        return state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        branches = [branch for _, branch in self._named_parts] or [NumericBranch()]
        tags.input_tags.allow_nan = all(getattr(branch, "allow_missing", False) for branch in branches)
        tags.input_tags.sparse = all(getattr(branch, "accept_sparse", False) for branch in branches)
        tags.input_tags.string = True
        tags.non_deterministic = False
        return tags

    def _sk_visual_block_(self):
        parts = [split_part(part) for part in self.branches or [("numeric", NumericBranch(hidden=()))]]
        names, branches, columns = zip(*parts, strict=True)
        details = [None if chosen is None else str(chosen) for chosen in columns]
        return VisualBlock("parallel", branches, names=names, name_details=details, dash_wrapped=False)


def _missing_input(layer):
    """Return the name of the input that says where a branch's rows are missing; no branch can have such a name."""
    return f"{layer}__missing"


def _weighted_rows(y, weight):
    """Return the rows of y that have a weight."""
    rows = np.arange(len(y)) if weight is None else np.flatnonzero(weight > 0)
    if not len(rows):
        raise ValueError("every row has weight 0: there is nothing to learn from.")
    return rows


def _columns_of(X, positions, branch):
    return branch_columns(X, positions, branch.accept_sparse)


def _is_encoded_like(branch, other):
    return branch.input_shape_ == other.input_shape_ and branch.is_encoded_like(other)


def _optimizer_key(settings):
    return settings_key({**settings, "loss": "", "metrics": []})


def _copied(part):
    """Return a fresh Keras optimizer or metric with the settings of the given one; a name comes back as it is."""
    return part.__class__.from_config(part.get_config()) if hasattr(part, "get_config") else part

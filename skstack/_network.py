"""Networks of several branches as scikit-learn estimators."""

import copy
import inspect
from contextlib import suppress
from numbers import Integral, Real

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin, clone
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import check_is_fitted

from ._backend import keras
from ._columns import branch_columns, resolve_columns
from ._compat import VisualBlock, check_sample_weight, take
from ._losses import check_optimizer, in_standard_units, is_categorical, is_sparse, loss_kind, on_margins, resolve_loss
from ._parts import PartsMixin, check_part_names, check_part_tuples, naming, split_part
from ._scikeras import MendedWrapper, _routes
from ._targets import ClassTarget, RegressionTarget
from ._validation import (
    check_class_target,
    check_classes,
    check_lengths,
    check_regression_target,
    check_table,
    split_rows,
)
from .branches._base import Branch, check_activation, check_units, dense_layers
from .branches._layers import Unstandardize
from .branches._numeric import NumericBranch
from .training._fit import fit
from .training._inference import CompiledCall
from .training._programs import settings_key
from .training._seeds import draw_seed, seeded

#: Constructor arguments that parameters such as ``optimizer__learning_rate`` are routed to.
_ROUTED = ("optimizer", "loss", "metrics", "callbacks")


class _MultimodalNetwork(PartsMixin, MendedWrapper):
    """What regressor and classifier share."""

    _parts_attribute = "branches"

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        "head": ["array-like", Integral],
        "activation": [str],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
        "patience": [Interval(Integral, 0, None, closed="left")],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
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
        loss=None,
        optimizer="adam",
        metrics=None,
        epochs=100,
        batch_size=32,
        early_stopping=True,
        patience=10,
        validation_fraction=0.1,
        callbacks=None,
        warm_start=False,
        random_state=None,
        verbose=0,
        **routed,
    ):
        self.branches = branches
        self.head = head
        self.activation = activation
        self.dropout = dropout
        self.loss = loss
        self.optimizer = optimizer
        self.metrics = metrics
        self.epochs = epochs
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.callbacks = callbacks
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
            self._compile_arguments()
            self._initialize_callbacks()

    def _compile_arguments(self):
        """Return fresh optimizer, loss and metrics."""
        loss = self._default_loss() if self.loss is None else self.loss
        settings = type(self)(**{**self.get_params(deep=False), "loss": resolve_loss(loss)})
        arguments = settings._get_compile_kwargs()
        if inspect.isclass(arguments["loss"]):
            arguments["loss"] = arguments["loss"]()
        # An optimizer or metric belongs to the model it is compiled with, so that given instances are copied.
        arguments["optimizer"] = _copied(arguments["optimizer"])
        arguments["metrics"] = [_copied(metric) for metric in arguments["metrics"] or []]
        return arguments

    # --- data -------------------------------------------------------------------------------------------------------

    def _fit_branches(self, X, rows):
        """Fit the branches on some rows of X."""
        X_fit = X if len(rows) == X.shape[0] else take(X, rows, axis=0)
        self.branches_ = []
        for name, branch, columns in self._validated_branches():
            with naming(f"branch {name!r}"):
                positions = resolve_columns(X, columns)
                self.branches_.append((name, branch.fit(branch_columns(X_fit, positions)), positions))

    def _encode(self, X):
        """Return the encoded rows of X by the name of their branch."""
        encoded = {}
        for name, branch, positions in self.branches_:
            with naming(f"branch {name!r}"):
                encoded[name] = branch.encode(branch_columns(X, positions))
        return encoded

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
        trial._fit_branches(X, np.arange(X.shape[0]))
        trial._encode(X)

    # --- model ------------------------------------------------------------------------------------------------------

    def _build_keras_model(self):
        inputs, features = {}, []
        for name, branch, _ in self.branches_:
            with naming(f"branch {name!r}"):
                part = branch.build(f"{name}_branch")
            inputs[name] = keras.Input(branch.input_shape_, dtype=branch.input_dtype_, name=name)
            features.append(part(inputs[name]))
        x = keras.layers.Concatenate(name="concatenate")(features) if len(features) > 1 else features[0]
        x = dense_layers(x, self.head, self.activation, self.dropout, False, prefix="head")
        return keras.Model(inputs, self._output(x), name=type(self).__name__)

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

    def _initialize(self, X, y, training_rows=None, seed=None):
        """Fit the branches and the target encoder on the training rows and build the untrained model."""
        self._optimizer = self._optimizer_state = None
        rows = np.arange(X.shape[0]) if training_rows is None else training_rows
        self.target_encoder_ = self._fit_target_encoder(y, rows)
        self._fit_branches(X, rows)
        with seeded(draw_seed(self.random_state) if seed is None else seed):
            self.model_ = self._build_keras_model()
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
        X, y, _ = self._check_fit_data(X, y, None, None, reset=True)
        self._initialize(X, y)
        return self

    def _check_fit_data(self, X, y, sample_weight, groups, *, reset):
        self._check_settings()
        X = check_table(self, X, reset=reset)
        check_lengths(X, y, sample_weight=sample_weight, groups=groups)
        y = self._check_target(y)
        if sample_weight is not None:
            sample_weight = check_sample_weight(sample_weight, np.empty((X.shape[0], 0)), dtype=np.float32)
        return X, y, self._row_weight(y, sample_weight)

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
        continuing = self.warm_start and self.initialized_
        X, y, weight = self._check_fit_data(X, y, sample_weight, groups, reset=not continuing)
        seed = draw_seed(self.random_state)
        fraction = self.validation_fraction if self.early_stopping else 0
        training_rows, validation_rows = split_rows(y, groups, fraction, seed, classes=self._has_classes)
        if not continuing:
            self._initialize(X, y, training_rows, seed)
        self.history_ = {}
        self._train(X, y, weight, training_rows, validation_rows, epochs=self.epochs, seed=seed)
        return self

    def _train(self, X, y, weight, training_rows, validation_rows, *, epochs, seed):
        self._initialize_callbacks()
        settings, done = self._compile_arguments(), self.current_epoch
        optimizer = settings_key({**settings, "loss": "", "metrics": []})
        with seeded(seed):
            history, state = fit(
                self.model_,
                settings,
                self._training_program(settings),
                self._encode(X),
                self.target_encoder_.encode(y),
                weight,
                training_rows,
                validation_rows,
                # Momenta that another optimizer gathered mean nothing to this one.
                optimizer_state=self._optimizer_state if self._optimizer == optimizer else None,
                epochs=done + epochs,
                initial_epoch=done,
                batch_size=self.batch_size,
                patience=self.patience,
                # Keras callbacks keep the model they watch; those in the parameters stay as the caller made them.
                callbacks=copy.deepcopy(self._fit_callbacks),
                seed=seed,
                verbose=self.verbose,
            )
        self._optimizer, self._optimizer_state = optimizer, state
        for name, values in history.items():
            self.history_.setdefault(name, []).extend(values)

    @property
    def current_epoch(self):
        """Number of epochs that ``history_`` holds."""
        return len(getattr(self, "history_", {}).get("loss", []))

    def _partial_fit(self, X, y, sample_weight, y_all):
        started = self.initialized_
        X, y, weight = self._check_fit_data(X, y, sample_weight, None, reset=not started)
        rows, seed = np.arange(X.shape[0]), draw_seed(self.random_state)
        if not started:
            self._initialize(X, self._check_target(y_all), rows, seed)
            self.history_ = {}
        self._train(X, y, weight, rows, rows[:0], epochs=1, seed=seed)
        return self

    # --- predicting -------------------------------------------------------------------------------------------------

    def _outputs(self, X):
        """Return the decoded outputs of the network for rows of X."""
        check_is_fitted(self)
        X = check_table(self, X, reset=False)
        return self.target_encoder_.decode(self._compiled_call(self._encode(X)))

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
        tags.input_tags.sparse = False
        tags.input_tags.string = True
        tags.non_deterministic = False
        return tags

    def _sk_visual_block_(self):
        parts = [split_part(part) for part in self.branches or [("numeric", NumericBranch(hidden=()))]]
        names, branches, columns = zip(*parts, strict=True)
        details = [None if chosen is None else str(chosen) for chosen in columns]
        return VisualBlock("parallel", branches, names=names, name_details=details, dash_wrapped=False)


def _copied(part):
    """Return a fresh Keras optimizer or metric with the settings of the given one; a name comes back as it is."""
    return part.__class__.from_config(part.get_config()) if hasattr(part, "get_config") else part


class MultimodalNetworkRegressor(RegressorMixin, _MultimodalNetwork):
    """Neural network regressor with a branch for each kind of data.

    The feature vectors of the branches are concatenated and go through dense layers to one output per target. Targets
    are standardised inside, with mean and deviation of the training rows; the outputs of ``model_`` are in the targets'
    own units.

    Parameters
    ----------
    branches : list of (str, Branch, columns) tuples, default=None
        Name, branch and columns of each part; columns as in :class:`~sklearn.compose.ColumnTransformer` (names,
        positions, slices, masks, callables), or left out for every column. ``None`` stands for one
        :class:`~skstack.branches.NumericBranch` without layers of its own over every column.
    head : tuple of int, default=(32,)
        Units of the dense layers between the concatenated branches and the output; empty for none.
    activation : str, default="relu"
        Activation of these layers, by its Keras name, or "prelu".
    dropout : float, default=0.0
        Rate of the dropout after each of these layers.
    loss : str, keras.losses.Loss or callable, default=None
        A Keras loss; ``None`` is "mean_squared_error". Squared, absolute, Huber and log-cosh losses are computed on the
        standardised target, any other in the target's own units.
    optimizer : str or keras.optimizers.Optimizer, default="adam"
        A Keras optimizer.
    metrics : list of str or keras.metrics.Metric, default=None
        Keras metrics, in the target's own units, to be followed in ``history_``.
    epochs : int, default=100
        Passes over the training rows, at most.
    batch_size : int, default=32
        Rows per step of the optimizer.
    early_stopping : bool, default=True
        Whether to set a part of the training rows aside, stop when the loss there has not become better for `patience`
        epochs, and restore the best weights. ``partial_fit`` never does.
    patience : int, default=10
        See `early_stopping`.
    validation_fraction : float, default=0.1
        Part of the training rows (or of their groups) that is set aside for early stopping.
    callbacks : list of keras.callbacks.Callback, default=None
        Callbacks of Keras ``fit``: instances, or classes with routed parameters.
    warm_start : bool, default=False
        Whether a further ``fit`` goes on from the weights of the one before.
    random_state : int, RandomState instance or None, default=None
        Determines initial weights, dropout, the order of the rows and the inner validation part.
    verbose : int, default=0
        As in Keras ``fit``: 1 shows a bar for each epoch, 2 a line.
    **routed : dict
        Parameters of the optimizer, loss, metrics and callbacks, such as ``optimizer__learning_rate``.

    Attributes
    ----------
    model_ : keras.Model
        The network: inputs named like the branches, a sub-model ``<name>_branch`` for each.
    branches_ : list of (str, Branch, positions) tuples
        The fitted branches.
    target_encoder_ : object
        Holds mean (``center_``) and deviation (``scale_``) of the targets.
    history_ : dict of str to list of float
        Loss, metrics and their values on the inner validation part after each epoch.
    n_features_in_ : int
        Number of columns seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of these columns, where X has string names.

    See Also
    --------
    MultimodalNetworkClassifier : The same for classes.
    MultimodalStackingRegressor : Stacks networks and other regressors.

    Examples
    --------
    >>> import pandas as pd
    >>> from skstack import MultimodalNetworkRegressor
    >>> from skstack.branches import CategoricalBranch, NumericBranch
    >>> X = pd.DataFrame({"area": [50.0, 80.0, 120.0, 70.0] * 10, "city": ["A", "B", "A", "B"] * 10})
    >>> network = MultimodalNetworkRegressor(
    ...     [("numbers", NumericBranch(hidden=(8,)), ["area"]), ("place", CategoricalBranch(), ["city"])],
    ...     epochs=2, optimizer__learning_rate=0.01, random_state=0,
    ... )
    >>> network.fit(X, 3.0 * X["area"]).predict(X.head(2)).shape
    (2,)
    """

    _has_classes = False

    def _default_loss(self):
        return "mean_squared_error"

    def _training_loss(self, loss, model):
        return in_standard_units(loss, model.get_layer("output"))

    def _check_target(self, y):
        return check_regression_target(y)

    def _row_weight(self, y, sample_weight):
        return sample_weight

    def _fit_target_encoder(self, y, rows):
        return RegressionTarget().fit(y[rows])

    def _output(self, x):
        n_units = self.target_encoder_.n_units_
        output = Unstandardize(dtype=self.target_encoder_.dtype_, name="output")
        y = output(keras.layers.Dense(n_units, name="standardised")(x))
        output.center.assign(self.target_encoder_.center_)
        output.scale.assign(self.target_encoder_.scale_)
        return y

    def partial_fit(self, X, y, sample_weight=None):
        """Train for one more epoch on the given rows, all of them, building the network at the first call.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data. What branches learn from data, they learn at the first call.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Target values.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row in the loss.

        Returns
        -------
        self : object
            The estimator.
        """
        return self._partial_fit(X, y, sample_weight, y)

    def predict(self, X):
        """Predict the target.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions in the target's units.
        """
        return self._outputs(X)


class MultimodalNetworkClassifier(ClassifierMixin, _MultimodalNetwork):
    """Neural network classifier with a branch for each kind of data.

    The feature vectors of the branches are concatenated and go through dense layers to one sigmoid unit for two classes
    and a softmax over more.

    Parameters
    ----------
    branches : list of (str, Branch, columns) tuples, default=None
        Name, branch and columns of each part; columns as in :class:`~sklearn.compose.ColumnTransformer` (names,
        positions, slices, masks, callables), or left out for every column. ``None`` stands for one
        :class:`~skstack.branches.NumericBranch` without layers of its own over every column.
    head : tuple of int, default=(32,)
        Units of the dense layers between the concatenated branches and the output; empty for none.
    activation : str, default="relu"
        Activation of these layers, by its Keras name, or "prelu".
    dropout : float, default=0.0
        Rate of the dropout after each of these layers.
    loss : str, keras.losses.Loss or callable, default=None
        A Keras loss; ``None`` is "binary_crossentropy" for two classes and "sparse_categorical_crossentropy" for more.
        A hinge loss for two classes takes the probability p as the score 2 p - 1.
    optimizer : str or keras.optimizers.Optimizer, default="adam"
        A Keras optimizer.
    metrics : list of str or keras.metrics.Metric, default=None
        Keras metrics to be followed in ``history_``.
    epochs : int, default=100
        Passes over the training rows, at most.
    batch_size : int, default=32
        Rows per step of the optimizer.
    early_stopping : bool, default=True
        Whether to set a part of the training rows aside, stop when the loss there has not become better for `patience`
        epochs, and restore the best weights. ``partial_fit`` never does.
    patience : int, default=10
        See `early_stopping`.
    validation_fraction : float, default=0.1
        Part of the training rows (or of their groups) that is set aside for early stopping.
    callbacks : list of keras.callbacks.Callback, default=None
        Callbacks of Keras ``fit``: instances, or classes with routed parameters.
    class_weight : dict or "balanced", default=None
        Weight of each class in the loss; "balanced" takes them inversely proportional to the classes' frequencies.
    warm_start : bool, default=False
        Whether a further ``fit`` goes on from the weights of the one before.
    random_state : int, RandomState instance or None, default=None
        Determines initial weights, dropout, the order of the rows and the inner validation part.
    verbose : int, default=0
        As in Keras ``fit``: 1 shows a bar for each epoch, 2 a line.
    **routed : dict
        Parameters of the optimizer, loss, metrics and callbacks, such as ``optimizer__learning_rate``.

    Attributes
    ----------
    model_ : keras.Model
        The network: inputs named like the branches, a sub-model ``<name>_branch`` for each.
    branches_ : list of (str, Branch, positions) tuples
        The fitted branches.
    classes_ : ndarray of shape (n_classes,)
        The classes.
    target_encoder_ : object
        Turns classes into what the loss takes.
    history_ : dict of str to list of float
        Loss, metrics and their values on the inner validation part after each epoch.
    n_features_in_ : int
        Number of columns seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of these columns, where X has string names.

    See Also
    --------
    MultimodalNetworkRegressor : The same for numbers.
    MultimodalStackingClassifier : Stacks networks and other classifiers.

    Examples
    --------
    >>> import numpy as np
    >>> from skstack import MultimodalNetworkClassifier
    >>> from skstack.branches import ImageBranch
    >>> pictures = np.random.default_rng(0).integers(0, 256, size=(20, 8, 8), dtype="uint8")
    >>> y = np.repeat(["cat", "dog"], 10)
    >>> network = MultimodalNetworkClassifier(
    ...     [("photo", ImageBranch(size=(8, 8), channels=1, filters=(4,)))], epochs=2, random_state=0
    ... )
    >>> network.fit(pictures, y).predict_proba(pictures).shape
    (20, 2)
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        **_MultimodalNetwork._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    _has_classes = True

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = False
        return tags

    def __init__(
        self,
        branches=None,
        *,
        head=(32,),
        activation="relu",
        dropout=0.0,
        loss=None,
        optimizer="adam",
        metrics=None,
        epochs=100,
        batch_size=32,
        early_stopping=True,
        patience=10,
        validation_fraction=0.1,
        callbacks=None,
        class_weight=None,
        warm_start=False,
        random_state=None,
        verbose=0,
        **routed,
    ):
        self.class_weight = class_weight
        super().__init__(
            branches,
            head=head,
            activation=activation,
            dropout=dropout,
            loss=loss,
            optimizer=optimizer,
            metrics=metrics,
            epochs=epochs,
            batch_size=batch_size,
            early_stopping=early_stopping,
            patience=patience,
            validation_fraction=validation_fraction,
            callbacks=callbacks,
            warm_start=warm_start,
            random_state=random_state,
            verbose=verbose,
            **routed,
        )

    def _default_loss(self):
        n_classes = len(getattr(self, "classes_", ()))
        return "sparse_categorical_crossentropy" if n_classes > 2 else "binary_crossentropy"

    def _training_loss(self, loss, model):
        return on_margins(loss)

    def _check_target(self, y):
        return check_class_target(y)

    def _row_weight(self, y, sample_weight):
        if self.class_weight is None:
            return sample_weight
        weight = compute_sample_weight(self.class_weight, y).astype(np.float32)
        return weight if sample_weight is None else weight * sample_weight

    def _fit_target_encoder(self, y, rows):
        # All of y: rows that early stopping sets aside may be the only ones of a class.
        self.classes_ = check_classes(y, type(self).__name__)
        kind = loss_kind(self._compile_arguments()["loss"])
        return ClassTarget(categorical=is_categorical(kind), sparse=is_sparse(kind)).fit(self.classes_)

    def _output(self, x):
        n_units = self.target_encoder_.n_units_
        return keras.layers.Dense(n_units, activation="sigmoid" if n_units == 1 else "softmax", name="output")(x)

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one more epoch on the given rows, all of them, building the network at the first call.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data. What branches learn from data, they learn at the first call.
        y : array-like of shape (n_samples,)
            Classes.
        classes : array-like of shape (n_classes,), default=None
            Every class that any call will show; needed at the first call if its `y` lacks one.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row in the loss.

        Returns
        -------
        self : object
            The estimator.
        """
        return self._partial_fit(X, y, sample_weight, y if classes is None else np.asarray(classes))

    def predict(self, X):
        """Predict the class.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            The class with the highest probability.
        """
        numbers = self.predict_proba(X).argmax(axis=1)
        return self.classes_[numbers]

    def predict_proba(self, X):
        """Predict the probability of each class.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        return self._outputs(X)

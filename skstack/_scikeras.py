"""SciKeras's wrappers, mended for current scikit-learn; no other module imports SciKeras.

SciKeras stopped before scikit-learn 1.6. What is mended, all of it by subclassing: the tags (and with them stratified
folds, probability scorers and use inside scikit-learn's own ensembles), the validation of X and y, names that nobody
knows, parameters of losses named after their class, seeds, weights of the caller that were changed in place, and
predictions for a single row.
"""

# Keras first, through the module that keeps TensorFlow quiet: SciKeras imports both.
from ._backend import keras

# isort: split

import inspect
from contextlib import contextmanager, nullcontext
from functools import lru_cache

import numpy as np
from scikeras.utils import random_state as scikeras_seeding
from scikeras.utils.transformers import ClassifierLabelEncoder, RegressorTargetEncoder
from scikeras.wrappers import BaseWrapper
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import validate_data

from ._atomic import unchanged_on_error
from ._doc_links import DocLinkMixin
from ._forks import refuse_fork
from ._suggestions import near_matches

__all__ = ["BaseWrapper", "KerasClassifier", "KerasRegressor", "MendedWrapper"]

# What SciKeras itself passes to a model function that asks for it.
_FROM_SCIKERAS = {"meta", "compile_kwargs", "params"}

# The methods of a model that parameters are routed to, with what SciKeras itself passes to them.
_METHODS = {"fit": {"x", "y"}, "compile": set(), "predict": {"x"}}

# As similar as this to a name that Keras takes, a name is taken for a slip of the pen.
_MISSPELLED = 0.8

# Stands, in messages too, for the positions of a constructor with `*args`, to which SciKeras routes numbers.
_ANY_POSITION = "0, 1, ..."

# Under these, classes are made into objects with what is routed to them, and so are classes among what is routed.
_ROUTERS = ("loss__", "metrics__", "callbacks__", "fit__callbacks__", "predict__callbacks__")


def _keyword_names(function):
    """Return the names of the keyword parameters of a function, and whether it takes any other name too."""
    parameters = inspect.signature(function).parameters.values()
    names = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    return names - {"self"}, any(p.kind is p.VAR_KEYWORD for p in parameters)


def _takes(taken, name):
    """Tell whether a name is among those `taken`, of which None stands for all."""
    return taken is None or name in taken or (name.isdigit() and _ANY_POSITION in taken)


@lru_cache(maxsize=64)
def _method_names(model_class):
    """Map the methods of a class of models to the names that can be routed to them; None for any name."""
    methods = {method: _keyword_names(getattr(model_class, method)) for method in _METHODS}
    return {method: None if is_open else names - _METHODS[method] for method, (names, is_open) in methods.items()}


@lru_cache(maxsize=512)
def _names_along(cls):
    """Return the parameters that the constructors of a class and its bases name."""
    return set().union(*(_keyword_names(base.__init__)[0] for base in cls.__mro__[:-1]))


@lru_cache(maxsize=512)
def _constructor_names(cls):
    """Return the names that the constructor of a class takes; None for any name."""
    names, is_open = _keyword_names(cls.__init__)
    if is_open and not issubclass(cls, keras.optimizers.Optimizer):
        return None
    if is_open:
        # Optimizers hand on what they do not know, and the last one refuses what is left.
        names = _names_along(cls)
    # SciKeras passes numbers as positional arguments.
    kinds = {parameter.kind for parameter in inspect.signature(cls.__init__).parameters.values()}
    positions = {_ANY_POSITION} if inspect.Parameter.VAR_POSITIONAL in kinds else map(str, range(len(names)))
    return names.union(positions)


def _optimizer_names(optimizer):
    """Return the names that an optimizer, given as a string or a class, takes; None for any name."""
    if isinstance(optimizer, str):
        return _names_of_optimizer_called(optimizer)
    return _constructor_names(optimizer) if inspect.isclass(optimizer) else set()


@lru_cache(maxsize=512)
def _class_of_optimizer_called(name):
    """Return the class of an optimizer by its name, or None if there is none of it."""
    try:
        return type(keras.optimizers.get(name))
    except ValueError:
        # Keras will say so when it compiles the model.
        return None


def _names_of_optimizer_called(name):
    kind = _class_of_optimizer_called(name)
    return None if kind is None else _constructor_names(kind)


def _named_classes(value, module):
    """Return losses or metrics with names of classes of a module of Keras replaced by those classes."""
    if isinstance(value, str):
        named = getattr(module, value, value)
        return named if inspect.isclass(named) else value
    if isinstance(value, dict):
        return {key: _named_classes(item, module) for key, item in value.items()}
    return type(value)(_named_classes(item, module) for item in value) if isinstance(value, (list, tuple)) else value


def _with_named_classes(params):
    """Return parameters where losses and metrics named after classes of Keras, and the optimizer, are those classes."""
    modules = {"loss": keras.losses, "metrics": keras.metrics}
    named = {name: _named_classes(params.get(name), module) for name, module in modules.items()}
    optimizer = params.get("optimizer")
    if isinstance(optimizer, str):
        # SciKeras would find the class by making an optimizer.
        named["optimizer"] = _class_of_optimizer_called(optimizer) or optimizer
    return {**params, **named}


def routes(prefix, value):
    """Map the prefixes under which SciKeras routes parameters into classes to the names those classes take."""
    if inspect.isclass(value):
        return {prefix: _constructor_names(value)}
    if isinstance(value, (list, tuple, dict)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        inside = {name: taken for key, item in items for name, taken in routes(f"{prefix}__{key}", item).items()}
        everywhere = [taken for name, taken in inside.items() if name.count("__") == prefix.count("__") + 1]
        # A name without a key goes to every class of the collection.
        return {prefix: None if None in everywhere else set().union(*everywhere), **inside}
    return {prefix: set()}


def _shows_scikeras_signature(**added):
    """Show SciKeras's named parameters and the `added` ones in the signature of an open constructor."""

    def decorate(init):
        signature = inspect.signature(BaseWrapper.__init__)
        *named, rest = signature.parameters.values()
        extra = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=added[name]) for name in added]
        init.__signature__ = signature.replace(parameters=[*named, *extra, rest])
        return init

    return decorate


@contextmanager
def _tensorflow_left_alone():
    """Keep the caller's TensorFlow as it is while SciKeras seeds: its stream of random numbers and its settings."""
    tensorflow = getattr(scikeras_seeding, "context", None)
    if tensorflow is None:
        yield
        return
    # TensorFlow decides at the first question whether its operations are deterministic. SciKeras asks after it has set
    # the variable that turns this on, finds it on, and never turns it off again.
    scikeras_seeding.config.is_op_determinism_enabled()
    stream = getattr(tensorflow.context(), "_rng", None)
    try:
        yield
    finally:
        # SciKeras starts the stream anew from the caller's seed.
        if stream is not None:
            tensorflow.context()._rng = stream


class _LabelEncoder(ClassifierLabelEncoder):
    """SciKeras's encoder of labels, with a row of probabilities for a single sample and for a single class too."""

    def inverse_transform(self, y, return_proba=False):
        if self.n_classes_ == 1:
            # Whatever a network says that was shown one class only, there is no other.
            y = np.ones((len(y), 1), dtype=y.dtype)
        decoded = super().inverse_transform(y, return_proba=return_proba)
        return decoded.reshape(len(y), -1) if return_proba else decoded


class MendedWrapper(DocLinkMixin, BaseWrapper):
    """Base of SciKeras estimators that keep to scikit-learn's rules.

    Put scikit-learn's mixin first, as everywhere: ``class Network(RegressorMixin, MendedWrapper)``.
    """

    # Without these two, ``set_params(callbacks__patience=3)`` would look for an estimator called "callbacks".
    _routing_prefixes = BaseWrapper._routing_prefixes | {"callbacks", "score"}

    __repr__ = BaseEstimator.__repr__

    @_shows_scikeras_signature()
    def __init__(self, model=None, **kwargs):
        super().__init__(model, **kwargs)
        # A subclass with a constructor of its own may still set what parameters are routed to; `fit` looks again.
        if type(self).__init__.__module__ == __name__:
            self._refuse_unknown(kwargs)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.three_d_array = True
        tags.target_tags.multi_output = True
        return tags

    def __sklearn_is_fitted__(self):
        return self.initialized_

    def set_params(self, **params):
        """Set parameters of this estimator.

        Parameters
        ----------
        **params : dict
            Parameters by name, routed ones such as ``optimizer__learning_rate`` too.

        Returns
        -------
        self : object
            This estimator.

        Raises
        ------
        ValueError
            If neither SciKeras nor the model function knows a name.
        """
        given = {name: value for name, value in params.items() if name in vars(self)}
        super().set_params(**given)
        # Only now: the names that are left are judged by the model function and the optimizer just set.
        self._refuse_unknown(params)
        return super().set_params(**{name: value for name, value in params.items() if name not in given})

    def score(self, X, y, sample_weight=None):
        """Return the value of ``scorer`` for the predictions of `X`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            True targets.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        score : float
        """
        routed = {name[7:]: value for name, value in self.get_params(deep=False).items() if name.startswith("score__")}
        predictions = self.predict(X)
        _, y = self._validate_data(y=y)
        return self.scorer(y, predictions, sample_weight=sample_weight, **routed)

    def _model_function(self):
        """Return the function that builds the model, or None if there is none to be asked."""
        model = self.build_fn if self.model is None else self.model
        if model is None:
            return getattr(self, "_keras_build_fn", None)
        if isinstance(model, keras.Model):
            return lambda: model
        return model if callable(model) else None

    def _model_class(self):
        """Return the class of a model that was given finished; one still to be built is taken for Keras's own."""
        model = getattr(self, "model", None)
        return type(model) if isinstance(model, keras.Model) else keras.Model

    def _known_names(self):
        """Map every routing prefix ("" for none) to the names it takes; None where it takes any name."""
        params = _with_named_classes(self.get_params(deep=False))
        function = self._model_function()
        names, is_open = _keyword_names(function) if function else (set(), True)
        for_model = None if is_open else names - _FROM_SCIKERAS
        score_names, score_is_open = _keyword_names(self.scorer)
        known = {
            "": None if is_open else for_model | _names_along(type(self)),
            "model": for_model,
            **_method_names(self._model_class()),
            "score": None if score_is_open else score_names,
            "optimizer": _optimizer_names(params.get("optimizer")),
        }
        for name, value in params.items():
            if f"{name}__".startswith(_ROUTERS):
                known.update(routes(name, value))
        return known

    def _refuse_unknown(self, names):
        """Raise if neither SciKeras nor the model function nor what a name is routed to knows one of the names."""
        names = set(names) - _names_along(type(self))
        if getattr(self, "callbacks", None) is None:
            # Their parameters may stay while the callbacks themselves are switched off.
            names = {name for name in names if not name.startswith("callbacks__")}
        if not names:
            return
        known = self._known_names()
        for name in sorted(names):
            head, _, last = name.rpartition("__")
            if not _takes(known.get(head, ()), last) and not self._may_be_known_to_the_model(head, last, known):
                raise ValueError(self._unknown_message(name, head, known))

    def _may_be_known_to_the_model(self, head, last, known):
        """Tell whether a method of a model still to be built may take a name that Keras's own method does not."""
        is_a_method = head in _METHODS and head in known and self._model_class() is keras.Model
        return is_a_method and not near_matches(last, known[head], cutoff=_MISSPELLED)

    def _refuse_unknown_to(self, model):
        """Raise if a model, now built, does not know a name that is routed to one of its methods."""
        known = self._known_names() | _method_names(type(model))
        for name in sorted(self.get_params(deep=False)):
            head, _, last = name.rpartition("__")
            if head in _METHODS and not _takes(known[head], last):
                raise ValueError(self._unknown_message(name, head, known))

    def _unknown_message(self, name, head, known):
        spelled = [f"{prefix}__{last}" if prefix else last for prefix in known for last in known[prefix] or ()]
        similar = [full for full in spelled if full.rpartition("__")[2] == name]
        similar += near_matches(name, [full for full in spelled if ("__" in full) == ("__" in name)], n=2)
        if similar:
            hint = f"Did you mean {' or '.join(map(repr, similar))}?"
        elif head in known:
            takes = ", ".join(sorted(last for last in known[head] if not last.isdigit())) or "no parameters"
            hint = f"{f'{head!r} here' if head else 'This estimator'} takes: {takes}."
        else:
            hint = f"Parameters can be routed to: {', '.join(sorted({p.split('__')[0] for p in known if p}))}."
        return (
            f"Invalid parameter {name!r} for estimator {type(self).__name__}: "
            f"neither SciKeras nor the model function takes it. {hint}"
        )

    def __reduce__(self):
        # Before the state, of which the model is a part: loading one is what hangs in a forked process.
        return _blank, (type(self),), self.__getstate__()

    def _validate_data(self, X=None, y=None, reset=False, y_numeric=False):
        """Check X and y by scikit-learn's rules and record, or compare, what they look like."""
        refuse_fork()
        # Objects become numbers of Keras's precision, as in SciKeras; scikit-learn's would be double.
        dtype = keras.config.floatx() if getattr(X, "dtype", None) == np.object_ else "numeric"
        x_checks = {"accept_sparse": "csr", "allow_nd": True, "dtype": dtype}
        if X is None:
            y = validate_data(self, y=y, reset=reset, multi_output=True)
        elif y is None and not reset:
            X = validate_data(self, X, reset=False, **x_checks)
        else:
            X, y = validate_data(self, X, y, reset=reset, multi_output=True, **x_checks)
        if y is not None:
            y = y.astype(float) if y_numeric and y.dtype.kind in "OUS" else y
            self._check_target_form(y, reset)
        if X is not None:
            self._check_row_form(X, reset)
        return X, y

    def _check_target_form(self, y, reset):
        if reset:
            self.target_type_ = self._type_of_target(y)
            self.y_dtype_, self.y_ndim_ = y.dtype, y.ndim
        elif y.ndim != self.y_ndim_:
            owner = type(self).__name__
            raise ValueError(f"y has {y.ndim} dimensions, but this {owner} was fitted with {self.y_ndim_}.")

    def _check_row_form(self, X, reset):
        owner = type(self).__name__
        if reset:
            self.X_dtype_, self.X_shape_ = X.dtype, X.shape
        elif X.ndim != len(self.X_shape_):
            dimensions = len(self.X_shape_)
            raise ValueError(f"There are {X.ndim} dimensions in X, but this {owner} was fitted with {dimensions}.")
        elif X.shape[1:] != self.X_shape_[1:]:
            raise ValueError(f"Rows of X have shape {X.shape[1:]}, but {owner} was fitted with {self.X_shape_[1:]}.")

    def _fit(self, *args, **kwargs):
        with unchanged_on_error(self):
            return super()._fit(*args, **kwargs)

    def _initialize(self, X, y=None):
        params = self.get_params(deep=False)
        self._refuse_unknown(name for name in params if "__" in name or name in getattr(self, "_user_params", ()))
        return super()._initialize(X, y)

    def _seeding(self):
        return nullcontext() if self._random_state is None else _tensorflow_left_alone()

    def _build_keras_model(self):
        if isinstance(self.random_state, np.random.RandomState):
            # From a copy, so that every fit gets the same seed. SciKeras would draw 0 from any state.
            state = np.random.RandomState()
            state.set_state(self.random_state.get_state())
            self._random_state = state.randint(np.iinfo(np.int32).max)
        elif self.random_state is not None:
            # Python's generator refuses NumPy's integers.
            self._random_state = int(self.random_state)
        with self._seeding():
            model = super()._build_keras_model()
        if isinstance(model, keras.Model):
            self._refuse_unknown_to(model)
        return model

    def _get_compile_kwargs(self):
        # Keras would make an object of the name of a class at once, and leave what is routed to it without a taker.
        seen = object.__new__(type(self))
        vars(seen).update(_with_named_classes(vars(self)))
        return super(MendedWrapper, seen)._get_compile_kwargs()

    def _fit_keras_model(self, *args, **kwargs):
        with self._seeding():
            super()._fit_keras_model(*args, **kwargs)


def _blank(kind):
    """Return an estimator without any attributes, for a pickle to fill."""
    refuse_fork()
    return kind.__new__(kind)


class KerasRegressor(RegressorMixin, MendedWrapper):
    """A Keras model as a scikit-learn regressor: SciKeras's `KerasRegressor` for current scikit-learn.

    Parameters
    ----------
    model : callable, keras.Model or None, default=None
        Function that returns a Keras model, compiled or not. It is given those of ``meta`` (what is known of the data:
        ``n_features_in_``, ``X_shape_``, ``target_type_``, ``n_outputs_``), ``compile_kwargs`` and ``params`` that
        it has as parameters. None for a subclass with a method ``_keras_build_fn``.
    build_fn : callable, keras.Model or None, default=None
        Former name of `model`.
    warm_start : bool, default=False
        Whether `fit` goes on with the model that is there.
    random_state : int, RandomState instance or None, default=None
        Seed of initial weights and shuffling. With a seed, the global random states are as before after a fit.
    optimizer : str, optimizer class or instance, default="rmsprop"
    loss : str, loss class, instance or function, or None, default=None
        To be given, unless the model function compiles.
    metrics : list of str, metric classes, instances or functions, or None, default=None
    batch_size : int or None, default=None
        Rows per gradient step and per prediction step; -1 for all rows, None for Keras's 32.
    validation_batch_size : int or None, default=None
    verbose : int, default=1
        What Keras prints: 0 nothing, 1 a progress bar, 2 a line per epoch.
    callbacks : list or dict of callback classes or instances, or None, default=None
    validation_split : float, default=0.0
        Fraction of the rows, the last ones, that only watch the training.
    shuffle : bool, default=True
        Whether every epoch has its own order of rows.
    run_eagerly : bool, default=False
        Whether to run without compiling the steps.
    epochs : int, default=1
    **kwargs : dict
        Parameters of the model function by name, and routed ones: ``model__...``, ``fit__...``, ``predict__...``,
        ``compile__...``, ``score__...``, and for what is given as a class (an optimizer also as a string, a loss or
        metric also as the name of its class) ``optimizer__...``, ``loss__...``, ``metrics__...``, ``callbacks__...``.

    Attributes
    ----------
    model_ : keras.Model
        The trained model.
    history_ : dict of str to list of float
        Loss and metrics, a value per epoch.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where they are all strings.

    Raises
    ------
    ValueError
        If neither SciKeras nor the model function knows a parameter.

    See Also
    --------
    KerasClassifier : the same for labels.
    MultimodalNetworkRegressor : networks for data of several kinds.

    Examples
    --------
    >>> import numpy as np
    >>> import keras
    >>> from skstack import KerasRegressor
    >>> def build(meta, hidden):
    ...     inputs = keras.Input(shape=(meta["n_features_in_"],))
    ...     outputs = keras.layers.Dense(1)(keras.layers.Dense(hidden, activation="relu")(inputs))
    ...     return keras.Model(inputs, outputs)
    >>> X = np.arange(16.0).reshape(8, 2)
    >>> model = KerasRegressor(build, hidden=4, loss="mse", optimizer__learning_rate=0.01, verbose=0)
    >>> model.fit(X, X[:, 0]).predict(X).shape
    (8,)
    """

    # The mixin's would go past ``scorer``, which users override.
    score = MendedWrapper.score

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # Nothing is known of the user's network.
        tags.regressor_tags.poor_score = True
        return tags

    @staticmethod
    def scorer(y_true, y_pred, **kwargs):
        """Return the coefficient of determination; override it for another score."""
        return r2_score(y_true, y_pred, **kwargs)

    @property
    def target_encoder(self):
        """Unfitted transformer between y and what the network learns; override it for another."""
        return RegressorTargetEncoder()

    def _validate_data(self, X=None, y=None, reset=False, y_numeric=True):
        return super()._validate_data(X, y, reset=reset, y_numeric=True)

    def _type_of_target(self, y):
        # Asked, scikit-learn would take whole numbers for classes and warn that there are so many.
        return "continuous" if y.ndim == 1 or y.shape[1] == 1 else "continuous-multioutput"


class KerasClassifier(ClassifierMixin, MendedWrapper):
    """A Keras model as a scikit-learn classifier: SciKeras's `KerasClassifier` for current scikit-learn.

    The network may end in one sigmoid unit for two classes, or in a unit per class; labels are encoded for it.

    Parameters
    ----------
    model : callable, keras.Model or None, default=None
        Function that returns a Keras model, compiled or not. It is given those of ``meta`` (what is known of the data:
        ``n_features_in_``, ``X_shape_``, ``target_type_``, ``n_classes_``), ``compile_kwargs`` and ``params`` that
        it has as parameters. None for a subclass with a method ``_keras_build_fn``.
    build_fn : callable, keras.Model or None, default=None
        Former name of `model`.
    warm_start : bool, default=False
        Whether `fit` goes on with the model that is there.
    random_state : int, RandomState instance or None, default=None
        Seed of initial weights and shuffling. With a seed, the global random states are as before after a fit.
    optimizer : str, optimizer class or instance, default="rmsprop"
    loss : str, loss class, instance or function, or None, default=None
        To be given, unless the model function compiles. With categorical cross-entropy, labels are one-hot encoded.
    metrics : list of str, metric classes, instances or functions, or None, default=None
    batch_size : int or None, default=None
        Rows per gradient step and per prediction step; -1 for all rows, None for Keras's 32.
    validation_batch_size : int or None, default=None
    verbose : int, default=1
        What Keras prints: 0 nothing, 1 a progress bar, 2 a line per epoch.
    callbacks : list or dict of callback classes or instances, or None, default=None
    validation_split : float, default=0.0
        Fraction of the rows, the last ones, that only watch the training.
    shuffle : bool, default=True
        Whether every epoch has its own order of rows.
    run_eagerly : bool, default=False
        Whether to run without compiling the steps.
    epochs : int, default=1
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes by label; sample weights are multiplied with them.
    **kwargs : dict
        Parameters of the model function by name, and routed ones: ``model__...``, ``fit__...``, ``predict__...``,
        ``compile__...``, ``score__...``, and for what is given as a class (an optimizer also as a string, a loss or
        metric also as the name of its class) ``optimizer__...``, ``loss__...``, ``metrics__...``, ``callbacks__...``.

    Attributes
    ----------
    model_ : keras.Model
        The trained model.
    history_ : dict of str to list of float
        Loss and metrics, a value per epoch.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where they are all strings.
    classes_ : ndarray of shape (n_classes,)
        The labels.

    Raises
    ------
    ValueError
        If neither SciKeras nor the model function knows a parameter.

    See Also
    --------
    KerasRegressor : the same for numbers.
    MultimodalNetworkClassifier : networks for data of several kinds.

    Examples
    --------
    >>> import numpy as np
    >>> import keras
    >>> from skstack import KerasClassifier
    >>> def build(meta, hidden):
    ...     inputs = keras.Input(shape=(meta["n_features_in_"],))
    ...     outputs = keras.layers.Dense(1, activation="sigmoid")(keras.layers.Dense(hidden, activation="relu")(inputs))
    ...     return keras.Model(inputs, outputs)
    >>> X = np.arange(16.0).reshape(8, 2)
    >>> model = KerasClassifier(build, hidden=4, loss="binary_crossentropy", optimizer__learning_rate=0.01, verbose=0)
    >>> model.fit(X, ["low"] * 4 + ["high"] * 4).predict(X).shape
    (8,)
    """

    # Class weights become sample weights here.
    _fit_kwargs = BaseWrapper._fit_kwargs - {"class_weight"}

    # The mixin's would go past ``scorer``, which users override.
    score = MendedWrapper.score

    @_shows_scikeras_signature(class_weight=None)
    def __init__(self, model=None, *, class_weight=None, **kwargs):
        self.class_weight = class_weight
        super().__init__(model, **kwargs)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # Nothing is known of the user's network.
        tags.classifier_tags.poor_score = True
        tags.classifier_tags.multi_label = True
        return tags

    @staticmethod
    def scorer(y_true, y_pred, **kwargs):
        """Return the accuracy; override it for another score."""
        return accuracy_score(y_true, y_pred, **kwargs)

    @property
    def target_encoder(self):
        """Unfitted transformer between y and what the network learns; override it for another."""
        return _LabelEncoder(loss=self.loss, categories="auto" if self.classes_ is None else [self.classes_])

    def _type_of_target(self, y):
        kind = type_of_target(y)
        # These rows may show but two of more classes.
        more = self.classes_ is not None and len(self.classes_) > 2
        return "multiclass" if kind == "binary" and more else kind

    def _weighted(self, y, sample_weight):
        """Return the sample weights with the class weights multiplied in."""
        if self.class_weight is None:
            return sample_weight
        weight = compute_sample_weight(self.class_weight, y)
        return weight if sample_weight is None else weight * np.asarray(sample_weight)

    def initialize(self, X, y):
        """Build the model for the data without training it.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels.

        Returns
        -------
        self : object
            This estimator.
        """
        self.classes_ = None
        return super().initialize(X, y)

    def fit(self, X, y, sample_weight=None, **kwargs):
        """Build the model and train it.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows; class weights are multiplied in.
        **kwargs : dict
            Further arguments of Keras's ``Model.fit``.

        Returns
        -------
        self : object
            This estimator.
        """
        known_classes = getattr(self, "classes_", None)
        with unchanged_on_error(self):
            self.classes_ = None
            super().fit(X, y, sample_weight=self._weighted(y, sample_weight), **kwargs)
            if self.classes_ is None:
                # A warm start encodes y as before.
                self.classes_ = known_classes
        return self

    def partial_fit(self, X, y, classes=None, sample_weight=None, **kwargs):
        """Train for one more epoch.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come; those of `y` if left out in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows; class weights are multiplied in.
        **kwargs : dict
            Further arguments of Keras's ``Model.fit``.

        Returns
        -------
        self : object
            This estimator.
        """
        known_classes = getattr(self, "classes_", None)
        if classes is None:
            self.classes_ = known_classes
        else:
            self.classes_ = np.unique(classes)
            if self.initialized_ and not np.array_equal(known_classes, self.classes_):
                self.classes_ = known_classes
                raise ValueError(f"classes={classes!r} differ from those of earlier calls, {known_classes!r}.")
        return super().partial_fit(X, y, sample_weight=self._weighted(y, sample_weight), **kwargs)

    def predict_proba(self, X, **kwargs):
        """Return class probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        **kwargs : dict
            Further arguments of Keras's ``Model.predict``.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
        """
        outputs = self._predict_raw(X, **kwargs)
        return self.target_encoder_.inverse_transform(outputs, return_proba=True)

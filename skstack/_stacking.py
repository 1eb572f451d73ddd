"""Stacks of branch networks and classical learners."""

import warnings
from contextlib import contextmanager
from numbers import Integral

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    RegressorMixin,
    TransformerMixin,
    clone,
    is_classifier,
    is_regressor,
)
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import StratifiedKFold, check_cv
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import Bunch, get_tags
from sklearn.utils._param_validation import HasMethods, StrOptions
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, check_memory

from ._atomic import unchanged_on_error
from ._callbacks import Stages, callback_task
from ._columns import branch_columns, is_table, resolve_columns, select_columns
from ._compat import (
    CallbackSupportMixin,
    VisualBlock,
    check_feature_names_in,
    check_response_method,
    routing_enabled,
    take,
)
from ._crossfit import check_splits, fit_base_model, predict_columns
from ._parts import PartsMixin, check_instance, check_part_names, check_part_tuples, naming, split_part
from ._protocols import CrossFitter
from ._routing import groups_for, weights_for
from ._suggestions import SuggestingParams
from ._validation import (
    check_class_target,
    check_classes,
    check_lengths,
    check_regression_target,
    check_table,
    check_weights,
)
from .branches._base import Branch, check_no_branch_inside
from .preprocessing._cells import numbers
from .training._progress import showing_bar
from .training._seeds import draw_seed

#: The name of the base model that joint training makes of all branches, and of the parameter with its template.
_JOINT = "network"

_METHODS = ("predict_proba", "decision_function", "predict")


class _BaseModel:
    """A base model of a stack: a learner with its columns, or a network over the columns of its branches.

    Parameters
    ----------
    name : str
    estimator : estimator
    positions : list of int, int or None
        The columns of X that it gets.
    method : str
        What is called for its predictions.
    n_classes : int or None
        Number of classes; ``None`` for regression.
    """

    def __init__(self, name, estimator, positions, method, n_classes):
        self.name = name
        self.estimator = estimator
        self.positions = positions
        self.method = method
        self.n_classes = n_classes

    def cross_fit(self, fit_function, X, y, splits, *, fit_params, n_jobs, verbose, stage):
        """Fit on all rows and return the out-of-fold predictions."""
        self.estimator, predictions = fit_function(
            self.estimator,
            select_columns(X, self.positions),
            y,
            splits,
            method=self.method,
            n_classes=self.n_classes,
            fit_params=fit_params,
            n_jobs=n_jobs,
            verbose=verbose,
            stage=stage,
        )
        return self.informative(predictions)

    def predict(self, X):
        """Return the columns that the final estimator gets from this model."""
        columns = select_columns(X, self.positions)
        return self.informative(predict_columns(self.estimator, columns, self.method, self.n_classes))

    def informative(self, predictions):
        """Leave out the first of two classes: its probability is one minus the other."""
        return predictions[:, 1:] if self.method == "predict_proba" and self.n_classes == 2 else predictions


class _MultimodalStacking(CallbackSupportMixin, PartsMixin, SuggestingParams, TransformerMixin, BaseEstimator):
    """What regressor and classifier share."""

    _parts_attribute = "estimators"

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        "final_estimator": [None, HasMethods("fit")],
        "training": [StrOptions({"individual", "joint"})],
        "network": [None, HasMethods("fit")],
        "cv": ["cv_object", StrOptions({"prefit"})],
        "passthrough": ["boolean", str, Integral, list, slice, tuple, np.ndarray, callable],
        "add_missing_indicator": ["boolean"],
        "allow_missing_columns": ["boolean"],
        "memory": [None, str, HasMethods("cache")],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    # --- parameters -------------------------------------------------------------------------------------------------

    @property
    def named_estimators(self):
        """Branches and learners by name, as they were given."""
        return Bunch(**dict(self._named_parts))

    def set_params(self, **params):
        """Set the parameters of this stack, of its branches and learners, its network and its final estimator.

        Parameters
        ----------
        **params : dict
            Such as ``training="joint"``, ``numeric__hidden=(32,)`` or ``network__epochs=20``; the latter makes a
            default network to set them on where ``network`` is None.

        Returns
        -------
        self : object
            This estimator.
        """
        for_network = any(name.startswith(f"{_JOINT}__") for name in params)
        if for_network and params.get(_JOINT, self.network) is None:
            params[_JOINT] = self._network_class()()
        return super().set_params(**params)

    def _validated_parts(self):
        """Return name, part and columns of each part that is not dropped, after checking them all."""
        owner = type(self).__name__
        check_part_tuples(self.estimators, owner, "estimators")
        parts = [split_part(part) for part in self.estimators]
        reserved = {*self.get_params(deep=False), "optimizer", "loss", "metrics", "callbacks"}
        check_part_names([name for name, _, _ in parts], reserved, owner, "estimators")
        kept = [part for part in parts if not (isinstance(part[1], str) and part[1] == "drop")]
        if not kept:
            raise ValueError(f"All estimators of {owner} are dropped; at least one is required to be an estimator.")
        for name, part, _ in kept:
            self._check_part(name, part)
        return kept

    def _check_part(self, name, part):
        if isinstance(part, Branch):
            if isinstance(self.cv, str):
                raise ValueError(
                    f"branch {name!r} cannot be used with cv='prefit': a branch predicts nothing by itself. "
                    "Give a fitted network as a learner instead."
                )
            with naming(f"branch {name!r}"):
                part.check_parameters()
            return
        check_no_branch_inside(part, f"learner {name!r}")
        if not hasattr(part, "fit"):
            raise TypeError(f"{name!r} should be a branch, an estimator instance or 'drop', got {part!r}.")
        if not self._is_same_kind(part):
            raise ValueError(f"learner {name!r} should be a {self._kind}, got {part!r}.")

    def _final(self):
        """Return a clone of the final estimator, or the default one."""
        check_no_branch_inside(self.final_estimator, "'final_estimator'")
        final = self._default_final() if self.final_estimator is None else clone(self.final_estimator)
        if not self._is_same_kind(final):
            raise ValueError(f"'final_estimator' parameter should be a {self._kind}. Got {final!r}.")
        return final

    def _network_template(self):
        """Return a clone of the network that the branches are put into."""
        if self.network is None:
            return self._network_class()()
        if not isinstance(self.network, self._network_class()):
            raise TypeError(f"'network' parameter should be a {self._network_class().__name__}, got {self.network!r}.")
        if self.network.branches is not None:
            raise ValueError(
                "'network' is a template for the branches among 'estimators': leave its own 'branches' out, "
                "or give it as a learner."
            )
        return clone(self.network)

    # --- base models ------------------------------------------------------------------------------------------------

    def _base_models(self, X, parts, n_classes, seed):
        """Return the unfitted base models, in the order of the parts."""
        branches = [part for part in parts if isinstance(part[1], Branch)]
        generator = np.random.RandomState(seed)
        models = []
        for name, part, columns in parts:
            if not isinstance(part, Branch):
                with naming(f"learner {name!r}"):
                    positions = resolve_columns(X, columns)
                learner = part if self.cv == "prefit" else self._seeded(clone(part), generator)
                models.append(self._base_model(name, learner, positions, n_classes))
            elif self.training == "individual":
                models.append(self._network_model(name, [(name, part, columns)], X, n_classes, generator))
            elif name == branches[0][0]:
                models.append(self._network_model(_JOINT, branches, X, n_classes, generator))
        return models

    def _network_model(self, name, branches, X, n_classes, generator):
        network = self._network_template().set_params(branches=branches)
        if network.random_state is None:
            network.set_params(random_state=generator.randint(np.iinfo("int32").max))
        self._translate_class_weight(network)
        network.check_data(X)
        return self._base_model(name, network, None, n_classes)

    def _base_model(self, name, estimator, positions, n_classes):
        method = self._method(name, estimator)
        return _BaseModel(name, estimator, positions, method, n_classes)

    def _method(self, name, estimator):
        if self._n_classes() is None:
            return "predict"
        try:
            methods = _METHODS if self.stack_method == "auto" else self.stack_method
            return check_response_method(estimator, methods).__name__
        except AttributeError as error:
            raise ValueError(f"learner {name!r} does not implement the method {self.stack_method}.") from error

    def _seeded(self, learner, generator):
        """Give a learner's unset random states a seed, if the stack has one."""
        if self.random_state is not None:
            unset = [
                name
                for name, value in sorted(learner.get_params(deep=True).items())
                if value is None and name.rpartition("__")[2] == "random_state"
            ]
            learner.set_params(**{name: generator.randint(np.iinfo("int32").max) for name in unset})
        return learner

    def _translate_class_weight(self, network):
        """Regressors have none."""

    # --- fitting ----------------------------------------------------------------------------------------------------

    def fit(self, X, y, sample_weight=None, groups=None, **fit_params):
        """Fit the base models by cross-fitting and the final estimator on their out-of-fold predictions.

        Parameters
        ----------
        X : DataFrame, array-like or sparse matrix of shape (n_samples, n_features)
            Rows of data, with the columns that `estimators` name.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Target values; one column of classes for a classifier.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, for base models and final estimator; all of them have to take weights.
        groups : array-like of shape (n_samples,), default=None
            Group of each row, for `cv` and for the inner validation part of networks.
        **fit_params : dict
            Further metadata for learners that request it, with metadata routing enabled.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError, FileNotFoundError
            If a parameter, a cell or a target value cannot be used; the message names the part and the row. Branches
            check every row before any training starts.
        """
        with unchanged_on_error(self):
            return self._fit(X, y, sample_weight, groups, fit_params)

    def _fit(self, X, y, sample_weight, groups, fit_params):
        self._validate_params()
        for name in ("final_estimator", "network", "cv"):
            check_instance(getattr(self, name), f"'{name}' parameter of {type(self).__name__}")
        parts, final = self._validated_parts(), self._final()
        X = check_table(self, X, reset=True)
        check_lengths(X, y, sample_weight=sample_weight, groups=groups)
        given = (X, y, sample_weight)
        y = self._check_target(y)
        if sample_weight is not None:
            sample_weight = check_weights(sample_weight, X.shape[0])
        self._passed = resolve_columns(X, self._passed_columns())
        self._check_passed(X, final)
        models = self._base_models(X, parts, self._n_classes(), draw_seed(self.random_state))
        routed = self._routed(models, final, sample_weight, groups, fit_params)
        splits = None if self.cv == "prefit" else self._splits(X, y, routed["splitter"].split)
        with self._stages(given, models, splits) as stages:
            if splits is None:
                predictions, rows = self._predict_prefit(X, models), np.arange(len(y))
            else:
                predictions, rows = self._cross_fit(X, y, models, splits, routed, stages)
            self._keep(models, predictions)
            self._indicated = self._lacking(X, sample_weight)
            self._fit_final(final, X, y, predictions, rows, routed["final_estimator"].fit, stages)
        return self

    @contextmanager
    def _stages(self, given, models, splits):
        """Begin to show and tell the callbacks how far the fit is."""
        models = [] if splits is None else models
        n_fits = len(models) * (len(splits or ()) + 1) + 1
        with (
            callback_task(self, "fit", *given, n_subtasks=len(models) + 1, sequential=False) as context,
            showing_bar(type(self).__name__, n_fits, self.verbose > 0) as bar,
        ):
            yield Stages(self, context, bar)

    def _passed_columns(self):
        if isinstance(self.passthrough, (bool, np.bool_)):
            return None
        return [self.passthrough] if isinstance(self.passthrough, (str, Integral)) else self.passthrough

    def _check_passed(self, X, final):
        """Raise if a column is passed through that the final estimator cannot read, naming it.

        An estimator of scikit-learn or ours that holds no others reads numbers, unless it has a parameter for
        categories; what any other one reads is not known.
        """
        shallow, deep = final.get_params(deep=False), final.get_params(deep=True)
        known = type(final).__module__.partition(".")[0] in ("sklearn", __name__.partition(".")[0])
        if self.passthrough is False or not known or len(shallow) < len(deep) or "categorical_features" in shallow:
            return
        if is_table(X) or (X.ndim == 2 and X.dtype == object):
            with naming(f"passthrough to the final estimator {type(final).__name__}"):
                numbers(branch_columns(X, self._passed))

    def _predict_prefit(self, X, models):
        for model in models:
            name = model.name.replace("%", "%%")  # scikit-learn fills the message in
            check_is_fitted(model.estimator, msg=f"learner {name!r}, a %(name)s, is not fitted, as cv='prefit' needs.")
        return [model.predict(X) for model in models]

    def _cross_fit(self, X, y, models, splits, routed, stages):
        rows = np.unique(np.concatenate([held_out for _, held_out in splits]))
        fit_function = check_memory(self.memory).cache(fit_base_model, ignore=["n_jobs", "verbose", "stage"])
        predictions = []
        for model in models:
            with stages.stage(model.name, len(splits) + 1) as stage:
                predictions.append(
                    model.cross_fit(
                        fit_function,
                        X,
                        y,
                        splits,
                        fit_params=routed[model.name].fit,
                        n_jobs=None if isinstance(model.estimator, CrossFitter) else self.n_jobs,
                        verbose=max(0, self.verbose - 1),
                        stage=stage,
                    )
                )
            if not np.isfinite(predictions[-1][rows]).all():
                raise ValueError(
                    f"base model {model.name!r} predicted NaN or infinity for a row that it was not fitted on."
                )
        return predictions, rows

    def _splits(self, X, y, split_params):
        """Return the rows to fit on and to predict of each fold; every base model gets the same."""
        cv = check_cv(self.cv, y=y, classifier=self._n_classes() is not None)
        self._check_folds(cv, y)
        splits = check_splits(cv.split(X, y, **split_params), len(y))
        if not splits:
            raise ValueError(f"cv={self.cv!r} yields no split.")
        return splits

    def _check_folds(self, cv, y):
        """Regressors have no classes that a fold could lack."""

    def _keep(self, models, predictions):
        self._models = models
        self._n_columns = [columns.shape[1] for columns in predictions]
        self.estimators_ = [model.estimator for model in models]
        self.stack_method_ = [model.method for model in models]
        self.named_estimators_ = Bunch(**{model.name: model.estimator for model in models})
        for name, part in self._named_parts:
            if isinstance(part, str) and part == "drop":
                self.named_estimators_[name] = "drop"

    def _fit_final(self, final, X, y, predictions, rows, fit_params, stages):
        features = self._final_features(X, predictions)
        if len(rows) < len(y):
            # Folds in time order never predict the earliest rows.
            features = features.iloc[rows] if isinstance(features, pd.DataFrame) else features[rows]
            fit_params = {name: take(values, rows, axis=0) for name, values in fit_params.items()}
        with stages.stage("final estimator", 1) as stage, stage.whole().fitting(final, features, y[rows]):
            self.final_estimator_ = final.fit(features, y[rows], **fit_params)

    # --- metadata ---------------------------------------------------------------------------------------------------

    def _routed(self, models, final, sample_weight, groups, fit_params):
        """Return what each base model, the splitter and the final estimator get beside X and y."""
        given = {"sample_weight": sample_weight, "groups": groups, **fit_params}
        given = {name: value for name, value in given.items() if value is not None}
        if routing_enabled():
            routed = process_routing(self, "fit", **given)
            if not given:  # scikit-learn then returns an object that knows any name, but not which names it knows
                return routed
            for model in models:
                if model.name not in routed:  # branch networks take what the template takes
                    routed[model.name] = routed[_JOINT]
            if groups is not None and self.cv != "prefit" and not routed.splitter.split:
                self._warn_of_divided_groups()
            return routed
        if fit_params:
            raise ValueError(
                f"{sorted(fit_params)} are not supported by {type(self).__name__}.fit unless metadata routing is "
                "enabled with sklearn.set_config(enable_metadata_routing=True)."
            )
        return self._route_by_hand(models, final, sample_weight, groups)

    def _warn_of_divided_groups(self):
        """Say what scikit-learn's splitters say without metadata routing, which hands them only what they take."""
        if self.cv is None or isinstance(self.cv, Integral) or hasattr(self.cv, "split"):
            name = type(check_cv(self.cv, y=[0, 1], classifier=self._n_classes() is not None)).__name__
            warnings.warn(
                f"The groups parameter is ignored by {name}: rows of a group fall on both sides of a split. Give a "
                "splitter that takes groups as cv, such as GroupKFold.",
                stacklevel=4,
            )

    def _route_by_hand(self, models, final, sample_weight, groups):
        def params_of(estimator, what):
            return weights_for(estimator, sample_weight, what) | groups_for(estimator, groups, what)

        routed = Bunch(splitter=Bunch(split={} if groups is None else {"groups": groups}))
        for model in models:
            fits = self.cv != "prefit"
            routed[model.name] = Bunch(fit=params_of(model.estimator, f"learner {model.name!r}") if fits else {})
        routed["final_estimator"] = Bunch(fit=params_of(final, "'final_estimator'"))
        return routed

    def get_metadata_routing(self):
        """Get the metadata routing of this object: to the learners, the splitter, networks and the final estimator.

        Returns
        -------
        routing : MetadataRouter
            See scikit-learn's user guide on metadata routing.
        """
        fits = MethodMapping().add(caller="fit", callee="fit")
        router = MetadataRouter(owner=type(self).__name__)
        has_branches = False
        for name, part in self._named_parts:
            has_branches |= isinstance(part, Branch)
            if hasattr(part, "fit") and not isinstance(part, Branch):
                router.add(**{name: part}, method_mapping=fits)
        if has_branches:
            network = self.network
            if network is None:
                network = self._network_class()().set_fit_request(sample_weight=True, groups=True)
            router.add(**{_JOINT: network}, method_mapping=fits)
        if not isinstance(self.cv, str):
            splitter = check_cv(self.cv, y=[0, 1], classifier=is_classifier(self))
            router.add(splitter=splitter, method_mapping=MethodMapping().add(caller="fit", callee="split"))
        final = getattr(self, "final_estimator_", self.final_estimator)
        router.add(
            final_estimator=self._default_final() if final is None else final,
            method_mapping=MethodMapping().add(caller="fit", callee="fit").add(caller="predict", callee="predict"),
        )
        return router

    # --- predicting -------------------------------------------------------------------------------------------------

    def _final_features(self, X, predictions):
        """Join the predictions of the base models and the columns of X that are passed through."""
        stacked = np.hstack([*predictions, *self._missing_indicators(X)])
        if self.passthrough is False:
            return stacked
        passed = select_columns(X, self._passed)
        if sparse.issparse(passed):
            return sparse.hstack([stacked, passed], format=passed.format)
        if not is_table(passed):
            if passed.ndim != 2:
                raise ValueError(f"passthrough needs columns, but X has rows of shape {passed.shape[1:]}.")
            return np.hstack([stacked, passed])
        passed = passed if hasattr(passed, "iloc") else passed.to_pandas()
        names = self._prediction_names()
        return pd.concat([pd.DataFrame(stacked, index=passed.index, columns=names), passed], axis=1)

    def _missing_rows(self, X):
        """Return which rows each branch has nothing for, by the name of the branch."""
        missing, own = {}, {_JOINT, *(name for name, part in self._named_parts if isinstance(part, Branch))}
        for model in self._models:
            if model.name in own:
                missing |= model.estimator.missing_rows(X)
        return missing

    def _lacking(self, X, sample_weight):
        """Return the branches that the final estimator is told about."""
        if not self.add_missing_indicator:
            return []
        counts = slice(None) if sample_weight is None else sample_weight > 0
        return [name for name, missing in self._missing_rows(X).items() if missing[counts].any()]

    def _missing_indicators(self, X):
        missing = self._missing_rows(X) if self._indicated else {}
        return [missing[name].astype("float64")[:, np.newaxis] for name in self._indicated]

    def _check_predict_data(self, X):
        check_is_fitted(self, "final_estimator_")
        return check_table(self, X, reset=False)

    def _features_of(self, X):
        X = self._check_predict_data(X)
        return self._final_features(X, [model.predict(X) for model in self._models])

    def transform(self, X):
        """Return the predictions of the base models, missing indicators and the columns that are passed through.

        Parameters
        ----------
        X : DataFrame, array-like or sparse matrix of shape (n_samples, n_features)
            Rows of data.

        Returns
        -------
        predictions : ndarray or sparse matrix of shape (n_samples, n_columns)
            What the final estimator gets: of models fitted on all rows, not the out-of-fold ones it was fitted on.
        """
        features = self._features_of(X)
        return features.to_numpy() if isinstance(features, pd.DataFrame) else features

    def _prediction_names(self):
        prefix = type(self).__name__.lower()
        names = []
        for model, n_columns in zip(self._models, self._n_columns, strict=True):
            name = f"{prefix}_{model.name}"
            names.extend([name] if n_columns == 1 else [f"{name}{column}" for column in range(n_columns)])
        return [*names, *(f"missingindicator_{name}" for name in self._indicated)]

    def get_feature_names_out(self, input_features=None):
        """Get the names of the columns that :meth:`transform` returns.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns of X, where they have none of their own; used with `passthrough` only.

        Returns
        -------
        names : ndarray of str objects
            Class, base model and number of each prediction, the missing indicators, then the names of the columns
            passed through.
        """
        check_is_fitted(self, "final_estimator_")
        passes = self.passthrough is not False
        input_features = check_feature_names_in(self, input_features, generate_names=passes)
        names = self._prediction_names()
        if passes:
            names = [*names, *(input_features if self._passed is None else input_features[self._passed])]
        return np.asarray(names, dtype=object)

    def _predict_final(self, X, method, params):
        features = self._features_of(X)
        if params and routing_enabled():
            params = process_routing(self, method, **params).final_estimator[method]
        return getattr(self.final_estimator_, method)(features, **params)

    # --- scikit-learn -----------------------------------------------------------------------------------------------

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        parts = [part for _, part in self._named_parts if not isinstance(part, str)]
        branches = [part for part in parts if isinstance(part, Branch)]
        learners = [get_tags(part).input_tags for part in parts if hasattr(part, "fit") and part not in branches]
        tags.input_tags.allow_nan = all(b.allow_missing for b in branches) and all(t.allow_nan for t in learners)
        tags.input_tags.sparse = all(b.accept_sparse for b in branches) and all(t.sparse for t in learners)
        tags.input_tags.string = bool(branches) or any(t.string for t in learners)
        return tags

    def _sk_visual_block_(self):
        parts = [split_part(part) for part in self.estimators]
        names, estimators, columns = zip(*parts, strict=True)
        details = [None if chosen is None else str(chosen) for chosen in columns]
        base = VisualBlock("parallel", estimators, names=names, name_details=details, dash_wrapped=False)
        final = self._default_final() if self.final_estimator is None else self.final_estimator
        last = VisualBlock("parallel", [final], names=["final_estimator"], dash_wrapped=False)
        return VisualBlock("serial", (base, last), dash_wrapped=False)


class MultimodalStackingRegressor(RegressorMixin, _MultimodalStacking):
    """Stack of branch networks and regressors with a final regressor.

    Every base model predicts every row from a model that never saw it (cross-fitting); the final estimator learns from
    these out-of-fold predictions. Base models are the learners among `estimators`, each with its own columns, and the
    networks that `training` makes of the branches. With learners only it does what
    :class:`~sklearn.ensemble.StackingRegressor` does.

    Parameters
    ----------
    estimators : list of (str, branch or estimator, columns) tuples
        Name, part and columns. A part is a branch (see :mod:`skstack.branches`), a learner, or "drop". Columns as in
        :class:`~sklearn.compose.ColumnTransformer`: names, positions, slices, masks, callables; left out for every
        column. A single name or position gives a learner a one-dimensional column.
    final_estimator : estimator, default=None
        Regressor for the predictions of the base models; ``None`` is :class:`~sklearn.linear_model.RidgeCV`. A
        :class:`MultimodalNetworkRegressor` without branches puts dense layers there.
    training : {"joint", "individual"}, default="joint"
        Whether all branches become one network, trained end to end, or each a network and base model of its own.
    network : MultimodalNetworkRegressor, default=None
        Template that says how the branches are trained: head, epochs, optimizer and so on, without branches of its
        own. ``None`` takes its defaults; ``set_params(network__epochs=20)`` works all the same.
    cv : int, cross-validation generator, iterable or "prefit", default=None
        Splits for cross-fitting, five folds by default, the same for all base models. Rows that no fold
        predicts (in time order, say) are left out when the final estimator is fitted; rows that several folds predict
        get the average. "prefit" takes fitted learners as they are.
    passthrough : bool or columns, default=False
        Whether the final estimator also gets the columns of X: all of them, or the ones named.
    add_missing_indicator : bool, default=False
        Whether the final estimator also gets a column for each branch that some training rows hold nothing for, which
        is 1 in such rows.
    allow_missing_columns : bool, default=False
        Whether a DataFrame to predict may lack columns of the training rows, whose cells are then all missing.
    memory : str or object with the joblib.Memory interface, default=None
        Where fitted base models and their predictions are kept, to be found again by a fit with the same parameters
        and data.
    n_jobs : int, default=None
        Fits of a learner that run at a time. Networks are trained one after the other.
    random_state : int, RandomState instance or None, default=None
        Seeds the networks and, unless it is None, the learners whose own ``random_state`` is None.
    verbose : int, default=0
        1 shows a bar for the whole fit, or where the output goes to a file a line per base model; more is the verbosity
        of joblib plus one.

    Attributes
    ----------
    estimators_ : list of estimators
        The base models, fitted on all rows.
    named_estimators_ : :class:`~sklearn.utils.Bunch`
        The same by name; the joint network is called "network".
    final_estimator_ : estimator
        The fitted final estimator.
    stack_method_ : list of str
        The method of each base model that gives its predictions.
    n_features_in_ : int
        Number of columns seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of these columns, where X has string names.

    See Also
    --------
    MultimodalStackingClassifier : The same for classes.
    MultimodalNetworkRegressor : The joint network alone.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import Ridge
    >>> from skstack import MultimodalStackingRegressor
    >>> from skstack.branches import NumericBranch
    >>> X = pd.DataFrame({"area": [50.0, 80.0, 120.0, 70.0] * 10, "rooms": [1.0, 3.0, 4.0, 2.0] * 10})
    >>> stack = MultimodalStackingRegressor(
    ...     [("numbers", NumericBranch(hidden=(4,)), ["area", "rooms"]), ("ridge", Ridge(), ["area"])],
    ...     cv=2, random_state=0,
    ... )
    >>> stack.set_params(network__epochs=2).fit(X, 3.0 * X["area"]).predict(X.head(2)).shape
    (2,)
    """

    _kind = "regressor"

    def __init__(
        self,
        estimators,
        final_estimator=None,
        *,
        training="joint",
        network=None,
        cv=None,
        passthrough=False,
        add_missing_indicator=False,
        allow_missing_columns=False,
        memory=None,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.estimators = estimators
        self.final_estimator = final_estimator
        self.training = training
        self.network = network
        self.cv = cv
        self.passthrough = passthrough
        self.add_missing_indicator = add_missing_indicator
        self.allow_missing_columns = allow_missing_columns
        self.memory = memory
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def _network_class(self):
        from ._network import MultimodalNetworkRegressor

        return MultimodalNetworkRegressor

    def _default_final(self):
        return RidgeCV()

    def _is_same_kind(self, estimator):
        return is_regressor(estimator)

    def _check_target(self, y):
        return check_regression_target(y)

    def _n_classes(self):
        return None

    def predict(self, X, **predict_params):
        """Predict the target.

        Parameters
        ----------
        X : DataFrame, array-like or sparse matrix of shape (n_samples, n_features)
            Rows of data.
        **predict_params : dict
            Parameters of the ``predict`` of the final estimator, such as ``return_std``.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions in the target's units.
        """
        return self._predict_final(X, "predict", predict_params)


def _final_has(method):
    """Return a check, for ``available_if``, that the final estimator has a method."""

    def check(self):
        final = getattr(self, "final_estimator_", self.final_estimator)
        getattr(self._default_final() if final is None else final, method)
        return True

    return check


class MultimodalStackingClassifier(ClassifierMixin, _MultimodalStacking):
    """Stack of branch networks and classifiers with a final classifier.

    Every base model predicts every row from a model that never saw it (cross-fitting); the final estimator learns from
    these out-of-fold predictions. Base models are the learners among `estimators`, each with its own columns, and the
    networks that `training` makes of the branches. With learners only it does what
    :class:`~sklearn.ensemble.StackingClassifier` does; like there, base models and final estimator are fitted to class
    numbers.

    Parameters
    ----------
    estimators : list of (str, branch or estimator, columns) tuples
        Name, part and columns. A part is a branch (see :mod:`skstack.branches`), a learner, or "drop". Columns as in
        :class:`~sklearn.compose.ColumnTransformer`: names, positions, slices, masks, callables; left out for every
        column. A single name or position gives a learner a one-dimensional column.
    final_estimator : estimator, default=None
        Classifier for the predictions of the base models; ``None`` is
        :class:`~sklearn.linear_model.LogisticRegression`. A :class:`MultimodalNetworkClassifier` without branches puts
        dense layers there.
    training : {"joint", "individual"}, default="joint"
        Whether all branches become one network, trained end to end, or each a network and base model of its own.
    network : MultimodalNetworkClassifier, default=None
        Template that says how the branches are trained: head, epochs, optimizer and so on, without branches of its
        own. ``None`` takes its defaults; ``set_params(network__epochs=20)`` works all the same.
    cv : int, cross-validation generator, iterable or "prefit", default=None
        Splits for cross-fitting, five stratified folds by default, the same for all base models. Rows that no fold
        predicts (in time order, say) are left out when the final estimator is fitted; rows that several folds predict
        get the average. "prefit" takes fitted learners as they are.
    stack_method : {"auto", "predict_proba", "decision_function", "predict"}, default="auto"
        What is called for the predictions of each base model; "auto" takes the first that it has, in this order.
    passthrough : bool or columns, default=False
        Whether the final estimator also gets the columns of X: all of them, or the ones named.
    add_missing_indicator : bool, default=False
        Whether the final estimator also gets a column for each branch that some training rows hold nothing for, which
        is 1 in such rows.
    allow_missing_columns : bool, default=False
        Whether a DataFrame to predict may lack columns of the training rows, whose cells are then all missing.
    memory : str or object with the joblib.Memory interface, default=None
        Where fitted base models and their predictions are kept, to be found again by a fit with the same parameters
        and data.
    n_jobs : int, default=None
        Fits of a learner that run at a time. Networks are trained one after the other.
    random_state : int, RandomState instance or None, default=None
        Seeds the networks and, unless it is None, the learners whose own ``random_state`` is None.
    verbose : int, default=0
        1 shows a bar for the whole fit, or where the output goes to a file a line per base model; more is the verbosity
        of joblib plus one.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes.
    estimators_ : list of estimators
        The base models, fitted on all rows.
    named_estimators_ : :class:`~sklearn.utils.Bunch`
        The same by name; the joint network is called "network".
    final_estimator_ : estimator
        The fitted final estimator.
    stack_method_ : list of str
        The method of each base model that gives its predictions.
    n_features_in_ : int
        Number of columns seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of these columns, where X has string names.

    See Also
    --------
    MultimodalStackingRegressor : The same for numbers.
    MultimodalNetworkClassifier : The joint network alone.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skstack import MultimodalStackingClassifier
    >>> from skstack.branches import NumericBranch
    >>> X = pd.DataFrame({"area": [50.0, 80.0, 120.0, 70.0] * 10, "rooms": [1.0, 3.0, 4.0, 2.0] * 10})
    >>> stack = MultimodalStackingClassifier(
    ...     [("numbers", NumericBranch(hidden=(4,)), ["area", "rooms"]), ("logistic", LogisticRegression(), ["area"])],
    ...     cv=2, random_state=0,
    ... )
    >>> stack.set_params(network__epochs=2).fit(X, X["rooms"] > 2).predict_proba(X.head(2)).shape
    (2, 2)
    """

    _kind = "classifier"

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        **_MultimodalStacking._parameter_constraints,
        "stack_method": [StrOptions({"auto", *_METHODS})],
    }

    def __init__(
        self,
        estimators,
        final_estimator=None,
        *,
        training="joint",
        network=None,
        cv=None,
        stack_method="auto",
        passthrough=False,
        add_missing_indicator=False,
        allow_missing_columns=False,
        memory=None,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.estimators = estimators
        self.final_estimator = final_estimator
        self.training = training
        self.network = network
        self.cv = cv
        self.stack_method = stack_method
        self.passthrough = passthrough
        self.add_missing_indicator = add_missing_indicator
        self.allow_missing_columns = allow_missing_columns
        self.memory = memory
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def _network_class(self):
        from ._network import MultimodalNetworkClassifier

        return MultimodalNetworkClassifier

    def _default_final(self):
        return LogisticRegression()

    def _is_same_kind(self, estimator):
        return is_classifier(estimator)

    def _check_target(self, y):
        y = check_class_target(y)
        self.classes_ = check_classes(y, type(self).__name__)
        self._label_encoder = LabelEncoder().fit(self.classes_)
        return self._label_encoder.transform(y)

    def _n_classes(self):
        return len(self.classes_)

    def _translate_class_weight(self, network):
        if isinstance(network.class_weight, dict):
            with naming("class_weight of 'network'"):
                classes = self._label_encoder.transform(list(network.class_weight))
            weights = dict(zip(classes.tolist(), network.class_weight.values(), strict=True))
            network.set_params(class_weight=weights)

    def _check_folds(self, cv, y):
        counts = np.bincount(y)
        if isinstance(cv, StratifiedKFold) and counts.min() < cv.n_splits:
            rare = self.classes_.tolist()[counts.argmin()]
            raise ValueError(
                f"class {rare!r} has {counts.min()} members, fewer than the {cv.n_splits} folds of cv={self.cv!r}: "
                "every fold should have one. Take fewer folds or leave the class out."
            )

    def predict(self, X, **predict_params):
        """Predict the class.

        Parameters
        ----------
        X : DataFrame, array-like or sparse matrix of shape (n_samples, n_features)
            Rows of data.
        **predict_params : dict
            Parameters of the ``predict`` of the final estimator.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Classes.
        """
        numbers = self._predict_final(X, "predict", predict_params)
        return self._label_encoder.inverse_transform(numbers)

    @available_if(_final_has("predict_proba"))
    def predict_proba(self, X):
        """Predict the probability of each class.

        Parameters
        ----------
        X : DataFrame, array-like or sparse matrix of shape (n_samples, n_features)
            Rows of data.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        return self._predict_final(X, "predict_proba", {})

    @available_if(_final_has("decision_function"))
    def decision_function(self, X):
        """Return the decision function of the final estimator.

        Parameters
        ----------
        X : DataFrame, array-like or sparse matrix of shape (n_samples, n_features)
            Rows of data.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        return self._predict_final(X, "decision_function", {})

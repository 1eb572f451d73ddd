"""What stacks of regressors and of classifiers have in common: fit, transform and predict."""

from contextlib import contextmanager
from numbers import Integral, Real
from os import PathLike

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils import Bunch, get_tags
from sklearn.utils._param_validation import HasMethods, Interval, Options, StrOptions

from .._atomic import unchanged_on_error
from .._callbacks import Stages, callback_context
from .._columns import check_table
from .._compat import CallbackSupportMixin, take
from .._deadline import Deadline
from .._doc_links import DocLinkMixin
from .._parts import PartsMixin, check_instance
from .._progress import showing_bar
from .._protocols import TakesGaps, TrainsNetworks
from .._quality import QUALITIES
from .._suggestions import SuggestingParams
from ..branches._base import Branch, check_no_branch_inside
from ..caching._keeping import keeping
from ..tasks._quantiles import QuantileTask
from ..tasks._several import SeveralTasks
from ..training._seeds import draw_seed
from ._diagram import diagram
from ._keeping import Keeping
from ._members import JOINT, BaseModels, add_individual, check_fitted, check_parts
from ._mixing import FinalFeatures, OutOfFold, fit_final, missing_rows
from ._per_target import PerTarget, per_target
from ._predicting import Predicting
from ._report import make_report, weighting_used
from ._routing import make_router, refuse_metadata, route
from ._running import FOR_THE_END, Running
from ._splits import make_splits, shuffled
from ._suggesting import Suggesting
from ._target import TargetMixin
from ._time_order import in_time_order, stop_on_latest
from ._validation_rows import any_takes_validation_rows, check_validation_rows


class BaseStacking(
    Predicting,
    Suggesting,
    TargetMixin,
    DocLinkMixin,
    CallbackSupportMixin,
    PartsMixin,
    SuggestingParams,
    TrainsNetworks,
    BaseEstimator,
):
    """A stack, whatever it predicts.

    A subclass says which tasks it has, which networks it makes of branches, and what its final estimator is.
    """

    _parts_attribute = "estimators"

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        **Suggesting._suggesting_constraints,
        "final_estimator": [None, HasMethods("fit")],
        "training": [StrOptions({"individual", "joint", "individual+joint"})],
        "network": [None, HasMethods("fit")],
        "cv": ["cv_object", StrOptions({"prefit"})],
        "individual_predictions": ["boolean"],
        "passthrough": ["boolean", str, Integral, list, slice, tuple, np.ndarray, callable],
        "add_missing_indicator": ["boolean"],
        "allow_missing_columns": ["boolean"],
        "refit": [Options(bool, {True}), StrOptions({"folds"})],
        "quality": [StrOptions(set(QUALITIES))],
        "time_limit": [Interval(Real, 0, None, closed="neither"), None],
        "on_interrupt": [StrOptions({"raise", "keep"})],
        "guard": ["boolean"],
        "memory": [None, str, PathLike, HasMethods("cache")],
        "checkpoint": [None, str, PathLike],
        "n_jobs": [None, Interval(Integral, None, -1, closed="right"), Interval(Integral, 1, None, closed="left")],
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
        for_network = any(name.startswith(f"{JOINT}__") for name in params)
        if for_network and params.get(JOINT, self.network) is None:
            params[JOINT] = self._network_class()()
        try:
            return super().set_params(**params)
        except ValueError as error:
            if self.estimators is None:
                how = "skstack.suggest_estimators(X, y) returns them as a list to be given as 'estimators'."
                error.add_note(f"Parts that are suggested are no parameters: {how}")
            raise

    def _check_parameters(self):
        """Raise if a parameter is of no use."""
        self._validate_params()
        for name in ("final_estimator", "network", "cv"):
            check_instance(getattr(self, name), f"'{name}' parameter of {type(self).__name__}")
        self._check_suggesting()
        final = self.final_estimator
        check_no_branch_inside(final, "'final_estimator'")
        if self.cv == "prefit" and self.refit == "folds":
            raise ValueError("refit='folds' averages the models of folds, of which there are none with cv='prefit'.")
        if final is not None:
            self._check_final(final)

    # --- fitting ----------------------------------------------------------------------------------------------------

    def fit(
        self, X, y, sample_weight=None, groups=None, *, X_val=None, y_val=None, sample_weight_val=None, **fit_params
    ):
        """Fit the base models by cross-fitting and the final estimator on their out-of-fold predictions.

        Parameters
        ----------
        X : DataFrame, array-like or sparse matrix of shape (n_samples, n_features)
            Rows of data, with the columns that `estimators` name.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Target values; for a classifier classes, or a column of two values for each of several labels. Where there
            are several columns, a row may lack the target of some (NaN): learners and final estimator are then fitted
            to each target by itself, on the rows that have it (``fitted_per_target_``).
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, for base models and final estimator; all of them have to take weights.
        groups : array-like of shape (n_samples,), default=None
            Group of each row, for `cv` and for the inner validation part of networks.
        X_val : DataFrame or array-like of shape (n_val_samples, n_features), default=None
            Rows that decide when to stop, in every fold and in the last fit, for networks and for learners whose
            ``fit`` takes them under this name; nothing else is learned from them. A final estimator gets the
            predictions of the base models for them.
        y_val : array-like of shape (n_val_samples,) or (n_val_samples, n_outputs), default=None
            Their target values.
        sample_weight_val : array-like of shape (n_val_samples,), default=None
            Their weights.
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
            return self._fit(X, y, sample_weight, groups, (X_val, y_val, sample_weight_val), fit_params)

    def _fit(self, X, y, sample_weight, groups, validation, fit_params):
        refuse_metadata(self, fit_params)
        self._check_parameters()
        deadline = self._deadline()
        parts = None if self.estimators is None else check_parts(self, self.estimators)
        X = check_table(self, X, reset=True)
        labels, weight = self._check_target(X, y, sample_weight, groups)
        if parts is None:
            parts = check_parts(self, self._suggest(X, y, weight))
        validation = check_validation_rows(self, self._task, *validation)
        others = {"sample_weight": weight, "groups": groups, **validation, **fit_params}
        kept = Keeping(self, X, labels, self._task, others)
        models = BaseModels(self, self._network_class, self._task, kept.seed).make(X, parts, validation.get("X_val"))
        final = self._make_final(X, models)
        params = route(self, models, final, weight, groups, validation, fit_params)
        splits = kept.splits(lambda: self._make_splits(X, labels, params))
        if splits is not None and in_time_order(splits):
            stop_on_latest([*(model.estimator for model in models), final])
        with self._stages((X, y, sample_weight), models, splits) as stages:
            with kept.block():
                models, predictions = self._cross_fit(models, X, labels, splits, params, stages, deadline)
            self._keep(models, splits, predictions)
            features = self._learn_features(X, predictions, weight)
            final = self._final_for_targets(final, labels, predictions, features)
            fit_params = self._final_params(params.final_estimator.fit)
            rows = splits, weight, groups, fit_params, self._class_weight()
            data = OutOfFold(self._task, models, predictions, features, labels, *rows)
            self.n_unpredicted_ = len(labels) - len(data.y)
            with keeping(None):  # it depends on all base models: hardly any other fit would find it
                self._fit_final(final, data, stages)
        return self

    def _deadline(self):
        """Return when the base models have to be complete, or None."""
        return None if self.time_limit is None else Deadline(self.time_limit * (1 - FOR_THE_END))

    def _class_weight(self):
        """Return the weights of encoded classes, or None."""
        return None

    def _make_final(self, X, models):
        """Return an unfitted final estimator and prepare what it gets."""
        final = self._prepared_final(clone(self._unfitted_final(models)))
        several = isinstance(self._task, SeveralTasks)  # of which each is guarded where it can be
        if self.guard and not several and not any(model.can_be_averaged for model in models):
            what = "several quantiles" if isinstance(self._task, QuantileTask) else [model.name for model in models]
            raise ValueError(
                "guard=True needs base models whose predictions can be averaged, numbers or probabilities of classes: "
                f"those of {what} cannot."
            )
        self._features = FinalFeatures(X, self.passthrough)
        self._features.check_passed(X, final)
        return final

    def _make_splits(self, X, labels, params):
        if self.cv == "prefit":
            return None
        cv, n_folds = self.cv, QUALITIES[self.quality].n_folds
        if cv is None and self.estimators is None and params.splitter.split.get("groups") is None:
            cv = shuffled(self._task, labels, draw_seed(self.random_state), n_folds)
        return make_splits(cv, X, labels, self._task, params.splitter.split, n_folds)

    @contextmanager
    def _stages(self, given, models, splits):
        """Begin to show and tell the callbacks how far the fit is."""
        models = [] if splits is None else models
        n_fits = sum(model.n_fits(splits) for model in models) + 1
        with (
            callback_context(self, "fit", *given, n_subtasks=len(models) + 1, sequential=False) as context,
            showing_bar(type(self).__name__, n_fits, self.verbose > 0) as bar,
        ):
            yield Stages(self, context, bar)

    def _cross_fit(self, models, X, labels, splits, params, stages, deadline):
        """Return the base models that are complete, and their out-of-fold predictions or those of models of others."""
        self.left_out_ = {}
        if splits is None:
            return models, [model.predict(X) for model in check_fitted(models)]
        running = Running(self, models, X, labels, splits, params, stages, deadline)
        models, predictions = running.run()
        self.left_out_ = running.left_out
        return models, add_individual(models, predictions, X, splits)

    def _keep(self, models, splits, predictions):
        self._models = models
        self.splits_ = splits
        self.oof_predictions_ = None if splits is None else np.hstack(predictions)
        ends = np.cumsum([columns.shape[1] for columns in predictions])
        self.member_columns_ = {
            model.name: slice(int(end) - columns.shape[1], int(end))
            for model, columns, end in zip(models, predictions, ends, strict=True)
        }
        self.fitted_per_target_ = [model.name for model in models if isinstance(model.estimator, PerTarget)]
        self.fold_histories_ = {model.name: model.histories for model in models if model.histories is not None}
        self.stack_method_ = [model.method for model in models]
        earlier = ["estimators_", "named_estimators_", "fold_estimators_"]
        for name in earlier if self.estimators is None else [*earlier, "suggestion_"]:
            vars(self).pop(name, None)
        if self.refit == "folds":
            self.fold_estimators_ = Bunch(**{model.name: model.fold_models for model in models})
            return
        self.estimators_ = [model.estimator for model in models]
        self.named_estimators_ = Bunch(**{model.name: model.estimator for model in models})
        for name, part in self._used_parts:
            if isinstance(part, str) and part == "drop":
                self.named_estimators_[name] = "drop"

    def _learn_features(self, X, predictions, weight):
        """Return what the final estimator gets for the training rows, after learning how the columns are called."""
        missing = missing_rows(self._models, X) if self.add_missing_indicator else {}
        counts = slice(None) if weight is None else weight > 0
        counted = {name: rows[counts] for name, rows in missing.items()}
        self._features.learn(type(self).__name__.lower(), self._models, predictions, counted)
        return self._features.join(X, predictions, missing)

    def _final_params(self, params):
        """Return further arguments of the final estimator's ``fit``, with rows to validate on as it gets all others."""
        return {**params, "X_val": self._features_of(params["X_val"])} if "X_val" in params else params

    def _takes_validation_rows(self):
        return any_takes_validation_rows(self._used_parts, self.network, self.final_estimator)

    def _fit_final(self, final, data, stages):
        """Fit the final estimator, and where there is a guard and it is no better, a weighted average in its place."""
        if self.guard and isinstance(self._task, SeveralTasks):
            final = per_target(final, self._task)
        self.final_estimator_ = fit_final(final, data, stages)
        self.stack_report_, predicted = make_report(self.final_estimator_, self._average, data, self.guard)
        self.final_oof_predictions_ = None if self.splits_ is None else data.spread(predicted)
        self._averaged = None
        if isinstance(self._task, SeveralTasks):
            self._replace_final(data)
        elif (weighting := weighting_used(self.stack_report_)) is not None:
            self._averaged = data.averaged
            average = self._average(weighting, self._task)
            self.final_estimator_ = average.fit(data.members(), data.y, **data.weight_params)

    def _replace_final(self, data):
        """Put weighted averages in the place of the final estimators of single tasks."""
        for name, task in self._task.tasks.items():
            if (weighting := weighting_used(self.stack_report_.loc[name])) is not None:
                view, rows, places = data.of_task(name)
                members = take(take(data.features, places, axis=1), rows, axis=0)
                average = self._average(weighting, task).fit(members, view.y, **view.weight_params)
                self.final_estimator_.replace(name, average, places)

    @property
    def _has_gaps(self):
        return hasattr(self, "_task") and self._task.has_gaps_

    def _default_final(self, models=()):
        """Return a weighted average, or a linear model where there is something that cannot be averaged."""
        average = self._average()
        averaged = self.passthrough is False and not self.add_missing_indicator
        averaged &= isinstance(average, TakesGaps) or not self._has_gaps
        return average if averaged and all(model.can_be_averaged for model in models) else self._linear()

    # --- metadata ---------------------------------------------------------------------------------------------------

    def get_metadata_routing(self):
        """Get the metadata routing of this object: to the learners, the splitter, networks and the final estimator.

        Returns
        -------
        routing : MetadataRouter
            See scikit-learn's user guide on metadata routing.
        """
        final = getattr(self, "final_estimator_", None)
        final = self._unfitted_final() if final is None else final
        return make_router(self, self._used_parts, self._network_class, final)

    # --- scikit-learn -----------------------------------------------------------------------------------------------

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        parts = [part for _, part in self._used_parts if not isinstance(part, str)]
        branches = [part for part in parts if isinstance(part, Branch)]
        learners = [get_tags(part).input_tags for part in parts if hasattr(part, "fit") and part not in branches]
        tags.input_tags.allow_nan = all(b.allow_missing for b in branches) and all(t.allow_nan for t in learners)
        tags.input_tags.sparse = all(b.accept_sparse for b in branches) and all(t.sparse for t in learners)
        tags.input_tags.string = bool(branches) or any(t.string for t in learners)
        return tags

    def _sk_visual_block_(self):
        network = None
        if self.training != "individual":
            network = self._network_class()() if self.network is None else self.network
        parts = None if self.estimators is None and not hasattr(self, "suggestion_") else self._parts
        return diagram(parts, network, self._unfitted_final())

"""The stack that predicts several targets of any kind."""

import numpy as np
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeCV

from .._columns import is_table
from .._parts import check_instance, check_own_parameters
from .._suggestions import did_you_mean
from ..tasks._multitask import MultitaskMixin
from ..tasks._several import SeveralTasks
from ..tasks._specs import Classification, find_specs, make_tasks
from ..tasks._targets import by_name, target_names
from ._base import BaseStacking
from ._per_target import PerTarget
from ._weighted_average import WeightedAverageClassifier, WeightedAverageRegressor


class MultimodalStackingMultitask(MultitaskMixin, BaseStacking):
    """Stack for several tasks at once, regression and classification, with a final estimator for each.

    Every base model predicts every row from a model that never saw it (cross-fitting); the final estimators learn from
    these out-of-fold predictions. The networks that `training` makes of the branches predict all tasks. A learner is
    fitted to each task of its kind by itself, a regressor to numbers and a classifier to classes, on the rows that have
    the target; an estimator of several tasks, such as a :class:`MultitaskNetwork`, to all of them. The final estimator
    of a task sees the predictions for all tasks.

    Parameters
    ----------
    estimators : list of (str, branch or estimator, columns) tuples, default=None
        Name, part and columns. A part is a branch (see :mod:`skstack.branches`), a learner, or "drop". Columns as in
        :class:`~sklearn.compose.ColumnTransformer`: names, positions, slices, masks, callables; left out for every
        column. A single name or position gives a learner a one-dimensional column. ``None`` takes what
        :func:`suggest_estimators` suggests for the training rows.
    final_estimator : dict of str to estimator, default=None
        By the name of the task, a regressor or a classifier with ``predict_proba`` for the predictions of the base
        models; :class:`~sklearn.linear_model.RidgeCV` for numbers and
        :class:`~sklearn.linear_model.LogisticRegression` for classes where there is none.
    kinds : dict of str or int to str, default=None
        With ``estimators=None``, kinds of columns that are known, such as ``{"zip": "categorical"}``; see
        :func:`suggest_estimators`.
    image_root : str or path-like, default=None
        With ``estimators=None``, folder that relative paths of images and recordings start from.
    tasks : dict of str to {"regression", "classification"} or task, default=None
        By the name of the column of y, its kind or a :class:`~skstack.tasks.Regression` or
        :class:`~skstack.tasks.Classification`, whose loss, weight, metrics and inputs the networks take. The kind of
        columns that are not named is inferred: text, categories, truth values and numbers of two values are classes,
        other numbers are numbers.
    share_predictions : bool, default=True
        Whether the final estimator of a task sees the predictions for all tasks, or those for its own alone.
    training : {"joint", "individual", "individual+joint"}, default="joint"
        Whether all branches become one network, trained end to end, or each a network and base model of its own. With
        "individual+joint" they become one network, and each branch is first trained by itself; the network's parameters
        `trainable`, `branch_learning_rate` and `freeze_epochs` say how the whole is trained from there.
    network : MultitaskNetwork, default=None
        Template that says how the branches are trained: head, epochs, optimizer and so on, without branches and tasks
        of its own. ``None`` takes its defaults; ``set_params(network__epochs=20)`` works all the same.
    cv : int, cross-validation generator, iterable or "prefit", default=None
        Splits for cross-fitting, the same for all base models: a number of folds, by default as many as `quality` says.
        They leave groups whole where there are groups; by default, with ``estimators=None``, they are of shuffled rows.
        Rows that no fold predicts (in time order, say) are left out when the final estimators are fitted; rows that
        several folds predict get the average. "prefit" takes fitted estimators of several tasks as they are.
    individual_predictions : bool, default=False
        Whether the final estimator also gets the predictions of the networks of single branches that
        training="individual+joint" trains first; they are base models then, called like their branches.
    passthrough : bool or columns, default=False
        Whether the final estimators also get the columns of X: all of them, or the ones named.
    add_missing_indicator : bool, default=False
        Whether the final estimators also get a column for each branch that some training rows hold nothing for, which
        is 1 in such rows.
    allow_missing_columns : bool, default=False
        Whether a DataFrame to predict may lack columns of the training rows, whose cells are then all missing.
    refit : {True, "folds"}, default=True
        Whether base models are fitted on all rows to predict, or those of the folds are kept and averaged.
    guard : bool, default=False
        Whether a task is predicted with a weighted average of the base models that predict it, or with the best of
        them, where its final estimator is no better by the scores in ``stack_report_``.
    quality : {"fast", "good", "best"}, default="good"
        How much time the fit may take for better predictions. It decides about what is left at ``None``: for `cv` 3, 5
        or 10 folds; for `network`, of numbers, categories, dates and means of word vectors only, 1, 4 or 8 members,
        half of them above 10,000 rows; for `estimators` which learners are suggested, and of how many copies boosting
        is the mean. What is given counts, whatever this is.
    time_limit : float, default=None
        Seconds that ``fit`` may take. Base models that would not be complete in time are left out, with a warning that
        names them (``left_out_``); networks end their training early and keep their best weights. The cheapest
        learners come first. The final estimator is fitted in any case.
    on_interrupt : {"raise", "keep"}, default="raise"
        What Ctrl+C does: raise, with the stack as it was before, or end the fit with the base models that are complete,
        if there is one, and a warning that names those left out. A second one raises, and so does one where joblib runs
        this fit among others, as in searches and cross-validation.
    memory : str, path-like or object with the joblib.Memory interface, default=None
        Where fitted base models and their predictions are kept, to be found again by any fit of the same base model to
        the same rows: in a folder each fold and each network by itself, with an object each base model as a whole.
        ``random_state`` has to be a number for networks to be found.
    checkpoint : str or path-like, default=None
        Folder of this one fit, which keeps each fold and each network as soon as it is finished: a fit that was killed
        goes on where it was when it is run again, with the same result. It refuses other data and parameters.
        With ``random_state=None`` the seed that was drawn is kept there too; learners that draw numbers of their own
        are repeated only as far as they were finished. See :ref:`stop_and_go_on`.
    n_jobs : int, default=None
        Fits of a learner that run at a time. Networks are trained one after the other.
    random_state : int, RandomState instance or None, default=None
        Seeds the networks and, unless it is None, the learners whose own ``random_state`` is None.
    verbose : int, default=0
        1 shows a bar for the whole fit, or where the output goes to a file a line per base model; more is the verbosity
        of joblib plus one.

    Attributes
    ----------
    tasks_ : dict of str to object
        The tasks by name, in the order of the columns of y.
    classes_ : dict of str to ndarray of shape (n_classes,)
        The classes of each task that has some.
    suggestion_ : list of (str, branch or estimator, columns) tuples
        With ``estimators=None``, what was suggested for the training rows; it prints as code, and its attribute
        ``reasons`` is a table that says why. Not there otherwise.
    estimators_ : list of estimators
        The base models, fitted on all rows; a learner as an object whose ``estimators_`` has one for each of its tasks.
        Not there with refit="folds".
    named_estimators_ : :class:`~sklearn.utils.Bunch`
        The same by name; the joint network is called "network".
    fitted_per_target_ : list of str
        The names of the base models that are fitted to each target by itself.
    fold_estimators_ : :class:`~sklearn.utils.Bunch`
        With refit="folds", the models of the folds of each base model by its name, lists in the order of ``splits_``.
    n_unpredicted_ : int
        How many rows no fold predicts.
    fold_histories_ : dict of str to list of dict
        By the name of a base model that is trained in epochs, the ``history_`` of the model of each fold.
    left_out_ : dict of str to {"time_limit", "interrupt"}
        The names of base models that are not part of the stack, as they would not have been complete in time, and why.
    final_estimator_ : estimator
        Its ``estimators_`` holds the fitted final estimator of each task.
    oof_predictions_ : ndarray of shape (n_samples, n_columns) or None
        Out-of-fold predictions of all base models, in their order: what the final estimators were fitted to, before
        missing indicators and columns passed through. NaN in rows that no fold predicts; ``None`` with cv="prefit".
    member_columns_ : dict of str to slice
        By the name of each base model, its columns in `oof_predictions_` and in what ``transform`` returns.
    final_oof_predictions_ : ndarray of shape (n_samples, n_columns) or None
        What the stack itself predicts out of fold, in the form of a base model's columns: by a final estimator that is
        fitted to the rows of the other folds. NaN in rows without, ``None`` with cv="prefit".
    splits_ : list of (ndarray, ndarray) or None
        The rows that base models were fitted on and that they predicted in each fold; ``None`` with cv="prefit".
    stack_report_ : DataFrame
        Out-of-fold scores by task, kind and name, each task by the rows that have its target: see
        :class:`MultimodalStackingRegressor` for numbers and :class:`MultimodalStackingClassifier` for classes.
    stack_method_ : list of str
        The method of each base model that gives its predictions: "predict_tasks".
    n_features_in_ : int
        Number of columns seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of these columns, where X has string names.

    See Also
    --------
    MultitaskNetwork : The joint network alone.
    skstack.tasks.make_task_scorers : Scorers for cross-validation.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression, Ridge
    >>> from skstack import MultimodalStackingMultitask
    >>> X = pd.DataFrame({"strength": [-3.0, -1.0, 2.0, 4.0] * 10})
    >>> y = pd.DataFrame({"score_diff": 2.5 * X["strength"], "won": X["strength"] > 0})
    >>> stack = MultimodalStackingMultitask([("ridge", Ridge()), ("logistic", LogisticRegression())], cv=2)
    >>> stack.fit(X, y).predict(X.head(2))
       score_diff    won
    0   -7.5       False
    1   -2.5       False
    >>> list(stack.get_feature_names_out())
    ['multimodalstackingmultitask_ridge_score_diff', 'multimodalstackingmultitask_logistic_won']
    """

    _kind = "multitask"

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        **BaseStacking._parameter_constraints,
        "final_estimator": [dict, None],
        "tasks": [dict, None],
        "share_predictions": ["boolean"],
    }

    def __init__(
        self,
        estimators=None,
        final_estimator=None,
        *,
        kinds=None,
        image_root=None,
        tasks=None,
        share_predictions=True,
        training="joint",
        network=None,
        cv=None,
        individual_predictions=False,
        passthrough=False,
        add_missing_indicator=False,
        allow_missing_columns=False,
        refit=True,
        guard=False,
        quality="good",
        time_limit=None,
        on_interrupt="raise",
        memory=None,
        checkpoint=None,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.estimators = estimators
        self.final_estimator = final_estimator
        self.kinds = kinds
        self.image_root = image_root
        self.tasks = tasks
        self.share_predictions = share_predictions
        self.training = training
        self.network = network
        self.cv = cv
        self.individual_predictions = individual_predictions
        self.passthrough = passthrough
        self.add_missing_indicator = add_missing_indicator
        self.allow_missing_columns = allow_missing_columns
        self.refit = refit
        self.guard = guard
        self.quality = quality
        self.time_limit = time_limit
        self.on_interrupt = on_interrupt
        self.memory = memory
        self.checkpoint = checkpoint
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    # --- tasks ------------------------------------------------------------------------------------------------------

    @property
    def tasks_(self):
        """The fitted tasks by name."""
        return self._task.tasks

    def _make_task(self, y):
        owner, named = type(self).__name__, self.tasks or {}
        names = list(named) if named and not is_table(y) else target_names(y)
        self._specs = find_specs(named, by_name(y, names), owner)
        return SeveralTasks(make_tasks(self._specs, owner), methods=("predict_tasks",))

    def _suggested_task(self):
        return {name: "classification" if task.has_classes else "regression" for name, task in self.tasks_.items()}

    def _network_class(self):
        from ..network._multitask import MultitaskNetwork

        return MultitaskNetwork

    def _prepare_network(self, network):
        if network.tasks is not None:
            raise ValueError("the tasks of 'network' are those of the stack: leave its own 'tasks' out.")
        network.set_params(tasks=self._encoded_specs(self._specs))

    def _encoded_specs(self, specs):
        """Return what base models are told of the tasks, whose classes they see as positions."""
        return {name: _of_labels(spec, self.tasks_.get(name)) for name, spec in specs.items()}

    def _check_learner(self, name, learner):
        if not (is_regressor(learner) or is_classifier(learner) or _is_of_several_tasks(learner)):
            kinds = "a regressor, a classifier or an estimator of several tasks"
            raise ValueError(f"learner {name!r} should be {kinds}, got {learner!r}.")
        if self.cv == "prefit" and not _is_of_several_tasks(learner):
            raise ValueError(
                f"learner {name!r} should be an estimator of several tasks with cv='prefit', got {learner!r}."
            )

    def _task_of(self, name, learner):
        if _is_of_several_tasks(learner):
            if self.cv == "prefit" or _is_frozen(learner):
                _check_fitted_tasks(name, learner, self.tasks_)
            return self._task
        kept = {task: it for task, it in self.tasks_.items() if it.has_classes == is_classifier(learner)}
        if not kept:
            kind = "classifier" if is_classifier(learner) else "regressor"
            raise ValueError(f"learner {name!r} is a {kind}, and no task is one for it: they are {list(self.tasks_)}.")
        return SeveralTasks(kept)

    def _fitted_as(self, model, labels):
        if model.has_branches:
            return model.estimator
        if _is_frozen(model.estimator):
            return model.estimator
        if isinstance(model.estimator, MultitaskMixin):
            own = model.estimator.tasks or {}
            return clone(model.estimator).set_params(tasks=self._encoded_specs({**self._specs, **own}))
        return self._per_task(dict.fromkeys(model.task.tasks, model.estimator))

    def _per_task(self, estimators, features=None):
        """Return an estimator that fits one to each of some tasks."""
        names = list(self.tasks_)
        return PerTarget(estimators, [names.index(name) for name in estimators], features)

    # --- final estimators -------------------------------------------------------------------------------------------

    def _check_final(self, final):
        for name, estimator in final.items():
            check_instance(estimator, f"'final_estimator' of task {name!r}")
            if not (is_regressor(estimator) or (is_classifier(estimator) and hasattr(estimator, "predict_proba"))):
                raise ValueError(
                    f"'final_estimator' of task {name!r} should be a regressor or a classifier with predict_proba, got "
                    f"{estimator!r}."
                )
            check_own_parameters(estimator, f"in the final estimator of task {name!r}")

    def _unfitted_final(self, models=()):
        given = self.final_estimator or {}
        if not hasattr(self, "_task"):
            return PerTarget(given, [])
        return self._per_task({name: given.get(name, _default_final(task)) for name, task in self.tasks_.items()})

    def _make_final(self, X, models):
        for name, estimator in (self.final_estimator or {}).items():
            if name not in self.tasks_:
                hint = did_you_mean(name, self.tasks_)
                raise ValueError(
                    f"'final_estimator' names {name!r}, which is no task.{hint} Known are {[*self.tasks_]}."
                )
            if is_classifier(estimator) != self.tasks_[name].has_classes:
                kind = "classifier" if self.tasks_[name].has_classes else "regressor"
                raise ValueError(f"'final_estimator' of task {name!r} should be a {kind}, got {estimator!r}.")
        return super()._make_final(X, models)

    def _final_for_targets(self, final, labels, predictions, features):
        if self.share_predictions:
            return final
        pairs = zip(self._models, predictions, strict=True)
        owners = [owner for model, columns in pairs for owner in model.task.column_tasks(columns.shape[1])]
        others = list(range(len(owners), features.shape[1]))
        seen = [[*np.flatnonzero(np.array(owners) == name), *others] for name in self.tasks_]
        return final.set_params(features=seen)

    def _average(self, weighting="nonnegative", task=None):
        return (WeightedAverageClassifier if task.has_classes else WeightedAverageRegressor)(weighting)

    def predict_tasks(self, X):
        """Predict what each task has to say of rows: numbers, or probabilities of classes.

        Parameters
        ----------
        X : DataFrame, array-like or sparse matrix of shape (n_samples, n_features)
            Rows of data.

        Returns
        -------
        predictions : dict of str to ndarray of shape (n_samples,) or (n_samples, n_classes)
            By the name of the task.
        """
        predictions = self._predict_final(X, "predict_tasks", {})
        for name, task in self.tasks_.items():
            if task.has_classes:
                predictions[name] = task.probabilities(self.final_estimator_.for_task(name), predictions[name])
        return predictions

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = tags.target_tags.multi_output = True
        tags.target_tags.single_output = False  # a table, whatever the number of tasks
        return tags


def _is_frozen(learner):
    """Tell whether a learner is a fitted estimator of several tasks, to be left as it is."""
    return isinstance(learner, FrozenEstimator) and isinstance(learner.estimator, MultitaskMixin)


def _is_of_several_tasks(learner):
    return isinstance(learner, MultitaskMixin) or _is_frozen(learner)


def _check_fitted_tasks(name, learner, tasks):
    """Raise unless an estimator that has been fitted elsewhere predicts each of some tasks, of the same classes."""
    known = getattr(learner, "tasks_", None)  # one that is not fitted is refused for that
    for task in tasks if known is not None else ():
        if task not in known:
            raise ValueError(f"learner {name!r} does not predict the task {task!r}: its tasks are {[*known]}.")
        classes, own = (list(getattr(of, "classes_", ())) for of in (tasks[task], known[task]))
        if classes != own:
            raise ValueError(f"learner {name!r} knows the classes {own} of task {task!r}, which has {classes}.")


def _default_final(task):
    # Probabilities stand beside numbers in any units, of which only this solver takes no notice.
    return LogisticRegression(solver="newton-cholesky") if task.has_classes else RidgeCV()


def _of_labels(spec, task):
    """Return what a network is told of a task whose classes it sees as positions."""
    if not isinstance(spec, Classification) or spec.class_weight is None or task is None:
        return spec
    return Classification(**{**spec.get_params(), "class_weight": task.encode_class_weight(spec.class_weight)})

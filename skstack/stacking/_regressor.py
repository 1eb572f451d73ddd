"""The stack that predicts numbers."""

from numbers import Real

from sklearn.base import RegressorMixin
from sklearn.linear_model import QuantileRegressor, RidgeCV
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from ..tasks._quantiles import QuantileTask
from ..tasks._regression import RegressionTask
from ._base import BaseStacking
from ._quantiles import final_of_quantiles
from ._weighted_average import WeightedAverageRegressor


class MultimodalStackingRegressor(RegressorMixin, BaseStacking):
    """Stack of branch networks and regressors with a final regressor.

    Every base model predicts every row from a model that never saw it (cross-fitting); the final estimator learns from
    these out-of-fold predictions. Base models are the learners among `estimators`, each with its own columns, and the
    networks that `training` makes of the branches. With learners only, and
    :class:`~sklearn.linear_model.RidgeCV` on top, it does what :class:`~sklearn.ensemble.StackingRegressor` does. Rows
    may lack some of several targets (NaN): learners and final estimator are then fitted to each target by itself, on
    the rows that have it, and so are learners that take one target only.

    Parameters
    ----------
    estimators : list of (str, branch or estimator, columns) tuples, default=None
        Name, part and columns. A part is a branch (see :mod:`skstack.branches`), a learner, or "drop". Columns as in
        :class:`~sklearn.compose.ColumnTransformer`: names, positions, slices, masks, callables; left out for every
        column. A single name or position gives a learner a one-dimensional column. ``None`` takes what
        :func:`suggest_estimators` suggests for the training rows.
    final_estimator : estimator, default=None
        Regressor for the predictions of the base models. ``None`` is :class:`WeightedAverageRegressor`, or
        :class:`~sklearn.linear_model.RidgeCV` where it also gets missing indicators or columns passed through; with
        `quantile` :class:`~sklearn.linear_model.QuantileRegressor` without penalty. A
        :class:`MultimodalNetworkRegressor` without branches puts dense layers there.
    kinds : dict of str or int to str, default=None
        With ``estimators=None``, kinds of columns that are known, such as ``{"zip": "categorical"}``; see
        :func:`suggest_estimators`.
    image_root : str or path-like, default=None
        With ``estimators=None``, folder that relative paths of images and recordings start from.
    quantile : float or list of float, default=None
        Probabilities, in increasing order, of the quantiles to be predicted instead of the mean. Networks made of
        branches then predict all of them by the pinball loss, unless `network` names another loss or quantile of its
        own; learners stay as they are. The final estimator, which needs a parameter `quantile`, is fitted for each,
        and crossing quantiles are put in order; a network there predicts all at once.
    training : {"joint", "individual", "individual+joint"}, default="joint"
        Whether all branches become one network, trained end to end, or each a network and base model of its own. With
        "individual+joint" they become one network, and each branch is first trained by itself; the network's parameters
        `trainable`, `branch_learning_rate` and `freeze_epochs` say how the whole is trained from there.
    network : MultimodalNetworkRegressor, default=None
        Template that says how the branches are trained: head, epochs, optimizer and so on, without branches of its
        own. ``None`` takes its defaults; ``set_params(network__epochs=20)`` works all the same.
    cv : int, cross-validation generator, iterable or "prefit", default=None
        Splits for cross-fitting, the same for all base models: a number of folds, by default as many as `quality` says.
        They leave groups whole where there are groups; by default, with ``estimators=None``, they are of shuffled rows.
        Rows that no fold predicts (in time order, say) are left out when the final estimator is fitted; rows that
        several folds predict get the average. Where each split trains on rows before those that it predicts, networks
        stop on the latest of their training rows. "prefit" takes fitted learners as they are.
    individual_predictions : bool, default=False
        Whether the final estimator also gets the predictions of the networks of single branches that
        training="individual+joint" trains first; they are base models then, called like their branches.
    passthrough : bool or columns, default=False
        Whether the final estimator also gets the columns of X: all of them, or the ones named.
    add_missing_indicator : bool, default=False
        Whether the final estimator also gets a column for each branch that some training rows hold nothing for, which
        is 1 in such rows.
    allow_missing_columns : bool, default=False
        Whether a DataFrame to predict may lack columns of the training rows, whose cells are then all missing.
    refit : {True, "folds"}, default=True
        What predicts later on: each base model fitted to all rows once more, as in scikit-learn, or the average of the
        models of its folds, which saves that fit.
    guard : bool, default=False
        Whether the stack predicts with a weighted average of its base models, or with the best of them, where the final
        estimator is no better by the scores in ``stack_report_``.
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
    suggestion_ : list of (str, branch or estimator, columns) tuples
        With ``estimators=None``, what was suggested for the training rows; it prints as code, and its attribute
        ``reasons`` is a table that says why. Not there otherwise.
    estimators_ : list of estimators
        The base models, fitted on all rows; not there with refit="folds".
    named_estimators_ : :class:`~sklearn.utils.Bunch`
        The same by name; the joint network is called "network".
    fitted_per_target_ : list of str
        The names of the base models that are fitted to each of several targets by itself; their ``estimators_`` holds
        one for each.
    fold_estimators_ : :class:`~sklearn.utils.Bunch`
        With refit="folds", the models of the folds of each base model by its name, lists in the order of ``splits_``.
        Networks among them can predict, and no more.
    fold_histories_ : dict of str to list of dict
        By the name of a base model that is trained in epochs, the ``history_`` of the model of each fold.
    left_out_ : dict of str to {"time_limit", "interrupt"}
        The names of base models that are not part of the stack, as they would not have been complete in time, and why.
    final_estimator_ : estimator
        The fitted final estimator.
    oof_predictions_ : ndarray of shape (n_samples, n_columns) or None
        Out-of-fold predictions of all base models, in their order: what the final estimator was fitted to, before
        missing indicators and columns passed through. NaN in rows that no fold predicts; ``None`` with cv="prefit".
    member_columns_ : dict of str to slice
        By the name of each base model, its columns in `oof_predictions_` and in what ``transform`` returns.
    final_oof_predictions_ : ndarray of shape (n_samples, n_columns) or None
        What the stack itself predicts out of fold, in the form of a base model's columns: by a final estimator that is
        fitted to the rows of the other folds. NaN in rows without, ``None`` with cv="prefit".
    splits_ : list of (ndarray, ndarray) or None
        The rows that base models were fitted on and that they predicted in each fold; ``None`` with cv="prefit".
    n_unpredicted_ : int
        Number of rows that no fold predicts, on which the final estimator could not be fitted.
    stack_report_ : DataFrame
        Out-of-fold scores by kind and name: of each base model, of the final estimator, and of averages of the base
        models by each weighting of :class:`WeightedAverageRegressor`. The latter two are estimated by fitting them to
        the out-of-fold predictions of the other folds; NaN where that failed. "score" is R2 on the same "n_rows" rows
        for all, "standard_error" that of its mean over rows, or over groups if there are any; "difference" is that to
        the best base model; "used" marks what the stack predicts with. With cv="prefit" scores are honest as far as the
        learners have not seen these rows.
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

    An interval that holds the target of eight in ten rows:

    >>> stack.set_params(quantile=[0.1, 0.9]).fit(X, 3.0 * X["area"]).predict(X.head(2)).shape
    (2, 2)
    """

    _kind = "regressor"

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        **BaseStacking._parameter_constraints,
        "quantile": [Interval(Real, 0, 1, closed="neither"), "array-like", None],
    }

    def __init__(
        self,
        estimators=None,
        final_estimator=None,
        *,
        kinds=None,
        image_root=None,
        quantile=None,
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
        self.quantile = quantile
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

    def _network_class(self):
        from ..network._regressor import MultimodalNetworkRegressor

        return MultimodalNetworkRegressor

    def _make_task(self, y):
        return RegressionTask() if self.quantile is None else QuantileTask(self.quantile)

    def _average(self, weighting="nonnegative", task=None):
        return WeightedAverageRegressor(weighting)

    def _linear(self):
        return RidgeCV() if self.quantile is None else QuantileRegressor(alpha=0.0, solver="highs-ipm")

    def _default_final(self, models=()):
        return super()._default_final(models) if self.quantile is None else self._linear()

    def _prepared_final(self, final):
        return final if self.quantile is None else final_of_quantiles(final, self.quantile)

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
        y : ndarray of shape (n_samples,), (n_samples, n_outputs) or (n_samples, n_quantiles)
            Predictions in the target's units.
        """
        return self._predict_final(X, "predict", predict_params)

    def score(self, X, y, sample_weight=None):
        """Return how good the predictions are: 1 at best, 0 for those of a constant.

        Parameters
        ----------
        X : DataFrame, array-like or sparse matrix of shape (n_samples, n_features)
            Rows of data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their target.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        score : float
            R², of several targets the mean, each by the rows that have it; with `quantile` D² of the pinball loss
            (:func:`~sklearn.metrics.d2_pinball_score`), the mean over the quantiles.
        """
        check_is_fitted(self, "final_estimator_")
        task = self._make_task(y)
        return task.score(task.check(y), self.predict(X), sample_weight)

"""The stack that predicts numbers."""

from sklearn.base import RegressorMixin
from sklearn.linear_model import RidgeCV

from ..tasks._regression import RegressionTask
from ._base import BaseStacking


class MultimodalStackingRegressor(RegressorMixin, BaseStacking):
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
    training : {"joint", "individual", "individual+joint"}, default="joint"
        Whether all branches become one network, trained end to end, or each a network and base model of its own. With
        "individual+joint" they become one network, and each branch is first trained by itself; the network's parameters
        `trainable`, `branch_learning_rate` and `freeze_epochs` say how the whole is trained from there.
    network : MultimodalNetworkRegressor, default=None
        Template that says how the branches are trained: head, epochs, optimizer and so on, without branches of its
        own. ``None`` takes its defaults; ``set_params(network__epochs=20)`` works all the same.
    cv : int, cross-validation generator, iterable or "prefit", default=None
        Splits for cross-fitting, five folds by default, the same for all base models. Rows that no fold
        predicts (in time order, say) are left out when the final estimator is fitted; rows that several folds predict
        get the average. "prefit" takes fitted learners as they are.
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
    oof_predictions_ : ndarray of shape (n_samples, n_columns) or None
        Out-of-fold predictions of all base models, in their order: what the final estimator was fitted to, before
        missing indicators and columns passed through. NaN in rows that no fold predicts; ``None`` with cv="prefit".
    splits_ : list of (ndarray, ndarray) or None
        The rows that base models were fitted on and that they predicted in each fold; ``None`` with cv="prefit".
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
        individual_predictions=False,
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
        self.individual_predictions = individual_predictions
        self.passthrough = passthrough
        self.add_missing_indicator = add_missing_indicator
        self.allow_missing_columns = allow_missing_columns
        self.memory = memory
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def _network_class(self):
        from ..network._regressor import MultimodalNetworkRegressor

        return MultimodalNetworkRegressor

    def _make_task(self, y):
        return RegressionTask()

    def _default_final(self):
        return RidgeCV()

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

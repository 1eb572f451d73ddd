"""scikit-learn's searches, with networks of all candidates and folds trained together."""

import inspect
from contextlib import ExitStack
from contextvars import ContextVar
from os import PathLike

import numpy as np
from sklearn import model_selection
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 - they are imported nowhere else

from ._checkpoint import Checkpoint
from ._search_progress import SearchProgress
from ._together import together, trains_networks

#: What ends when all candidates of the running search are evaluated. No attribute of it: it is sent to workers.
_until_evaluated = ContextVar("until all candidates of a search are evaluated")


_OF_CHECKPOINT = {"checkpoint": [str, PathLike, None]}


class TrainsTogether:
    """A search of scikit-learn's whose fits take turns where they train networks.

    Stands in front of a class of scikit-learn's.
    """

    def fit(self, X, y=None, **params):
        """Evaluate all candidates, and fit the best of them to all rows.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Target values.
        **params : dict
            Such as ``sample_weight`` and ``groups``, for the estimator, the scorer and the splitter.

        Returns
        -------
        self : object
            The fitted search.

        Raises
        ------
        ValueError
            If the folder of `checkpoint` belongs to a search over other data or another estimator.
        OSError
            If nothing can be written there.
        """
        in_turns, checkpoint = trains_networks(self.estimator), None
        if self.checkpoint is not None:
            checkpoint = Checkpoint(self.checkpoint).begin(self.estimator, X, y, **params)
        with ExitStack() as until_evaluated:
            if in_turns or checkpoint is not None:
                goes_on = getattr(self, "resource", "n_samples") != "n_samples"
                progress = SearchProgress(type(self).__name__, self.verbose == 1)
                until_evaluated.enter_context(together(self.n_jobs, checkpoint, in_turns, goes_on, progress))
            token = _until_evaluated.set(until_evaluated)
            try:
                return super().fit(X, y, **params)
            finally:
                _until_evaluated.reset(token)

    def _run_search(self, evaluate_candidates, callback_ctx=None):
        takes_context = "callback_ctx" in inspect.signature(super()._run_search).parameters
        super()._run_search(evaluate_candidates, **({"callback_ctx": callback_ctx} if takes_context else {}))
        _until_evaluated.get().close()  # the fit of the best candidate to all rows is one by itself


class GridSearchCV(TrainsTogether, model_selection.GridSearchCV):
    """Exhaustive search over parameter values, in which networks are trained together.

    scikit-learn's class of this name with one thing changed: networks of candidates and folds that differ in values
    only, such as learning rate, weight decay, dropout, seeds, epochs or the weights of rows, are trained by one
    vectorised program. ``cv_results_`` is the same, but for rounding and for the times: those of fits that take turns
    overlap. See the :ref:`guide <searches>`.

    Parameters
    ----------
    estimator : estimator
        A stack or a network, or a pipeline that holds one. Any other is searched as scikit-learn does.
    param_grid : dict or list of dicts
        Lists of values by the name of the parameter.
    scoring : str, callable, list, tuple or dict, default=None
        Scores that are computed on the rows held out.
    n_jobs : int, default=None
        Processes that share the fits; those of each are trained together.
    refit : bool, str or callable, default=True
        Whether, and by which score, to fit the best candidate to all rows.
    cv : int, cross-validation generator or iterable, default=None
        Splits; None for five folds.
    verbose : int, default=0
        What is printed; 1 shows a bar with the best score so far and the time that is left.
    pre_dispatch : int or str, default="2*n_jobs"
        As a number, how many fits go on together at most.
    error_score : "raise" or float, default=np.nan
        Score of a fit that fails.
    return_train_score : bool, default=False
        Whether to score the training rows too.
    checkpoint : str or path-like, default=None
        Folder in which each fit of a candidate to a fold, and each base model in it, is kept as soon as it is finished.
        The same search goes on from there after its process has ended; :func:`read_cv_results` reads what there is.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        Parameters, scores and times of the candidates.
    best_estimator_, best_score_, best_params_, best_index_
        The best of them.
    scorer_, n_splits_, refit_time_, multimetric_, classes_, n_features_in_, feature_names_in_
        As scikit-learn has them.

    See Also
    --------
    RandomizedSearchCV : candidates drawn at random.
    HalvingGridSearchCV : candidates that are dropped early.

    Examples
    --------
    >>> import numpy as np
    >>> from skstack import MultimodalNetworkRegressor
    >>> from skstack.model_selection import GridSearchCV
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> network = MultimodalNetworkRegressor(head=(4,), epochs=5, random_state=0)
    >>> search = GridSearchCV(network, {"optimizer__learning_rate": [0.001, 0.1]}, cv=2)
    >>> search.fit(X, X[:, 0]).best_params_
    {'optimizer__learning_rate': 0.1}
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        **model_selection.GridSearchCV._parameter_constraints,
        **_OF_CHECKPOINT,
    }

    def __init__(
        self,
        estimator,
        param_grid,
        *,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        error_score=np.nan,
        return_train_score=False,
        checkpoint=None,
    ):
        super().__init__(
            estimator,
            param_grid,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.checkpoint = checkpoint


class RandomizedSearchCV(TrainsTogether, model_selection.RandomizedSearchCV):
    """Search over parameter values drawn at random, in which networks are trained together.

    scikit-learn's class of this name with one thing changed, see :class:`GridSearchCV`.

    Parameters
    ----------
    estimator : estimator
        A stack or a network, or a pipeline that holds one. Any other is searched as scikit-learn does.
    param_distributions : dict or list of dicts
        Distributions, with a method ``rvs``, or lists of values, by the name of the parameter.
    n_iter : int, default=10
        Number of candidates.
    scoring : str, callable, list, tuple or dict, default=None
        Scores that are computed on the rows held out.
    n_jobs : int, default=None
        Processes that share the fits; those of each are trained together.
    refit : bool, str or callable, default=True
        Whether, and by which score, to fit the best candidate to all rows.
    cv : int, cross-validation generator or iterable, default=None
        Splits; None for five folds.
    verbose : int, default=0
        What is printed; 1 shows a bar with the best score so far and the time that is left.
    pre_dispatch : int or str, default="2*n_jobs"
        As a number, how many fits go on together at most.
    random_state : int, RandomState instance or None, default=None
        Seed of the draws.
    error_score : "raise" or float, default=np.nan
        Score of a fit that fails.
    return_train_score : bool, default=False
        Whether to score the training rows too.
    checkpoint : str or path-like, default=None
        Folder in which each fit of a candidate to a fold, and each base model in it, is kept as soon as it is finished.
        The same search goes on from there after its process has ended; :func:`read_cv_results` reads what there is.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        Parameters, scores and times of the candidates.
    best_estimator_, best_score_, best_params_, best_index_
        The best of them.
    scorer_, n_splits_, refit_time_, multimetric_, classes_, n_features_in_, feature_names_in_
        As scikit-learn has them.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.stats import loguniform
    >>> from skstack import MultimodalNetworkRegressor
    >>> from skstack.model_selection import RandomizedSearchCV
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> network = MultimodalNetworkRegressor(head=(4,), epochs=5, random_state=0)
    >>> rates = {"optimizer__learning_rate": loguniform(1e-3, 1e-1)}
    >>> search = RandomizedSearchCV(network, rates, n_iter=3, cv=2, random_state=0).fit(X, X[:, 0])
    >>> len(search.cv_results_["params"])
    3
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        **model_selection.RandomizedSearchCV._parameter_constraints,
        **_OF_CHECKPOINT,
    }

    def __init__(
        self,
        estimator,
        param_distributions,
        *,
        n_iter=10,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        random_state=None,
        error_score=np.nan,
        return_train_score=False,
        checkpoint=None,
    ):
        super().__init__(
            estimator,
            param_distributions,
            n_iter=n_iter,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            random_state=random_state,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.checkpoint = checkpoint


class HalvingGridSearchCV(TrainsTogether, model_selection.HalvingGridSearchCV):
    """Search over parameter values by successive halving, in which networks are trained together.

    scikit-learn's class of this name, which is experimental there, with one thing changed, see :class:`GridSearchCV`.
    Where epochs are the resource, the networks of the candidates that are left go on from the weights they have, in the
    result as if each of them had been trained from the beginning.

    Parameters
    ----------
    estimator : estimator
        A stack or a network, or a pipeline that holds one. Any other is searched as scikit-learn does.
    param_grid : dict or list of dicts
        Lists of values by the name of the parameter.
    factor : int or float, default=3
        The part of the candidates that goes on is 1 / factor, with factor times the resources.
    resource : "n_samples" or str, default="n_samples"
        What grows: rows, or a parameter of the estimator such as ``"epochs"`` or ``"network__epochs"``.
    max_resources : int, default="auto"
        Resources of the last iteration at most.
    min_resources : {"exhaust", "smallest"} or int, default="exhaust"
        Resources of the first iteration.
    aggressive_elimination : bool, default=False
        Whether to repeat the first iteration until few enough candidates are left.
    cv : int, cross-validation generator or iterable, default=5
        Splits, which have to be the same for every call.
    scoring : str or callable, default=None
        Score that is computed on the rows held out.
    refit : bool or callable, default=True
        Whether to fit the best candidate to all rows.
    error_score : "raise" or float, default=np.nan
        Score of a fit that fails.
    return_train_score : bool, default=True
        Whether to score the training rows too.
    random_state : int, RandomState instance or None, default=None
        Seed of the rows that are drawn.
    n_jobs : int, default=None
        Processes that share the fits; those of each are trained together.
    verbose : int, default=0
        What is printed; 1 shows a bar with the best score so far and the time that is left.
    checkpoint : str or path-like, default=None
        Folder in which each fit of a candidate to a fold, and each base model in it, is kept as soon as it is finished.
        The same search goes on from there after its process has ended; :func:`read_cv_results` reads what there is.

    Attributes
    ----------
    n_resources_, n_candidates_, n_remaining_candidates_, n_iterations_, n_possible_iterations_, n_required_iterations_
        How the search went.
    min_resources_, max_resources_ : int
    cv_results_ : dict of ndarray
        Parameters, scores and times of the candidates.
    best_estimator_, best_score_, best_params_, best_index_
        The best of them.
    scorer_, n_splits_, refit_time_, multimetric_, classes_, n_features_in_, feature_names_in_
        As scikit-learn has them.

    Examples
    --------
    >>> import numpy as np
    >>> from skstack import MultimodalNetworkRegressor
    >>> from skstack.model_selection import HalvingGridSearchCV
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> network = MultimodalNetworkRegressor(head=(4,), random_state=0)
    >>> rates = {"optimizer__learning_rate": [0.001, 0.01, 0.1]}
    >>> search = HalvingGridSearchCV(network, rates, resource="epochs", max_resources=9, cv=2).fit(X, X[:, 0])
    >>> search.n_resources_
    [3, 9]
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        **model_selection.HalvingGridSearchCV._parameter_constraints,
        **_OF_CHECKPOINT,
    }

    def __init__(
        self,
        estimator,
        param_grid,
        *,
        factor=3,
        resource="n_samples",
        max_resources="auto",
        min_resources="exhaust",
        aggressive_elimination=False,
        cv=5,
        scoring=None,
        refit=True,
        error_score=np.nan,
        return_train_score=True,
        random_state=None,
        n_jobs=None,
        verbose=0,
        checkpoint=None,
    ):
        super().__init__(
            estimator,
            param_grid,
            factor=factor,
            resource=resource,
            max_resources=max_resources,
            min_resources=min_resources,
            aggressive_elimination=aggressive_elimination,
            cv=cv,
            scoring=scoring,
            refit=refit,
            error_score=error_score,
            return_train_score=return_train_score,
            random_state=random_state,
            n_jobs=n_jobs,
            verbose=verbose,
        )
        self.checkpoint = checkpoint


class HalvingRandomSearchCV(TrainsTogether, model_selection.HalvingRandomSearchCV):
    """Successive halving of candidates drawn at random, in which networks are trained together.

    scikit-learn's class of this name, which is experimental there, with one thing changed, see :class:`GridSearchCV`.
    Where epochs are the resource, the networks of the candidates that are left go on from the weights they have, in the
    result as if each of them had been trained from the beginning.

    Parameters
    ----------
    estimator : estimator
        A stack or a network, or a pipeline that holds one. Any other is searched as scikit-learn does.
    param_distributions : dict or list of dicts
        Distributions, with a method ``rvs``, or lists of values, by the name of the parameter.
    n_candidates : "exhaust" or int, default="exhaust"
        Number of candidates in the first iteration.
    factor : int or float, default=3
        The part of the candidates that goes on is 1 / factor, with factor times the resources.
    resource : "n_samples" or str, default="n_samples"
        What grows: rows, or a parameter of the estimator such as ``"epochs"`` or ``"network__epochs"``.
    max_resources : int, default="auto"
        Resources of the last iteration at most.
    min_resources : {"exhaust", "smallest"} or int, default="smallest"
        Resources of the first iteration.
    aggressive_elimination : bool, default=False
        Whether to repeat the first iteration until few enough candidates are left.
    cv : int, cross-validation generator or iterable, default=5
        Splits, which have to be the same for every call.
    scoring : str or callable, default=None
        Score that is computed on the rows held out.
    refit : bool or callable, default=True
        Whether to fit the best candidate to all rows.
    error_score : "raise" or float, default=np.nan
        Score of a fit that fails.
    return_train_score : bool, default=True
        Whether to score the training rows too.
    random_state : int, RandomState instance or None, default=None
        Seed of the candidates and of the rows that are drawn.
    n_jobs : int, default=None
        Processes that share the fits; those of each are trained together.
    verbose : int, default=0
        What is printed; 1 shows a bar with the best score so far and the time that is left.
    checkpoint : str or path-like, default=None
        Folder in which each fit of a candidate to a fold, and each base model in it, is kept as soon as it is finished.
        The same search goes on from there after its process has ended; :func:`read_cv_results` reads what there is.

    Attributes
    ----------
    n_resources_, n_candidates_, n_remaining_candidates_, n_iterations_, n_possible_iterations_, n_required_iterations_
        How the search went.
    min_resources_, max_resources_ : int
    cv_results_ : dict of ndarray
        Parameters, scores and times of the candidates.
    best_estimator_, best_score_, best_params_, best_index_
        The best of them.
    scorer_, n_splits_, refit_time_, multimetric_, classes_, n_features_in_, feature_names_in_
        As scikit-learn has them.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.stats import loguniform
    >>> from skstack import MultimodalNetworkRegressor
    >>> from skstack.model_selection import HalvingRandomSearchCV
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> network = MultimodalNetworkRegressor(head=(4,), random_state=0)
    >>> rates = {"optimizer__learning_rate": loguniform(1e-3, 1e-1)}
    >>> search = HalvingRandomSearchCV(
    ...     network, rates, n_candidates=3, resource="epochs", min_resources=3, max_resources=9, cv=2, random_state=0
    ... )
    >>> search.fit(X, X[:, 0]).n_candidates_
    [3, 1]
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        **model_selection.HalvingRandomSearchCV._parameter_constraints,
        **_OF_CHECKPOINT,
    }

    def __init__(
        self,
        estimator,
        param_distributions,
        *,
        n_candidates="exhaust",
        factor=3,
        resource="n_samples",
        max_resources="auto",
        min_resources="smallest",
        aggressive_elimination=False,
        cv=5,
        scoring=None,
        refit=True,
        error_score=np.nan,
        return_train_score=True,
        random_state=None,
        n_jobs=None,
        verbose=0,
        checkpoint=None,
    ):
        super().__init__(
            estimator,
            param_distributions,
            n_candidates=n_candidates,
            factor=factor,
            resource=resource,
            max_resources=max_resources,
            min_resources=min_resources,
            aggressive_elimination=aggressive_elimination,
            cv=cv,
            scoring=scoring,
            refit=refit,
            error_score=error_score,
            return_train_score=return_train_score,
            random_state=random_state,
            n_jobs=n_jobs,
            verbose=verbose,
        )
        self.checkpoint = checkpoint

"""Searches whose candidates Optuna suggests."""

from contextlib import contextmanager, suppress
from copy import deepcopy
from numbers import Integral, Real

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.parallel import Parallel, delayed

from .._callbacks import has_callbacks
from ._engine_search import EngineSearchCV
from ._evaluation import Pruned, Trial
from ._spaces import Choice, Quantiles, decoded, dimensions


class OptunaSearchCV(EngineSearchCV):
    """Search for good parameters with the samplers and pruners of Optuna.

    Each candidate (a trial of Optuna) is suggested in the light of the ones before, and evaluated by cross-validation.
    Every ``fit`` begins a study of its own, so that the search can be cross-validated itself: nothing that was learned
    from one outer fold is known in the next. Needs ``pip install "skstack[optuna]"``.

    Parameters
    ----------
    estimator : estimator
        With a ``score`` method, unless `scoring` is given. Parts of it are named as everywhere:
        ``network__optimizer__learning_rate``.
    param_distributions : dict or callable
        What to search, by the names of the parameters: lists of values of any kind, distributions of SciPy
        (``loguniform(1e-4, 1e-1)``) or of Optuna (``FloatDistribution(1e-4, 1e-1, log=True)``). Or a function of the
        trial that returns the parameters, in which one may depend on another (define-by-run).
    n_trials : int, default=10
        How many candidates are tried.
    timeout : float, default=None
        Seconds after which no other candidate is begun; the one in evaluation is finished.
    sampler : optuna.samplers.BaseSampler, default=None
        Suggests candidates; a copy of it in every fit. ``None`` is ``TPESampler`` with a seed from `random_state`.
    pruner : optuna.pruners.BasePruner, default=None
        Gives up candidates that do badly; a copy of it in every fit. It is told the mean score of the folds so far
        after each fold, and, where the estimator is a network or a pipeline that ends in one, after each epoch too,
        with the score that the network would have on the test rows of the present fold. Steps are counted from 1 over
        all folds. ``None`` evaluates all candidates on all folds.
    callbacks : list of callable, default=None
        Called with study and trial after each trial, as by ``Study.optimize``. ``cv_results_`` of the search holds
        what is over.
    scoring : str, callable, list, tuple or dict, default=None
        As in :class:`~sklearn.model_selection.RandomizedSearchCV`. Of several scores, Optuna maximises the one that
        `refit` names, or else the first.
    n_jobs : int, default=None
        How many folds of a candidate are evaluated at once, with joblib. Candidates follow each other, so that the
        result does not depend on it. With more than one, candidates are pruned between folds only.
    refit : bool, str or callable, default=True
        As in :class:`~sklearn.model_selection.RandomizedSearchCV`.
    cv : int, cross-validation generator or iterable, default=None
        As in :class:`~sklearn.model_selection.RandomizedSearchCV`; all candidates are evaluated on the same folds.
    verbose : int, default=0
        1 shows a bar with the best score so far and the time that is left; more than 1 prints a line for each fold and
        what Optuna logs.
    random_state : int, RandomState instance or None, default=None
        Seed of the default sampler.
    error_score : "raise" or float, default=np.nan
        Score of a fold whose fit fails.
    return_train_score : bool, default=False
        Whether ``cv_results_`` has scores on the training rows too.

    Attributes
    ----------
    study_ : optuna.study.Study
        The study of the last fit.
    cv_results_ : dict of ndarray
        As in :class:`~sklearn.model_selection.RandomizedSearchCV`, with one row per candidate. If there is a pruner,
        the column ``"pruned"`` says which candidates were given up: folds that they did not get to have scores that are
        NaN, and so is their mean, by which they are ranked last.
    best_estimator_ : estimator
        Fitted to all rows.
    best_score_, best_params_, best_index_, scorer_, n_splits_, refit_time_, multimetric_, classes_, n_features_in_, \
feature_names_in_
        As in :class:`~sklearn.model_selection.RandomizedSearchCV`.

    See Also
    --------
    RayTuneSearchCV : Candidates in parallel, on one machine or many.

    References
    ----------
    .. [1] Akiba, T., Sano, S., Yanase, T., Ohta, T. and Koyama, M. (2019). "Optuna: A Next-generation Hyperparameter
       Optimization Framework". KDD.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from skstack.model_selection import OptunaSearchCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> search = OptunaSearchCV(Ridge(), {"alpha": loguniform(1e-3, 1e3)}, n_trials=5, random_state=0).fit(X, y)
    >>> len(search.cv_results_["params"])
    5
    >>> bool(search.best_score_ > 0.45)
    True
    """

    _parameter_constraints: dict = {  # noqa: RUF012 - as in scikit-learn
        **EngineSearchCV._parameter_constraints,
        "n_trials": [Interval(Integral, 1, None, closed="left")],
        "timeout": [Interval(Real, 0, None, closed="neither"), None],
        "sampler": [HasMethods(["sample_relative", "sample_independent"]), None],
        "pruner": [HasMethods(["prune"]), None],
        "callbacks": [list, tuple, None],
    }

    def __init__(
        self,
        estimator,
        param_distributions,
        *,
        n_trials=10,
        timeout=None,
        sampler=None,
        pruner=None,
        callbacks=None,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        random_state=None,
        error_score=np.nan,
        return_train_score=False,
    ):
        super().__init__(
            estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.param_distributions = param_distributions
        self.n_trials = n_trials
        self.timeout = timeout
        self.sampler = sampler
        self.pruner = pruner
        self.callbacks = callbacks
        self.random_state = random_state

    def _may_prune(self):
        return self.pruner is not None

    def _suggest_and_evaluate(self, evaluation, X, y, add, context):
        optuna = _optuna()
        suggest = self._suggesting(optuna)
        n_jobs = effective_n_jobs(self.n_jobs)
        # A pruner is asked after each fold; those that run at once are asked for one after the other.
        n_at_once = n_jobs if self._may_prune() else evaluation.n_splits
        hears_epochs = self._may_prune() and n_jobs == 1

        def objective(trial):
            params = suggest(trial)
            candidate = Trial(evaluation, _Asking(trial) if self._may_prune() else lambda score: None)
            hear = candidate.hear if hears_epochs else None
            folds = [
                delayed(evaluation.fold)(X, y, params, index, hear, self._told(context))
                for index in range(evaluation.n_splits)
            ]
            with suppress(Pruned):
                candidate.run(fold for batch in _batched(folds, n_at_once) for fold in parallel(batch))
            add(trial.number, params, candidate.results)
            if not candidate.is_complete:
                raise optuna.TrialPruned
            return evaluation.score(candidate.results)

        with Parallel(n_jobs=self.n_jobs) as parallel, _quiet(optuna, self.verbose):
            self.study_ = self._study(optuna)
            self.study_.optimize(objective, self.n_trials, self.timeout, callbacks=self.callbacks)

    def _suggesting(self, optuna):
        """Return what suggests the parameters of a trial."""
        if callable(self.param_distributions):
            return self.param_distributions
        kind = optuna.distributions.BaseDistribution
        searched = dimensions(self.param_distributions, lambda own: isinstance(own, kind))
        return lambda trial: decoded(searched, {name: _drawn(trial, name, of) for name, of in searched.items()})

    def _study(self, optuna):
        """Return a study that knows nothing of other fits."""
        sampler = deepcopy(self.sampler)
        if sampler is None:
            seed = None if self.random_state is None else check_random_state(self.random_state).randint(2**31 - 1)
            sampler = optuna.samplers.TPESampler(seed=seed)
        pruner = deepcopy(self.pruner) if self._may_prune() else optuna.pruners.NopPruner()
        return optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)

    def _told(self, context):
        """Return what callbacks of scikit-learn are told of a fold, if there are any."""
        if not has_callbacks(self):
            return None
        return {"caller": self, "callback_ctx": context.subcontext(task_name="candidate-split-evaluation")}


class _Asking:
    """Tells a trial how good it looks, and asks its pruner.

    Parameters
    ----------
    trial : optuna.Trial
    """

    def __init__(self, trial):
        self._trial, self._step = trial, 0

    def __call__(self, score):
        self._step += 1
        if np.isfinite(score):  # a fit that failed is no reason to prune
            self._trial.report(score, self._step)
            if self._trial.should_prune():
                raise Pruned


def _optuna():
    try:
        import optuna
    except ImportError as error:
        raise ImportError("OptunaSearchCV needs the package optuna: pip install 'skstack[optuna]'.") from error
    return optuna


@contextmanager
def _quiet(optuna, verbose):
    """Keep Optuna's log to errors for a block, unless more is wanted: each candidate is a line of it."""
    before = optuna.logging.get_verbosity()
    if verbose <= 1:
        optuna.logging.set_verbosity(max(before, optuna.logging.ERROR))
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def _batched(folds, size):
    return [folds[start : start + size] for start in range(0, len(folds), size)]


def _drawn(trial, name, searched):
    """Return what a trial suggests for a parameter."""
    if isinstance(searched, Choice):
        return trial.suggest_categorical(name, searched.labels)
    if isinstance(searched, Quantiles):
        return trial.suggest_float(name, searched.low, searched.high)
    if hasattr(searched, "choices"):
        return trial.suggest_categorical(name, searched.choices)
    is_whole = type(searched).__name__ == "IntDistribution"
    suggest = trial.suggest_int if is_whole else trial.suggest_float
    return suggest(name, searched.low, searched.high, step=searched.step, log=searched.log)

"""Searches whose candidates Ray Tune suggests, distributes and stops."""

import os
import signal
import tempfile
import threading
from contextlib import contextmanager
from copy import deepcopy
from numbers import Integral, Real

import numpy as np
from sklearn import get_config
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval

from ..caching._content import digest
from ._engine_search import EngineSearchCV
from ._ray_results import folder_of, listening
from ._ray_state import mend_state
from ._ray_trial import SCORE, run_trial
from ._spaces import Choice, Quantiles, decoded, dimensions, identity

#: How often a candidate is begun again whose worker is lost.
_MAX_LOST = 2

#: Parameters that do not make a search another one.
_INDIFFERENT = ("callbacks", "n_jobs", "refit", "resources_per_trial", "storage_path", "time_budget_s", "verbose")

#: Variables of workers that share a graphics card: each takes the memory that it needs, not all of it.
_ENVIRONMENT = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}


class RayTuneSearchCV(EngineSearchCV):
    """Search for good parameters with Ray Tune: candidates in parallel, on one machine or many.

    Candidates (trials of Ray) are suggested by one of Ray's search algorithms, evaluated by cross-validation in worker
    processes, and stopped by one of its schedulers. X and y are put into Ray's object store once. Networks are trained
    in the workers: a stack of branches needs no Keras in this process before the best candidate is fitted to all rows.
    Needs ``pip install "skstack[ray]"``; Ray is started by the search where ``ray.init`` was not called before.

    Parameters
    ----------
    estimator : estimator
        With a ``score`` method, unless `scoring` is given. Parts of it are named as everywhere:
        ``network__optimizer__learning_rate``.
    param_distributions : dict or callable
        What to search, by the names of the parameters: lists of values of any kind, distributions of SciPy
        (``loguniform(1e-4, 1e-1)``) or of Ray (``tune.loguniform(1e-4, 1e-1)``). Or a function of a trial of Optuna
        that suggests values under the names of the parameters and returns a dict of all (define-by-run), which needs
        ``skstack[optuna]`` too.
    n_trials : int, default=10
        How many candidates are tried (``num_samples`` of Ray: times the points of a ``tune.grid_search``).
    search_alg : ray.tune.search.Searcher, default=None
        Suggests candidates; a copy of it in every fit. ``None`` draws them at random with a seed from `random_state`.
    scheduler : ray.tune.schedulers.TrialScheduler, default=None
        Gives candidates up that do badly, such as ``ASHAScheduler()``; a copy of it in every fit. It is told the mean
        score of the folds so far after each fold and, where the estimator is a network or a pipeline that ends in one,
        after each epoch too, with the score that the network would have on the test rows of the present fold. The unit
        of its `max_t` and `grace_period` are these reports, over all folds. ``None`` evaluates all candidates on all
        folds.
    time_budget_s : float, default=None
        Seconds after which no candidate goes on; those that are not over count as pruned.
    resources_per_trial : dict, default=None
        What a candidate takes, such as ``{"cpu": 2, "gpu": 0.25}``; ``None`` is one core. What it does in parallel
        itself (`n_jobs` of its parts) is done one by one.
    storage_path : str or path, default=None
        A folder, or address of a cloud storage, in which Ray keeps the search. The same ``fit`` (same data, estimator
        and search) goes on from there after a crash: candidates that were over are not evaluated again, others go on
        after their last finished fold, as of the last time that Ray wrote its state, which it does every ten seconds
        and after Ctrl+C. What it was writing when a process was killed is replaced by what it wrote before. On several
        machines it must be one that all can reach. ``None`` keeps nothing.
    callbacks : list of ray.tune.Callback, default=None
        Told by Ray about trials; those of the present search where it goes on with an earlier one. ``cv_results_`` of
        the search holds what is over.
    scoring : str, callable, list, tuple or dict, default=None
        As in :class:`~sklearn.model_selection.RandomizedSearchCV`. Of several scores, Ray maximises the one that
        `refit` names, or else the first.
    n_jobs : int, default=None
        How many candidates are evaluated at once; ``None`` and -1 are as many as there are resources for.
    refit : bool, str or callable, default=True
        As in :class:`~sklearn.model_selection.RandomizedSearchCV`.
    cv : int, cross-validation generator or iterable, default=None
        As in :class:`~sklearn.model_selection.RandomizedSearchCV`; all candidates are evaluated on the same folds.
    verbose : int, default=0
        1 shows a bar with the best score so far and the time that is left; more than 1 what Ray prints.
    random_state : int, RandomState instance or None, default=None
        Seed of the default search algorithm.
    error_score : "raise" or float, default=np.nan
        Score of a fold whose fit fails.
    return_train_score : bool, default=False
        Whether ``cv_results_`` has scores on the training rows too.

    Attributes
    ----------
    result_grid_ : ray.tune.ResultGrid
        What Ray knows of the trials of the last fit.
    cv_results_ : dict of ndarray
        As in :class:`~sklearn.model_selection.RandomizedSearchCV`, with one row per candidate. If there is a scheduler
        or a time budget, the column ``"pruned"`` says which candidates were given up: folds that they did not get to
        have scores that are NaN, and so is their mean, by which they are ranked last.
    best_estimator_ : estimator
        Fitted to all rows.
    best_score_, best_params_, best_index_, scorer_, n_splits_, refit_time_, multimetric_, classes_, n_features_in_, \
feature_names_in_
        As in :class:`~sklearn.model_selection.RandomizedSearchCV`.

    See Also
    --------
    OptunaSearchCV : Candidates one after the other, in this process.

    References
    ----------
    .. [1] Liaw, R., Liang, E., Nishihara, R., Moritz, P., Gonzalez, J. E. and Stoica, I. (2018). "Tune: A Research
       Platform for Distributed Model Selection and Training". arXiv:1807.05118.
    .. [2] Li, L. et al. (2020). "A System for Massively Parallel Hyperparameter Tuning". MLSys. (ASHA)

    Examples
    --------
    >>> from ray import tune  # doctest: +SKIP
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from skstack.model_selection import RayTuneSearchCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> search = RayTuneSearchCV(Ridge(), {"alpha": tune.loguniform(1e-3, 1e3)}, random_state=0)  # doctest: +SKIP
    >>> search.fit(X, y).best_params_  # doctest: +SKIP
    {'alpha': 0.0745934328572655}
    """

    _parameter_constraints: dict = {  # noqa: RUF012 - as in scikit-learn
        **EngineSearchCV._parameter_constraints,
        "n_trials": [Interval(Integral, 1, None, closed="left")],
        "search_alg": [HasMethods(["set_search_properties"]), None],
        "scheduler": [HasMethods(["on_trial_result"]), None],
        "time_budget_s": [Interval(Real, 0, None, closed="neither"), None],
        "resources_per_trial": [dict, None],
        "storage_path": [str, os.PathLike, None],
        "callbacks": [list, tuple, None],
    }

    def __init__(
        self,
        estimator,
        param_distributions,
        *,
        n_trials=10,
        search_alg=None,
        scheduler=None,
        time_budget_s=None,
        resources_per_trial=None,
        storage_path=None,
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
        self.search_alg = search_alg
        self.scheduler = scheduler
        self.time_budget_s = time_budget_s
        self.resources_per_trial = resources_per_trial
        self.storage_path = storage_path
        self.callbacks = callbacks
        self.random_state = random_state

    def _may_prune(self):
        return self.scheduler is not None or self.time_budget_s is not None

    def _suggest_and_evaluate(self, evaluation, X, y, add, context):
        tune = _tune()
        searched = {}
        if not callable(self.param_distributions):
            searched = dimensions(self.param_distributions, lambda own: _is_native(tune, own))
        _check_names(evaluation, searched)
        name = self._name(evaluation, X, y, searched)
        with self._folder() as folder, listening(name, lambda drawn: decoded(searched, drawn), add) as listener:
            path = f"{folder}/{name}"
            if self._keeps_files():
                mend_state(path)
            trainable = self._trainable(tune, {"evaluation": evaluation, "X": X, "y": y, "dimensions": searched})
            if tune.Tuner.can_restore(path):
                tuner = tune.Tuner.restore(path, trainable, resume_errored=True)
                if tuner._local_tuner is not None:  # which is elsewhere where Ray is a client
                    # The ones of now, rather than those that were pickled then.
                    tuner._local_tuner.get_run_config().callbacks = self._told(name)
            else:
                tuner = self._tuner(tune, trainable, searched, folder, name)
            with _raising_interrupts(), _quiet(self.verbose):
                self.result_grid_ = tuner.fit()
            listener.check(self.result_grid_)

    def _trainable(self, tune, shared):
        """Return what workers do, which get what is shared from the object store."""
        settings = {
            "environment": {**_ENVIRONMENT, **_own_backend()},
            "sklearn": get_config(),
            "epochs": self.scheduler is not None,
            "checkpoints": self.storage_path is not None,
        }
        resources = {"cpu": 1} if self.resources_per_trial is None else dict(self.resources_per_trial)
        return tune.with_resources(tune.with_parameters(run_trial, **shared, settings=settings), resources)

    def _tuner(self, tune, trainable, searched, folder, name):
        """Return a search from its beginning."""
        from ray.tune.search import Searcher

        n_at_once = None if self.n_jobs in (None, -1) else self.n_jobs
        algorithm = self._search_algorithm(n_at_once)
        raises = self.error_score == "raise"
        return tune.Tuner(
            trainable,
            param_space={name: _domain(tune, of) for name, of in searched.items()} or None,
            tune_config=tune.TuneConfig(
                metric=SCORE,
                mode="max",
                search_alg=algorithm,
                scheduler=deepcopy(self.scheduler),
                num_samples=self.n_trials,
                max_concurrent_trials=n_at_once if isinstance(algorithm, Searcher) else None,
                time_budget_s=self.time_budget_s,
                # A worker that has imported Keras and compiled programs keeps them for the next candidate.
                reuse_actors=True,
                trial_dirname_creator=folder_of,
            ),
            run_config=tune.RunConfig(
                name=name,
                storage_path=folder,
                # Fits that fail have a score; what fails beyond that is a worker that was lost.
                failure_config=tune.FailureConfig(fail_fast=raises, max_failures=0 if raises else _MAX_LOST),
                callbacks=self._told(name),
                verbose=max(self.verbose - 1, 0),
            ),
        )

    def _told(self, name):
        """Return what Ray tells about trials."""
        from ._ray_listening import Telling

        return [Telling(name, self._keeps_files()), *(self.callbacks or ())]

    def _search_algorithm(self, n_at_once):
        """Return what suggests candidates, which knows nothing of other fits."""
        if self.search_alg is not None:
            return deepcopy(self.search_alg)
        seed = None if self.random_state is None else check_random_state(self.random_state).randint(2**31 - 1)
        if callable(self.param_distributions):
            from ray.tune.search.optuna import OptunaSearch

            return OptunaSearch(space=ByValue(self.param_distributions), metric=SCORE, mode="max", seed=seed)
        from ray.tune.search.basic_variant import BasicVariantGenerator

        return BasicVariantGenerator(max_concurrent=n_at_once or 0, random_state=seed)

    @contextmanager
    def _folder(self):
        """Yield the folder in which Ray keeps the search; where nobody wants it, one that is removed."""
        if self.storage_path is not None:
            path = os.fspath(self.storage_path)
            yield path if "://" in path else os.path.abspath(path)
            return
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            yield folder

    def _keeps_files(self):
        """Tell whether the search is kept in files, which are written piece by piece, unlike objects in a cloud."""
        return self.storage_path is not None and "://" not in os.fspath(self.storage_path)

    def _name(self, evaluation, X, y, searched):
        """Return a name for a search, that another search, or one of other data, does not have.

        Raises
        ------
        ValueError
            If parts of it cannot be told from others.
        """
        if self.storage_path is None:
            return "search"
        params = {name: value for name, value in self.get_params(deep=False).items() if name not in _INDIFFERENT}
        if searched:
            params["param_distributions"] = {name: identity(of) for name, of in searched.items()}
        content = digest(type(self), evaluation, X, y, params)
        if content is None:
            raise ValueError(
                "storage_path needs an estimator, data and parameters that can be pickled, by which it is found again."
            )
        return f"search_{content}"


class ByValue:
    """A function that is pickled with its code, as Ray keeps search algorithms by ordinary pickles.

    Parameters
    ----------
    function : callable
    """

    def __init__(self, function):
        self._function = function

    def __call__(self, trial):
        return self._function(trial)

    def __getstate__(self):
        from ray import cloudpickle

        return {"code": cloudpickle.dumps(self._function)}

    def __setstate__(self, state):
        from ray import cloudpickle

        self._function = cloudpickle.loads(state["code"])


def _tune():
    try:
        from ray import tune
    except ImportError as error:
        raise ImportError("RayTuneSearchCV needs the package ray: pip install 'skstack[ray]'.") from error
    return tune


@contextmanager
def _raising_interrupts():
    """Raise Ctrl+C after a block in which Ray takes it as a wish to end the search, and leaves its handler behind."""
    from ray.util.client import ray as client

    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or client.is_connected() or int(os.environ.get("TUNE_DISABLE_SIGINT_HANDLER", "0")):
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
        # Ray puts the handler back that was there as soon as its own is called.
        if signal.getsignal(signal.SIGINT) is before:
            raise KeyboardInterrupt
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _quiet(verbose):
    """Keep Ray from printing for a block, unless more is wanted: its newer output prints a box even if it is off."""
    if verbose > 1:
        yield
        return
    name = "RAY_AIR_NEW_OUTPUT"
    before = os.environ.get(name)
    os.environ[name] = "0"
    try:
        yield
    finally:
        os.environ.pop(name)
        os.environ.update({} if before is None else {name: before})


def _own_backend():
    """Return the variable that names the backend of Keras, where it was chosen for this process."""
    return {name: os.environ[name] for name in ("KERAS_BACKEND",) if name in os.environ}


def _is_native(tune, searched):
    from ray.tune.search.sample import Domain

    return isinstance(searched, Domain) or (isinstance(searched, dict) and set(searched) == {"grid_search"})


def _check_names(evaluation, searched):
    """Set parameters as a candidate does: a name that nobody knows is an error here, not in a worker."""
    drawn = {name: of.example for name, of in searched.items() if isinstance(of, Choice | Quantiles)}
    drawn |= {name: of.sample() for name, of in searched.items() if hasattr(of, "sample")}
    if drawn:
        clone(evaluation.estimator).set_params(**clone(decoded(searched, drawn), safe=False))


def _domain(tune, searched):
    """Return what Ray draws for a parameter."""
    if isinstance(searched, Choice):
        return tune.choice(searched.labels)
    if isinstance(searched, Quantiles):
        return tune.uniform(searched.low, searched.high)
    return searched

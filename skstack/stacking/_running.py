"""Which base models of a stack are cross-fitted, and in what order: all, or as many as time and the user let be."""

import sys
import warnings

import numpy as np
from joblib import effective_n_jobs

from .._clock import duration
from .._deadline import OutOfTime
from .._protocols import CrossFitter
from .._validation import rows_of
from ..caching._keeping import keeping
from ._costs import cost_of_fit
from ._cross_fit import cross_fit
from ._keeping import cached_cross_fit
from ._members import shared_validation
from ._splits import predicted_rows

#: The part of a time limit that base models leave to the final estimator and the report.
FOR_THE_END = 0.1

#: The part of the time for base models that learners leave to networks, as long as there are some.
_FOR_NETWORKS = 0.25

#: The part of it after which no learner is tried for its cost before others are fitted.
_FOR_TRIALS = 0.2


class Running:
    """The cross-fitting of the base models of a stack, one after the other.

    Parameters
    ----------
    stack : estimator
        Its parameters say how.
    models : list of BaseModel
    X : DataFrame, array or sparse matrix of shape (n_samples, ...)
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Encoded labels.
    splits : list of (ndarray, ndarray)
    params : Bunch
        What each model gets beside X and y.
    stages : Stages
        Are told of each model.
    deadline : Deadline or None
        When all have to be over.

    Attributes
    ----------
    predictions : dict of str to ndarray of shape (n_samples, n_columns)
        Out of fold, by the names of the models that are complete.
    left_out : dict of str to str
        The names of the others, and why: "time_limit" or "interrupt".
    """

    def __init__(self, stack, models, X, y, splits, params, stages, deadline):
        self._stack, self._models, self._stages, self._deadline = stack, models, stages, deadline
        self._X, self._y, self._splits, self._params = X, y, splits, params
        self._cached = cached_cross_fit(stack.memory)
        self._validation = shared_validation(models, y, splits, params)
        self._pending = [model.name for model in models]
        self._cut = []
        self.predictions, self.left_out = {}, {}

    def run(self):
        """Cross-fit the base models and return those that are complete, with their out-of-fold predictions.

        Returns
        -------
        models : list of BaseModel
        predictions : list of ndarray of shape (n_samples, n_columns)

        Raises
        ------
        TimeoutError
            If no base model can be complete in time.
        KeyboardInterrupt
            If the user wants to stop, and the stack or those that it is one of many fits for want to hear of it.
        """
        if self._deadline is not None:
            self._passed = self._deadline.passed
        for model in self._models:
            model.estimator = self._stack._fitted_as(model, self._y)
        try:
            for model, deadline, cost in self._all() if self._deadline is None else self._in_time():
                self._cross_fit(model, deadline, cost)
        except KeyboardInterrupt:
            if self._stack.on_interrupt == "raise" or not self.predictions or _is_one_of_many():
                raise
            self.left_out |= {name: "interrupt" for name in self._unfinished()}
        self.left_out = {m.name: self.left_out[m.name] for m in self._models if m.name in self.left_out}
        self._tell_what_is_missing()
        done = [model for model in self._models if model.name in self.predictions]
        return done, [self.predictions[model.name] for model in done]

    # --- order ------------------------------------------------------------------------------------------------------

    def _all(self):
        """Yield the base models without a deadline and costs, learners first.

        They look at their data only when they are fitted; the rows of networks have been checked before.
        """
        models = sorted(self._models, key=_ends_when_told)
        self._pending = [model.name for model in models]
        for model in models:
            yield model, None, 0.0

    def _in_time(self):
        """Yield the base models in the order of their cost, with a deadline for each and what it takes, in seconds.

        Learners that leave enough for the networks come first. Networks share what is then left: they end when they
        have to. Learners that were too slow for the first round, or to be tried at all, get what networks leave.
        """
        networks = [model for model in self._models if _ends_when_told(model)]
        learners = [model for model in self._models if not _ends_when_told(model)]
        costs, trials = {}, self._deadline.part(_FOR_TRIALS)
        for learner in learners:
            if trials.remaining > 0:
                costs[learner.name] = self._cost(learner)
        learners.sort(key=lambda model: costs.get(model.name, np.inf))
        self._pending = [model.name for model in [*learners, *networks]]
        first = self._deadline.part(1 - _FOR_NETWORKS) if networks else self._deadline
        waiting = []
        for learner in learners[: len(costs)]:
            if costs[learner.name] > first.remaining:
                waiting.append(learner)
                continue
            yield learner, first, costs[learner.name]
        for index, network in enumerate(networks):
            yield network, self._deadline.part(1 / (len(networks) - index)), 0.0
        for learner in [*waiting, *learners[len(costs) :]]:
            cost = costs[learner.name] if learner.name in costs else self._cost(learner)
            yield learner, self._deadline, cost

    def _cost(self, model):
        """Return about how many seconds all fits of a learner take."""
        n_rows = [len(training) for training, _ in self._splits]
        n_rows += [] if self._stack.refit == "folds" else [len(self._y)]
        n_rounds = -(-len(n_rows) // effective_n_jobs(self._stack.n_jobs))
        given = self._X, self._y, self._params[model.name].fit
        of_fit = cost_of_fit(model, *given, self._deadline.remaining)
        return max(n_rounds * of_fit.likely * np.mean(n_rows) / len(self._y), of_fit.at_most)

    # --- base models ------------------------------------------------------------------------------------------------

    def _cross_fit(self, model, deadline, cost):
        self._pending.remove(model.name)
        following = next(iter(self._pending), "final estimator")
        n_fits, is_guide = model.n_fits(self._splits), _ends_when_told(model) or not self._waits_for_network()
        with self._stages.stage(model.name, n_fits, following, deadline, is_guide) as stage:
            try:
                if deadline is not None:
                    deadline.check(cost)
                self.predictions[model.name] = self._predictions(model, stage)
            except OutOfTime as error:
                self.left_out[model.name] = "time_limit"
                outcome = f"left out: {error}"
                stage.ended(lambda: outcome)
                return
            stage.ended(lambda: self._score(model))
        if deadline is not None and _ends_when_told(model) and not deadline.was_met:
            self._cut.append(model.name)

    def _waits_for_network(self):
        """Tell whether networks are still to come, which take longer than learners."""
        return any(_ends_when_told(model) for model in self._models if model.name in self._pending)

    def _predictions(self, model, stage):
        """Cross-fit a base model and return its out-of-fold predictions."""
        together = isinstance(model.estimator, CrossFitter)
        options = {
            "fit_params": self._params[model.name].fit,
            "validation": self._validation if model.has_branches else None,
            "n_jobs": None if together else self._stack.n_jobs,
            "verbose": max(0, self._stack.verbose - 1),
        }
        how_far = {"refit": self._stack.refit, "stage": stage}
        if _ends_when_told(model) and stage.deadline is not None:
            # A network that had to end early is not the one that a fit with the same parameters should find.
            with keeping(None):
                return model.cross_fit(cross_fit, self._X, self._y, self._splits, **how_far, **options)
        return model.cross_fit(self._cached, self._X, self._y, self._splits, **how_far, **options)

    def _score(self, model):
        """Return the out-of-fold score of a base model as text; none where the task has no scores."""
        task, rows = model.task, predicted_rows(self._splits)
        scoring = next((scoring for scoring in task.scorings if task.has_score(scoring, model.method)), None)
        if scoring is None:
            return ""
        weight = rows_of(self._params[model.name].fit.get("sample_weight"), rows)
        columns = self.predictions[model.name][rows]
        scores = task.row_scores(scoring, self._y[rows], columns, model.method, weight)
        return f"out-of-fold {scoring} {np.average(scores, weights=weight):.4g}"

    # --- what is missing --------------------------------------------------------------------------------------------

    def _unfinished(self):
        return [m.name for m in self._models if m.name not in self.predictions and m.name not in self.left_out]

    def _tell_what_is_missing(self):
        """Warn of base models that are left out, or raise if all are."""
        late, interrupted = (
            [name for name, reason in self.left_out.items() if reason == why] for why in ("time_limit", "interrupt")
        )
        limit = self._stack.time_limit
        if not self.predictions:
            raise TimeoutError(
                f"time_limit={limit} s is too short for each of the base models {late}: {duration(self._passed)} had "
                "passed before the first of them."
            )
        told = []
        if interrupted:
            told.append(f"training was interrupted: base models {interrupted} are left out.")
        if late:
            told.append(f"base models {late} are left out, as they would not be complete within time_limit={limit} s.")
        if self._cut:
            told.append(f"training of {self._cut} ended early to be complete within time_limit={limit} s.")
        if told:
            warnings.warn(" ".join([f"{type(self._stack).__name__}:", *told]), stacklevel=2)


def _ends_when_told(model):
    return isinstance(model.estimator, CrossFitter)


def _is_one_of_many():
    """Tell whether joblib runs this fit among others, as for searches, cross-validation and ensembles.

    Whoever interrupts one of them wants all to stop.
    """
    frame = sys._getframe()
    while frame is not None:
        if frame.f_globals.get("__name__") == "joblib.parallel":
            return True
        frame = frame.f_back
    return False

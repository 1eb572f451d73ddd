"""What searches have in common whose candidates come from an engine, one after the other."""

import time
import warnings

from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils import indexable

from .._atomic import unchanged_on_error
from .._callbacks import callback_context, weights_as_metadata
from .._compat import BaseSearchCV, CallbackSupportMixin, MultimetricScorer, check_method_params, fit_context
from .._progress import showing_bar
from ._candidates import Candidates
from ._evaluation import Evaluation


class EngineSearchCV(BaseSearchCV, CallbackSupportMixin):
    """A search of scikit-learn whose candidates are suggested by an engine, that learns from the scores so far.

    What a search is after its candidates are there (results, refit, routing, prediction) is inherited. scikit-learn's
    ``fit`` evaluates all folds of a candidate before it tells anything of them, so this one goes fold by fold.

    Subclasses have ``n_trials`` among their parameters and implement ``_suggest_and_evaluate``.
    """

    _parameter_constraints: dict = {  # noqa: RUF012 - as in scikit-learn
        **{name: kinds for name, kinds in BaseSearchCV._parameter_constraints.items() if name != "pre_dispatch"},
        "param_distributions": [dict, callable],
        "random_state": ["random_state"],
    }

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, **params):
        """Search, and fit the best candidate to all rows.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        **params : dict
            For the estimator, the scorer and the splitter (`groups`), as in scikit-learn's searches.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If every fit failed, or every candidate was pruned.
        ImportError
            If the engine is not installed.
        """
        with unchanged_on_error(self):
            self._fit(X, y, params)
        return self

    def _fit(self, X, y, params):
        scorer, metric = self._get_scorers()
        X, y = indexable(X, y)
        params = check_method_params(X, params=params)
        routed = self._get_routed_params_for_fit(params)
        n_parts = 1 + bool(self.refit)
        with callback_context(self, "fit", X, y, params.get("sample_weight"), n_parts) as context:
            evaluation = self._evaluation(X, y, scorer, routed)
            candidates = self._evaluated(evaluation, X, y, context)
            self._choose(candidates, metric)
            if self.refit:
                self._refit(X, y, routed.estimator.fit, params.get("sample_weight"), context)
        self.scorer_ = scorer._scorers if isinstance(scorer, MultimetricScorer) else scorer

    def _evaluation(self, X, y, scorer, routed):
        """Return how candidates are evaluated: all on the same folds."""
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        splits = list(cv.split(X, y, **routed.splitter.split))
        self.n_splits_ = cv.get_n_splits(X, y, **routed.splitter.split)
        if len(splits) != self.n_splits_:
            raise ValueError(
                "cv.split and cv.get_n_splits return inconsistent results. "
                f"Expected {self.n_splits_} splits, got {len(splits)}"
            )
        if not splits:
            raise ValueError("No fits were performed. Was the CV iterator empty? Were there no candidates?")
        settings = {
            "error_score": self.error_score,
            "return_train_score": self.return_train_score,
            "verbose": self.verbose if self.verbose > 1 else 0,
        }
        metric = self.refit if isinstance(self.refit, str) else None
        metadata = routed.estimator.fit, routed.scorer.score
        return Evaluation(clone(self.estimator), splits, scorer, metric, *metadata, settings)

    def _evaluated(self, evaluation, X, y, context):
        """Return the candidates that the engine suggested; what is over stands in ``cv_results_`` at any time."""
        candidates = Candidates(self.n_splits_, self.error_score)
        search = context.subcontext(task_name="search", max_subtasks=None).call_on_fit_task_begin(estimator=self)
        with showing_bar(type(self).__name__, self.n_trials, self.verbose == 1) as bar:

            def add(*candidate):
                candidates.add(*candidate)
                self._check_scores(candidates)
                self._keep_results(candidates)
                if bar is not None:
                    bar.evaluated(len(candidates), self._so_far(candidates, evaluation))

            self._suggest_and_evaluate(evaluation, X, y, add, search)
        search.call_on_fit_task_end(estimator=self)
        candidates.check()
        self.cv_results_ = candidates.table(self._format_results, self._may_prune())
        return candidates

    def _suggest_and_evaluate(self, evaluation, X, y, add, context):
        """Run the engine.

        Parameters
        ----------
        evaluation : Evaluation
        X, y
            All rows.
        add : callable
            To be called with index and parameters of each candidate that is over, and the results of its folds.
        context : sklearn.callback.CallbackContext
            Of the search.
        """
        raise NotImplementedError

    def _may_prune(self):
        """Tell whether candidates may be given up before they are over."""
        raise NotImplementedError

    def _check_scores(self, candidates):
        """Check that `refit` names a score, which a function as `scoring` does not tell before it is called."""
        if callable(self.scoring) and candidates.has_scores and isinstance(candidates.first_scores, dict):
            self._check_refit_for_multimetric(candidates.first_scores)

    def _keep_results(self, candidates):
        """Let others read what is over while the search goes on."""
        if candidates.has_scores:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # warned of at the end
                self.cv_results_ = candidates.table(self._format_results, self._may_prune())

    def _so_far(self, candidates, evaluation):
        best = candidates.best(evaluation.score)
        counted = f"{len(candidates)} of {self.n_trials} candidates"
        return counted if best is None else f"{counted}, best score {best:.4g}"

    def _choose(self, candidates, metric):
        """Take note of the best candidate, see ``fit`` of scikit-learn's searches."""
        scores = candidates.first_scores
        self.multimetric_ = isinstance(scores, dict)
        if self.multimetric_:
            metric = self.refit
        if self.refit or not self.multimetric_:
            results = self.cv_results_
            self.best_index_ = self._select_best_index(self.refit, metric, results)
            if not callable(self.refit):
                self.best_score_ = results[f"mean_test_{metric}"][self.best_index_]
            self.best_params_ = results["params"][self.best_index_]

    def _refit(self, X, y, fit_params, sample_weight, context):
        """Fit the best candidate to all rows."""
        # Cloned for the sake of parameters that are estimators.
        best = clone(self.estimator).set_params(**clone(self.best_params_, safe=False))
        data = {"estimator": self, "X": X, "y": y, "metadata": weights_as_metadata(sample_weight)}
        task = context.subcontext(task_name="refit-with-best-params")
        began = time.time()
        with task.propagate_callback_context(best):
            task.call_on_fit_task_begin(**data)
            best.fit(X, *([] if y is None else [y]), **fit_params)
        task.call_on_fit_task_end(**data)
        self.refit_time_ = time.time() - began
        self.best_estimator_ = best
        if hasattr(best, "feature_names_in_"):
            self.feature_names_in_ = best.feature_names_in_

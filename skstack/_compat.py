"""Everything that skstack takes from scikit-learn's private modules, in one place."""

from contextlib import nullcontext

from pandas.api.extensions import ExtensionArray

try:
    from sklearn.utils._repr_html.estimator import _VisualBlock as VisualBlock
except ImportError:  # scikit-learn < 1.7
    from sklearn.utils._estimator_html_repr import _VisualBlock as VisualBlock

try:
    from sklearn.callback import CallbackSupportMixin
    from sklearn.callback._callback_support import callback_management_context
except ImportError:  # scikit-learn < 1.9

    class CallbackSupportMixin:
        """Lets estimators go on as if they had no callbacks."""

        def _init_callback_context(self, **task):
            return NoCallbacks()

    callback_management_context = nullcontext

from sklearn.base import _fit_context as fit_context
from sklearn.metrics._scorer import _MultimetricScorer as MultimetricScorer
from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._validation import _fit_and_score as fit_and_score
from sklearn.model_selection._validation import _insert_error_scores as insert_error_scores
from sklearn.model_selection._validation import _warn_or_raise_about_fit_failures as warn_or_raise_about_fit_failures
from sklearn.utils._indexing import _get_column_indices as column_positions
from sklearn.utils._indexing import _safe_indexing
from sklearn.utils._metadata_requests import _routing_enabled as routing_enabled
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in
from sklearn.utils.validation import _check_method_params as check_method_params
from sklearn.utils.validation import _check_response_method as check_response_method
from sklearn.utils.validation import _check_sample_weight as check_sample_weight
from sklearn.utils.validation import _num_samples as num_samples


def take(X, indices, *, axis=0):
    """Return rows or columns of X, as scikit-learn does, which indexes an array of pandas by more axes than it has."""
    return X[indices] if isinstance(X, ExtensionArray) else _safe_indexing(X, indices, axis=axis)


class NoCallbacks:
    """Stands in for a CallbackContext where nobody listens."""

    def subcontext(self, **task):
        """Return the context of a part of this one."""
        return self

    def call_on_fit_task_begin(self, **data):
        """Tell nobody."""
        return self

    def call_on_fit_task_end(self, **data):
        """Tell nobody; return that nobody wants to stop."""
        return False

    def propagate_callback_context(self, estimator):
        """Hand on nothing."""
        return nullcontext()


def format_cv_results(candidates, n_splits, results, return_train_score):
    """Return the ``cv_results_`` of a search from what scikit-learn's searches get for each fit.

    Parameters
    ----------
    candidates : list of dict
        Their parameters.
    n_splits : int
    results : list of dict
        Candidate by candidate, and in each split by split.
    return_train_score : bool
    """
    from sklearn.model_selection import GridSearchCV

    search = GridSearchCV(None, {}, return_train_score=return_train_score)
    return search._format_results(candidates, n_splits, results)


def own_requests(routing, method):
    """Return what an estimator asks for itself, rather than for others in it, or None.

    Parameters
    ----------
    routing : MetadataRequest or MetadataRouter
    method : str
    """
    request = getattr(routing, "_self_request", routing)
    return None if request is None else getattr(request, method)


__all__ = [
    "BaseSearchCV",
    "CallbackSupportMixin",
    "MultimetricScorer",
    "NoCallbacks",
    "VisualBlock",
    "callback_management_context",
    "check_feature_names_in",
    "check_method_params",
    "check_response_method",
    "check_sample_weight",
    "column_positions",
    "fit_and_score",
    "fit_context",
    "format_cv_results",
    "insert_error_scores",
    "num_samples",
    "own_requests",
    "routing_enabled",
    "take",
    "warn_or_raise_about_fit_failures",
]

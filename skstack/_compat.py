"""Everything that skstack takes from scikit-learn's private modules, in one place."""

try:
    from sklearn.utils._repr_html.estimator import _VisualBlock as VisualBlock
except ImportError:  # scikit-learn < 1.7
    from sklearn.utils._estimator_html_repr import _VisualBlock as VisualBlock

from sklearn.base import _fit_context as fit_context
from sklearn.utils._indexing import _get_column_indices as column_positions
from sklearn.utils._indexing import _safe_indexing as take
from sklearn.utils._metadata_requests import _routing_enabled as routing_enabled
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in
from sklearn.utils.validation import _check_response_method as check_response_method
from sklearn.utils.validation import _check_sample_weight as check_sample_weight
from sklearn.utils.validation import _num_samples as num_samples

__all__ = [
    "VisualBlock",
    "check_feature_names_in",
    "check_response_method",
    "check_sample_weight",
    "column_positions",
    "fit_context",
    "num_samples",
    "routing_enabled",
    "take",
]

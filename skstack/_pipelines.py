"""What stands at the end of a pipeline, or within a search or what is frozen."""

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline


def unwrapped(estimator):
    """Return the best estimator of a fitted search, what is frozen, or the estimator itself."""
    if isinstance(estimator, FrozenEstimator):
        return unwrapped(estimator.estimator)
    return unwrapped(estimator.best_estimator_) if hasattr(estimator, "best_estimator_") else estimator


def last_of(estimator):
    """Return the last step of a pipeline, within searches and what is frozen too, or the estimator itself."""
    estimator = unwrapped(estimator)
    return last_of(estimator.steps[-1][1]) if isinstance(estimator, Pipeline) else estimator

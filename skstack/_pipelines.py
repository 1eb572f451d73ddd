"""What stands at the end of a pipeline."""

from sklearn.pipeline import Pipeline


def last_of(estimator):
    """Return the last step of a pipeline, or the estimator itself."""
    return last_of(estimator.steps[-1][1]) if isinstance(estimator, Pipeline) else estimator

"""What stands at the end of a pipeline."""

from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from skstack._pipelines import last_of


def test_the_last_step_of_a_pipeline_in_a_pipeline():
    ridge = Ridge()
    assert last_of(make_pipeline("passthrough", make_pipeline("passthrough", ridge))) is ridge
    assert last_of(ridge) is ridge

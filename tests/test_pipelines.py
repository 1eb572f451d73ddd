"""What stands at the end of a pipeline."""

from _inspected import around, search_of
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skstack._pipelines import last_of, unwrapped


def test_the_last_step_of_a_pipeline_in_a_pipeline():
    ridge = Ridge()
    assert last_of(make_pipeline("passthrough", make_pipeline("passthrough", ridge))) is ridge
    assert last_of(ridge) is ridge


def test_the_best_one_of_a_search_and_what_is_frozen_in_any_order():
    ridge = Ridge().fit([[0.0], [1.0]], [0.0, 1.0])
    for estimator in around(FrozenEstimator(ridge)):
        assert last_of(estimator) is ridge
        assert last_of(FrozenEstimator(estimator)) is ridge
    frozen = FrozenEstimator(search_of(make_pipeline(ridge)))
    assert unwrapped(frozen) is frozen.estimator.best_estimator_
    unfitted = GridSearchCV(ridge, {})
    assert last_of(unfitted) is unfitted

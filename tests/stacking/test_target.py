"""What of a stack depends on its target."""

import numpy as np
import pytest
from _small import make_labels, make_table, network_classifier, stack_classifier, stack_regressor
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from skstack.stacking._per_target import PerTarget


@pytest.fixture(scope="module")
def data():
    return make_table()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"final_estimator": LogisticRegression()}, "'final_estimator' parameter should be a regressor"),
        ({"parts": [("logistic", LogisticRegression())]}, "learner 'logistic' should be a regressor"),
    ],
)
def test_parts_of_another_kind_are_refused(data, params, message):
    with pytest.raises(ValueError, match=message):
        stack_regressor(**params).fit(*data)


def test_a_classifier_takes_regressors_as_learners_and_not_on_top(data):
    X, y = data[0], make_labels(data[1])
    numbers = ["area", "rooms"]
    assert stack_classifier([("ridge", Ridge(), numbers)]).fit(X, y).predict(X).shape == y.shape
    with pytest.raises(ValueError, match="'final_estimator' parameter should be a classifier"):
        stack_classifier(final_estimator=Ridge()).fit(X, y)


def test_class_weights_of_networks_are_those_of_positions(data):
    X, y = data[0], make_labels(data[1])
    network = network_classifier(class_weight={"cheap": 3.0, "fair": 1.0})
    fitted = stack_classifier(network=network.set_params(branches=None)).fit(X, y)
    assert fitted.named_estimators_["network"].class_weight == {0: 3.0, 1: 1.0}
    with pytest.raises(ValueError, match=r"class_weight of 'network': 'dear' is no class of y"):
        stack_classifier(network=network.set_params(class_weight={"dear": 2.0})).fit(X, y)


def test_what_takes_one_target_is_fitted_to_each(data):
    X, y = data
    parts = [("boosting", GradientBoostingRegressor(n_estimators=2), ["area", "rooms"])]
    fitted = stack_regressor(parts, final_estimator=Ridge()).fit(X, np.column_stack([y, -y]))
    assert fitted.fitted_per_target_ == ["boosting"]
    assert isinstance(fitted.named_estimators_["boosting"], PerTarget)
    assert isinstance(fitted.final_estimator_, Ridge)
    assert stack_regressor(parts, final_estimator=Ridge()).fit(X, y).fitted_per_target_ == []

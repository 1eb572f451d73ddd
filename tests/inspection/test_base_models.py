"""The base models of a fitted stack."""

from _inspected import around, fitted_network, fitted_regressor, table
from _small import stack_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skstack.inspection._base_models import is_stack, last_step_and_rows, network_of, networks_of


def test_networks_of_stacks_of_folds_and_alone():
    stack, network = fitted_regressor(), fitted_network()
    assert networks_of(stack) == {"network": stack.named_estimators_["network"]}
    of_folds = fitted_regressor(refit="folds")
    assert networks_of(of_folds)["network"] is of_folds.fold_estimators_["network"][0]
    assert networks_of(network) == {"MultimodalNetworkRegressor": network}
    assert network_of(make_pipeline("passthrough", stack)) is stack.named_estimators_["network"]


def test_stacks_are_told_from_others():
    assert not is_stack(Ridge())
    assert is_stack(fitted_regressor())


def test_the_last_step_gets_what_the_others_make_of_rows():
    stack, (X, _) = fitted_regressor(), table()
    shorter = FunctionTransformer(lambda rows: rows[:3])
    last, rows = last_step_and_rows(make_pipeline(shorter, make_pipeline(stack)), X)
    assert last is stack
    assert rows.equals(X[:3])
    assert last_step_and_rows(stack, X)[1] is X


def test_searches_around_a_stack_or_a_pipeline_or_within_one():
    stack, (X, _) = fitted_regressor(), table()
    for estimator in around(stack):
        assert last_step_and_rows(estimator, X) == (stack, X)
        assert network_of(estimator) is stack.named_estimators_["network"]


def test_networks_in_what_is_frozen_a_pipeline_or_a_nested_stack():
    (X, y), network, inner = table(), fitted_network(), fitted_regressor()
    parts = [("frozen", FrozenEstimator(network)), ("piped", make_pipeline("passthrough", network)), ("inner", inner)]
    stack = stack_regressor([*parts, ("ridge", Ridge().fit(X[["area"]], y), ["area"])], cv="prefit").fit(X, y)
    inside = {"frozen": network, "piped": network, "inner": inner.named_estimators_["network"]}
    assert networks_of(stack) == inside
    assert network_of(stack, "inner") is inside["inner"]

"""The networks of an estimator that a branch is in."""

import numpy as np
import pytest
from _small import make_labels, make_table, network_regressor, stack_classifier, stack_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skstack.branches import NumericBranch
from skstack.inspection import activations, attention_weights, integrated_gradients
from skstack.inspection._networks import find_networks


@pytest.fixture(scope="module")
def data():
    return make_table()


def test_a_network_is_its_own(data):
    network = network_regressor().fit(*data)
    (found,) = find_networks(network, "place")
    assert found.network is network
    assert found.rows(data[0]) is data[0]
    assert list(found.branch_columns("place", data[0])) == ["city"]
    assert found.positions("place", data[0]) == [2]
    assert find_networks(network) == [found]


def test_a_stack_has_one_for_all_branches_or_one_for_each(data):
    joint = stack_regressor(training="joint").fit(*data)
    assert find_networks(joint, "place")[0].network is joint.named_estimators_["network"]
    individual = stack_regressor(training="individual").fit(*data)
    assert find_networks(individual, "place")[0].network is individual.named_estimators_["place"]
    with pytest.raises(ValueError, match=r"several networks, \['numbers', 'place'\]: name a branch"):
        find_networks(individual)


def test_a_stack_of_folds_has_one_for_each_fold(data):
    X, y = data
    stack = stack_classifier(refit="folds").fit(X, make_labels(y))
    found = find_networks(stack, "numbers")
    assert [one.network for one in found] == stack.fold_estimators_["network"]


def test_a_network_that_is_a_learner_gets_its_own_columns(data):
    X, y = data
    parts = [
        ("ridge", Ridge(), ["area"]),
        ("net", network_regressor([("n", NumericBranch((2,)), [1])]), ["city", "rooms"]),
    ]
    (found,) = find_networks(stack_regressor(parts).fit(X, y), "n")
    assert list(found.rows(X)) == ["city", "rooms"]
    assert list(found.branch_columns("n", X)) == ["rooms"]
    assert found.positions("n", X) == [1]


def test_a_search_shows_its_best(data):
    search = GridSearchCV(network_regressor(), {"epochs": [1]}, cv=2).fit(*data)
    assert find_networks(search, "place")[0].network is search.best_estimator_


def doubled(X):
    """Return a table with twice the area, and its columns the other way round."""
    return X.assign(area=2.0 * X["area"])[["city", "rooms", "area"]]


def test_a_pipeline_lets_its_other_steps_change_the_rows(data):
    X, y = data
    pipeline = make_pipeline(FunctionTransformer(doubled), make_pipeline("passthrough", stack_regressor()))
    pipeline.fit(X, y)
    stack = pipeline[-1][-1]
    (found,) = find_networks(pipeline, "numbers")
    assert found.network is stack.named_estimators_["network"]
    assert found.rows(X).equals(doubled(X))
    assert found.branch_columns("numbers", X)["area"].tolist() == (2.0 * X["area"]).tolist()
    with pytest.raises(ValueError, match="branch 'numbers' gets what a Pipeline within the estimator makes of X"):
        found.positions("numbers", X)
    search = GridSearchCV(pipeline, {"functiontransformer__func": [doubled]}, cv=2).fit(X, y)
    assert find_networks(search, "numbers")[0].rows(X).equals(doubled(X))


def test_what_looks_into_networks_takes_pipelines(data):
    X, y = data
    pipeline = make_pipeline(FunctionTransformer(doubled), network_regressor(fusion="attention")).fit(X, y)
    network, seen = pipeline[-1], doubled(X)
    ours = integrated_gradients(pipeline, X, baseline=X.head(1), n_steps=100)
    its = integrated_gradients(network, seen, baseline=seen.head(1), n_steps=100)
    np.testing.assert_array_equal(ours.attributions["numbers"], its.attributions["numbers"])
    ours, its = (activations(*of, "dense_1", branch="numbers") for of in ((pipeline, X), (network, seen)))
    np.testing.assert_array_equal(ours, its)
    ours, its = (attention_weights(*of).weights for of in ((pipeline, X), (network, seen)))
    np.testing.assert_array_equal(ours["fusion/attention"], its["fusion/attention"])


def test_base_models_are_looked_into_as_well(data):
    X, y = data
    inner = stack_regressor([("net", make_pipeline("passthrough", network_regressor()), ["area", "rooms", "city"])])
    stack = stack_regressor([("inner", inner, ["city", "rooms", "area"]), ("ridge", Ridge(), ["area"])]).fit(X, y)
    (found,) = find_networks(stack, "numbers")
    assert list(found.rows(X)) == ["area", "rooms", "city"]
    frozen = stack_regressor([("net", FrozenEstimator(network_regressor().fit(X, y)), ["area", "rooms", "city"])])
    assert find_networks(frozen.fit(X, y), "place")[0].rows(X).equals(X)
    nested = stack_regressor([("inner", stack_regressor(), ["city", "rooms", "area"])]).fit(X, y)
    assert find_networks(nested, "numbers")[0].positions("numbers", X) == [0, 1]
    folds = stack_regressor([("inner", stack_regressor(refit="folds"), ["area", "rooms", "city"])], refit="folds")
    assert len(find_networks(folds.fit(X, y), "numbers")) == 4
    several = stack_regressor([("inner", stack_regressor(training="individual"), ["area", "rooms", "city"])]).fit(X, y)
    with pytest.raises(ValueError, match=r"several networks, \['inner__numbers', 'inner__place'\]"):
        find_networks(several)


def test_what_has_no_such_branch_is_refused(data):
    X, y = data
    with pytest.raises(
        ValueError, match=r"no branch 'plac'\. Did you mean 'place'\? Branches are \['numbers', 'place'\]"
    ):
        find_networks(stack_regressor().fit(X, y), "plac")
    with pytest.raises(ValueError, match="has no network that one could look into"):
        find_networks(stack_regressor([("ridge", Ridge(), ["area"])]).fit(X, y), "place")
    with pytest.raises(ValueError, match="Ridge has no network that one could look into"):
        find_networks(make_pipeline("passthrough", Ridge()).fit(X[["area"]], y), "place")

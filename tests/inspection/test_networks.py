"""The networks of an estimator that a branch is in."""

import pytest
from _small import make_labels, make_table, network_regressor, stack_classifier, stack_regressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

from skstack.branches import NumericBranch
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


def test_what_has_no_such_branch_is_refused(data):
    X, y = data
    with pytest.raises(
        ValueError, match=r"no branch 'plac'\. Did you mean 'place'\? Branches are \['numbers', 'place'\]"
    ):
        find_networks(stack_regressor().fit(X, y), "plac")
    with pytest.raises(ValueError, match="has no network that one could look into"):
        find_networks(stack_regressor([("ridge", Ridge(), ["area"])]).fit(X, y), "place")

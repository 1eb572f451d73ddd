"""What networks predict, in the words of the stacks around them."""

from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from _small import TRAINING, branches, make_labels, make_table, network_classifier, stack_classifier
from sklearn.ensemble import StackingClassifier
from sklearn.linear_model import LogisticRegression

from skstack import MultimodalStackingMultitask, MultitaskNetwork
from skstack.inspection import integrated_gradients
from skstack.inspection._named_outputs import NamedOutput, outputs_in, own_outputs
from skstack.inspection._networks import find_networks

COLUMNS = ["area", "rooms", "city"]


@cache
def data():
    X, y = make_table()
    return X, pd.DataFrame({"cost": make_labels(y), "kind": make_labels(y, 3), "size": make_labels(X["area"]), "n": y})


def explained(estimator, **params):
    return integrated_gradients(estimator, data()[0].head(3), branch="numbers", n_steps=100, **params)


@cache
def fitted(*targets, **params):
    target = data()[1][list(targets)]
    return stack_classifier(**params).fit(data()[0], target.iloc[:, 0] if len(targets) == 1 else target)


def test_a_stack_names_its_classes():
    stack = fitted("cost")
    assert set(explained(stack).outputs) <= {"cheap", "fair"}
    assert explained(stack, output="fair").outputs.tolist() == ["fair"] * 3
    network = stack.named_estimators_["network"]
    for place, name in enumerate(["cheap", "fair"]):
        ours, its = explained(stack, output=name), explained(network, output=place)
        np.testing.assert_array_equal(ours.predictions, its.predictions)
        assert its.outputs.tolist() == [place] * 3
    with pytest.raises(ValueError, match=r"knows no class 1\. It has \['cheap', 'fair'\]"):
        explained(stack, output=1)


def test_of_several_columns_each_has_its_name_and_its_classes():
    stack = fitted("cost", "kind")
    assert set(explained(stack, output="kind").outputs) <= {"cheap", "fair", "dear"}
    result = explained(stack, output=("kind", "dear"))
    assert result.outputs.tolist() == ["dear"] * 3
    np.testing.assert_allclose(result.predictions, _probabilities(stack)[1][:, 1], rtol=1e-4)
    with pytest.raises(ValueError, match=r"task 'cost' knows no class 'dear'\. It has \['cheap', 'fair'\]"):
        explained(stack, output=("cost", "dear"))
    with pytest.raises(ValueError, match=r"'output' should be one of \['cost', 'kind'\]"):
        explained(stack, output="cots")


def _probabilities(stack):
    return stack.named_estimators_["network"].predict_proba(data()[0].head(3))


def test_columns_of_two_classes_each_are_labels_to_the_network_and_classes_to_the_stack():
    stack = fitted("cost", "size")
    second = _probabilities(stack)[:, 1]
    np.testing.assert_allclose(explained(stack, output=("size", "fair")).predictions, second, rtol=1e-4)
    np.testing.assert_allclose(explained(stack, output=("size", "cheap")).predictions, 1 - second, rtol=1e-4)
    likeliest = np.where(second > 0.5, "fair", "cheap")
    assert explained(stack, output="size").outputs.tolist() == likeliest.tolist()
    by_place = explained(stack, output=1)
    assert by_place.outputs.tolist() == [1, 1, 1]
    np.testing.assert_allclose(by_place.predictions, second, rtol=1e-4)


def test_a_stack_of_several_tasks_names_their_classes():
    stack = MultimodalStackingMultitask(branches(), network=MultitaskNetwork(**TRAINING), cv=2, random_state=0)
    stack.fit(data()[0], data()[1][["n", "cost"]])
    assert set(explained(stack, output="cost").outputs) <= {"cheap", "fair"}
    fair = explained(stack, output=("cost", "fair"))
    assert fair.outputs.tolist() == ["fair"] * 3
    assert explained(stack, output="n").outputs.tolist() == [0, 0, 0]
    of_task = explained(stack.for_task("cost"), output="fair")
    np.testing.assert_array_equal(of_task.predictions, fair.predictions)
    assert explained(stack.for_task("n")).outputs.tolist() == [0, 0, 0]


def test_a_stack_in_a_stack_is_named_by_the_outer_one():
    parts = [("inner", stack_classifier(), COLUMNS), ("line", LogisticRegression(), ["area"])]
    stack = stack_classifier(parts).fit(data()[0], data()[1]["cost"])
    assert stack.named_estimators_["inner"].classes_.tolist() == [0, 1]
    assert explained(stack, output="fair").outputs.tolist() == ["fair"] * 3
    assert set(explained(stack).outputs) <= {"cheap", "fair"}


def test_a_network_that_was_fitted_elsewhere_has_the_classes_itself():
    X, y = data()[0], data()[1]["cost"]
    parts = [
        ("net", network_classifier().fit(X, y), COLUMNS),
        ("line", LogisticRegression().fit(X[["area"]], y), ["area"]),
    ]
    stack = stack_classifier(parts, cv="prefit").fit(X, y)
    assert explained(stack, output="fair").outputs.tolist() == ["fair"] * 3


def test_stacks_of_scikit_learn_have_positions_as_well():
    X, y = data()[0], data()[1]["cost"]
    stack = StackingClassifier([("net", network_classifier())], cv=2).fit(X, y)
    assert explained(stack, output="fair").outputs.tolist() == ["fair"] * 3


def test_positions_of_some_classes_are_told_from_classes():
    stack = SimpleNamespace(classes_=np.array([1, 2, 3]))

    def names(*own):
        return outputs_in(stack, [NamedOutput("output", "output", np.array(own))], {})[0].classes.tolist()

    assert names(0, 1, 2) == [1, 2, 3]
    assert names(1, 2) == [2, 3]  # those that the rows of a fold have
    assert names(1, 2, 3) == [1, 2, 3]
    assert names(0.0, 2.0) == [1, 3]
    assert names("a", "b") == ["a", "b"]


def test_a_network_by_itself_and_other_ensembles_change_no_name():
    (found,) = find_networks(fitted("cost").named_estimators_["network"], "place")
    (output,) = own_outputs(found.network.tasks_)
    assert output.task == output.name == "output"
    assert output.classes.tolist() == [0, 1]
    assert outputs_in(SimpleNamespace(), [output], {}) == [output]

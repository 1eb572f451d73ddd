"""Stacks that predict classes, or several labels."""

import numpy as np
import pytest
import sklearn
from _small import branches, make_labels, make_table, stack_classifier
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import make_multilabel_classification
from sklearn.ensemble import RandomForestClassifier, StackingClassifier
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import cross_val_predict
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier

from skstack import MultimodalStackingClassifier


@pytest.fixture(scope="module")
def table():
    return make_table()


@pytest.mark.parametrize("n_classes", [2, 3])
def test_probabilities_of_networks_in_a_stack(table, n_classes):
    X, y = table
    labels = make_labels(y, n_classes)
    stack = stack_classifier(final_estimator=LogisticRegression()).fit(X, labels)
    probabilities = stack.named_estimators_["network"].predict_proba(X)
    # The first of two classes says nothing that the second does not.
    expected = probabilities[:, 1:] if n_classes == 2 else probabilities
    assert_allclose(stack.transform(X)[:, : expected.shape[1]], expected, rtol=1e-6)
    assert stack.stack_method_ == ["predict_proba", "predict_proba"]
    assert_array_equal(stack.classes_, np.unique(labels))
    assert stack.score(X, labels) > 0.6


# --- regressors among the learners ------------------------------------------------------------------------------------


def test_a_regressor_among_the_learners_sees_the_order_of_the_classes(table):
    X, y = table[0][["area", "rooms"]], make_labels(table[1], 3)
    learners = [("ridge", Ridge()), ("logistic", LogisticRegression())]
    ours, theirs = (kind(learners, cv=3).fit(X, y) for kind in (MultimodalStackingClassifier, StackingClassifier))
    assert ours.stack_method_ == theirs.stack_method_ == ["predict", "predict_proba"]
    codes = np.unique(y, return_inverse=True)[1]
    cv = ours.splits_
    assert_allclose(ours.oof_predictions_[:, 0], cross_val_predict(Ridge(), X, codes, cv=cv))
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X))


def test_a_regressor_has_no_probabilities(table):
    X, y = table[0][["area", "rooms"]], make_labels(table[1])
    stack = MultimodalStackingClassifier([("ridge", Ridge())], stack_method="predict_proba")
    with pytest.raises(ValueError, match="learner 'ridge' does not implement the method predict_proba"):
        stack.fit(X, y)


def test_a_final_regressor_is_refused(table):
    X, y = table[0][["area", "rooms"]], make_labels(table[1])
    with pytest.raises(ValueError, match="'final_estimator' parameter should be a classifier"):
        MultimodalStackingClassifier([("logistic", LogisticRegression())], Ridge()).fit(X, y)


# --- several labels ---------------------------------------------------------------------------------------------------

LABELS = {
    "table per label": RandomForestClassifier(5, random_state=0),
    "one table": MLPClassifier((4,), max_iter=20, random_state=0),
    "scores": RidgeClassifier(),
    "each by itself": MultiOutputClassifier(LogisticRegression()),
}


@pytest.fixture(scope="module")
def multilabel():
    return make_multilabel_classification(120, n_classes=3, random_state=0)


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("stack_method", ["auto", "predict"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_labels_of_learners(multilabel, kind, stack_method):
    X, Y = multilabel
    learners, final = [("mine", LABELS[kind])], KNeighborsClassifier()
    ours, theirs = (
        stack(learners, final, cv=3, stack_method=stack_method).fit(X, Y)
        for stack in (MultimodalStackingClassifier, StackingClassifier)
    )
    assert ours.stack_method_ == theirs.stack_method_
    assert_allclose(ours.transform(X), theirs.transform(X))
    assert_array_equal(ours.predict(X), theirs.predict(X))
    assert_array_equal(ours.classes_, [[0, 1]] * 3)
    assert_array_equal(ours.get_feature_names_out(), [f"multimodalstackingclassifier_mine{i}" for i in range(3)])


def test_probabilities_are_those_of_having_a_label(multilabel):
    X, Y = multilabel
    final = MultiOutputClassifier(LogisticRegression())
    stack = MultimodalStackingClassifier([("forest", LABELS["table per label"])], final, cv=3).fit(X, Y)
    by_hand = clone(stack.final_estimator_).fit(stack.oof_predictions_, Y)
    tables = by_hand.predict_proba(stack.transform(X))
    assert_allclose(stack.predict_proba(X), np.column_stack([table[:, 1] for table in tables]))
    assert_array_equal(stack.predict_proba(X) > 0.5, stack.predict(X))
    assert (stack.predict(X) == Y).mean() > 0.8


def test_decision_function_of_labels(multilabel):
    X, Y = multilabel
    stack = MultimodalStackingClassifier([("ridge", RidgeClassifier())], RidgeClassifier(), cv=3).fit(X, Y)
    assert_array_equal(stack.decision_function(X) > 0, stack.predict(X))
    assert not hasattr(stack, "predict_proba")


@pytest.mark.parametrize("values", [(-1, 1), (1, 2), (False, True)])
def test_labels_keep_their_values(multilabel, values):
    X, Y = multilabel
    named = np.asarray(values)[Y]
    stack = MultimodalStackingClassifier([("forest", LABELS["table per label"])], cv=3).fit(X, named)
    plain = MultimodalStackingClassifier([("forest", LABELS["table per label"])], cv=3).fit(X, Y)
    assert_array_equal(stack.predict(X), np.asarray(values)[plain.predict(X)])
    assert_array_equal(stack.classes_, [values] * 3)
    assert_array_equal(stack.oof_predictions_, plain.oof_predictions_)


def test_a_label_that_a_fold_does_not_know(multilabel):
    X, Y = multilabel
    rare = Y.copy()
    rare[:, 1] = np.arange(len(Y)) < 10  # in the test rows of the first fold alone
    rare[:, 2] = np.arange(len(Y)) >= 30  # every row that the first fold is fitted to has it
    final = KNeighborsClassifier()
    stack = MultimodalStackingClassifier([("forest", LABELS["table per label"])], final, cv=4).fit(X, rare)
    assert_array_equal(stack.oof_predictions_[:30, 1:], [[0.0, 1.0]] * 30)


@pytest.mark.parametrize("routed", [False, True])
def test_weights_reach_the_default_final_estimator_of_labels(multilabel, routed):
    X, Y = multilabel
    weight = np.linspace(0.1, 2, len(Y))
    with sklearn.config_context(enable_metadata_routing=routed):
        forest = clone(LABELS["table per label"])
        forest = forest.set_fit_request(sample_weight=True) if routed else forest
        stack = MultimodalStackingClassifier([("forest", forest)], cv=3, passthrough=[0])
        stack.fit(X, Y, sample_weight=weight)
    features = np.column_stack([stack.oof_predictions_, X[:, 0]])
    by_hand = MultiOutputClassifier(LogisticRegression()).fit(features, Y, sample_weight=weight)
    for ours, expected in zip(stack.final_estimator_.estimators_, by_hand.estimators_, strict=True):
        assert_allclose(ours.coef_, expected.coef_)


@pytest.mark.parametrize("training", ["joint", "individual"])
def test_labels_of_networks(table, training):
    X, Y = table[0], np.column_stack([table[1] > 2, table[0]["city"] == "Bonn"]).astype(int)
    stack = stack_classifier([*branches(), ("forest", LABELS["table per label"], ["area", "rooms"])], training=training)
    stack.fit(X, Y)
    first = stack.estimators_[0]
    assert_allclose(stack.transform(X)[:, :2], first.predict_proba(X), rtol=1e-6)
    assert stack.oof_predictions_.shape == (len(Y), 4 if training == "joint" else 6)
    assert stack.predict(X).shape == stack.predict_proba(X).shape == Y.shape

"""A network inside another estimator is, in a stack, what any estimator is in scikit-learn's stacking."""

import numpy as np
import pytest
from _small import TRAINING, make_labels, make_table, network_classifier, network_regressor, stack_regressor
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import StackingClassifier, StackingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline

from skstack import MultimodalNetworkRegressor, MultimodalStackingClassifier, MultimodalStackingRegressor
from skstack.branches import NumericBranch

NUMBERS = ["area", "rooms"]


@pytest.fixture(scope="module")
def table():
    X, y = make_table()
    return X[NUMBERS], y


def _network(**params):
    return network_regressor([("numbers", NumericBranch(hidden=(4,)))], **params)


@pytest.fixture(scope="module")
def fitted(table):
    """A fitted network, whose rows and target are others than those of the tests."""
    X, y = make_table(seed=5)
    return _network(epochs=4).fit(X[NUMBERS], 1e3 + 100 * y)


def _learned(network):
    """Return all weights of a network and the statistics of its target."""
    weights = [*network.model_.get_weights(), network.target_encoder_.center_]
    return np.concatenate([np.ravel(weight) for weight in weights])


def _wrappers(fitted):
    return {
        "frozen": FrozenEstimator(fitted),
        "frozen in a pipeline": make_pipeline("passthrough", FrozenEstimator(fitted)),
        "pipeline": make_pipeline("passthrough", _network()),
        "search": GridSearchCV(_network(), {"epochs": [1]}, cv=2),
        "frozen nested": StackingRegressor([("one", FrozenEstimator(fitted))], Ridge(), cv=2),
        "nested": stack_regressor([("numbers", NumericBranch()), ("linear", Ridge())]),
    }


@pytest.mark.parametrize(
    ("kind", "weighted"),
    [*((kind, False) for kind in _wrappers(None)), ("frozen", True)],
)
def test_wrapped_network_as_a_learner(table, fitted, kind, weighted):
    X, y = table
    parts, cv = [("wrapped", _wrappers(fitted)[kind]), ("ridge", Ridge())], KFold(2)
    weight = {"sample_weight": np.linspace(0.5, 2, len(y))} if weighted else {}
    before = _learned(fitted)
    ours = MultimodalStackingRegressor(parts, Ridge(), cv=cv).fit(X, y, **weight)
    theirs = StackingRegressor(parts, Ridge(), cv=cv).fit(X, y, **weight)
    assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-5)
    assert_allclose(ours.final_estimator_.coef_, theirs.final_estimator_.coef_, rtol=1e-4, atol=1e-6)
    assert type(ours.estimators_[0]) is type(parts[0][1])
    assert_array_equal(_learned(fitted), before)


def test_frozen_network_predicts_as_before(table, fitted):
    X, y = table
    before = fitted.predict(X)
    stack = MultimodalStackingRegressor([("frozen", FrozenEstimator(fitted)), ("ridge", Ridge())], cv=2).fit(X, y)
    assert stack.named_estimators_["frozen"].estimator is fitted
    assert_array_equal(fitted.predict(X), before)
    assert_array_equal(stack.transform(X)[:, 0], before)


def test_frozen_classifier(table):
    X, y = table
    labels = make_labels(y, 3)
    network = network_classifier([("numbers", NumericBranch(hidden=(4,)))]).fit(
        X, np.unique(labels, return_inverse=True)[1]
    )
    before, parts = network.predict_proba(X), [("frozen", FrozenEstimator(network))]
    cv = StratifiedKFold(2)
    ours = MultimodalStackingClassifier(parts, LogisticRegression(), cv=cv).fit(X, labels)
    theirs = StackingClassifier(parts, LogisticRegression(), cv=cv).fit(X, labels)
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-5)
    assert_array_equal(network.predict_proba(X), before)


def test_frozen_final_estimator(table):
    X, y = table
    final = MultimodalNetworkRegressor(**TRAINING, random_state=0).fit(np.stack([y, y], axis=1), y)
    stack = MultimodalStackingRegressor([("one", Ridge()), ("two", Ridge(10.0))], FrozenEstimator(final), cv=2)
    before = _learned(final)
    stack.fit(X, y, sample_weight=np.ones(len(y)))
    assert_array_equal(_learned(final), before)
    assert_allclose(stack.predict(X), final.predict(stack.transform(X)))


def test_a_network_for_each_target(table):
    X, y = table
    Y = np.stack([y, -y], axis=1)
    parts, cv = [("each", MultiOutputRegressor(_network()))], KFold(2)
    ours = MultimodalStackingRegressor(parts, Ridge(), cv=cv).fit(X, Y)
    out_of_fold = np.empty_like(Y)
    for training, test in cv.split(X):
        model = clone(parts[0][1]).fit(X.iloc[training], Y[training])
        out_of_fold[test] = model.predict(X.iloc[test])
    assert_allclose(ours.final_estimator_.coef_, Ridge().fit(out_of_fold, Y).coef_, rtol=1e-4, atol=1e-6)


def test_frozen_networks_taken_as_they_are(table, fitted):
    X, y = table
    stack = MultimodalStackingRegressor([("frozen", FrozenEstimator(fitted))], Ridge(), cv="prefit").fit(X, y)
    assert_array_equal(stack.transform(X)[:, 0], fitted.predict(X))


def test_models_of_other_data_are_taken_as_they_are_all_at_once(table, fitted):
    X, y = table
    other, target = make_table(seed=5)
    parts = [("elsewhere", fitted), ("ridge", Ridge().fit(other[["rooms"]], target), ["rooms"])]
    stack = MultimodalStackingRegressor(parts, Ridge(), cv="prefit").fit(X, y)
    columns = np.column_stack([fitted.predict(X), parts[1][1].predict(X[["rooms"]])])
    assert_array_equal(stack.transform(X), columns)
    assert_allclose(stack.predict(X), Ridge().fit(columns, y).predict(columns))
    assert stack.estimators_[0] is fitted


def test_a_model_of_other_data_stands_beside_branches_and_learners(table, fitted):
    X, y = table
    parts = [("elsewhere", FrozenEstimator(fitted)), ("numbers", NumericBranch(hidden=(2,))), ("ridge", Ridge())]
    stack = stack_regressor(parts, final_estimator=Ridge()).fit(X, y)
    assert_array_equal(stack.oof_predictions_[:, 0], fitted.predict(X))  # in every fold the same
    assert stack.oof_predictions_.shape == (len(y), 3)


@pytest.mark.parametrize("names", [["rare", "usual"], [5, 7], ["a", "b", "c", "d"]], ids=str)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_classifier_from_elsewhere_may_know_other_classes(table, names, n_classes):
    X, y = table
    elsewhere = LogisticRegression().fit(X, np.array(names)[np.arange(len(y)) % len(names)])
    labels = make_labels(y, n_classes)
    stack = MultimodalStackingClassifier(
        [("elsewhere", FrozenEstimator(elsewhere)), ("own", LogisticRegression())], cv=2
    )
    stack.fit(X, labels)
    probabilities = elsewhere.predict_proba(X)
    first = 1 if n_classes == 2 else 0  # of two classes a stack takes the second alone
    assert_array_equal(stack.oof_predictions_[:, : len(names) - first], probabilities[:, first:])
    assert set(stack.predict(X)) <= set(labels)
    report = stack.stack_report_["score"]
    assert np.isnan(report["base model", "elsewhere"]) and np.isfinite(report["base model", "own"])

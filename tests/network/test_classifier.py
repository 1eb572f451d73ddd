"""Networks for classes."""

import numpy as np
import pytest
from _data import mixed_frame
from _networks import BRANCHES, FAST, labels
from sklearn.metrics import accuracy_score

from skstack import MultimodalNetworkClassifier


@pytest.fixture(scope="module")
def data():
    return mixed_frame()


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("loss", [None, "categorical_crossentropy", "kl_divergence", "mse"])
def test_classifier_learns(data, n_classes, loss):
    X, y = data[0], labels(data[1], n_classes)
    network = MultimodalNetworkClassifier(BRANCHES, loss=loss, optimizer__learning_rate=0.05, **{**FAST, "epochs": 25})
    probabilities = network.fit(X, y).predict_proba(X)
    assert probabilities.shape == (len(X), n_classes)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(network.predict(X), network.classes_[probabilities.argmax(axis=1)])
    assert accuracy_score(y, network.predict(X)) > 0.8 - 0.1 * (n_classes - 2)


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
def test_margin_losses_give_probabilities(data, loss):
    X, y = data[0], labels(data[1])
    network = MultimodalNetworkClassifier(BRANCHES, loss=loss, optimizer__learning_rate=0.05, **{**FAST, "epochs": 25})
    probabilities = network.fit(X, y).predict_proba(X)
    assert probabilities.min() >= 0 and probabilities.max() <= 1
    assert network.score(X, y) > 0.8


def test_class_weight_moves_probabilities_towards_the_heavier_class(data):
    X, y = data[0], labels(data[1])
    # Rows of weight 0 are in no batch, which leaves half the steps.
    network = MultimodalNetworkClassifier(BRANCHES, **{**FAST, "epochs": 20})
    plain = network.fit(X, y).predict_proba(X)[:, 0].mean()
    heavier = network.set_params(class_weight={"low": 1, "high": 0}).fit(X, y).predict_proba(X)
    assert list(network.classes_) == ["high", "low"]
    assert heavier[:, 0].mean() < plain - 0.1


def test_balanced_class_weight_equals_the_weights_it_stands_for(data):
    X, y = data[0], np.where(np.arange(60) % 4 == 0, "rare", "usual")
    balanced = MultimodalNetworkClassifier(BRANCHES, class_weight="balanced", **FAST).fit(X, y)
    by_row = MultimodalNetworkClassifier(BRANCHES, **FAST).fit(X, y, np.where(y == "rare", 2.0, 2 / 3))
    np.testing.assert_allclose(balanced.predict_proba(X), by_row.predict_proba(X), rtol=1e-4)


def test_partial_fit_knows_classes_of_later_calls(data):
    X, y = data[0], labels(data[1], 3)
    network = MultimodalNetworkClassifier(BRANCHES, **FAST)
    first = y != "high"
    network.partial_fit(X[first], y[first], classes=["high", "low", "middle"]).partial_fit(X[~first], y[~first])
    assert network.predict_proba(X).shape == (60, 3)

"""Every loss by name: what networks and stacks predict with it, in which form."""

import numpy as np
import pytest
from _small import make_labels
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import accuracy_score, r2_score

from skstack import (
    MultimodalNetworkClassifier,
    MultimodalNetworkRegressor,
    MultimodalStackingClassifier,
    MultimodalStackingRegressor,
)
from skstack.branches import NumericBranch
from skstack.tasks._losses import known_losses

NUMBERS = [
    "mean_squared_error",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_logarithmic_error",
    "huber",
    "log_cosh",
    "poisson",
    "quantile",
]
CLASSES = [
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "cosine_similarity",
    "dice",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "tversky",
]
LABELS = [
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "dice",
    "hinge",
    "huber",
    "log_cosh",
    "mean_absolute_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "squared_hinge",
    "tversky",
]
#: Keras has had them for a while only.
KNOWN = known_losses()
BRANCHES = [("x", NumericBranch(hidden=(), scale="standard", embedding=None))]
SETTINGS = {"head": (8,), "epochs": 60, "batch_size": 20, "early_stopping": False, "optimizer__learning_rate": 0.02}


@pytest.fixture(scope="module")
def rows():
    """Numbers, and what depends on them in a curve: from 3 to some 160."""
    X = np.random.default_rng(0).uniform(-2, 2, size=(120, 2))
    return X, np.exp(3 + X[:, 0]) + 5 * X[:, 1] ** 2


def _stack(kind, loss, **params):
    """Return a stack of a network with a loss, and of nothing else."""
    if kind == "numbers":
        network_class, stack_class = MultimodalNetworkRegressor, MultimodalStackingRegressor
    else:
        network_class, stack_class = MultimodalNetworkClassifier, MultimodalStackingClassifier
    network = network_class(**{**SETTINGS, "loss": loss, **params})
    return stack_class(BRANCHES, network=network, cv=2, random_state=0)


def _both(stack):
    """Return the network of a fitted stack, and the stack."""
    return [stack.estimators_[0], stack]


def _network(kind, loss, **params):
    """Return a network by itself."""
    return _stack(kind, loss, **params).network.set_params(branches=BRANCHES, random_state=0)


def test_every_loss_is_in_a_table():
    long = {name for name in KNOWN if "_" in name or name in ("dice", "hinge", "quantile", "tversky")}
    assert long - {"kullback_leibler_divergence"} <= {*NUMBERS, *CLASSES, *LABELS}


@pytest.mark.parametrize("loss", NUMBERS)
def test_numbers(rows, loss):
    X, y = rows
    for estimator in _both(_stack("numbers", loss).fit(X, y)):
        predicted = estimator.predict(X)
        assert predicted.shape == y.shape and predicted.dtype == "float64"
        assert r2_score(y, predicted) > 0.6


@pytest.mark.parametrize("loss", ["mean_squared_logarithmic_error", "poisson"])
def test_what_is_positive_is_predicted_so(loss):
    generator = np.random.default_rng(0)
    X = generator.normal(size=(200, 1))
    y = generator.poisson(np.exp(X[:, 0] - 1))
    predicted = _network("numbers", loss).fit(X, y).predict(5 * X)
    assert (predicted > 0).all()
    with pytest.raises(ValueError, match=r"negative numbers, which the loss does not take: -1.0 in row 3"):
        _network("numbers", loss).fit(X, np.where(np.arange(200) == 3, -1, y))


def test_poisson_predicts_the_mean_of_counts():
    generator = np.random.default_rng(0)
    X = np.repeat([[0.0], [1.0]], 300, axis=0)
    y = generator.poisson(0.2 + 4 * X[:, 0])
    predicted = _network("numbers", "poisson", head=()).fit(X, y).predict(X)
    for x in (0.0, 1.0):
        assert_allclose(predicted[X[:, 0] == x], y[X[:, 0] == x].mean(), rtol=0.15)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("loss", CLASSES)
def test_classes(rows, loss, n_classes):
    if loss not in KNOWN:
        pytest.skip(f"this version of Keras has no loss called {loss!r}")
    X, y = rows[0], make_labels(rows[1], n_classes)
    stack = _stack("classes", loss).fit(X, y)
    for estimator, classes in zip(_both(stack), (np.arange(n_classes), stack.classes_), strict=True):
        probabilities = estimator.predict_proba(X)
        assert probabilities.shape == (len(y), n_classes)
        assert probabilities.min() >= 0
        assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-6)
        assert_array_equal(estimator.predict(X), classes[probabilities.argmax(axis=1)])
        assert accuracy_score(y, stack.classes_[np.searchsorted(classes, estimator.predict(X))]) > 0.8


@pytest.mark.parametrize("loss", LABELS)
def test_labels(rows, loss):
    X, y = rows
    Y = np.column_stack([y > np.median(y), X[:, 0] > 0, X[:, 1] > 0]).astype(int)
    for estimator in _both(_stack("labels", loss).fit(X, Y)):
        probabilities = estimator.predict_proba(X)
        assert probabilities.shape == Y.shape
        assert probabilities.min() >= 0 and probabilities.max() <= 1
        assert_array_equal(estimator.predict(X), probabilities > 0.5)
        assert (estimator.predict(X) == Y).mean() > 0.8


@pytest.mark.parametrize("loss", sorted({*CLASSES} - {*NUMBERS}))
def test_losses_of_classes_do_not_predict_numbers(rows, loss):
    if loss in KNOWN:
        with pytest.raises(
            ValueError, match=f"loss '{loss}' does not predict (a number|numbers). Losses that do are .*'huber'"
        ):
            _network("numbers", loss).fit(*rows)


@pytest.mark.parametrize("loss", ["quantile", "mean_absolute_percentage_error"])
def test_losses_of_numbers_do_not_predict_classes(rows, loss):
    with pytest.raises(ValueError, match=f"loss '{loss}' does not predict classes. Losses that do are .*'hinge'"):
        _network("classes", loss).fit(rows[0], make_labels(rows[1]))


def test_losses_of_one_class_do_not_predict_several_labels(rows):
    Y = (rows[0] > 0).astype(int)
    with pytest.raises(ValueError, match=r"loss 'kl_divergence' does not predict labels. Losses that do are"):
        _network("labels", "kl_divergence").fit(rows[0], Y)

"""A fit that does not come to its end leaves an estimator as it was."""

import joblib
import numpy as np
import pytest
from _small import make_labels, make_table, network_classifier, network_regressor, stack_classifier, stack_regressor
from numpy.testing import assert_array_equal
from sklearn.base import is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge

import skstack.network._staged as network_staged
from skstack import KerasClassifier
from skstack._backend import keras
from skstack.training import _fit as fit_module


class Interrupt:
    """Ends what it is put in the place of, as Ctrl+C would."""

    def __init__(self):
        self.calls = 0

    def __call__(self, *args, **kwargs):
        self.calls += 1
        raise KeyboardInterrupt


@pytest.fixture(scope="module")
def table():
    return make_table()


def _targets(estimator, y):
    """Return a target, and another one that nothing learned from the first fits."""
    return (make_labels(y, 2), make_labels(-y, 3)) if is_classifier(estimator) else (y, np.stack([y, 1e6 * y], axis=1))


ESTIMATORS = {
    "regressor": network_regressor,
    "classifier": network_classifier,
    "warm classifier": lambda: network_classifier(warm_start=True),
    "stack regressor": stack_regressor,
    "stack classifier": stack_classifier,
    "individual": lambda: stack_classifier(training="individual"),
}


@pytest.mark.parametrize(
    ("kind", "moment"),
    [
        *((kind, "training") for kind in ESTIMATORS),
        *((kind, "final estimator") for kind in ("stack regressor", "stack classifier", "individual")),
    ],
)
def test_interrupted_refit_to_another_target(table, monkeypatch, kind, moment):
    X, y = table
    estimator = ESTIMATORS[kind]()
    first, second = _targets(estimator, y)
    if moment == "final estimator":
        estimator.set_params(final_estimator=LogisticRegression() if is_classifier(estimator) else Ridge())
    if "warm" in kind:
        second = first[::-1]
    before = estimator.fit(X, first).predict(X)
    state, interrupt = joblib.hash(sorted(vars(estimator))), Interrupt()
    if moment == "training":
        monkeypatch.setattr(fit_module, "_run", interrupt)
    else:
        monkeypatch.setattr(type(estimator.final_estimator), "fit", interrupt)
    with pytest.raises(KeyboardInterrupt):
        estimator.fit(X.assign(storeys=1) if kind == "regressor" else X, second)
    assert interrupt.calls == 1
    monkeypatch.undo()
    assert joblib.hash(sorted(vars(estimator))) == state
    assert_array_equal(estimator.predict(X), before)
    if is_classifier(estimator):
        assert_array_equal(estimator.classes_, np.unique(first))


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_interrupted_first_fit_leaves_nothing(table, monkeypatch, kind):
    X, y = table
    estimator = ESTIMATORS[kind]()
    before = set(vars(estimator))
    monkeypatch.setattr(fit_module, "_run", Interrupt())
    with pytest.raises(KeyboardInterrupt):
        estimator.fit(X, _targets(estimator, y)[0])
    assert set(vars(estimator)) == before
    with pytest.raises(NotFittedError):
        estimator.predict(X)


def test_interrupted_partial_fit_leaves_the_network_as_it_was(table, monkeypatch):
    X, y = table
    network = network_regressor().partial_fit(X, y)
    before, history = network.predict(X), dict(network.history_)
    monkeypatch.setattr(network_staged, "fit", Interrupt())
    with pytest.raises(KeyboardInterrupt):
        network.partial_fit(X, y)
    assert_array_equal(network.predict(X), before)
    assert network.history_ == history
    monkeypatch.undo()
    assert len(network.partial_fit(X, y).history_["loss"]) == 2


def _softmax(meta):
    return keras.Sequential(
        [keras.Input((meta["n_features_in_"],)), keras.layers.Dense(meta["n_classes_"], activation="softmax")]
    )


@pytest.mark.parametrize("moment", ["fit", "build"])
def test_interrupted_refit_of_a_users_own_network(table, monkeypatch, moment):
    """While it is trained, and when nothing has happened yet but the look at the labels."""
    X, y = table[0][["area", "rooms"]], table[1]
    classifier = KerasClassifier(_softmax, loss="sparse_categorical_crossentropy", verbose=0, random_state=0)
    before = classifier.fit(X, make_labels(y, 3)).predict(X)
    with monkeypatch.context() as patched:
        if moment == "fit":
            patched.setattr(keras.Model, "fit", Interrupt())
        else:
            patched.setattr(KerasClassifier, "_build_keras_model", Interrupt())
        with pytest.raises(KeyboardInterrupt):
            classifier.fit(X, np.where(y > 0, 1, 2))
    assert_array_equal(classifier.predict(X), before)
    assert_array_equal(classifier.classes_, np.unique(make_labels(y, 3)))

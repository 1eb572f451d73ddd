"""Networks of all folds at once: the same as a fit for each, in every way of doing it."""

import numpy as np
import pandas as pd
import pytest
from _data import mixed_frame
from sklearn.base import clone
from sklearn.model_selection import KFold

from skstack import MultimodalNetworkClassifier, MultimodalNetworkRegressor, MultimodalStackingRegressor
from skstack.branches import CategoricalBranch, ImageBranch, NumericBranch
from skstack.training import _fit

TABLE = [
    ("numbers", NumericBranch(hidden=(4,), batch_norm=True, dropout=0.2), ["area", "rooms"]),
    ("place", CategoricalBranch(), ["zip"]),
]
PHOTO = ("photo", ImageBranch(size=(8, 8), filters=(4,), hidden=(4,)), ["photo"])
SETTINGS = {"epochs": 4, "patience": 1, "batch_size": 16, "validation_fraction": 0.2, "random_state": 0}
SPLITS = [training for training, _ in KFold(3).split(np.zeros(60))] + [np.arange(7, 46)]  # of several sizes


def one_by_one(network, X, y, sample_weight=None, groups=None):
    """Return the network fitted on all rows and a clone fitted on each split, the plain way."""
    fitted = []
    for rows in [np.arange(len(y)), *SPLITS]:
        parts = {"sample_weight": sample_weight, "groups": groups}
        parts = {name: part[rows] for name, part in parts.items() if part is not None}
        fitted.append(clone(network).fit(X.iloc[rows], y[rows], **parts))
    return fitted


def all_at_once(network, X, y, **params):
    return list(clone(network).cross_fit(X, y, SPLITS, **params))


@pytest.fixture(scope="module")
def data():
    return mixed_frame()


@pytest.fixture
def together(monkeypatch):
    """A list of the answers to whether to train together."""
    answers = []
    original = _fit.is_vectorized

    def recording(*args):
        answers.append(original(*args))
        return answers[-1]

    monkeypatch.setattr(_fit, "is_vectorized", recording)
    return answers


@pytest.mark.parametrize("fold_training", ["vectorized", "sequential"])
@pytest.mark.parametrize("early_stopping", [True, False])
def test_the_same_as_a_fit_for_each_fold(data, together, fold_training, early_stopping):
    X, y = data
    network = MultimodalNetworkRegressor(
        TABLE, early_stopping=early_stopping, fold_training=fold_training, metrics=["mae"], **SETTINGS
    )
    weight, groups = np.linspace(0.5, 2, len(y)), np.arange(len(y)) // 4
    given = {"sample_weight": weight, "groups": groups}
    plain, fast = one_by_one(network, X, y, **given), all_at_once(network, X, y, **given)
    assert (fold_training == "vectorized") in together
    for one, other in zip(plain, fast, strict=True):
        np.testing.assert_allclose(other.predict(X), one.predict(X), rtol=2e-3)
    assert fast[0].history_.keys() == plain[0].history_.keys()
    for name, values in plain[0].history_.items():
        np.testing.assert_allclose(fast[0].history_[name], values, rtol=2e-3)
    assert any("absolute" in name or "mae" in name for name in fast[0].history_)


@pytest.mark.parametrize("fold_training", ["vectorized", "sequential"])
def test_without_a_fit_to_all_rows_folds_are_the_same(data, fold_training):
    X, y = data
    network = MultimodalNetworkRegressor(TABLE, fold_training=fold_training, **SETTINGS)
    unfitted = clone(network)
    of_folds = list(unfitted.cross_fit(X, y, SPLITS, refit=False))
    assert len(of_folds) == len(SPLITS)
    assert not hasattr(unfitted, "history_")
    for alone, beside in zip(of_folds, all_at_once(network, X, y)[1:], strict=True):
        np.testing.assert_allclose(alone.predict(X), beside.predict(X), rtol=1e-4)


def test_folds_that_are_built_unlike_the_network_of_all_rows_are_trained_by_themselves():
    X = pd.DataFrame({"zip": np.where(np.arange(60) < 30, "a", [f"z{i}" for i in range(60)])})
    network = MultimodalNetworkRegressor([("place", CategoricalBranch(), ["zip"])], epochs=1, early_stopping=False)
    fitted = network.cross_fit(X, np.arange(60.0), [np.arange(30)], refit=False)
    assert np.isfinite(next(fitted).predict(X)).all()


def test_pictures_and_classes(data):
    X, y = data
    labels = np.where(y > np.median(y), "dear", "cheap")
    network = MultimodalNetworkClassifier([*TABLE, PHOTO], class_weight="balanced", **SETTINGS)
    plain, fast = one_by_one(network, X, labels), all_at_once(network, X, labels)
    for one, other in zip(plain, fast, strict=True):
        np.testing.assert_allclose(other.predict_proba(X), one.predict_proba(X), rtol=2e-3, atol=1e-4)


def test_a_fold_without_one_of_the_classes(data):
    X, y = data
    labels = np.digitize(y, np.quantile(y, [1 / 3, 2 / 3])).astype(str)
    labels[46:] = np.where(labels[46:] == "2", "1", labels[46:])
    labels[:7][labels[:7] == "2"] = "1"
    labels[50] = "3"  # in the folds that hold row 50 alone
    network = MultimodalNetworkClassifier(TABLE, **{**SETTINGS, "early_stopping": False})
    plain, fast = one_by_one(network, X, labels), all_at_once(network, X, labels)
    assert [list(one.classes_) for one in fast] == [list(one.classes_) for one in plain]
    assert len({len(one.classes_) for one in fast}) > 1
    for one, other in zip(plain, fast, strict=True):
        np.testing.assert_allclose(other.predict_proba(X), one.predict_proba(X), rtol=2e-3, atol=1e-4)


def test_seeds_of_their_own_where_none_is_given(data):
    X, y = data
    network = MultimodalNetworkRegressor(TABLE, **{**SETTINGS, "random_state": None, "epochs": 1})
    weights = [one._compiled_call.values["head_1/kernel"] for one in all_at_once(network, X, y)[1:]]
    assert not any(np.allclose(weights[0], other) for other in weights[1:] if other.shape == weights[0].shape)


@pytest.mark.usefixtures("short_trainings_go_together")
def test_the_rule_prefers_small_dense_networks(data, together):
    X, y = data
    for branches, expected in ([TABLE, True], [[PHOTO], False]):
        together.clear()
        all_at_once(MultimodalNetworkRegressor(branches, **SETTINGS), X, y)
        assert together[0] is expected


def test_equal_rows_are_encoded_once(data, monkeypatch):
    X, y = data
    encoded = []
    original = NumericBranch._encode

    def counting(self, X):
        encoded.append(len(X))
        return original(self, X)

    monkeypatch.setattr(NumericBranch, "_encode", counting)
    all_at_once(MultimodalNetworkRegressor(TABLE[:1], **SETTINGS), X, y)
    assert encoded == [len(y)]


def test_how_folds_are_trained_can_be_chosen_in_a_stack(data, together):
    X, y = data
    predictions = []
    for fold_training in ("vectorized", "sequential"):
        together.clear()
        network = MultimodalNetworkRegressor(fold_training=fold_training, **SETTINGS)
        stack = MultimodalStackingRegressor(TABLE, network=network, cv=3).fit(X, y)
        assert together[0] is (fold_training == "vectorized")
        predictions.append(stack.predict(X))
    np.testing.assert_allclose(*predictions, rtol=2e-3)
    with pytest.raises(ValueError, match="fold_training"):
        MultimodalNetworkRegressor(fold_training="parallel").fit(X[["area"]], y)

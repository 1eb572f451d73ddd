"""Networks compute in float32 whatever Keras is set to outside, unless it is mixed precision."""

import functools
import threading

import numpy as np
import pandas as pd
import pytest
from _small import TRAINING, make_labels, make_table
from numpy.testing import assert_allclose
from sklearn.linear_model import Ridge

from skstack import MultimodalNetworkClassifier, MultimodalNetworkRegressor, MultimodalStackingRegressor
from skstack._backend import float32_unless_mixed, keras
from skstack.branches import AudioBranch, CategoricalBranch, ImageBranch, NumericBranch, SequenceBranch, TextBranch
from skstack.preprocessing import tensor_column
from skstack.training import clear_cache


def _set(floatx, policy):
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)


SETTINGS = [("float64", "float64"), ("float64", "float32"), ("float32", "float64"), ("float16", "float16")]
FURTHEST = [SETTINGS[0], SETTINGS[-1]]


@pytest.fixture(params=SETTINGS)
def settings(request):
    """Other settings of Keras, during a test."""
    try:
        yield request.param
    finally:
        _set("float32", "float32")


def _table():
    X, y = make_table()
    rng = np.random.default_rng(0)
    X["seconds"] = 1.7e9 + rng.integers(0, 100, len(X))
    X["photo"] = tensor_column(rng.integers(0, 256, (len(X), 6, 6, 3), dtype="uint8"), index=X.index)
    X["sound"] = tensor_column(rng.normal(size=(len(X), 300)), index=X.index)
    X["signal"] = pd.Series(list(rng.normal(size=(len(X), 5))), index=X.index)
    return X, y


PARTS = [
    (
        "numbers",
        NumericBranch((4,), dropout=0.1, batch_norm=True, embedding="piecewise", n_bins=3),
        ["area", "seconds"],
    ),
    ("periodic", NumericBranch((4,), scale="robust", embedding="periodic", n_frequencies=2), ["rooms"]),
    ("place", CategoricalBranch(dim=2), ["city"]),
    ("onehot", CategoricalBranch(encoding="onehot"), ["city"]),
    ("text", TextBranch(encoder="transformer", dim=4, units=2), ["city"]),
    ("photo", ImageBranch(size=(6, 6), filters=(2,), augment=("flip", "contrast")), ["photo"]),
    ("sound", AudioBranch(rate=1000, n_mels=4, filters=(2,)), ["sound"]),
    ("signal", SequenceBranch("gru", 2), ["signal"]),
]


def _regressor():
    return MultimodalNetworkRegressor(PARTS, **{**TRAINING, "early_stopping": True, "random_state": 0}, metrics=["mae"])


def _classifier():
    return MultimodalNetworkClassifier(PARTS[:4], **TRAINING, random_state=0, modality_dropout=0.1)


def _stack():
    template = MultimodalNetworkRegressor(**TRAINING, loss="huber")
    return MultimodalStackingRegressor(
        [*PARTS[:4], ("ridge", Ridge(), ["area"])], network=template, cv=2, random_state=0
    )


def _fitted(make):
    """Return a fitted estimator and its predictions."""
    X, y = _table()
    estimator = make().fit(X, make_labels(y) if make is _classifier else y)
    return estimator, getattr(estimator, "predict_proba" if make is _classifier else "predict")(X)


#: The same under Keras's own settings, fitted once for all others.
_expected = functools.cache(_fitted)


# The network of all branches under all settings, a classifier and folds that are trained together under the furthest.
@pytest.mark.parametrize(
    ("settings", "make"),
    [(pair, _regressor) for pair in SETTINGS] + [(pair, make) for make in (_classifier, _stack) for pair in FURTHEST],
    indirect=["settings"],
)
def test_settings_outside_change_no_prediction(settings, make):
    _, expected = _expected(make)
    clear_cache()
    _set(*settings)
    _, predicted = _fitted(make)
    assert (keras.config.floatx(), keras.config.dtype_policy().name) == settings
    assert_allclose(predicted, expected, rtol=1e-6)


def test_a_fitted_network_predicts_the_same_under_other_settings(settings):
    network, expected = _expected(_regressor)
    clear_cache()
    _set(*settings)
    network._compiled_call._call = None
    assert_allclose(network.predict(_table()[0]), expected, rtol=1e-6)
    assert {keras.backend.standardize_dtype(weight.dtype) for weight in network.model_.trainable_weights} == {"float32"}
    assert (keras.config.floatx(), keras.config.dtype_policy().name) == settings


def test_settings_come_back_after_an_error(settings):
    X, y = _table()
    _set(*settings)
    with pytest.raises(ValueError, match="became"):
        MultimodalNetworkRegressor(PARTS[:1], **TRAINING, optimizer__learning_rate=1e30).fit(X, y)
    assert (keras.config.floatx(), keras.config.dtype_policy().name) == settings


def test_mixed_precision_is_used_if_asked_for():
    X, y = _table()
    try:
        _set("float32", "mixed_bfloat16")
        network = _classifier().fit(X, make_labels(y))
    finally:
        _set("float32", "float32")
    assert network.model_.get_layer("head_1").compute_dtype == "bfloat16"


def test_settings_of_threads_that_overlap_are_kept_and_put_back(settings):
    first_in, second_in, first_out = threading.Event(), threading.Event(), threading.Event()
    seen = []

    def first():
        with float32_unless_mixed():
            first_in.set()
            second_in.wait(60)
        first_out.set()

    def second():
        first_in.wait(60)
        with float32_unless_mixed():
            second_in.set()
            first_out.wait(60)
            seen.append((keras.config.floatx(), keras.config.dtype_policy().name))

    _set(*settings)
    threads = [threading.Thread(target=target) for target in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [("float32", "float32")]
    assert (keras.config.floatx(), keras.config.dtype_policy().name) == settings

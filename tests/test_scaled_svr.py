"""Support vector regression that needs no scaling."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR
from sklearn.utils.estimator_checks import parametrize_with_checks

from skstack import ScaledSVR, _scaled_svr

RNG = np.random.default_rng(0)
X = RNG.normal(3.0, [0.1, 1.0, 2.0], size=(80, 3)) * RNG.integers(0, 2, (80, 3))
Y = 100.0 + 10.0 * np.sin(X[:, 2]) + X[:, 1] + RNG.normal(size=80)
WEIGHT = RNG.uniform(0.2, 2.0, 80)

#: What scikit-learn's checks of weights compare with rows that are repeated.
RELATIVE = "Weights are relative to their mean: each row twice is twice as many rows, a weight of 2 for each is none."


@parametrize_with_checks(
    [ScaledSVR()],
    expected_failed_checks=lambda _: {
        "check_sample_weight_equivalence_on_dense_data": RELATIVE,
        "check_sample_weight_equivalence_on_sparse_data": RELATIVE,
    },
)
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_it_is_that_of_scikit_learn_on_scaled_rows_and_targets():
    total = np.sqrt(X.var(axis=0).sum())
    scaler = StandardScaler().fit(Y[:, None])
    expected = SVR(C=2.0, gamma=0.5, epsilon=0.2).fit(X / total, scaler.transform(Y[:, None]).ravel())
    fitted = ScaledSVR(C=2.0, gamma=0.5, epsilon=0.2).fit(X, Y)
    assert_allclose(fitted.predict(X), scaler.inverse_transform(expected.predict(X / total)[:, None]).ravel())
    assert_allclose([fitted.X_scale_, fitted.y_mean_, fitted.y_scale_], [total, Y.mean(), Y.std()])


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_rows_are_predicted_in_blocks(form, monkeypatch):
    fitted = ScaledSVR().fit(form(X), Y)
    expected = fitted.svr_.predict(form(X) / fitted.X_scale_) * fitted.y_scale_ + fitted.y_mean_
    assert_allclose(fitted.predict(form(X)), expected)
    monkeypatch.setattr(_scaled_svr, "_BLOCK", 7 * len(fitted.svr_.support_))  # 80 rows are 11 blocks and a rest
    assert_allclose(fitted.predict(form(X)), expected)
    monkeypatch.setattr(_scaled_svr, "_BLOCK", 1)
    assert_allclose(fitted.predict(form(X)), expected)


@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_no_scale_changes_what_is_predicted(weight):
    predicted = ScaledSVR().fit(X, Y, weight).predict(X)
    scaled = ScaledSVR().fit(1e-3 * X, 1e6 * Y + 7.0, None if weight is None else 1e9 * weight)
    assert_allclose(scaled.predict(1e-3 * X), 1e6 * predicted + 7.0, rtol=1e-4)


def test_sparse_rows_are_the_same_rows():
    dense, rows = ScaledSVR().fit(X, Y, WEIGHT), sparse.csr_array(X)
    assert_allclose(ScaledSVR().fit(rows, Y, WEIGHT).predict(rows), dense.predict(X), rtol=1e-5)


def test_weights_count_and_rows_of_weight_0_do_not():
    weight = np.where(np.arange(80) < 60, WEIGHT, 0.0)
    strange = np.where(np.arange(80) < 60, Y, 1e9)
    fitted = ScaledSVR().fit(X, strange, weight)
    assert_allclose(fitted.predict(X), ScaledSVR().fit(X, Y, weight).predict(X))
    assert_allclose(fitted.y_mean_, np.average(Y, weights=weight))
    assert np.abs(fitted.predict(X) - ScaledSVR().fit(X, Y, weight > 0).predict(X)).max() > 1e-3
    with pytest.raises(ValueError, match=r"sample_weight should not be negative, got -1\.0 in row 0"):
        ScaledSVR().fit(X, Y, np.where(np.arange(80) == 0, -1.0, 1.0))


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_what_does_not_vary_is_not_divided_by_rounding(form):
    constant = ScaledSVR().fit(form(np.full((7, 2), 0.1)), np.full(7, 0.3))
    assert (constant.X_scale_, constant.y_scale_) == (1.0, 1.0)
    assert_array_equal(constant.predict(form(np.zeros((2, 2)))), [0.3, 0.3])

"""All columns of a table, scaled by one number."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.utils.estimator_checks import parametrize_with_checks

from skstack.preprocessing import TotalVarianceScaler

RNG = np.random.default_rng(0)
X = RNG.normal(3.0, [0.1, 1.0, 20.0], size=(50, 3)) * RNG.integers(0, 2, (50, 3))


@parametrize_with_checks([TotalVarianceScaler()])
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_the_variances_of_all_columns_are_1_in_sum():
    scaled = TotalVarianceScaler().fit_transform(X)
    assert_allclose(scaled.var(axis=0).sum(), 1.0)
    assert_allclose(scaled.std(axis=0) / scaled[:, 2].std(), X.std(axis=0) / X[:, 2].std())  # proportions are kept
    squared = euclidean_distances(scaled, squared=True)
    assert_allclose(squared.mean(), 2.0)


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
def test_sparse_tables_stay_sparse(form):
    scaler = TotalVarianceScaler().fit(form(X))
    scaled = scaler.transform(form(X))
    assert sparse.issparse(scaled) and scaled.nnz == (X != 0).sum()
    assert_allclose(scaled.toarray(), TotalVarianceScaler().fit_transform(X))


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_numbers_keep_their_width(form):
    scaled = TotalVarianceScaler().fit_transform(form(X.astype(np.float32)))
    assert scaled.dtype == np.float32


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_columns_that_do_not_vary_stay_as_they_are(form):
    constant = np.full((7, 2), 0.1) * [1.0, 1e9]
    scaler = TotalVarianceScaler().fit(form(constant))
    assert scaler.scale_ == 1.0
    assert_array_equal(scaler.transform(constant), constant)


def test_columns_keep_their_names():
    table = pd.DataFrame(X, columns=["a", "b", "c"])
    scaler = TotalVarianceScaler().set_output(transform="pandas").fit(table)
    assert list(scaler.transform(table).columns) == ["a", "b", "c"]

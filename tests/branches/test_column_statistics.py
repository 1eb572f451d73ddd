"""Statistics of columns of numbers: dense, weighted and sparse ones."""

import numpy as np
import pytest
from scipy import sparse

from skstack.branches import _column_statistics
from skstack.branches._column_statistics import DenseColumn, SparseColumns, column_groups, quantiles

NAN = np.nan


@pytest.mark.parametrize(
    ("values", "level", "expected"),
    [([3.0, 1.0, 2.0], 0.5, 2.0), ([4.0, 1.0, 2.0, 3.0], 0.5, 2.5), ([4.0, 1.0, 2.0, 3.0], 0.3, 2.0), ([], 0.5, 0.0)],
)
def test_a_quantile_is_a_number_or_halfway_between_two(values, level, expected):
    assert quantiles(np.array(values), [level]).tolist() == [expected]


def test_the_outermost_quantiles_are_the_extremes():
    assert quantiles(np.array([5.0, -1.0, 2.0]), [0, 1]).tolist() == [-1, 5]
    assert np.isfinite(quantiles(np.array([1.7e308, 1.7e308]), [0.5])).all()


def test_weights_count_as_repeated_rows():
    generator = np.random.default_rng(0)
    values, weight = generator.normal(size=20), generator.integers(1, 5, size=20).astype(float)
    levels = np.linspace(0, 1, 11)
    repeated = np.repeat(values, weight.astype(int))
    np.testing.assert_array_equal(quantiles(values, levels, weight), quantiles(repeated, levels))
    expected = np.quantile(repeated, levels, method="averaged_inverted_cdf")
    np.testing.assert_allclose(quantiles(values, levels, weight), expected)
    weighted, plain = DenseColumn(values, weight), DenseColumn(repeated)
    np.testing.assert_allclose(weighted.mean(), plain.mean())
    np.testing.assert_allclose(weighted.std(), plain.std())


def test_gaps_of_a_dense_column_are_left_out_or_filled():
    column = DenseColumn(np.array([1.0, NAN, 3.0]), np.array([1.0, 5.0, 3.0]))
    assert column.has_gaps.tolist() == [True]
    assert column.known().mean().tolist() == [2.5]
    np.testing.assert_allclose(column.filled([9.0]).mean(), (1 + 5 * 9 + 3 * 3) / 9)
    whole = DenseColumn(np.array([1.0, 2.0]))
    assert whole.known() is whole.filled([0.0]) is whole
    assert DenseColumn(np.empty(0)).mean().tolist() == [0.0]


def _sparse(rows):
    return SparseColumns.of(sparse.csc_array(np.array(rows)))


def test_what_is_not_stored_counts_as_0():
    columns = _sparse([[0.0, 2.0], [4.0, 0.0], [0.0, 0.0], [-2.0, 6.0]])
    assert columns.has_gaps.tolist() == [False, False]
    np.testing.assert_allclose(columns.mean(), [0.5, 2.0])
    np.testing.assert_allclose(columns.std(), [np.std([0, 4, 0, -2]), np.std([2, 0, 0, 6])])
    np.testing.assert_allclose(columns.quantiles([0, 0.5, 1]), [[-2, 0, 4], [0, 1, 6]])


def test_gaps_of_sparse_columns_are_left_out_or_filled():
    columns = _sparse([[NAN, 2.0], [4.0, 0.0], [0.0, NAN]])
    assert columns.has_gaps.tolist() == [True, True]
    np.testing.assert_allclose(columns.known().mean(), [2.0, 1.0])
    np.testing.assert_allclose(columns.known().quantiles([0.5]), [[2.0], [1.0]])
    np.testing.assert_allclose(columns.filled(np.array([5.0, 7.0])).mean(), [3.0, 3.0])


def test_weights_of_sparse_rows_count_for_what_is_not_stored_too():
    rows, weight = np.array([[0.0, 1.0], [3.0, 0.0], [0.0, 0.0]]), np.array([1.0, 2.0, 5.0])
    for column, expected in zip(column_groups(sparse.csr_array(rows), weight), (6 / 8, 1 / 8), strict=True):
        np.testing.assert_allclose(column.mean(), expected)


def test_a_few_sparse_columns_are_looked_at_together(monkeypatch):
    table = sparse.csr_array(np.arange(24.0).reshape(4, 6))
    (whole,) = column_groups(table)
    monkeypatch.setattr(_column_statistics, "_CHUNK", 8)
    parts = list(column_groups(table))
    assert len(parts) == 3
    np.testing.assert_allclose(np.concatenate([part.mean() for part in parts]), whole.mean())


def test_dense_tables_come_column_by_column():
    means = [column.mean()[0] for column in column_groups(np.array([[1.0, 5.0], [3.0, 7.0]]))]
    assert means == [2.0, 6.0]

"""Rows of weight 0 count as rows that are not there, in everything that a network or stack learns."""

import numpy as np
import pytest
from _small import branches, make_labels, make_table, network_classifier, network_regressor, stack_regressor
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import PredefinedSplit

from skstack.branches import NumericBranch
from skstack.tasks._classification import ClassificationTask
from skstack.tasks._regression import RegressionTask


@pytest.fixture(scope="module")
def table():
    """Rows, numbers, weights that are 0 for outliers behind them, and the positions of all others."""
    X, y = make_table()
    strange = X.head(12).assign(area=1e9, rooms=np.nan, city="Zwolle").set_index(np.arange(1000, 1012))
    X_all = X.iloc[np.r_[: len(X), :12]].reset_index(drop=True)
    X_all.iloc[len(X) :] = strange.to_numpy()
    return X_all.astype(X.dtypes.to_dict()), np.r_[y, np.full(12, 1e12)], np.repeat([1.0, 0.0], [len(X), 12])


def _same_weights(one, other):
    for mine, theirs in zip(one.model_.get_weights(), other.model_.get_weights(), strict=True):
        assert_allclose(mine, theirs, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("stopping", [False, True])
@pytest.mark.parametrize("grouped", [False, True])
def test_a_network_learns_nothing_from_them(table, stopping, grouped):
    X, y, weight = table
    kept = weight > 0
    network = network_regressor(early_stopping=stopping, epochs=3, batch_size=16, validation_fraction=0.3)
    groups = np.arange(len(y)) // 3
    of_all, of_kept = ({"groups": groups}, {"groups": groups[kept]}) if grouped else ({}, {})
    weighted = network.fit(X, y, sample_weight=weight, **of_all)
    without = clone(network).fit(X[kept], y[kept], sample_weight=weight[kept], **of_kept)
    _same_weights(weighted, without)
    assert weighted.history_["loss"] == pytest.approx(without.history_["loss"], rel=1e-5)
    assert_array_equal(weighted.branches_[1][1].categories_[0], ["Aachen", "Bonn", "Celle"])


def test_partial_fit_learns_nothing_from_them(table):
    X, y, weight = table
    kept = weight > 0
    weighted = network_regressor().partial_fit(X, y, sample_weight=weight)
    _same_weights(weighted, network_regressor().partial_fit(X[kept], y[kept], sample_weight=weight[kept]))


def test_a_classifier_learns_nothing_from_them(table):
    X, y, weight = table
    kept, labels = weight > 0, make_labels(y, 3)
    for class_weight in (None, "balanced"):
        network = network_classifier(class_weight=class_weight, early_stopping=True, epochs=2)
        weighted = network.fit(X, labels, sample_weight=weight)
        _same_weights(weighted, clone(network).fit(X[kept], labels[kept], sample_weight=weight[kept]))


def test_the_networks_of_a_stack_learn_nothing_from_them(table):
    """Nor do those of the folds, which the final estimator shows."""
    X, y, weight = table
    kept, folds = weight > 0, np.arange(len(y)) % 2
    fitted = [
        stack_regressor(branches(), cv=PredefinedSplit(folds[rows])).fit(X[rows], y[rows], sample_weight=weight[rows])
        for rows in (slice(None), kept)
    ]
    _same_weights(*(stack.named_estimators_["network"] for stack in fitted))
    assert_allclose(fitted[0].predict(X[kept]), fitted[1].predict(X[kept]), rtol=1e-5)


def test_a_missing_indicator_is_not_learned_from_them():
    X, y = make_table()
    X.loc[100:102, "city"] = None
    for weight, names in ((1.0, ["missingindicator_place"]), (0.0, [])):
        stack = stack_regressor(branches(), add_missing_indicator=True)
        stack.fit(X, y, sample_weight=np.where(np.arange(len(y)) < 3, weight, 1.0))
        assert [name for name in stack.get_feature_names_out() if "indicator" in name] == names


@pytest.mark.parametrize("fit", ["fit", "partial_fit"])
def test_rows_that_all_have_weight_0_are_refused(table, fit):
    X, y, _ = table
    with pytest.raises(ValueError, match=r"every row has weight 0|at least one non-zero"):
        getattr(network_regressor(), fit)(X, y, sample_weight=np.zeros(len(y)))


def test_target_statistics_count_a_weight_as_rows_that_are_repeated():
    generator = np.random.default_rng(0)
    y, weight = generator.normal(size=(20, 2)), generator.integers(0, 4, 20)
    rows = np.flatnonzero(weight)
    weighted, repeated = RegressionTask().fit(y, rows, weight[rows]), RegressionTask().fit(np.repeat(y, weight, axis=0))
    assert_allclose(weighted.center_, repeated.center_)
    assert_allclose(weighted.scale_, repeated.scale_)


@pytest.mark.parametrize("scale", ["standard", "minmax", "robust"])
@pytest.mark.parametrize("impute", ["mean", "median"])
@pytest.mark.parametrize("sparse", [False, True])
def test_numbers_count_a_weight_as_rows_that_are_repeated(scale, impute, sparse):
    from scipy.sparse import csr_array

    generator = np.random.default_rng(1)
    X, weight = generator.integers(-3, 4, size=(30, 3)).astype(float), generator.integers(0, 4, 30)
    X[generator.random(X.shape) < 0.2] = np.nan
    branch = NumericBranch(scale=scale, impute=impute, embedding="piecewise", n_bins=6)
    container = csr_array if sparse else np.asarray
    weighted = clone(branch).fit(container(X), sample_weight=weight)
    repeated = clone(branch).fit(container(np.repeat(X, weight, axis=0)))
    halved = clone(branch).fit(container(X), sample_weight=weight / 2)
    for name in ("fill_", "center_", "scale_", "seen_missing_", "_edges"):
        assert_allclose(getattr(weighted, name), getattr(repeated, name), atol=1e-12, err_msg=name)
        assert_allclose(getattr(weighted, name), getattr(halved, name), atol=1e-12, err_msg=name)


def test_balanced_class_weights_balance_the_weight_of_the_classes():
    _, y = make_table()
    labels, weight = make_labels(y), np.random.default_rng(2).integers(1, 4, len(y))
    task = ClassificationTask("Network", class_weight="balanced")
    weights = task.row_weight(labels, weight.astype("float32"))
    totals = [weights[labels == name].sum() for name in ("cheap", "fair")]
    assert_allclose(totals[0], totals[1], rtol=1e-6)
    repeated = task.row_weight(np.repeat(labels, weight), None)
    assert_allclose(totals[0], repeated[np.repeat(labels, weight) == "cheap"].sum(), rtol=1e-6)

"""Importance of modalities for the score."""

import numpy as np
import pandas as pd
import pytest
from _modalities import MODALITIES, NOISE, NUMBERS, classifier, stack, table
from _small import make_labels
from numpy.testing import assert_allclose
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GroupKFold

from skstack import MultimodalStackingRegressor
from skstack.inspection import modality_importance


@pytest.mark.parametrize("method", ["permutation", "shapley"])
def test_noise_is_worth_nothing_and_what_was_planted_is_worth_its_share(method):
    X, y = table(seed=5)
    result = modality_importance(stack(), X, y, method=method, random_state=0)
    numbers, place, noise = result.importances_mean
    assert list(result.modalities) == ["numbers", "place", "noise"]
    assert numbers > place > 0.2 and abs(noise) < 0.05


def test_shares_of_a_linear_target_are_those_of_its_variance():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(4000, 3))
    y = 2.0 * X[:, 0] + X[:, 1]
    model = LinearRegression().fit(X, y)
    modalities = {"strong": [0], "weak": [1], "noise": [2]}
    permuted = modality_importance(model, X, y, modalities=modalities, random_state=0)
    assert_allclose(permuted.importances_mean, [2 * 4 / 5, 2 * 1 / 5, 0], atol=0.05)  # twice the share of the variance
    shared = modality_importance(model, X, y, modalities=modalities, method="shapley", background=np.zeros((1, 3)))
    assert_allclose(shared.importances_mean, [4 / 5, 1 / 5, 0], atol=0.05)
    assert_allclose(shared.importances_mean.sum(), shared.score - shared.base_score, atol=1e-9)


def test_permutation_is_that_of_scikit_learn_for_modalities_of_one_column():
    X, y = table()
    X = X[["area", "rooms"]]
    model = HistGradientBoostingRegressor(max_iter=20, random_state=0).fit(X, y)
    ours = modality_importance(model, X, y, modalities={"a": ["area"], "r": ["rooms"]}, n_repeats=20, random_state=0)
    theirs = permutation_importance(model, X, y, n_repeats=20, random_state=0)
    assert_allclose(ours.importances_mean, theirs.importances_mean, rtol=0.1)
    assert ours.importances.shape == (2, 20)
    assert_allclose(ours.importances.mean(axis=1), ours.importances_mean)


def test_columns_of_a_modality_are_permuted_together():
    generator = np.random.default_rng(0)
    first = generator.normal(size=300)
    X = np.c_[first, first, generator.normal(size=300)]
    y = X[:, 2]

    class Difference(LinearRegression):
        def predict(self, X):
            return X[:, 2] + 10 * (X[:, 0] - X[:, 1])  # nothing, as long as the two are of one row

    model = Difference().fit(X, y)
    together = modality_importance(model, X, y, modalities={"pair": [0, 1]}, random_state=0)
    assert_allclose(together.importances_mean, 0, atol=1e-9)
    apart = modality_importance(model, X, y, modalities={"first": [0]}, random_state=0)
    assert apart.importances_mean[0] > 10


def test_importance_is_of_the_chosen_score():
    X, y = table()
    labels = make_labels(y)
    result = modality_importance(classifier(), X, labels, method="shapley", scoring="neg_log_loss")
    assert result.interactions.shape == (2, 2)
    assert_allclose(result.importances_mean.sum(), result.score - result.base_score)
    assert result.base_score < result.score < 0
    plain = modality_importance(classifier(), X, labels, random_state=0)
    assert_allclose(plain.score, classifier().score(X, labels))


def test_same_seed_same_permutations():
    X, y = table()
    first, second, third = (modality_importance(stack(), X, y, random_state=seed).importances for seed in (0, 0, 1))
    assert first.tolist() == second.tolist() != third.tolist()


def test_refit_compares_with_fits_that_never_had_the_modality():
    X, y = table(192)
    boosting = HistGradientBoostingRegressor(max_iter=10, min_samples_leaf=5)
    fitted = MultimodalStackingRegressor([("numbers", boosting, NUMBERS), ("noise", boosting, NOISE)], cv=2).fit(X, y)
    result = modality_importance(fitted, X, y, method="refit", cv=3)
    assert result.importances.shape == (2, 3)
    assert result.importances_mean[0] > 0.2 and abs(result.importances_mean[1]) < 0.05


def test_refit_holds_groups_together():
    X, y = table()
    groups, seen = np.arange(len(X)) // 8, []

    class Watched(HistGradientBoostingRegressor):
        def fit(self, X, y):
            seen.append(set(X.index))
            return super().fit(X, y)

    fitted = MultimodalStackingRegressor([("a", Watched(max_iter=2), ["area"]), ("r", Watched(max_iter=2), ["rooms"])])
    fitted.fit(X, y, groups=groups)
    seen.clear()
    modality_importance(fitted, X, y, method="refit", groups=groups, cv=GroupKFold(2))
    of_row = dict(zip(X.index, groups, strict=True))
    for rows in seen:
        inside = {of_row[row] for row in rows}
        assert sum(of_row[row] in inside for row in X.index) == len(rows)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"method": "drop"}, "'method' should be one of .* got 'drop'"),
        ({"background": [[0.0]]}, "'background' is for method='shapley', got method='permutation'"),
        ({"cv": 3}, "'cv' and 'groups' are for method='refit'"),
        ({"n_repeats": 0}, "n_repeats == 0, must be >= 1"),
    ],
)
def test_parameters_of_no_use_are_refused(params, message):
    X, y = table()
    with pytest.raises(ValueError, match=message):
        modality_importance(stack(), X, y, **params)
    with pytest.raises(ValueError, match="inconsistent"):
        modality_importance(stack(), X, y[:-1])
    assert modality_importance(stack(), X, y, modalities=MODALITIES, n_repeats=1).importances.shape == (3, 1)


def test_targets_may_be_an_array_of_pandas():
    X, y = table()
    labels = pd.array(make_labels(y), dtype="string")
    result = modality_importance(classifier(), X, labels, method="refit", cv=2)
    expected = modality_importance(classifier(), X, make_labels(y), method="refit", cv=2)
    assert_allclose(result.importances, expected.importances)

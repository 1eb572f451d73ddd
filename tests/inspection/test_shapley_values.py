"""Shapley values of modalities for single predictions."""

import numpy as np
import pandas as pd
import pytest
from _modalities import MODALITIES, classifier, stack, table
from _small import branches, make_labels, make_table
from numpy.testing import assert_allclose
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression

from skstack import MultitaskNetwork
from skstack.inspection import shapley_values


def test_values_sum_to_the_difference_that_all_modalities_make():
    X, _ = table()
    result = shapley_values(stack(), X)
    assert result.modalities == MODALITIES
    assert result.shapley_values.shape == (96, 3) and result.interactions.shape == (96, 3, 3)
    assert_allclose(result.predictions, stack().predict(X), rtol=1e-6)
    assert_allclose(result.base_values + result.shapley_values.sum(axis=1), result.predictions, atol=1e-6, rtol=0)
    diagonal = np.einsum("rmm->rm", result.interactions)
    halves = (result.interactions.sum(axis=2) - diagonal) / 2
    assert_allclose(diagonal + halves, result.shapley_values, atol=1e-9)


def test_values_of_every_row_are_those_of_shapiq():
    shapiq = pytest.importorskip("shapiq", reason="the peer that exact values are compared with")
    X, _ = table()
    rows = X.iloc[:2]
    result = shapley_values(stack(), rows)
    columns = list(MODALITIES.values())
    for row in range(2):
        seen = rows.iloc[[row]]

        def game(members, seen=seen):
            tables = [
                seen.assign(
                    **{name: np.nan for own, there in zip(columns, present, strict=True) if not there for name in own}
                )
                for present in members
            ]
            return np.array([stack().predict(one)[0] for one in tables])

        exact = shapiq.ExactComputer(n_players=3, game=game)
        values, pairs = exact(index="SV", order=1), exact(index="SII", order=2)
        for first in range(3):
            assert_allclose(result.shapley_values[row, first], values[(first,)], atol=1e-6)
            for second in range(first):
                assert_allclose(result.interactions[row, first, second], pairs[(second, first)], atol=1e-6)


def test_noise_contributes_less_than_what_the_target_is_made_of():
    X, _ = table()
    numbers, place, noise = np.abs(shapley_values(stack(), X).shapley_values).mean(axis=0)
    assert min(numbers, place) > 5 * noise


def test_a_linear_model_contributes_its_terms_beside_the_mean_background():
    X, y = table()
    X = X[["area", "rooms", "noise"]]
    model, modalities = LinearRegression().fit(X, y), {"size": ["area", "rooms"], "noise": ["noise"]}
    result = shapley_values(model, X, modalities=modalities, background=X.iloc[:20])
    terms = model.coef_ * (X - X.iloc[:20].mean())
    assert_allclose(result.shapley_values[:, 0], terms[["area", "rooms"]].sum(axis=1))
    assert_allclose(result.shapley_values[:, 1], terms["noise"])
    assert_allclose(result.interactions[:, 0, 1], 0, atol=1e-9)


def test_columns_of_no_modality_are_always_there():
    X, y = table()
    X = X[["area", "noise"]]
    model = HistGradientBoostingRegressor(max_iter=5).fit(X, y)
    result = shapley_values(model, X, modalities={"noise": ["noise"]})
    assert_allclose(result.base_values, model.predict(X.assign(noise=np.nan)))


def test_of_two_classes_the_second_counts_and_of_more_each():
    X, y = table()
    result = shapley_values(classifier(), X)
    assert result.classes.tolist() == ["fair"]
    assert_allclose(result.predictions, classifier().predict_proba(X)[:, 1])
    X = X[["area", "noise"]]
    model = HistGradientBoostingClassifier(max_iter=3).fit(X, make_labels(y, 3))
    result = shapley_values(model, X, modalities={"area": ["area"], "noise": ["noise"]})
    assert result.classes.tolist() == ["cheap", "dear", "fair"]
    assert result.shapley_values.shape == (96, 2, 3)
    assert_allclose(result.shapley_values.sum(axis=2), 0, atol=1e-9)  # probabilities are 1 in sum
    result = shapley_values(model, X, modalities={"area": ["area"]}, response_method="decision_function")
    assert_allclose(result.predictions, model.decision_function(X))


def test_what_has_no_numbers_is_refused():
    X, y = make_table()
    target = pd.DataFrame({"price": y, "dear": make_labels(y)})
    network = MultitaskNetwork(branches(), epochs=1, batch_size=64, early_stopping=False, random_state=0).fit(X, target)
    with pytest.raises(TypeError, match=r"predicts several tasks: give one of them, as estimator\.for_task"):
        shapley_values(network, X)
    assert shapley_values(network.for_task("price"), X).shapley_values.shape == (48, 2)
    with pytest.raises(TypeError, match=r"predict of .* returns no numbers"):
        shapley_values(classifier(), table()[0], response_method="predict")
    with pytest.raises(ValueError, match=r"'response_method' should be one of .* got 'proba'"):
        shapley_values(classifier(), table()[0], response_method="proba")

"""What base models add to a stack."""

import numpy as np
import pandas as pd
import pytest
from _inspected import around
from _modalities import stack, table
from _small import make_labels, make_table
from numpy.testing import assert_allclose
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skstack import MultimodalStackingClassifier, MultimodalStackingRegressor
from skstack.inspection import member_importance

NUMBERS = ["area", "rooms"]


def _stack(final=None, **params):
    X, y = make_table(120)
    parts = [("line", Ridge(), NUMBERS), ("useless", KNeighborsRegressor(), ["area"])]
    return MultimodalStackingRegressor(parts, final_estimator=final, cv=3, random_state=0, **params).fit(X, y), X, y


@pytest.mark.parametrize("final", [None, LinearRegression()])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_useless_member_is_worth_nothing_within_its_error(final, seed):
    X, y = make_table(400, seed)
    X["noise"] = np.random.default_rng(seed + 10).normal(size=len(X))
    parts = [("line", Ridge(), NUMBERS), ("useless", Ridge(), ["noise"]), ("constant", DummyRegressor())]
    fitted = MultimodalStackingRegressor(parts, final_estimator=final, cv=5).fit(X, y)
    table = member_importance(fitted, X, y)
    for name in ("useless", "constant"):
        assert abs(table.loc[name, "importance"]) < 2 * table.loc[name, "standard_error"] + 1e-9
    assert table.loc["line", "importance"] > 2 * table.loc["line", "standard_error"]


def test_networks_and_learners_stand_side_by_side():
    X, y = table()
    result = member_importance(stack(), X, y)
    assert result.index.tolist() == ["network", "boosting", "ridge"]
    assert result["importance"].idxmax() == "network"  # nobody else knows the place
    assert_allclose(result["weight"], stack().final_estimator_.coef_)


@pytest.mark.parametrize(
    ("final", "weights"),
    [
        (None, lambda final: final.weights_),
        (Ridge(), lambda final: final.coef_),
        (make_pipeline(StandardScaler(), Ridge()), lambda final: final[-1].coef_),
        (RandomForestRegressor(5, random_state=0), lambda final: final.feature_importances_),
        (KNeighborsRegressor(), lambda final: [np.nan, np.nan]),
    ],
)
def test_weights_are_those_of_the_final_estimator(final, weights):
    fitted, X, y = _stack(final)
    assert_allclose(member_importance(fitted, X, y)["weight"], weights(fitted.final_estimator_))


def test_columns_passed_through_have_no_weight_here():
    fitted, X, y = _stack(Ridge(), passthrough=["rooms"])
    table = member_importance(fitted, X, y)
    assert_allclose(table["weight"], fitted.final_estimator_.coef_[:2])


def test_coefficients_of_several_columns_are_added_up_without_their_signs():
    X, y = make_table(120)
    labels = make_labels(y, 3)
    parts = [("line", LogisticRegression(), NUMBERS), ("weak", LogisticRegression(C=0.01), NUMBERS)]
    fitted = MultimodalStackingClassifier(parts, final_estimator=LogisticRegression(), cv=3).fit(X, labels)
    table = member_importance(fitted, X, labels)
    coefficients = np.abs(fitted.final_estimator_.coef_)
    assert_allclose(table["weight"], [coefficients[:, :3].sum(), coefficients[:, 3:].sum()])


def test_targets_that_have_a_final_estimator_each_have_weights_each():
    X, y = make_table(120)
    target = pd.DataFrame({"dear": make_labels(y), "large": make_labels(X["area"], 3)})
    parts = [("line", LogisticRegression(), NUMBERS), ("weak", LogisticRegression(C=0.01), NUMBERS)]
    fitted = MultimodalStackingClassifier(parts, final_estimator=LogisticRegression(), cv=3).fit(X, target)
    table = member_importance(fitted, X, target)
    coefficients = np.abs(fitted.final_estimator_.for_task("large").coef_).sum(axis=0)
    half = len(coefficients) // 2
    assert_allclose(table.loc["large", "weight"], [coefficients[:half].sum(), coefficients[half:].sum()])
    assert table.loc["dear", "weight"].notna().all()


def test_other_estimators_are_refused():
    X, y = make_table()
    with pytest.raises(TypeError, match="needs a stack of skstack, got Ridge"):
        member_importance(Ridge().fit(X[NUMBERS], y), X, y)


def test_a_pipeline_is_asked_for_its_last_step():
    fitted, X, y = _stack()
    pipeline = make_pipeline("passthrough", fitted)
    pd.testing.assert_frame_equal(member_importance(pipeline, X, y), member_importance(fitted, X, y))


def test_the_best_one_of_a_search():
    fitted, X, y = _stack()
    for estimator in around(fitted):
        pd.testing.assert_frame_equal(member_importance(estimator, X, y), member_importance(fitted, X, y))

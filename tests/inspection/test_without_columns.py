"""Estimators without the parts that read some columns."""

import pytest
from _inspected import search_of
from _modalities import stack, table
from _small import branches, make_table, network_regressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import check_is_fitted

from skstack import MultimodalStackingRegressor
from skstack.inspection._without_columns import without_columns


def _columns(parts):
    return {name: columns for name, _, columns in parts}


def test_parts_lose_columns_or_are_left_out():
    X, _ = table()
    reduced = without_columns(stack(), X, "numbers", [0, 1])
    assert _columns(reduced.estimators) == {"place": ["city"], "noise": ["noise"], "boosting": ["noise"]}
    with pytest.raises(NotFittedError):
        check_is_fitted(reduced)
    assert len(stack().estimators) == 5


def test_columns_are_not_passed_through_either():
    X, y = make_table()
    X = X[["area", "rooms"]]
    for passthrough, left in ((True, ["rooms"]), (["area"], False), (["rooms", "area"], ["rooms"])):
        parts = [("area", Ridge(), ["area"]), ("rooms", Ridge(), "rooms" if passthrough == 0 else ["rooms"])]
        fitted = MultimodalStackingRegressor(parts, cv=2, passthrough=passthrough).fit(X, y)
        assert without_columns(fitted, X, "area", [0]).passthrough == left


def test_networks_and_pipelines():
    X, y = make_table()
    network = network_regressor().fit(X, y)
    assert _columns(without_columns(network, X, "size", [0]).branches) == {"numbers": ["rooms"], "place": ["city"]}
    turned = FunctionTransformer(lambda X: X[["city", "rooms", "area"]])
    fitted = make_pipeline(turned, network_regressor()).fit(X, y)
    reduced = without_columns(fitted, X, "place", [2])
    assert _columns(reduced[-1].branches) == {"numbers": ["area", "rooms"]}
    assert len(fitted[-1].branches) == 2


def test_a_network_without_branches_and_a_dropped_part():
    X, y = make_table()
    X = X[["area", "rooms"]]
    network = network_regressor([("x", branches()[0][1])]).set_params(branches=None).fit(X, y)
    assert [columns for _, _, columns in without_columns(network, X, "size", [0]).branches] == [["rooms"]]
    parts = [("area", Ridge(), ["area"]), ("rooms", Ridge(), ["rooms"]), ("none", "drop", ["area"])]
    fitted = MultimodalStackingRegressor(parts, cv=2).fit(X, y)
    assert list(_columns(without_columns(fitted, X, "size", [0]).estimators)) == ["rooms", "none"]
    with pytest.raises(ValueError, match="without the modality 'all', no part of MultimodalStackingRegressor is left"):
        without_columns(fitted, X, "all", [0, 1])


def test_other_estimators_have_no_parts():
    X, y = make_table()
    fitted = LinearRegression().fit(X[["area"]], y)
    with pytest.raises(TypeError, match="leaves parts out, which LinearRegression has not"):
        without_columns(fitted, X[["area"]], "size", [0])


def test_networks_and_stacks_within_a_stack_lose_parts():
    X, y = make_table()
    ridge = ("ridge", Ridge(), ["area"])
    inner = MultimodalStackingRegressor([("size", Ridge(), ["area", "rooms"]), ridge], cv=2)
    parts = [("net", network_regressor(), ["city", "rooms", "area"]), ("inner", inner), ridge]
    fitted = MultimodalStackingRegressor(parts, cv=2).fit(X, y)
    reduced = without_columns(fitted, X, "size", [0, 1])
    assert _columns(reduced.estimators) == {"net": ["city", "rooms", "area"]}
    assert _columns(reduced.estimators[0][1].branches) == {"place": ["city"]}
    reduced = without_columns(fitted, X, "area", [0])
    assert _columns(reduced.estimators[1][1].estimators) == {"size": ["rooms"]}


def test_what_is_frozen_or_behind_a_pipeline_is_left_out_as_a_whole():
    X, y = make_table()
    network = network_regressor().fit(X, y)
    for part in (FrozenEstimator(network), make_pipeline("passthrough", network)):
        fitted = MultimodalStackingRegressor([("net", part), ("ridge", Ridge(), ["area"])], cv=2).fit(X, y)
        with pytest.raises(ValueError, match="part of the MultimodalNetworkRegressor within 'net': give 'modalities'"):
            without_columns(fitted, X, "place", [2])


def test_a_search_at_the_end_of_a_pipeline():
    X, y = make_table()
    fitted = make_pipeline("passthrough", search_of(network_regressor().fit(X, y)))
    assert _columns(without_columns(fitted, X, "place", [2])[-1].branches) == {"numbers": ["area", "rooms"]}

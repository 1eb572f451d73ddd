"""Which columns are a modality."""

import numpy as np
import pandas as pd
import polars
import pyarrow
import pytest
from _inspected import around, search_of
from _modalities import MODALITIES, stack, table
from _small import branches, make_table, network_regressor, stack_regressor
from scipy import sparse
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skstack import MultimodalStackingRegressor
from skstack.branches import CategoricalBranch, EntityBranch, NumericBranch
from skstack.inspection import dropped_modality_curve, modality_importance, shapley_values
from skstack.inspection._modalities import check_inspected, column_names, modalities_of


def _names(estimator, X, modalities=None):
    return {name: column_names(X, columns) for name, columns in modalities_of(estimator, X, modalities).items()}


def _learners(**columns):
    X, y = make_table()
    boosting = HistGradientBoostingRegressor(max_iter=2)
    parts = [(name, boosting, of_learner) for name, of_learner in columns.items()]
    return MultimodalStackingRegressor(parts, cv=2).fit(X[["area", "rooms"]], y), X[["area", "rooms"]]


def test_branches_say_what_a_modality_is_and_learners_on_their_columns_do_not():
    X, _ = table()
    assert _names(stack(), X) == MODALITIES


def test_columns_that_learners_alone_read_are_a_modality():
    X, y = make_table()
    parts = [("place", CategoricalBranch(dim=2), ["city"]), ("ridge", Ridge(), ["area", "rooms"])]
    assert _names(stack_regressor(parts).fit(X, y), X) == {"place": ["city"], "ridge": ["area", "rooms"]}


def test_parts_that_share_columns_are_one():
    fitted, X = _learners(one=["area"], both=["area", "rooms"], two=["rooms"])
    assert _names(fitted, X) == {"both": ["area", "rooms"]}
    fitted, X = _learners(one=["area"], same=["area"], two=["rooms"])
    assert _names(fitted, X) == {"one": ["area"], "two": ["rooms"]}


def test_branches_of_which_none_holds_all_shared_columns_are_called_by_all_their_names():
    X, y = make_table()
    X["district"] = X["city"]
    parts = [
        *branches()[:1],
        ("left", CategoricalBranch(dim=2), ["city"]),
        ("pair", EntityBranch(dim=2), ["city", "district"]),
        ("right", CategoricalBranch(dim=2), ["rooms", "district"]),
    ]
    parts[0] = (*parts[0][:2], ["area"])
    fitted = network_regressor(parts).fit(X, y)
    assert _names(fitted, X) == {"numbers": ["area"], "left+pair+right": ["rooms", "city", "district"]}


def test_a_network_within_a_stack_is_asked_for_its_branches():
    X, y = make_table()
    fitted = stack_regressor([("net", network_regressor(), ["city", "rooms", "area"])]).fit(X, y)
    assert _names(fitted, X) == {"numbers": ["area", "rooms"], "place": ["city"]}


def test_a_pipeline_is_asked_by_the_names_of_columns():
    X, y = make_table()
    turned = FunctionTransformer(lambda X: X[["city", "rooms", "area"]])
    fitted = make_pipeline(turned, network_regressor()).fit(X, y)
    assert _names(fitted, X) == {"numbers": ["area", "rooms"], "place": ["city"]}
    search = GridSearchCV(fitted, {}, cv=2, refit=False)
    search.best_estimator_ = fitted
    assert check_inspected(search, X)[0] is fitted


def test_columns_without_names_have_positions():
    X = np.random.default_rng(0).normal(size=(48, 3))
    fitted = network_regressor([("first", branches()[0][1], [0, 2])]).fit(X, X[:, 0])
    assert _names(fitted, X) == {"first": [0, 2]}


def test_given_modalities_count():
    X, _ = table()
    given = {"left": slice("area", "rooms"), "city": "city"}
    assert _names(stack(), X, given) == {"left": ["area", "rooms"], "city": ["city"]}


@pytest.mark.parametrize(
    ("modalities", "message"),
    [
        ({}, "should be a dict of names and columns"),
        (["area"], "should be a dict of names and columns"),
        ({"size": ["aera"]}, "modality 'size': .*not columns of the dataframe: \\['aera'\\].*area"),
        ({"size": ["area"], 1: ["rooms"]}, "names of 'modalities' should be strings, got 1"),
        ({"size": []}, "modality 'size' has no columns"),
        ({"size": ["area", "rooms"], "rooms": "rooms"}, "column 'rooms' is in two modalities, 'size' and 'rooms'"),
    ],
)
def test_modalities_of_no_use_are_refused(modalities, message):
    X, _ = table()
    with pytest.raises(ValueError, match=message):
        modalities_of(stack(), X, modalities)


def test_who_does_not_say_has_to_be_told():
    X, y = make_table()
    X = X[["area", "rooms"]]
    with pytest.raises(ValueError, match=r"LinearRegression is neither a stack nor a network, .* give 'modalities'"):
        modalities_of(LinearRegression().fit(X, y), X)
    fitted = make_pipeline(StandardScaler(), network_regressor([("x", branches()[0][1])])).fit(X, y)
    with pytest.raises(ValueError, match=r"steps before the last one .* change the names"):
        modalities_of(fitted, X)


def test_only_fitted_estimators_and_dense_tables_are_inspected():
    with pytest.raises(NotFittedError):
        check_inspected(Ridge(), [[1.0]])
    fitted = Ridge().fit([[1.0], [2.0]], [1.0, 2.0])
    with pytest.raises(TypeError, match="sparse"):
        check_inspected(fitted, sparse.csr_matrix([[1.0]]))
    with pytest.raises(ValueError, match="rows and columns"):
        check_inspected(fitted, [1.0, 2.0])
    assert check_inspected(fitted, pd.DataFrame([[1.0]]))[1].shape == (1, 1)


def test_networks_in_what_is_frozen_a_pipeline_or_a_nested_stack_are_asked_too():
    X, y = make_table()
    network = network_regressor().fit(X, y)
    turned = FunctionTransformer(lambda X: X[["city", "rooms", "area"]])
    inner = stack_regressor(branches(), cv=2).fit(X, y)
    scaled = make_pipeline(StandardScaler(), Ridge()).fit(X[["area"]], y)
    piped = make_pipeline(turned, network_regressor()).fit(X, y)
    for part in (FrozenEstimator(network), piped, search_of(network), inner):
        parts = [("net", part), ("ridge", scaled, ["area"])]
        fitted = stack_regressor(parts, cv="prefit").fit(X, y)
        assert _names(fitted, X) == {"numbers": ["area", "rooms"], "place": ["city"]}
        for estimator in around(fitted):
            assert _names(estimator, X) == _names(fitted, X)


def test_a_network_behind_other_columns_is_read_as_a_whole():
    X, y = make_table()
    numbers = NumericBranch((4,), scale="standard", embedding=None, dropout=0.0)
    behind = make_pipeline(StandardScaler(), network_regressor([("x", numbers, [0, 1])]))
    fitted = stack_regressor([("behind", behind, ["area", "rooms"])], network=None).fit(X, y)
    assert _names(fitted, X) == {"behind": ["area", "rooms"]}


def test_a_table_without_a_column_is_refused_unless_it_may_be_missing():
    X, y = make_table()
    for fitted in (network_regressor().fit(X, y), stack_regressor().fit(X, y)):
        with pytest.raises(ValueError, match="yet now missing:\n- city"):
            check_inspected(fitted, X.drop(columns="city"))
    lenient = network_regressor(allow_missing_columns=True).fit(X, y)
    assert list(check_inspected(lenient, X.drop(columns="city"))[1]) == list(X)


@pytest.mark.parametrize("kind", ["polars", "pyarrow"])
def test_tables_of_others(kind):
    X, y = make_table()
    table = polars.from_pandas(X) if kind == "polars" else pyarrow.Table.from_pandas(X, preserve_index=False)
    fitted = stack_regressor(branches()).fit(table, y)
    checked = check_inspected(fitted, table)[1]
    assert _names(fitted, checked) == {"numbers": ["area", "rooms"], "place": ["city"]}
    assert shapley_values(fitted, table).shapley_values.shape == (len(X), 2)
    assert modality_importance(fitted, table, y, random_state=0).importances.shape == (2, 5)
    assert dropped_modality_curve(fitted, table, y, shares=[0], n_repeats=1).scores.shape == (2, 1, 1)

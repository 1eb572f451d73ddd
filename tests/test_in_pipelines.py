"""Networks and stacks as parts of scikit-learn's own estimators, and in its validation functions."""

import numpy as np
import pandas as pd
import polars
import pytest
from _small import (
    TRAINING,
    make_labels,
    make_table,
    network_classifier,
    network_regressor,
    stack_classifier,
    stack_regressor,
)
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import permutation_importance
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import Ridge
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    KFold,
    ShuffleSplit,
    StratifiedKFold,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    validation_curve,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skstack import MultimodalNetworkRegressor


@pytest.fixture(scope="module")
def table():
    return make_table()


@pytest.fixture(scope="module")
def stack(table):
    """A fitted stack."""
    return stack_regressor().fit(*table)


@pytest.fixture(scope="module")
def network(table):
    """A fitted network."""
    return network_regressor().fit(*table)


def test_pipeline_ends_with_a_stack(table):
    X, y = table
    scale = ColumnTransformer(
        [("scale", StandardScaler(), ["area", "rooms"])], remainder="passthrough", verbose_feature_names_out=False
    ).set_output(transform="pandas")
    pipeline = Pipeline([("scale", scale), ("stack", stack_regressor())]).fit(X, y)
    scaled = clone(scale).fit_transform(X)
    assert_allclose(pipeline.predict(X), stack_regressor().fit(scaled, y).predict(scaled), rtol=1e-5)
    assert pipeline.set_params(stack__numbers__hidden=(3,)).get_params()["stack__numbers"].hidden == (3,)


def test_pipeline_ends_with_a_network(table):
    X, y = table
    double = FunctionTransformer(lambda X: X.assign(area=2 * X["area"]))
    pipeline = make_pipeline(double, network_regressor()).fit(X, y)
    assert_allclose(
        pipeline.predict(X), network_regressor().fit(double.transform(X), y).predict(double.transform(X)), rtol=1e-5
    )


def test_column_transformer_takes_a_stack_as_a_transformer(table, stack):
    X, y = table
    features = ColumnTransformer(
        [("stack", stack_regressor(), ["area", "rooms", "city"]), ("as_is", "passthrough", ["rooms"])]
    )
    transformed = features.fit_transform(X, y)
    assert_allclose(transformed[:, :2], stack.transform(X), rtol=1e-5)
    assert_array_equal(transformed[:, 2], X["rooms"])
    assert features.get_feature_names_out().tolist() == [
        "stack__multimodalstackingregressor_network",
        "stack__multimodalstackingregressor_ridge",
        "as_is__rooms",
    ]


def test_stack_feeds_a_further_estimator_in_a_pipeline(table, stack):
    X, y = table
    pipeline = make_pipeline(stack_regressor(), Ridge()).fit(X, y)
    assert_allclose(pipeline.predict(X), Ridge().fit(stack.transform(X), y).predict(stack.transform(X)), rtol=1e-5)


@pytest.mark.parametrize("make", [network_regressor, stack_regressor])
def test_transformed_target(table, make):
    X, y = table
    prices = np.exp(y)
    on_logs = TransformedTargetRegressor(make(), func=np.log, inverse_func=np.exp).fit(X, prices)
    assert_allclose(on_logs.predict(X), np.exp(make().fit(X, np.log(prices)).predict(X)), rtol=1e-5)


@pytest.mark.parametrize("kind", ["pandas", "polars"])
@pytest.mark.parametrize("passthrough", [False, ["rooms"]])
def test_set_output(table, stack, kind, passthrough):
    X, y = table
    chosen = stack_regressor(passthrough=passthrough).set_output(transform=kind)
    transformed = chosen.fit(X, y).transform(X)
    assert isinstance(transformed, {"pandas": pd.DataFrame, "polars": polars.DataFrame}[kind])
    assert list(transformed.columns) == chosen.get_feature_names_out().tolist()
    expected = stack.transform(X) if passthrough is False else np.column_stack([stack.transform(X), X["rooms"]])
    assert_allclose(transformed.to_numpy(), expected, rtol=1e-5)
    if kind == "pandas":
        assert_array_equal(transformed.index, X.index)


def test_cross_validation_scores_models_that_never_saw_the_rows(table):
    X, y = table
    folds = KFold(2, shuffle=True, random_state=1)
    predicted = cross_val_predict(network_regressor(), X, y, cv=folds)
    for training, test in folds.split(X):
        by_hand = network_regressor().fit(X.iloc[training], y[training]).predict(X.iloc[test])
        assert_allclose(predicted[test], by_hand, rtol=1e-5)
    scores = cross_val_score(network_regressor(), X, y, cv=folds, scoring="neg_mean_absolute_error")
    errors = [-np.abs(y[test] - predicted[test]).mean() for _, test in folds.split(X)]
    assert_allclose(scores, errors, rtol=1e-5)


def test_cross_validate_a_stack_with_several_scores(table):
    X, y = table
    results = cross_validate(
        stack_regressor(), X, y, cv=2, scoring=["r2", "neg_mean_squared_error"], return_estimator=True
    )
    training, test = next(KFold(2).split(X))
    fitted = results["estimator"][0]
    assert fitted.named_estimators_["ridge"].coef_.tolist() == (
        Ridge().fit(X[["area", "rooms"]].iloc[training], y[training]).coef_.tolist()
    )
    squared = np.mean((fitted.predict(X.iloc[test]) - y[test]) ** 2)
    assert_allclose(-results["test_neg_mean_squared_error"][0], squared, rtol=1e-6)
    assert_allclose(results["test_r2"][0], 1 - squared / y[test].var(), rtol=1e-6)


def test_cross_validation_of_a_classifier_stratifies_and_scores_probabilities(table):
    X, y = table
    labels = np.sort(make_labels(y))  # folds without stratification would show one class each
    probabilities = cross_val_predict(network_classifier(), X, labels, cv=2, method="predict_proba")
    assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-6)
    scores = cross_val_score(network_classifier(), X, labels, cv=2, scoring="neg_log_loss")
    losses = [-log_loss(labels[test], probabilities[test]) for _, test in StratifiedKFold(2).split(X, labels)]
    assert_allclose(scores, losses, rtol=1e-4)


@pytest.mark.parametrize("name", ["network", "stack"])
def test_permutation_importance_on_a_table_with_categories(table, name, request):
    X, y = table
    fitted = request.getfixturevalue(name)
    importance = permutation_importance(fitted, X, y, n_repeats=3, random_state=0)
    assert importance.importances.shape == (3, 3)
    assert (importance.importances != 0).all()


def test_permuting_a_column_that_no_part_uses_changes_nothing(table):
    X, y = table
    parts = [part for part in stack_regressor().estimators if part[0] != "numbers"]
    X = X.assign(noise=np.arange(len(X)))
    importance = permutation_importance(stack_regressor(parts).fit(X, y), X, y, n_repeats=3, random_state=0)
    assert_array_equal(importance.importances[3], 0.0)
    assert (importance.importances_mean[:3] != 0).all()


def test_learning_curve_ends_at_the_cross_validation_score(table):
    X, y = table
    sizes, training, test = learning_curve(network_regressor(), X, y, train_sizes=[0.5, 1.0], cv=2)
    assert sizes.tolist() == [len(X) // 4, len(X) // 2]
    assert_allclose(test[-1], cross_val_score(network_regressor(), X, y, cv=2), rtol=1e-5)
    half = np.arange(len(X) // 2, len(X))[: sizes[0]]
    by_hand = network_regressor().fit(X.iloc[half], y[half]).score(X.iloc[half], y[half])
    assert_allclose(training[0, 0], by_hand, rtol=1e-5)


def test_incremental_learning_curve_trains_on_with_the_rows_added(table):
    X, y = table
    sizes, _, test = learning_curve(
        network_regressor(), X, y, train_sizes=[0.5, 1.0], cv=2, exploit_incremental_learning=True
    )
    training, held_out = next(KFold(2).split(X))
    first, rest = training[: sizes[0]], training[sizes[0] :]
    network = network_regressor().partial_fit(X.iloc[first], y[first])
    assert_allclose(test[0, 0], network.score(X.iloc[held_out], y[held_out]), rtol=1e-5)
    network.partial_fit(X.iloc[rest], y[rest])
    assert_allclose(test[1, 0], network.score(X.iloc[held_out], y[held_out]), rtol=1e-5)


def test_validation_curve_over_a_parameter_of_the_template(table):
    X, y = table
    fold = ShuffleSplit(1, random_state=0)
    stack = stack_regressor(final_estimator=Ridge())  # gives every base model some weight
    _, test = validation_curve(stack, X, y, param_name="network__epochs", param_range=[1, 3], cv=fold)
    longer = clone(stack).set_params(network=MultimodalNetworkRegressor(**{**TRAINING, "epochs": 3}))
    assert_allclose(test[1], cross_val_score(longer, X, y, cv=fold), rtol=1e-5)
    assert (test[0] != test[1]).all()


# --- probabilities and thresholds -------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [network_classifier, stack_classifier])
def test_calibrated_probabilities_are_those_of_rows_set_aside(table, make):
    X, labels = table[0], make_labels(table[1])
    calibrated = CalibratedClassifierCV(make(), method="isotonic", cv=2, ensemble=False).fit(X, labels)
    out_of_fold = cross_val_predict(make(), X, labels, cv=2, method="predict_proba")[:, 1]
    raw = make().fit(X, labels).predict_proba(X)[:, 1]
    expected = IsotonicRegression(out_of_bounds="clip").fit(out_of_fold, labels == "fair").predict(raw)
    assert_allclose(calibrated.predict_proba(X)[:, 1], expected, atol=1e-4)


def test_a_fitted_stack_is_calibrated_as_it_is(table):
    X, labels = table[0], make_labels(table[1])
    stack = stack_classifier().fit(X[:30], labels[:30])
    calibrated = CalibratedClassifierCV(FrozenEstimator(stack), method="isotonic").fit(X[30:], labels[30:])
    before, after = stack.predict_proba(X)[:, 1], calibrated.predict_proba(X)[:, 1]
    assert (np.diff(after[np.argsort(before)]) >= -1e-9).all()
    assert not np.allclose(before, after)


@pytest.mark.parametrize("make", [network_classifier, stack_classifier])
def test_a_tuned_threshold_finds_more_of_a_rare_class(table, make):
    X, y = table
    labels = (y > np.quantile(y, 0.8)).astype(int)
    tuned = TunedThresholdClassifierCV(make(), scoring="balanced_accuracy", cv=2).fit(X, labels)
    probabilities = tuned.estimator_.predict_proba(X)[:, 1]
    assert_array_equal(tuned.predict(X), probabilities >= tuned.best_threshold_)
    assert tuned.predict(X)[labels == 1].mean() >= (probabilities[labels == 1] >= 0.5).mean()

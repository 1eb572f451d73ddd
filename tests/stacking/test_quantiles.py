"""Stacks that predict quantiles."""

import numpy as np
import pytest
from _small import make_table, stack_regressor
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import QuantileRegressor, Ridge
from sklearn.metrics import d2_pinball_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skstack import MultimodalNetworkRegressor, MultimodalStackingRegressor
from skstack.stacking._quantiles import QuantileRegressors, final_of_quantiles

LEVELS = [0.1, 0.5, 0.9]
NUMBERS = ["area", "rooms"]


@pytest.fixture(scope="module")
def table():
    return make_table()


@pytest.fixture(scope="module")
def wide():
    """Rows whose target spreads more widely the larger x is, in a table, and learners for it."""
    generator = np.random.default_rng(0)
    X = generator.uniform(0, 3, size=(600, 1))
    return X, X[:, 0] + (0.2 + X[:, 0]) * generator.normal(size=600)


def _boosting(level):
    return HistGradientBoostingRegressor(loss="quantile", quantile=level, max_iter=15, max_leaf_nodes=4)


# --- the final estimator ----------------------------------------------------------------------------------------------


def test_each_quantile_has_a_regressor(wide):
    X, y = wide
    weight = np.linspace(0.5, 2, len(y))
    given = QuantileRegressor(alpha=0.0)
    fitted = QuantileRegressors(given, LEVELS).fit(X, y, sample_weight=weight)
    for level, own in zip(LEVELS, fitted.estimators_, strict=True):
        by_hand = QuantileRegressor(alpha=0.0, quantile=level).fit(X, y, sample_weight=weight)
        assert_array_equal(own.coef_, by_hand.coef_)
    assert given.quantile == 0.5
    assert QuantileRegressors(given, 0.1).fit(X, y).predict(X).shape == (600,)
    assert QuantileRegressors(given, [0.1]).fit(X, y).predict(X).shape == (600, 1)


def test_crossing_quantiles_are_put_in_order(wide):
    X, y = wide
    fitted = QuantileRegressors(QuantileRegressor(alpha=0.0), LEVELS).fit(X, y)
    far = np.array([[-10.0]])  # lines that open to the right cross on the left
    crossed = [estimator.predict(far)[0] for estimator in fitted.estimators_]
    assert crossed[0] > crossed[1] > crossed[2]
    assert_array_equal(fitted.predict(far)[0], sorted(crossed))


@pytest.mark.parametrize(
    ("final", "names"),
    [
        (QuantileRegressor(), ["estimator__quantile"]),
        (make_pipeline(StandardScaler(), _boosting(0.3)), ["estimator__histgradientboostingregressor__quantile"]),
    ],
)
def test_a_final_estimator_is_fitted_for_each(wide, final, names):
    made = final_of_quantiles(final, LEVELS)
    assert set(names) <= made.get_params().keys()
    for level, own in zip(LEVELS, made.fit(*wide).estimators_, strict=True):
        assert own.get_params()[names[0].removeprefix("estimator__")] == level


def test_a_final_network_predicts_all_of_them():
    network = MultimodalNetworkRegressor(head=(2,))
    assert final_of_quantiles(network, LEVELS) is network
    assert (network.loss, network.quantile) == ("quantile", LEVELS)


@pytest.mark.parametrize(
    ("final", "message"),
    [
        (Ridge(), r"'final_estimator' of a stack of quantiles should have a parameter 'quantile'.*got Ridge\(\)"),
        (HistGradientBoostingRegressor(), "should have loss='quantile', got HistGradientBoostingRegressor"),
        (MultimodalNetworkRegressor(loss="mae"), "should have loss='quantile', got MultimodalNetworkRegressor"),
    ],
)
def test_other_final_estimators_are_refused(final, message):
    with pytest.raises(ValueError, match=message):
        final_of_quantiles(final, LEVELS)


# --- stacks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("training", ["joint", "individual"])
def test_networks_of_branches_predict_the_quantiles_of_the_stack(table, training):
    X, y = table
    stack = stack_regressor(training=training, quantile=LEVELS).fit(X, y)
    names = ["network"] if training == "joint" else ["numbers", "place"]
    columns = [f"multimodalstackingregressor_{name}{i}" for name in names for i in range(3)]
    assert stack.get_feature_names_out().tolist() == [*columns, "multimodalstackingregressor_ridge"]
    assert_array_equal(stack.transform(X)[:, :3], stack.named_estimators_[names[0]].predict(X))
    assert stack.predict(X).shape == (len(y), 3)
    assert (np.diff(stack.predict(X), axis=1) >= 0).all()
    assert stack.network.loss is None


def test_the_default_final_estimator_is_a_linear_one_for_each(table):
    X, y = table
    stack = stack_regressor(quantile=LEVELS).fit(X, y)
    for column, level in enumerate(LEVELS):
        by_hand = QuantileRegressor(quantile=level, alpha=0.0).fit(stack.oof_predictions_, y)
        assert_allclose(stack.final_estimator_.estimators_[column].coef_, by_hand.coef_)
    expected = [d2_pinball_score(y, stack.predict(X)[:, i], alpha=level) for i, level in enumerate(LEVELS)]
    assert stack.score(X, y) == pytest.approx(np.mean(expected))


def test_a_plain_number_is_predicted_as_one(table):
    X, y = table
    stack = stack_regressor(quantile=0.9).fit(X, y)
    assert stack.predict(X).shape == y.shape
    assert stack.named_estimators_["network"].predict(X).shape == y.shape
    assert (y <= stack.predict(X)).mean() > 0.75


def test_learners_of_quantiles_cover_what_they_say(wide):
    X, y = wide
    half = np.arange(len(y)) % 2 == 0
    learners = [(f"boosting_{level:.0%}".replace("%", ""), _boosting(level)) for level in LEVELS]
    stack = MultimodalStackingRegressor(learners, quantile=LEVELS, cv=3).fit(X[half], y[half])
    below = (y[~half, np.newaxis] <= stack.predict(X[~half])).mean(axis=0)
    assert_allclose(below, LEVELS, atol=0.06)
    narrow, wide_ = (np.ptp(stack.predict(np.array([[x]]))) for x in (0.3, 2.7))
    assert wide_ > 1.5 * narrow


def test_a_template_keeps_a_loss_of_its_own(table):
    X, y = table
    stack = stack_regressor(quantile=LEVELS).set_params(network__loss="mae").fit(X, y)
    assert stack.oof_predictions_.shape == (len(y), 2)
    assert stack.predict(X).shape == (len(y), 3)


def test_dense_layers_as_final_estimator_of_quantiles(table):
    X, y = table
    dense = MultimodalNetworkRegressor(head=(3,), epochs=1, early_stopping=False, random_state=0)
    stack = stack_regressor(final_estimator=dense, quantile=LEVELS).fit(X, y)
    assert isinstance(stack.final_estimator_, MultimodalNetworkRegressor)
    assert stack.predict(X).shape == (len(y), 3)


def test_weights_reach_the_regressor_of_each_quantile(table):
    X, y = table
    weight = np.linspace(0.1, 2, len(y))
    stack = MultimodalStackingRegressor([("ridge", Ridge(), NUMBERS)], quantile=0.8, cv=3)
    stack.fit(X, y, sample_weight=weight)
    by_hand = QuantileRegressor(quantile=0.8, alpha=0.0).fit(stack.oof_predictions_, y, sample_weight=weight)
    assert_allclose(stack.final_estimator_.estimators_[0].coef_, by_hand.coef_)


def test_several_targets_are_refused(table):
    X, y = table
    with pytest.raises(ValueError, match="quantiles are those of one target, but y has 2 columns"):
        stack_regressor(quantile=LEVELS).fit(X, np.column_stack([y, y]))


@pytest.mark.parametrize("quantile", [1.0, [0.9, 0.1], "median"])
def test_other_quantiles_are_refused(table, quantile):
    with pytest.raises(ValueError, match="quantile"):
        stack_regressor(quantile=quantile).fit(*table)


def test_base_models_and_final_estimator_are_reported_by_the_pinball_loss(wide):
    X, y = wide
    learners = [(f"q{level}", _boosting(level)) for level in LEVELS]
    stack = MultimodalStackingRegressor(learners, cv=3, quantile=LEVELS).fit(X, y)
    report = stack.stack_report_
    assert set(report["scoring"]) == {"d2_pinball_score"}
    assert set(report.index.get_level_values("kind")) == {"base model", "final estimator"}
    of_median = stack.oof_predictions_[:, 1]
    by_hand = np.mean([d2_pinball_score(y, of_median, alpha=level) for level in LEVELS])
    assert_allclose(report.loc[("base model", "q0.5"), "score"], by_hand)
    with pytest.raises(ValueError, match=r"guard=True needs base models .*: those of several quantiles cannot"):
        stack.set_params(guard=True).fit(X, y)

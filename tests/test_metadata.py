"""Sample weights and groups, with metadata routing and without."""

import numpy as np
import pytest
import sklearn
from _small import TRAINING, Recorder, branches, make_table, network_regressor, stack_regressor
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.linear_model import BayesianRidge, Ridge
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, cross_validate
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline

from skstack import MultimodalNetworkRegressor, MultimodalStackingRegressor

NUMBERS = ["area", "rooms"]


class KnowsGroups(RegressorMixin, BaseEstimator):
    """Predicts 1 for rows of a group that it was fitted to, else 0."""

    def fit(self, X, y):
        self.groups_ = set(X["group"])
        return self

    def predict(self, X):
        return X["group"].isin(self.groups_).to_numpy(dtype="float64")


@pytest.fixture(scope="module")
def table():
    """Rows, numbers, weights and groups; a column of X holds the groups."""
    X, y = make_table()
    generator = np.random.default_rng(1)
    groups = generator.integers(0, 8, len(X))
    return X.assign(group=groups), y, generator.uniform(0.1, 3.0, len(X)), groups


@pytest.fixture
def routing():
    """Metadata routing, for one test."""
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def _learners_only(**params):
    """Return a stack whose final estimator keeps the out-of-fold predictions it was fitted to."""
    return MultimodalStackingRegressor(
        [("knows", KnowsGroups()), ("ridge", Recorder(), NUMBERS)], Recorder(), **{"cv": GroupKFold(2), **params}
    )


# --- without routing --------------------------------------------------------------------------------------------------


def test_weights_reach_learners_networks_and_the_final_estimator(table):
    X, y, weight, _ = table
    parts = [*branches(), ("recorder", Recorder(), NUMBERS)]
    stack = stack_regressor(parts, final_estimator=Recorder()).fit(X, y, sample_weight=weight)
    assert_allclose(stack.named_estimators_["recorder"].seen_weight_, weight)
    assert_allclose(stack.final_estimator_.seen_weight_, weight)
    network = stack.named_estimators_["network"]
    weighted = clone(network).fit(X, y, sample_weight=weight).predict(X)
    assert_allclose(network.predict(X), weighted, rtol=1e-5)
    assert np.abs(clone(network).fit(X, y).predict(X) - weighted).max() > 1e-5


def test_weights_are_cut_to_the_rows_of_a_fold(table):
    X, y, weight, _ = table
    stack = MultimodalStackingRegressor([("ridge", Ridge(), NUMBERS)], Recorder(), cv=KFold(3))
    stack.fit(X, y, sample_weight=weight)
    for training, test in KFold(3).split(X):
        by_hand = Ridge().fit(X[NUMBERS].iloc[training], y[training], weight[training])
        assert_allclose(stack.final_estimator_.seen_X_[test, 0], by_hand.predict(X[NUMBERS].iloc[test]))


def test_learner_without_weights_is_named(table):
    X, y, weight, _ = table
    stack = MultimodalStackingRegressor([("neighbours", KNeighborsRegressor(), NUMBERS)], cv=2)
    with pytest.raises(TypeError, match="learner 'neighbours' does not support sample weights"):
        stack.fit(X, y, sample_weight=weight)


def test_groups_reach_the_splitter(table):
    X, y, _, groups = table
    apart = _learners_only().fit(X, y, groups=groups)
    assert_array_equal(apart.final_estimator_.seen_X_[:, 0], 0.0)
    together = _learners_only(cv=2).fit(X, y)
    assert together.final_estimator_.seen_X_[:, 0].mean() > 0.5


def test_groups_reach_the_inner_validation_part_of_networks(table):
    X, y, _, groups = table
    template = MultimodalNetworkRegressor(
        **{**TRAINING, "early_stopping": True, "epochs": 2, "validation_fraction": 0.4}
    )
    stack = stack_regressor(branches(), network=template, cv=GroupKFold(2)).fit(X, y, groups=groups)
    network = stack.named_estimators_["network"]
    expected = clone(network).fit(X, y, groups=groups)
    assert network.history_["val_loss"] == pytest.approx(expected.history_["val_loss"], rel=1e-4)
    assert network.history_["val_loss"] != pytest.approx(clone(network).fit(X, y).history_["val_loss"], rel=1e-4)


@pytest.mark.parametrize("through", ["groups", "params"])
def test_groups_of_an_outer_cross_validation(table, through):
    X, y, _, groups = table
    # `groups` is for the outer splitter only; what goes to `fit` without routing, the inner one sees as well.
    stack = _learners_only(cv=GroupKFold(2) if through == "params" else 2)
    given = {"params": {"groups": groups}} if through == "params" else {"groups": groups}
    outer = list(GroupKFold(3).split(X, y, groups)) if through == "params" else GroupKFold(3)
    results = cross_validate(stack, X, y, cv=outer, return_estimator=True, return_indices=True, **given)
    for fitted, training in zip(results["estimator"], results["indices"]["train"], strict=True):
        assert fitted.named_estimators_["knows"].groups_ == set(groups[training])
        out_of_fold = fitted.final_estimator_.seen_X_[:, 0]
        assert out_of_fold.any() == (through == "groups")


def test_weights_through_params_of_cross_validation(table):
    X, y, weight, _ = table
    X = X.drop(columns="group")
    results = cross_validate(network_regressor(), X, y, cv=2, params={"sample_weight": weight}, return_estimator=True)
    training, _ = next(KFold(2).split(X))
    by_hand = network_regressor().fit(X.iloc[training], y[training], sample_weight=weight[training])
    assert_allclose(results["estimator"][0].predict(X), by_hand.predict(X), rtol=1e-5)


def test_other_metadata_needs_routing(table):
    X, y, weight, _ = table
    with pytest.raises(ValueError, match=r"\['price_weight'\] are not supported .*enable_metadata_routing"):
        _learners_only(cv=2).fit(X, y, price_weight=weight)


# --- with routing -----------------------------------------------------------------------------------------------------


def test_routed_weights_go_to_those_that_request_them(table, routing):
    X, y, weight, groups = table
    stack = MultimodalStackingRegressor(
        [
            ("weighted", Recorder().set_fit_request(sample_weight=True), NUMBERS),
            ("plain", Recorder().set_fit_request(sample_weight=False), NUMBERS),
            ("renamed", Recorder().set_fit_request(sample_weight="price_weight"), NUMBERS),
            ("neighbours", KNeighborsRegressor(), NUMBERS),
            ("knows", KnowsGroups()),
        ],
        Recorder().set_fit_request(sample_weight=False),
        cv=GroupKFold(2),
    ).fit(X, y, sample_weight=weight, groups=groups, price_weight=2 * weight)
    fitted = stack.named_estimators_
    assert_allclose(fitted["weighted"].seen_weight_, weight)
    assert_allclose(fitted["renamed"].seen_weight_, 2 * weight)
    assert fitted["plain"].seen_weight_ is None
    assert stack.final_estimator_.seen_weight_ is None
    assert_array_equal(stack.final_estimator_.seen_X_[:, 4], 0.0)


@pytest.mark.parametrize("requested", [True, False])
def test_networks_take_what_their_template_requests(table, routing, requested):
    X, y, weight, groups = table
    template = MultimodalNetworkRegressor(**TRAINING).set_fit_request(sample_weight=requested, groups=False)
    final = Ridge().set_fit_request(sample_weight=True)
    stack = stack_regressor(branches(), network=template, final_estimator=final, cv=GroupKFold(2))
    network = stack.fit(X, y, sample_weight=weight, groups=groups).named_estimators_["network"]
    weights = {True: weight, False: None}
    expected = clone(network).fit(X, y, sample_weight=weights[requested]).predict(X)
    assert_allclose(network.predict(X), expected, rtol=1e-5)
    other = clone(network).fit(X, y, sample_weight=weights[not requested]).predict(X)
    assert np.abs(other - expected).max() > 1e-5


def test_default_network_requests_weights_and_groups(routing):
    final = Ridge().set_fit_request(sample_weight=False)
    requested = stack_regressor(branches(), network=None, final_estimator=final).get_metadata_routing()
    assert requested.consumes("fit", ["sample_weight", "groups", "price"]) == {"sample_weight", "groups"}
    learners = stack_regressor([("ridge", Ridge(), NUMBERS)], final_estimator=final).get_metadata_routing()
    assert learners.consumes("fit", ["sample_weight", "groups"]) == set()


def test_groups_are_routed_to_outer_and_inner_folds(table, routing):
    X, y, _, groups = table
    results = cross_validate(
        _learners_only(), X, y, cv=GroupKFold(3), params={"groups": groups}, return_estimator=True, return_indices=True
    )
    for fitted, training, test in zip(results["estimator"], *results["indices"].values(), strict=True):
        assert not fitted.named_estimators_["knows"].groups_ & set(groups[test])
        assert len(fitted.final_estimator_.seen_y_) == len(training)
        assert_array_equal(fitted.final_estimator_.seen_X_[:, 0], 0.0)


def test_searches_and_pipelines_route_on_to_the_stack(table, routing):
    X, y, weight, groups = table
    stack = _learners_only().set_params(
        ridge=Recorder().set_fit_request(sample_weight=True),
        final_estimator=Recorder().set_fit_request(sample_weight=True),
    )
    pipeline = make_pipeline("passthrough", stack)
    grid = {"multimodalstackingregressor__ridge__fit_intercept": [True, False]}
    scorer = get_scorer("r2").set_score_request(sample_weight=False)
    search = GridSearchCV(pipeline, grid, cv=GroupKFold(3), scoring=scorer)
    search.fit(X, y, sample_weight=weight, groups=groups)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    fitted = search.best_estimator_[-1]
    assert_allclose(fitted.named_estimators_["ridge"].seen_weight_, weight)
    assert_allclose(fitted.final_estimator_.seen_weight_, weight)
    assert_array_equal(fitted.final_estimator_.seen_X_[:, 0], 0.0)


def test_predict_parameters_are_routed_to_the_final_estimator(table, routing):
    X, y, _, _ = table
    final = BayesianRidge().set_predict_request(return_std=True)
    stack = MultimodalStackingRegressor([("ridge", Ridge(), NUMBERS)], final, cv=2).fit(X, y)
    mean, deviation = stack.predict(X, return_std=True)
    assert_allclose(mean, stack.predict(X))
    assert (deviation > 0).all()


@pytest.mark.parametrize("training", ["joint", "individual"])
def test_stack_without_metadata_fits_while_routing_is_enabled(table, routing, training):
    X, y, _, _ = table
    predicted = stack_regressor(branches(), training=training).fit(X, y).predict(X)
    with sklearn.config_context(enable_metadata_routing=False):
        assert_allclose(predicted, stack_regressor(branches(), training=training).fit(X, y).predict(X), rtol=1e-5)


def test_unset_requests_are_refused_by_name(table, routing):
    X, y, weight, _ = table
    with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
        _learners_only(cv=2).fit(X, y, sample_weight=weight)

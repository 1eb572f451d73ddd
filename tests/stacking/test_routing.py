"""Sample weights and groups, with metadata routing and without."""

import warnings

import numpy as np
import pytest
import sklearn
from _small import TRAINING, Recorder, branches, make_table, network_regressor, stack_regressor
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingRegressor, VotingRegressor
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import BayesianRidge, LogisticRegression, Ridge, RidgeCV
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, TimeSeriesSplit, cross_validate
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skstack import MultimodalNetworkRegressor, MultimodalStackingClassifier, MultimodalStackingRegressor
from skstack.branches import NumericBranch

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
    with pytest.raises(
        ValueError, match=r"\['price_weight'\] are given to .*only supported if enable_metadata_routing=True"
    ):
        _learners_only(cv=2).fit(X, y, price_weight=weight)
    with pytest.raises(ValueError, match=r"Did you mean 'sample_weight'\?"):
        _learners_only(cv=2).fit(X, y, sample_wight=weight)


STOPPING = {**TRAINING, "early_stopping": True, "epochs": 2, "validation_fraction": 0.4}


def _val_loss(network):
    return network.history_["val_loss"]


def _fitted_alone(network, X, y, groups):
    """Return the losses of a network fitted with the groups of its rows, and without, which differ."""
    losses = [_val_loss(clone(network).fit(X, y, **given)) for given in ({"groups": groups}, {})]
    assert losses[0] != pytest.approx(losses[1], rel=1e-4)
    return losses[0]


def test_groups_reach_a_network_as_learner_or_at_the_end_of_a_pipeline(table):
    X, y, _, groups = table
    network = MultimodalNetworkRegressor(**STOPPING, random_state=0)
    parts = [
        ("network_alone", network, NUMBERS),
        ("piped", make_pipeline(StandardScaler(), network), NUMBERS),
    ]
    stack = MultimodalStackingRegressor(parts, cv=GroupKFold(2)).fit(X, y, groups=groups)
    fitted = stack.named_estimators_
    assert _val_loss(fitted["network_alone"]) == pytest.approx(_fitted_alone(network, X[NUMBERS], y, groups), rel=1e-4)
    scaled = StandardScaler().fit_transform(X[NUMBERS])
    assert _val_loss(fitted["piped"][-1]) == pytest.approx(_fitted_alone(network, scaled, y, groups), rel=1e-4)


@pytest.mark.parametrize("cv", [GroupKFold(2), TimeSeriesSplit(3)], ids=["groups", "time"])
def test_groups_reach_a_network_as_final_estimator(table, cv):
    X, y, _, groups = table
    final = MultimodalNetworkRegressor(**STOPPING, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a splitter in time order ignores groups, and says so
        stack = MultimodalStackingRegressor([("ridge", Recorder(), NUMBERS)], final, cv=cv)
        stack.fit(X, y, groups=groups)
        recorded = clone(stack).set_params(final_estimator=Recorder()).fit(X, y, groups=groups).final_estimator_
    n_first = len(y) - len(recorded.seen_y_)
    expected = _fitted_alone(stack.final_estimator_, recorded.seen_X_, recorded.seen_y_, groups[n_first:])
    assert _val_loss(stack.final_estimator_) == pytest.approx(expected, rel=1e-4)


def test_groups_reach_a_nested_stack(table):
    X, y, _, groups = table
    outer = MultimodalStackingRegressor([("inner", _learners_only())], cv=GroupKFold(2))
    inner = outer.fit(X, y, groups=groups).named_estimators_["inner"]
    assert_array_equal(inner.final_estimator_.seen_X_[:, 0], 0.0)


@pytest.mark.parametrize(
    ("learner", "columns", "name"),
    [
        (BaggingRegressor(MultimodalNetworkRegressor(**STOPPING), n_estimators=1), NUMBERS, "NetworkRegressor"),
        (
            make_pipeline(StandardScaler(), MultiOutputRegressor(MultimodalNetworkRegressor(**STOPPING))),
            NUMBERS,
            "MultimodalNetworkRegressor",
        ),
        (VotingRegressor([("inner", _learners_only(cv=2))]), None, "MultimodalStackingRegressor"),
    ],
    ids=["bagging", "pipeline", "voting"],
)
def test_a_part_that_groups_do_not_reach_is_named(table, learner, columns, name):
    X, y, _, groups = table
    y = np.stack([y, y], axis=1) if "multioutput" in str(learner).lower() else y
    stack = MultimodalStackingRegressor([("mine", learner, columns)], cv=GroupKFold(2))
    with pytest.warns(UserWarning, match=f"groups do not reach .*{name} inside learner 'mine'"):
        stack.fit(X, y, groups=groups)


def test_nobody_is_warned_where_groups_are_of_no_use(table):
    X, y, _, groups = table
    frozen = FrozenEstimator(network_regressor([("numbers", NumericBranch(), NUMBERS)]).fit(X, y))
    parts = [("ridge", Ridge(), NUMBERS), ("frozen", make_pipeline("passthrough", frozen))]
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        MultimodalStackingRegressor(parts, cv=GroupKFold(2)).fit(X, y, groups=groups)


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
    assert learners.consumes("fit", ["sample_weight", "groups"]) == {"groups"}  # for the folds
    divided = stack_regressor([("ridge", Ridge(), NUMBERS)], final_estimator=final, cv=KFold(3)).get_metadata_routing()
    assert divided.consumes("fit", ["sample_weight", "groups"]) == set()


def test_groups_are_routed_to_outer_and_inner_folds(table, routing):
    X, y, _, groups = table
    results = cross_validate(
        _learners_only(), X, y, cv=GroupKFold(3), params={"groups": groups}, return_estimator=True, return_indices=True
    )
    for fitted, training, test in zip(results["estimator"], *results["indices"].values(), strict=True):
        assert not fitted.named_estimators_["knows"].groups_ & set(groups[test])
        assert len(fitted.final_estimator_.seen_y_) == len(training)
        assert_array_equal(fitted.final_estimator_.seen_X_[:, 0], 0.0)


def test_groups_are_routed_to_final_networks_pipelines_and_nested_stacks(table, routing):
    X, y, _, groups = table
    network = MultimodalNetworkRegressor(**STOPPING, random_state=0).set_fit_request(groups=True, sample_weight=False)
    final = clone(network).set_params(head=(2,))
    parts = [("piped", make_pipeline(StandardScaler(), network), NUMBERS), ("inner", _learners_only())]
    stack = MultimodalStackingRegressor(parts, final, cv=GroupKFold(2)).fit(X, y, groups=groups)
    scaled = StandardScaler().fit_transform(X[NUMBERS])
    piped = stack.named_estimators_["piped"][-1]
    assert _val_loss(piped) == pytest.approx(_fitted_alone(network, scaled, y, groups), rel=1e-4)
    assert_array_equal(stack.named_estimators_["inner"].final_estimator_.seen_X_[:, 0], 0.0)
    recorded = clone(stack).set_params(final_estimator=Recorder()).fit(X, y, groups=groups).final_estimator_
    expected = _fitted_alone(final, recorded.seen_X_, y, groups)
    assert _val_loss(stack.final_estimator_) == pytest.approx(expected, rel=1e-4)


def test_a_splitter_that_ignores_routed_groups_is_named(table, routing):
    X, y, _, groups = table
    parts = [("network_alone", network_regressor(branches()).set_fit_request(groups=True, sample_weight=False))]
    stack = MultimodalStackingRegressor(parts, cv=KFold(3))
    with pytest.warns(UserWarning, match="groups parameter is ignored by KFold.*GroupKFold"):
        stack.fit(X, y, groups=groups)


@pytest.mark.parametrize("routed", [False, True])
@pytest.mark.parametrize("classifies", [False, True])
def test_groups_stay_whole_unless_a_splitter_divides_them(table, routed, classifies):
    X, y, _, _ = table
    groups = np.arange(len(X)) % 7  # which KFold would divide
    stack = MultimodalStackingClassifier if classifies else MultimodalStackingRegressor
    learner = LogisticRegression() if classifies else Ridge()
    with sklearn.config_context(enable_metadata_routing=routed):
        fitted = stack([("linear", learner, NUMBERS)]).fit(X, y > np.median(y) if classifies else y, groups=groups)
        few = clone(fitted).fit(X, y > np.median(y) if classifies else y, groups=groups % 3)
        chosen = clone(fitted).set_params(cv=4).fit(X, y > np.median(y) if classifies else y, groups=groups)
        with pytest.raises(ValueError, match="n_splits=4 greater than the number of"):
            clone(chosen).fit(X, y > np.median(y) if classifies else y, groups=groups % 3)
    assert [len(stack.splits_) for stack in (fitted, few, chosen)] == [5, 3, 4]
    for training, test in [*fitted.splits_, *chosen.splits_]:
        assert not set(groups[training]) & set(groups[test])


def test_weights_reach_the_last_step_of_pipelines_and_transformed_targets(table):
    X, y, weight, _ = table
    y = np.abs(y) + 1
    ridge = make_pipeline(SimpleImputer(), Ridge())
    logarithm = TransformedTargetRegressor(ridge, func=np.log, inverse_func=np.exp)
    parts = [("ridge", ridge, NUMBERS), ("logarithm", logarithm, NUMBERS)]
    stack = MultimodalStackingRegressor(parts, Ridge(), cv=3).fit(X, y, sample_weight=weight)
    alone = clone(ridge).fit(X[NUMBERS], np.log(y), ridge__sample_weight=weight)
    assert_allclose(stack.named_estimators_["logarithm"].predict(X[NUMBERS]), np.exp(alone.predict(X[NUMBERS])))
    alone = clone(ridge).fit(X[NUMBERS], y, ridge__sample_weight=weight)
    assert_allclose(stack.named_estimators_["ridge"].predict(X[NUMBERS]), alone.predict(X[NUMBERS]))


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


@pytest.mark.parametrize("final", [None, Recorder(), make_pipeline(Recorder())], ids=["default", "own", "pipe"])
def test_the_final_estimator_need_not_request_weights(table, routing, final):
    X, y, weight, _ = table
    learner = Recorder().set_fit_request(sample_weight=False)
    stack = MultimodalStackingRegressor([("plain", learner, NUMBERS)], final, cv=2)
    if final is not None and not isinstance(final, Recorder):  # what holds others routes as scikit-learn does
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            stack.fit(X, y, sample_weight=weight)
        return
    stack.fit(X, y, sample_weight=weight)
    assert stack.estimators_[0].seen_weight_ is None
    if final is not None:
        assert_allclose(stack.final_estimator_.seen_weight_, weight)
    else:
        # That of a single member is 1 whatever the weights: another default shows them.
        stack.set_params(passthrough=["area"]).fit(X, y, sample_weight=weight)
        by_hand = RidgeCV().fit(np.column_stack([stack.oof_predictions_, X["area"]]), y, weight)
        assert_allclose(stack.final_estimator_.coef_, by_hand.coef_)


def test_routed_metadata_is_cut_to_the_rows_that_the_final_estimator_gets(table, routing):
    X, y, weight, _ = table
    learner = Recorder().set_fit_request(sample_weight=False)
    stack = MultimodalStackingRegressor([("plain", learner, NUMBERS)], Recorder(), cv=TimeSeriesSplit(3))
    final = stack.fit(X, y, sample_weight=weight).final_estimator_
    assert_allclose(final.seen_weight_, weight[-len(final.seen_y_) :])

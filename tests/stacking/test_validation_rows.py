"""Rows of the caller's own that decide when base models and final estimator stop."""

import warnings
from inspect import signature

import numpy as np
import pytest
import sklearn
from _small import (
    TRAINING,
    Recorder,
    branches,
    make_labels,
    make_table,
    network_regressor,
    stack_classifier,
    stack_regressor,
)
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skstack import MultimodalNetworkClassifier, MultimodalNetworkRegressor, MultimodalStackingRegressor
from skstack._protocols import takes_validation_rows

NUMBERS = ["area", "rooms"]
BOOSTING_TAKES_THEM = "X_val" in signature(HistGradientBoostingRegressor.fit).parameters
STOPPING = {**TRAINING, "early_stopping": True, "epochs": 5, "patience": 1, "optimizer__learning_rate": 0.1}


class Stops(Recorder):
    """Takes rows to validate on, as scikit-learn's boosting does, and keeps them."""

    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Fit and remember."""
        self.seen_validation_ = X_val, y_val, sample_weight_val
        return super().fit(X, y, sample_weight)


@pytest.fixture(scope="module")
def table():
    return make_table()


@pytest.fixture(scope="module")
def other():
    """As many rows as there are to train on: what is cut to the rows of a fold is told by its name, not its length."""
    X, y = make_table(seed=3)
    return {"X_val": X, "y_val": y}


def _template(**params):
    return MultimodalNetworkRegressor(**{**STOPPING, **params})


@pytest.mark.parametrize("training", ["joint", "individual"])
def test_networks_stop_on_them_in_every_fold_and_in_the_last_fit(table, other, training):
    X, y = table
    cv = list(KFold(2).split(X))
    stack = stack_regressor(branches(), network=_template(), training=training, cv=cv).fit(X, y, **other)
    for column, network in enumerate(stack.estimators_):
        alone = clone(network).fit(X, y, **other)
        assert_allclose(network.predict(X), alone.predict(X), rtol=1e-4)
        assert network.history_["val_loss"] == pytest.approx(alone.history_["val_loss"], rel=1e-3)
        for rows, held_out in cv:
            fold = clone(network).fit(X.iloc[rows], y[rows], **other)
            assert_allclose(stack.oof_predictions_[held_out, column], fold.predict(X.iloc[held_out]), rtol=1e-3)


def test_the_models_of_folds_that_stay_stop_on_them(table, other):
    X, y = table
    stack = stack_regressor(branches(), network=_template(), refit="folds", final_estimator=Stops()).fit(X, y, **other)
    for (rows, _), fold in zip(stack.splits_, stack.fold_estimators_["network"], strict=True):
        alone = clone(fold).fit(X.iloc[rows], y[rows], **other)
        assert_allclose(fold.predict(X), alone.predict(X), rtol=1e-3)
    assert_array_equal(stack.final_estimator_.seen_validation_[0], stack.transform(other["X_val"]))


def test_learners_that_take_them_get_their_columns(table, other):
    X, y = table
    weight = np.linspace(0.5, 2, len(y))
    parts = [("stops", Stops(), ["rooms", "area"]), ("ridge", Ridge(), NUMBERS)]
    stack = MultimodalStackingRegressor(parts, cv=2).fit(X, y, **other, sample_weight_val=weight)
    seen = stack.named_estimators_["stops"].seen_validation_
    assert seen[0].equals(other["X_val"][["rooms", "area"]])
    assert_array_equal(seen[1], other["y_val"])
    assert_array_equal(seen[2], weight)


@pytest.mark.skipif(not BOOSTING_TAKES_THEM, reason="boosting takes such rows since scikit-learn 1.7")
def test_boosting_stops_on_them(table, other):
    X, y = table
    boosting = HistGradientBoostingRegressor(early_stopping=True, max_iter=50, n_iter_no_change=1, min_samples_leaf=2)
    boosting.set_params(random_state=0)
    parts = [("boosting", boosting, NUMBERS)]
    stack = MultimodalStackingRegressor(parts, Recorder(), cv=KFold(2)).fit(X, y, **other)
    given = {"X_val": other["X_val"][NUMBERS], "y_val": other["y_val"]}
    assert stack.estimators_[0].n_iter_ == clone(boosting).fit(X[NUMBERS], y, **given).n_iter_
    for training, test in KFold(2).split(X):
        fold = clone(boosting).fit(X[NUMBERS].iloc[training], y[training], **given)
        assert_allclose(stack.oof_predictions_[test, 0], fold.predict(X[NUMBERS].iloc[test]))


def test_the_final_estimator_gets_what_the_base_models_predict_for_them(table, other):
    X, y = table
    stack = stack_regressor(network=_template(), final_estimator=Stops()).fit(X, y, **other)
    features, targets, weight = stack.final_estimator_.seen_validation_
    assert_array_equal(features, stack.transform(other["X_val"]))
    assert_array_equal(targets, other["y_val"])
    assert weight is None
    final = MultimodalNetworkRegressor(**STOPPING, random_state=0)
    stack = stack_regressor(network=_template(), final_estimator=final).fit(X, y, **other)
    expected = clone(final).fit(stack.oof_predictions_, y, X_val=features, y_val=targets)
    assert stack.final_estimator_.history_["val_loss"] == pytest.approx(expected.history_["val_loss"], rel=1e-3)


def test_a_nested_stack_gets_them(table, other):
    X, y = table
    inner = MultimodalStackingRegressor([("stops", Stops(), NUMBERS)], cv=2)
    stack = MultimodalStackingRegressor([("inner", inner)], cv=2).fit(X, y, **other)
    assert stack.estimators_[0].estimators_[0].seen_validation_[0].equals(other["X_val"][NUMBERS])


def test_a_prefit_stack_gives_them_to_its_final_estimator_alone(table, other):
    X, y = table
    fitted = Stops().fit(X[NUMBERS], y)
    stack = MultimodalStackingRegressor([("stops", fitted, NUMBERS)], Stops(), cv="prefit").fit(X, y, **other)
    assert stack.estimators_[0].seen_validation_ == (None, None, None)
    assert_array_equal(stack.final_estimator_.seen_validation_[0][:, 0], fitted.predict(other["X_val"][NUMBERS]))


def test_classes_are_given_as_base_models_know_them(table, other):
    X, y = table
    labels, targets = make_labels(y, 3), make_labels(other["y_val"], 3)
    network = MultimodalNetworkClassifier(**STOPPING)
    stack = stack_classifier(branches(), network=network).fit(X, labels, X_val=other["X_val"], y_val=targets)
    fitted = stack.estimators_[0]
    codes = [np.unique(values, return_inverse=True)[1] for values in (labels, targets)]
    alone = clone(fitted).fit(X, codes[0], X_val=other["X_val"], y_val=codes[1])
    assert fitted.history_["val_loss"] == pytest.approx(alone.history_["val_loss"], rel=1e-3)
    with pytest.raises(ValueError, match=r"y_val: .*a class that no training row has: 'new' in row 0"):
        stack.fit(X, labels, X_val=other["X_val"], y_val=np.r_[["new"], targets[1:]])


@pytest.mark.parametrize("training", ["joint", "individual"])
def test_nothing_is_learned_from_them_but_when_to_stop(table, other, training):
    """With one epoch there is nothing to decide."""
    X, y = table
    stack = stack_regressor(network=_template(epochs=1), training=training)
    strange = {"X_val": other["X_val"].assign(area=1e6, city="Zwolle"), "y_val": -1e3 * other["y_val"]}
    one, two = (clone(stack).fit(X, y, **given) for given in (other, strange))
    assert_array_equal(one.oof_predictions_, two.oof_predictions_)
    assert_array_equal(one.predict(X), two.predict(X))
    losses = [fitted.estimators_[0].history_["val_loss"][0] for fitted in (one, two)]
    assert losses[0] != pytest.approx(losses[1])


# --- routing ----------------------------------------------------------------------------------------------------------


def test_with_metadata_routing_they_go_to_those_that_request_them(table, other):
    X, y = table
    with sklearn.config_context(enable_metadata_routing=True):
        stops = Stops().set_fit_request(X_val=True, y_val=True)
        scaled = Pipeline([("scale", StandardScaler()), ("stops", stops)], transform_input=["X_val"])
        plain = Stops().set_fit_request(X_val=False, y_val=False)
        parts = [*branches(), ("scaled", scaled, NUMBERS), ("plain", plain, NUMBERS)]
        final = Stops().set_fit_request(sample_weight=False)
        stack = stack_regressor(
            parts, network=_template(epochs=1).set_fit_request(X_val=True, y_val=True), final_estimator=final
        )
        stack.fit(X, y, **other)
        assert len(stack.estimators_[0].history_["val_loss"]) == 1
        seen = stack.named_estimators_["scaled"][-1].seen_validation_[0]
        assert stack.named_estimators_["plain"].seen_validation_ == (None, None, None)
        assert_allclose(seen, StandardScaler().fit(X[NUMBERS]).transform(other["X_val"][NUMBERS]))
        assert_array_equal(stack.final_estimator_.seen_validation_[0], stack.transform(other["X_val"]))
        with pytest.raises(UnsetMetadataPassedError, match="X_val"):
            MultimodalStackingRegressor([("stops", Stops(), NUMBERS)], cv=2).fit(X, y, **other)


def test_default_networks_request_them(table):
    with sklearn.config_context(enable_metadata_routing=True):
        routing = stack_regressor(branches(), network=None).get_metadata_routing()
        names = {"X_val", "y_val", "sample_weight_val"}
        assert routing.consumes("fit", names) == names


def test_a_final_network_that_does_not_stop_early_gets_none(table, other):
    with sklearn.config_context(enable_metadata_routing=True):
        final = MultimodalNetworkRegressor(**TRAINING)
        parts = [("stops", Stops().set_fit_request(X_val=True, y_val=True), NUMBERS)]
        stack = MultimodalStackingRegressor(parts, final, cv=2).fit(*table, **other)
    assert "val_loss" not in stack.final_estimator_.history_


def test_they_pass_through_cross_validation(table, other):
    X, y = table
    fewer = {"X_val": other["X_val"].head(20), "y_val": other["y_val"][:20]}
    stack = MultimodalStackingRegressor([("stops", Stops(), NUMBERS)], cv=2)
    fitted = cross_validate(stack, X, y, cv=2, params=fewer, return_estimator=True)["estimator"]
    assert all(len(one.estimators_[0].seen_validation_[1]) == 20 for one in fitted)


# --- what cannot be used ----------------------------------------------------------------------------------------------


def test_who_takes_them():
    assert takes_validation_rows(Stops())
    assert takes_validation_rows(HistGradientBoostingRegressor()) == BOOSTING_TAKES_THEM
    assert takes_validation_rows(network_regressor(early_stopping=True))
    assert takes_validation_rows(stack_regressor(network=None))
    assert takes_validation_rows(stack_regressor([("ridge", Ridge())], final_estimator=Stops()))
    assert not takes_validation_rows(HistGradientBoostingRegressor(early_stopping=False))
    assert not takes_validation_rows(network_regressor())
    assert not takes_validation_rows(stack_regressor())
    assert not takes_validation_rows(stack_regressor([("ridge", Ridge())]))
    assert not takes_validation_rows(FrozenEstimator(Stops()))
    assert not takes_validation_rows(Ridge())


def test_a_stack_that_has_no_use_for_them_says_so(table, other):
    with pytest.raises(TypeError, match="neither a base model nor the final estimator stops early on such rows"):
        stack_regressor().fit(*table, **other)


def test_a_part_that_they_do_not_reach_is_named(table, other):
    parts = [("stops", Stops(), NUMBERS), ("piped", make_pipeline(StandardScaler(), Stops()), NUMBERS)]
    with pytest.warns(UserWarning, match=r"X_val does not reach Stops inside learner 'piped'.*transform_input"):
        MultimodalStackingRegressor(parts, cv=2).fit(*table, **other)
    frozen = make_pipeline("passthrough", FrozenEstimator(Stops().fit(table[0][NUMBERS], table[1])))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MultimodalStackingRegressor([*parts[:1], ("frozen", frozen, NUMBERS)], cv=2).fit(*table, **other)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y_val": None}, "X_val is provided, but y_val was not provided"),
        ({"y_val": np.ones(3)}, "X_val, y_val: .*inconsistent"),
        ({"y_val": np.full(48, np.inf)}, "y_val: Input y contains infinity"),
        ({"sample_weight_val": np.full(48, -1)}, "sample_weight_val: .*should not be negative"),
    ],
)
def test_what_cannot_be_used_is_named(table, other, change, message):
    with pytest.raises(ValueError, match=message):
        stack_regressor(network=_template()).fit(*table, **{**other, **change})


def test_columns_are_those_of_this_fit(table, other):
    X, y = table
    stack = MultimodalStackingRegressor([("stops", Stops())], cv=2)
    numbers, validation = X[NUMBERS].to_numpy(), other["X_val"][NUMBERS].to_numpy()
    for columns in ([0, 1], [0]):  # a second fit to fewer columns
        stack.fit(numbers[:, columns], y, X_val=validation[:, columns], y_val=other["y_val"])
        assert stack.estimators_[0].seen_validation_[0].shape == (48, len(columns))
    for columns in ([0, 1, 1], [0]):
        with pytest.raises(ValueError, match=f"X_val, y_val: X has {len(columns)} features, but .* expecting 2"):
            clone(stack).fit(numbers, y, X_val=validation[:, columns], y_val=other["y_val"])


def test_a_cell_that_cannot_be_read_is_named_before_any_training(table, other):
    bad = other["X_val"].astype({"area": object})
    bad.iloc[4, 0] = "large"
    with pytest.raises(ValueError, match=r"X_val: branch 'numbers': .*'area'.*'large'.* 104"):
        stack_regressor(network=_template()).fit(*table, X_val=bad, y_val=other["y_val"])

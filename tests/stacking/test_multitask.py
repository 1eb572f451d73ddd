"""The stack of several tasks."""

import pickle

import numpy as np
import pandas as pd
import pytest
from _small import TRAINING, branches, make_table
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, cross_val_predict, cross_validate

from skstack import (
    MultimodalNetworkClassifier,
    MultimodalNetworkRegressor,
    MultimodalStackingClassifier,
    MultimodalStackingMultitask,
    MultimodalStackingRegressor,
    MultitaskNetwork,
)
from skstack.tasks import Classification, make_task_scorers

X, PRICE = make_table()
NUMBERS = ["area", "rooms"]
COMPLETE = pd.DataFrame(
    {"price": PRICE, "sold": PRICE > np.median(PRICE), "kind": np.digitize(X["area"], [-0.5, 0.5])}, index=X.index
).astype({"kind": str})
Y = COMPLETE.astype({"sold": object})
Y.iloc[::7, 0] = np.nan
Y.iloc[1::5, 1] = None
Y.iloc[2::9, 2] = None
Y.iloc[4] = None
LEARNERS = [("ridge", Ridge(), NUMBERS), ("logistic", LogisticRegression(), NUMBERS)]
SPLITS = list(KFold(3, shuffle=True, random_state=0).split(X))


def stack(parts=None, **params):
    """Return an unfitted stack of two branches and two learners."""
    parts = [*branches(), *LEARNERS] if parts is None else parts
    return MultimodalStackingMultitask(
        parts, **{"network": MultitaskNetwork(**TRAINING), "cv": SPLITS, "random_state": 0, **params}
    )


def test_learners_predict_the_tasks_of_their_kind_from_rows_that_have_them():
    fitted = stack(LEARNERS).fit(X, Y)
    assert fitted.fitted_per_target_ == ["ridge", "logistic"]
    assert fitted.get_feature_names_out().tolist() == [
        f"multimodalstackingmultitask_{name}"
        for name in ("ridge_price", "logistic_sold", "logistic_kind0", "logistic_kind1", "logistic_kind2")
    ]
    for training, held_out in SPLITS:
        rows = training[Y["price"].iloc[training].notna()]
        expected = Ridge().fit(X[NUMBERS].iloc[rows], PRICE[rows]).predict(X[NUMBERS].iloc[held_out])
        np.testing.assert_allclose(fitted.oof_predictions_[held_out, 0], expected)
        rows = training[Y["sold"].iloc[training].notna()]
        logistic = LogisticRegression().fit(X[NUMBERS].iloc[rows], COMPLETE["sold"].iloc[rows])
        expected = logistic.predict_proba(X[NUMBERS].iloc[held_out])[:, 1]
        np.testing.assert_allclose(fitted.oof_predictions_[held_out, 1], expected)


@pytest.mark.parametrize("training", ["joint", "individual"])
def test_networks_predict_all_tasks(training):
    fitted = stack(training=training).fit(X, Y)
    n_networks = 1 if training == "joint" else 2
    assert fitted.oof_predictions_.shape == (len(X), 5 * n_networks + 5)
    assert np.isfinite(fitted.oof_predictions_).all()
    predictions = fitted.predict(X)
    assert list(predictions) == list(Y) and predictions.index.equals(X.index)
    assert set(predictions["kind"]) <= set("012")
    assert fitted.predict_proba(X)["kind"].shape == (len(X), 3)
    assert fitted.score(X, Y) > 0.6
    again = pickle.loads(pickle.dumps(fitted))
    pd.testing.assert_frame_equal(again.predict(X), predictions)


def test_a_final_estimator_sees_the_predictions_for_all_tasks_or_for_its_own():
    alone = stack(share_predictions=False, passthrough=["area"]).fit(X, Y)
    together = stack(passthrough=["area"]).fit(X, Y)
    n_seen = [part.n_features_in_ for part in alone.final_estimator_.estimators_.values()]
    assert n_seen == [1 + 1 + 1, 1 + 1 + 1, 3 + 3 + 1]  # network, learner, area
    assert [part.n_features_in_ for part in together.final_estimator_.estimators_.values()] == [11] * 3
    names = alone.get_feature_names_out()
    features = pd.DataFrame(alone.transform(X), columns=names)
    own = [name for name in names if name.endswith("_price")]
    expected = alone.final_estimator_.for_task("price").predict(features[[*own, "area"]])
    np.testing.assert_allclose(alone.predict(X)["price"], expected)


def test_final_estimators_by_task():
    fitted = stack(LEARNERS, final_estimator={"price": LinearRegression(), "sold": RandomForestClassifier(5)}).fit(X, Y)
    kinds = [type(part).__name__ for part in fitted.final_estimator_.estimators_.values()]
    assert kinds == ["LinearRegression", "RandomForestClassifier", "LogisticRegression"]


def test_what_tasks_are_reaches_the_networks():
    tasks = {"sold": Classification(inputs="price", class_weight={True: 3.0, False: 1.0}), "price": "regression"}
    fitted = stack(tasks=tasks).fit(X, Y)
    network = fitted.named_estimators_["network"]
    assert network.tasks_["sold"].inputs == ("price",)
    assert network.tasks_["sold"].class_weight == {1: 3.0, 0: 1.0}
    assert fitted.tasks["sold"].class_weight == {True: 3.0, False: 1.0}


def test_estimators_of_several_tasks_are_learners_too():
    template = MultitaskNetwork(**TRAINING, random_state=0)
    inner = stack(LEARNERS, cv=2)
    fitted = stack([("net", template, NUMBERS), ("stack", inner, NUMBERS)]).fit(X, COMPLETE)
    assert fitted.fitted_per_target_ == []
    assert fitted.oof_predictions_.shape == (len(X), 10)
    assert list(fitted.estimators_[0].tasks_) == list(Y)
    assert template.tasks is None and inner.tasks is None
    prefit = stack([("net", clone(template).fit(X[NUMBERS], COMPLETE.drop(columns="kind")), NUMBERS)], cv="prefit")
    assert prefit.fit(X, COMPLETE.drop(columns="kind")).predict(X).shape == (len(X), 2)


def test_a_frozen_estimator_of_several_tasks_predicts_as_it_does_alone():
    alone = stack(LEARNERS).fit(X, COMPLETE)
    fitted = stack([("alone", FrozenEstimator(alone)), *LEARNERS]).fit(X, Y)
    assert fitted.fitted_per_target_ == ["ridge", "logistic"]
    known = alone.predict_tasks(X)
    expected = np.column_stack([known["price"], known["sold"][:, 1], known["kind"]])
    np.testing.assert_allclose(fitted.oof_predictions_[:, :5], expected)


@pytest.mark.parametrize("cv", [SPLITS, "prefit"])
def test_fitted_estimators_must_know_tasks_and_classes(cv):
    some = COMPLETE["kind"] != "1"
    fewer = stack(LEARNERS, cv=2).fit(X[some], COMPLETE[some])
    renamed = stack(LEARNERS, cv=2).fit(X, COMPLETE.rename(columns={"sold": "gone"}))
    freeze = FrozenEstimator if cv is SPLITS else lambda fitted: fitted
    with pytest.raises(
        ValueError, match=r"'f' knows the classes \['0', '2'\] of task 'kind', which has \['0', '1', '2'\]"
    ):
        stack([("f", freeze(fewer))], cv=cv).fit(X, COMPLETE)
    with pytest.raises(ValueError, match="'f' does not predict the task 'sold': its tasks are"):
        stack([("f", freeze(renamed))], cv=cv).fit(X, COMPLETE)


def test_held_out_targets_change_nothing_that_is_predicted_for_them():
    held_out = SPLITS[0][1]
    changed = Y.copy()
    changed.iloc[held_out, 0] = 1e4
    changed.iloc[held_out, 1] = Y["sold"].iloc[held_out[::-1]].to_numpy()
    first, second = (stack().fit(X, y).oof_predictions_[held_out] for y in (Y, changed))
    np.testing.assert_array_equal(first, second)


def test_weights_reach_learners_and_final_estimators():
    weight = np.where(np.arange(len(X)) % 3 == 0, 5.0, 1.0)
    plain, weighted = stack(LEARNERS).fit(X, Y), stack(LEARNERS).fit(X, Y, sample_weight=weight)
    assert not np.allclose(plain.oof_predictions_, weighted.oof_predictions_)
    final = LogisticRegression(solver="newton-cholesky")
    rows = Y["sold"].notna().to_numpy()
    final.fit(weighted.oof_predictions_[rows], COMPLETE["sold"][rows], weight[rows])
    np.testing.assert_allclose(weighted.final_estimator_.for_task("sold").coef_, final.coef_, rtol=1e-6)


def test_cross_validation_with_a_scorer_for_each_task():
    scoring = make_task_scorers({"price": "neg_mean_absolute_error", "sold": "neg_log_loss"})
    scores = cross_validate(stack(LEARNERS, cv=2), X, Y, cv=2, scoring=scoring, error_score="raise")
    assert np.isfinite(scores["test_sold_neg_log_loss"]).all()


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"final_estimator": {"prize": Ridge()}}, ValueError, "names 'prize', which is no task. Did you mean 'price'"),
        ({"final_estimator": {"price": LogisticRegression()}}, ValueError, "of task 'price' should be a regressor"),
        ({"final_estimator": {"price": Ridge}}, TypeError, "did you forget the parentheses"),
        ({"share_predictions": 3}, ValueError, "The 'share_predictions' parameter"),
        ({"final_estimator": Ridge()}, ValueError, "'final_estimator' parameter of MultimodalStackingMultitask must"),
        ({"tasks": {"sould": "classification"}}, ValueError, "'sould', which is no column of y. Did you mean 'sold'"),
        ({"network": MultitaskNetwork(tasks={"price": "regression"})}, ValueError, "leave its own 'tasks' out"),
        ({"network": MultimodalNetworkRegressor()}, TypeError, "'network' parameter should be a MultitaskNetwork"),
        ({"cv": "prefit"}, ValueError, "branch 'numbers' cannot be used with cv='prefit'"),
    ],
)
def test_parameters_of_no_use_are_refused(params, error, message):
    with pytest.raises(error, match=message):
        stack(**params).fit(X, Y)


def test_a_learner_without_a_task_is_refused():
    with pytest.raises(ValueError, match="learner 'ridge' is a regressor, and no task is one for it"):
        stack(LEARNERS).fit(X, COMPLETE[["sold", "kind"]])
    with pytest.raises(ValueError, match="learner 'ridge' should be an estimator of several tasks with cv='prefit'"):
        stack([("ridge", Ridge().fit(X[NUMBERS], PRICE), NUMBERS)], cv="prefit").fit(X, COMPLETE)


# --- several targets of one kind --------------------------------------------------------------------------------------


def test_numbers_with_gaps():
    y = np.column_stack([PRICE, 10 * PRICE, -PRICE])
    y[::6, 1] = np.nan
    parts = [*branches(), ("ridge", Ridge(), NUMBERS)]
    fitted = MultimodalStackingRegressor(
        parts, network=MultimodalNetworkRegressor(**TRAINING), cv=SPLITS, random_state=0
    )
    fitted.fit(X, y)
    assert fitted.fitted_per_target_ == ["ridge"]
    training, held_out = SPLITS[0]
    rows = training[~np.isnan(y[training, 1])]
    expected = Ridge().fit(X[NUMBERS].iloc[rows], y[rows, 1]).predict(X[NUMBERS].iloc[held_out])
    np.testing.assert_allclose(fitted.oof_predictions_[held_out, 4], expected)
    assert fitted.predict(X).shape == (len(X), 3)
    known = ~np.isnan(y)
    each = [r2_score(y[known[:, i], i], fitted.predict(X)[known[:, i], i]) for i in range(3)]
    assert fitted.score(X, y) == pytest.approx(np.mean(each))
    assert fitted.score(X, y) > 0


@pytest.mark.parametrize("gaps", [False, True])
def test_several_columns_of_classes(gaps):
    y = (Y if gaps else COMPLETE)[["sold", "kind"]]
    parts = [*branches(), ("logistic", LogisticRegression(), NUMBERS), ("forest", RandomForestClassifier(5), NUMBERS)]
    network = MultimodalNetworkClassifier(**TRAINING, class_weight=[{True: 2.0, False: 1.0}, "balanced"])
    fitted = MultimodalStackingClassifier(parts, network=network, cv=SPLITS, random_state=0).fit(X, y)
    assert fitted.fitted_per_target_ == (["logistic", "forest"] if gaps else ["logistic"])
    assert fitted.named_estimators_["network"].class_weight == [{1: 2.0, 0: 1.0}, "balanced"]
    assert fitted.oof_predictions_.shape == (len(X), 3 * (1 + 3))
    assert [classes.tolist() for classes in fitted.classes_] == [[False, True], ["0", "1", "2"]]
    assert [table.shape for table in fitted.predict_proba(X)] == [(len(X), 2), (len(X), 3)]
    known = y.notna().to_numpy()
    right = [np.mean((fitted.predict(X) == y.to_numpy())[known[:, i], i]) for i in range(2)]
    assert fitted.score(X, y) == pytest.approx(np.mean(right))
    assert fitted.score(X, y) > 0.7


def test_learners_of_one_target_predict_several_labels():
    y = np.column_stack([PRICE > np.median(PRICE), X["area"] > 0, X["rooms"] > 2]).astype(int)
    fitted = MultimodalStackingClassifier([("logistic", LogisticRegression(), NUMBERS)], cv=SPLITS).fit(X, y)
    expected = cross_val_predict(LogisticRegression(), X[NUMBERS], y[:, 1], cv=SPLITS, method="predict_proba")[:, 1]
    np.testing.assert_allclose(fitted.oof_predictions_[:, 1], expected)
    assert fitted.predict_proba(X).shape == y.shape
    fitted.set_params(stack_method="decision_function", final_estimator=LogisticRegression()).fit(X, y)
    assert fitted.oof_predictions_.shape == y.shape
    expected = cross_val_predict(LogisticRegression(), X[NUMBERS], y[:, 1], cv=SPLITS, method="decision_function")
    np.testing.assert_allclose(fitted.oof_predictions_[:, 1], expected)
    np.testing.assert_array_equal(fitted.decision_function(X) > 0, fitted.predict(X))

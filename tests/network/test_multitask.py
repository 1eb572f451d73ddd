"""Networks of several tasks, of every kind, in every way of training."""

import pickle

import numpy as np
import pandas as pd
import pytest
from _problems import BatchHook
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.model_selection import cross_validate

from skstack import MultimodalNetworkClassifier, MultimodalNetworkRegressor, MultitaskNetwork
from skstack._backend import keras
from skstack.branches import NumericBranch
from skstack.tasks import Classification, Regression, make_task_scorers

N_ROWS = 48
RNG = np.random.default_rng(0)
X = pd.DataFrame({"a": RNG.normal(size=N_ROWS), "b": RNG.normal(size=N_ROWS)}, index=np.arange(N_ROWS) + 100)
COMPLETE = pd.DataFrame(
    {
        "price": 300 * X["a"] + 1000,
        "won it": np.where(X["a"] > 0, "yes", "no"),
        "kind": np.digitize(X["b"], [-0.5, 0.5]),
        "size": X["b"] - X["a"],
    },
    index=X.index,
)
Y = COMPLETE.astype({"won it": object, "kind": object})
Y.loc[X.index[::7], "price"] = np.nan
Y.loc[X.index[3::5], "won it"] = None
Y.loc[X.index[1::9], "kind"] = None
Y.loc[X.index[5]] = [np.nan, None, None, np.nan]
TASKS = {
    "price": Regression(loss="mae", metrics=["mae"], inputs=["size", "features"]),
    "won it": Classification(inputs="price", metrics=["accuracy"], weight=2.0),
    "kind": Classification(loss="categorical_crossentropy", class_weight="balanced"),
    "size": "regression",
}
BRANCHES = [("numbers", NumericBranch((6,), dropout=0.0))]
SETTINGS = {"head": (4,), "epochs": 3, "batch_size": 8, "random_state": 0, "optimizer__learning_rate": 0.02}
BOTH = ["price", "won it"]
#: Tasks in one network, and whether their targets have gaps.
COMBINATIONS = {
    "numbers": (["price", "size"], True),
    "classes": (["won it", "kind"], True),
    "both": (BOTH, False),
    "one number": (["price"], True),
    "one class": (["kind"], True),
    "all": (list(TASKS), False),
    "all_gaps": (list(TASKS), True),
}


def network(names=tuple(TASKS), **params):
    """Return an unfitted network for some of the tasks, of which none is computed from one that is not there."""
    tasks = {}
    for name in names:
        spec = TASKS[name]
        if not isinstance(spec, str):
            kept = [other for other in np.atleast_1d(spec.inputs or []) if other in (*names, "features")]
            spec = clone(spec).set_params(inputs=[str(other) for other in kept] or None)
        tasks[name] = spec
    return MultitaskNetwork(BRANCHES, tasks=tasks, **{**SETTINGS, **params})


def assert_same(one, other, rtol=2e-3):
    for name, values in one.predict_tasks(X).items():
        np.testing.assert_allclose(other.predict_tasks(X)[name], values, rtol=rtol, atol=1e-4)


@pytest.mark.parametrize("chosen", COMBINATIONS)
def test_every_combination_is_trained_alike_in_every_way(chosen):
    names, has_gaps = COMBINATIONS[chosen]
    y = (Y if has_gaps else COMPLETE)[names]
    loops = network(y).fit(X, y)
    assert list(loops.predict(X)) == list(y)
    hooked = network(y, callbacks=[BatchHook()]).fit(X, y)
    assert_same(loops, hooked)
    assert loops.history_.keys() == hooked.history_.keys()
    for name, values in loops.history_.items():
        np.testing.assert_allclose(hooked.history_[name], values, rtol=1e-3, err_msg=name)
    splits = [np.arange(40), np.arange(6, N_ROWS)]
    together = list(network(y, fold_training="vectorized").cross_fit(X, y, splits))
    alone = [network(y).fit(X.iloc[rows], y.iloc[rows]) for rows in splits]
    for one, other in zip([loops, *alone], together, strict=True):
        assert_same(one, other)


def test_a_missing_target_changes_nothing_of_its_task_and_its_row_teaches_the_others():
    other = Y.copy()
    other["price"] = Y["price"].where(Y["price"].notna(), np.nan)
    fitted = network().fit(X, Y)
    gone = Y["price"].isna() & Y["won it"].notna()
    assert gone.any()
    changed = Y.copy()
    changed.loc[gone, "won it"] = np.where(Y.loc[gone, "won it"] == "yes", "no", "yes")
    assert not np.allclose(network().fit(X, changed).predict(X)["price"], fitted.predict(X)["price"], rtol=1e-3)
    known = Y["price"].dropna()
    apart = network(early_stopping=False, epochs=1).fit(X, Y)
    assert apart.tasks_["price"].center_[0] == pytest.approx(known.mean())
    assert apart.tasks_["price"].scale_[0] == pytest.approx(known.std(ddof=0))


def test_rows_without_any_target_are_not_there():
    rows = Y.notna().any(axis=1)
    assert not rows.all()
    plain = network(early_stopping=False).fit(X[rows], Y[rows])
    assert_same(network(early_stopping=False).fit(X, Y), plain, rtol=1e-6)
    weighted = network(early_stopping=False).fit(X, COMPLETE, sample_weight=rows.astype(float))
    assert_same(weighted, network(early_stopping=False).fit(X[rows], COMPLETE[rows]), rtol=1e-6)


def test_it_learns_classes_from_the_output_of_a_regression():
    both = network(BOTH, epochs=60, early_stopping=False).fit(X, COMPLETE[BOTH])
    assert both.score(X, COMPLETE[BOTH]) > 0.8
    layer = both.model_.get_layer("won_it")
    assert layer.kernel.shape == (1, 1)
    # Whatever else is known of a row, the same price gives the same chance.
    prices, chances = both.predict_tasks(X)["price"], both.predict_proba(X)["won it"][:, 1]
    order = np.argsort(prices)
    assert (np.diff(chances[order]) >= -1e-6).all() or (np.diff(chances[order]) <= 1e-6).all()


def test_a_task_may_get_features_and_outputs_of_others():
    fitted = network(["price", "size"]).initialize(X, COMPLETE[["price", "size"]])
    assert fitted.model_.get_layer("price_standardized").kernel.shape == (1 + 4, 1)
    assert fitted.model_.get_layer("size_standardized").kernel.shape == (4, 1)


def test_what_a_loss_counts():
    light, heavy = (
        MultitaskNetwork(BRANCHES, tasks={"size": Regression(weight=w)}, early_stopping=False, **SETTINGS).fit(
            X, COMPLETE[["price", "size"]]
        )
        for w in (1e-3, 10.0)
    )
    assert heavy.history_["size_loss"][-1] < light.history_["size_loss"][-1]
    total = 10 * heavy.history_["size_loss"][-1] + heavy.history_["price_loss"][-1]
    assert heavy.history_["loss"][-1] == pytest.approx(total, rel=1e-4)


def test_the_loss_of_a_task_is_a_mean_over_rows():
    y = COMPLETE[["price", "size"]]
    frozen = {**SETTINGS, "early_stopping": False, "epochs": 1, "dropout": 0.0}
    frozen |= {"optimizer": "sgd", "optimizer__learning_rate": 0.0}
    for callbacks in (None, [BatchHook()]):
        fitted = MultitaskNetwork(BRANCHES, callbacks=callbacks, **{**frozen, "batch_size": 20}).fit(X, y)
        for name in y:
            error = (fitted.predict(X)[name] - y[name]) / y[name].std(ddof=0)
            assert fitted.history_[f"{name}_loss"][0] == pytest.approx(np.mean(error**2), rel=1e-4)


def test_rows_of_ones_own_to_stop_on_may_have_gaps():
    frozen = {**SETTINGS, "epochs": 1, "optimizer": "sgd", "optimizer__learning_rate": 0.0}
    y_val = Y[["price", "size"]].iloc[:20]
    assert y_val.isna().to_numpy().any()
    fitted = MultitaskNetwork(BRANCHES, **frozen)
    fitted.fit(X.iloc[20:], COMPLETE[["price", "size"]].iloc[20:], X_val=X.iloc[:20], y_val=y_val)
    for name in y_val:
        error = (fitted.predict(X.iloc[:20])[name] - y_val[name]) / fitted.tasks_[name].scale_[0]
        n_rows = y_val.notna().any(axis=1).sum()  # those that lack all decide nothing
        assert fitted.history_[f"val_{name}_loss"][0] == pytest.approx(np.nansum(error**2) / n_rows, rel=1e-4)


def test_targets_may_come_as_an_array_in_the_order_of_the_tasks():
    names = ["size", "price"]
    named = network(names).fit(X, COMPLETE[names])
    array = network(names).fit(X, COMPLETE[names].to_numpy())
    assert_same(named, array, rtol=1e-6)
    assert list(MultitaskNetwork(BRANCHES, **SETTINGS).fit(X, COMPLETE[names].to_numpy()).predict(X)) == [
        "output_0",
        "output_1",
    ]
    with pytest.raises(ValueError, match="y has 3 columns, but there are 2 tasks"):
        network(names).fit(X, np.ones((N_ROWS, 3)))


def test_persistence(tmp_path):
    fitted = network().fit(X, Y)
    again = pickle.loads(pickle.dumps(fitted))
    pd.testing.assert_frame_equal(again.predict(X), fitted.predict(X))
    assert_same(again.partial_fit(X, Y), pickle.loads(pickle.dumps(fitted)).partial_fit(X, Y), rtol=1e-6)
    fitted.model_.save(tmp_path / "model.keras")
    outputs = keras.saving.load_model(tmp_path / "model.keras")(fitted.encode(X))
    np.testing.assert_allclose(np.ravel(outputs["price"]), fitted.predict(X)["price"], rtol=1e-5)


def test_partial_fit_takes_rows_with_gaps_after_rows_without():
    started = network(BOTH, early_stopping=False).partial_fit(X, COMPLETE[BOTH])
    before = started.predict(X)["price"]
    assert not np.allclose(started.partial_fit(X, Y[BOTH]).predict(X)["price"], before)


def test_cross_validation_with_a_scorer_for_each_task():
    scoring = make_task_scorers({"price": "neg_mean_absolute_error", "won it": "neg_log_loss"})
    scores = cross_validate(network(), X, Y, cv=2, scoring=scoring, return_estimator=True, return_indices=True)
    rows = scores["indices"]["test"][0]
    rows = rows[Y["won it"].iloc[rows].notna()]
    chance = scores["estimator"][0].predict_proba(X.iloc[rows])["won it"]
    assert scores["test_won it_neg_log_loss"][0] == pytest.approx(-log_loss(Y["won it"].iloc[rows].tolist(), chance))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (Y.assign(price=np.nan), "target 'price': Input y has no value in any of the .* rows to learn from"),
        (Y.assign(price="x"), "target 'price': y holds text"),
        (Y.assign(kind=2), "target 'kind': MultitaskNetwork needs samples of at least 2 classes"),
        (Y.assign(price=np.where(np.arange(N_ROWS) == 3, np.inf, 1.0)), r"target 'price': .* in row 3 \(index 103\)"),
        (pd.DataFrame(np.nan, Y.index, Y.columns), "every row has weight 0"),
        (Y.drop(columns="won it"), "'tasks' of MultitaskNetwork name 'won it', which is no column of y"),
    ],
)
def test_bad_targets_are_named_before_training(y, message):
    with pytest.raises(ValueError, match=message):
        network().fit(X, y)


def test_unknown_losses_and_metrics_of_a_task_are_named():
    with pytest.raises(ValueError, match="task 'size' of MultitaskNetwork: unknown loss 'mea'"):
        MultitaskNetwork(BRANCHES, tasks={"size": Regression(loss="mea")}).fit(X, COMPLETE)
    with pytest.raises(ValueError, match=r"such as tasks={'sold': Classification\(class_weight=...\)}"):
        MultitaskNetwork(BRANCHES, class_weight="balanced")
    with pytest.raises(ValueError, match="task 'size' of MultitaskNetwork: unknown metric 'mea'"):
        MultitaskNetwork(BRANCHES, tasks={"size": Regression(metrics=["mea"])}).fit(X, COMPLETE)
    with pytest.raises(ValueError, match="Invalid parameter 'loss'"):
        MultitaskNetwork(BRANCHES, loss="mae")


# --- several targets of one kind --------------------------------------------------------------------------------------

GAPS = np.column_stack([X["a"], 100 * X["b"], X["a"] - X["b"]])
GAPS[::4, 1] = np.nan
GAPS[1::8, 0] = np.nan
GAPS[5] = np.nan


@pytest.mark.parametrize("loss", ["mse", "mae", "msle"])
def test_gaps_in_several_numbers_are_masked_alike_in_every_way(loss):
    y = GAPS if loss != "msle" else np.abs(GAPS)
    regressor = MultimodalNetworkRegressor(BRANCHES, loss=loss, metrics=["mae"], **SETTINGS)
    loops = clone(regressor).fit(X, y)
    hooked = clone(regressor).set_params(callbacks=[BatchHook()]).fit(X, y)
    np.testing.assert_allclose(hooked.predict(X), loops.predict(X), rtol=1e-3, atol=1e-4)
    for name, values in loops.history_.items():
        np.testing.assert_allclose(hooked.history_[name], values, rtol=1e-3, err_msg=name)
    splits = [np.arange(40), np.arange(6, N_ROWS)]
    together = list(clone(regressor).set_params(fold_training="vectorized").cross_fit(X, y, splits))
    for rows, fold in zip([np.arange(N_ROWS), *splits], together, strict=True):
        alone = clone(regressor).fit(X.iloc[rows], y[rows])
        np.testing.assert_allclose(fold.predict(X), alone.predict(X), rtol=1e-3, atol=1e-3)


def test_the_masked_loss_and_metric_are_those_of_the_targets_that_are_there():
    frozen = {**SETTINGS, "early_stopping": False, "epochs": 1, "dropout": 0.0}
    frozen |= {"optimizer": "sgd", "optimizer__learning_rate": 0.0}
    rows = ~np.isnan(GAPS).all(axis=1)
    fitted = MultimodalNetworkRegressor(BRANCHES, metrics=["mae"], **frozen).fit(X, GAPS)
    error = (fitted.predict(X) - GAPS)[rows]
    scaled = error / np.nanstd(GAPS, axis=0)
    assert fitted.history_["loss"][0] == pytest.approx(np.nansum(scaled**2) / scaled.size, rel=1e-4)
    assert fitted.history_["mean_absolute_error"][0] == pytest.approx(np.nanmean(np.abs(error)), rel=1e-4)
    np.testing.assert_allclose(fitted.target_encoder_.center_, np.nanmean(GAPS, axis=0))


def test_the_score_of_numbers_with_gaps_is_the_mean_over_targets():
    fitted = MultimodalNetworkRegressor(BRANCHES, **SETTINGS).fit(X, GAPS)
    predicted = fitted.predict(X)
    each = [1 - np.nanvar(GAPS[:, i] - predicted[:, i]) / np.nanvar(GAPS[:, i]) for i in range(3)]
    biased = [np.nanmean(GAPS[:, i] - predicted[:, i]) ** 2 / np.nanvar(GAPS[:, i]) for i in range(3)]
    assert fitted.score(X, GAPS) == pytest.approx(np.mean(each) - np.mean(biased))


def test_a_loss_of_rows_as_a_whole_takes_no_gaps():
    with pytest.raises(ValueError, match="the loss CosineSimilarity compares rows as a whole"):
        MultimodalNetworkRegressor(BRANCHES, loss="cosine_similarity", **SETTINGS).fit(X, GAPS)
    MultimodalNetworkRegressor(BRANCHES, loss="cosine_similarity", **SETTINGS).fit(X, np.nan_to_num(GAPS))


def test_an_empty_column_among_several_is_an_error():
    with pytest.raises(ValueError, match="Input y has no value in column 1 in any of the 43 rows to learn from"):
        MultimodalNetworkRegressor(BRANCHES, **SETTINGS).fit(X, np.column_stack([X["a"], X["b"] * np.nan]))


@pytest.mark.parametrize("gaps", [False, True])
def test_several_columns_of_classes(gaps):
    y = (Y if gaps else COMPLETE)[["won it", "kind"]]
    fitted = MultimodalNetworkClassifier(BRANCHES, class_weight=["balanced", {0: 2.0}], **SETTINGS)
    fitted.set_params(epochs=40, head=(16,), early_stopping=False).fit(X, y)
    assert [classes.tolist() for classes in fitted.classes_] == [["no", "yes"], [0, 1, 2]]
    one, other = fitted.predict_proba(X)
    assert (one.shape, other.shape) == ((N_ROWS, 2), (N_ROWS, 3))
    predicted = fitted.predict(X)
    assert set(predicted[:, 0]) <= {"no", "yes"}
    known = y.notna().to_numpy()
    right = [np.mean((predicted == y.to_numpy())[known[:, i], i]) for i in range(2)]
    assert fitted.score(X, y) == pytest.approx(np.mean(right))
    assert fitted.score(X, y) > 0.85


def test_several_columns_of_classes_in_parts():
    y = COMPLETE[["won it", "kind"]]
    first = y["kind"] < 2
    started = MultimodalNetworkClassifier(BRANCHES, **SETTINGS)
    started.partial_fit(X[first], y[first], classes=[["no", "yes"], [0, 1, 2]]).partial_fit(X, y)
    assert started.predict_proba(X)[1].shape == (N_ROWS, 3)


def test_branches_are_trained_one_by_one_for_all_tasks_before_they_are_fused():
    two = [("a", NumericBranch(hidden=(3,)), ["a"]), ("b", NumericBranch(hidden=(4,)), ["b"])]
    staged = network(stages="individual+joint", trainable=False, keep_individual=True).set_params(branches=two)
    fitted = staged.fit(X, Y)
    assert [(stage.training, stage.branches) for stage in fitted.stages_] == [
        ("individual", ["a"]),
        ("individual", ["b"]),
        ("joint", []),
    ]
    for name, alone in fitted.individual_networks_.items():
        assert set(alone.predict_tasks(X)) == set(TASKS)
        own, fused = (model.model_.get_layer(f"{name}_branch").get_weights() for model in (alone, fitted))
        assert all(map(np.array_equal, own, fused))
    assert fitted.predict(X).shape == (N_ROWS, len(TASKS))

"""No learned state of a fold ever sees the rows that the fold holds out."""

import numpy as np
import pandas as pd
import pytest
from _bert import write_folder
from _data import mixed_frame, plain_table
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skstack import (
    MultimodalNetworkClassifier,
    MultimodalNetworkRegressor,
    MultimodalStackingClassifier,
    MultimodalStackingRegressor,
)
from skstack.branches import CategoricalBranch, DateBranch, ImageBranch, NumericBranch, TextBranch
from skstack.stacking import _keeping
from skstack.stacking._cross_fit import cross_fit
from skstack.tasks._regression import RegressionTask

BRANCHES = [
    ("numbers", NumericBranch(hidden=(4,), batch_norm=True, dropout=0.2), ["area", "rooms"]),
    ("place", CategoricalBranch(), ["zip"]),
    ("photo", ImageBranch(size=(8, 8), filters=(4,), hidden=(4,)), ["photo"]),
]
SETTINGS = {"epochs": 3, "patience": 1, "batch_size": 16, "validation_fraction": 0.2, "random_state": 0}
SPLITS = list(KFold(3).split(np.zeros(60)))
HELD_OUT = SPLITS[0][1]


def changed(X, y, rows):
    """Return X and y with everything about some rows changed, in ways that would move means and vocabularies."""
    X, y = X.copy(), y.copy()
    positions = np.isin(np.arange(len(X)), rows)
    X.loc[positions, ["area", "rooms"]] = [[1e4, -50.0]] * len(rows)
    X.loc[positions, "zip"] = "Z"
    X["photo"] = [255 - cell if change else cell for cell, change in zip(X["photo"], positions, strict=True)]
    y[positions] = y[positions][::-1] if y.dtype.kind in "US" else 1e5
    return X, y


def fold_models(monkeypatch, stack, X, y):
    """Fit a stack and return the fitted base models of each fold, in the order in which they were fitted."""
    models = []

    def keeping(*args, **options):
        made = cross_fit(*args, **{**options, "keep_fold_models": True})
        models.extend(made.fold_models)
        return made

    with monkeypatch.context() as patch:
        patch.setattr(_keeping, "cross_fit", keeping)
        stack.fit(X, y)
    return models


def learned_state(model):
    """Return everything that a base model learned, as arrays."""
    if hasattr(model, "branches_"):
        alone = getattr(model, "individual_networks_", {}).values()
        return [value for network in (model, *alone) for value in network._compiled_call.values.values()]
    scaler, linear = model[0], model[-1]
    return [scaler.mean_, scaler.scale_, linear.coef_, linear.intercept_]


@pytest.mark.parametrize("training", ["individual", "joint", "individual+joint"])
@pytest.mark.parametrize("kind", ["regression", "quantiles", "classification"])
def test_changing_held_out_rows_leaves_the_models_of_the_fold_unchanged(monkeypatch, training, kind):
    X, y = mixed_frame()
    params = {"quantile": [0.1, 0.9]} if kind == "quantiles" else {}
    if kind != "classification":
        stack_class, network, linear = MultimodalStackingRegressor, MultimodalNetworkRegressor(**SETTINGS), Ridge()
    else:
        stack_class, network = MultimodalStackingClassifier, MultimodalNetworkClassifier(**SETTINGS)
        linear, y = LogisticRegression(), np.where(y > np.median(y), "dear", "cheap")
    learner = ("linear", make_pipeline(StandardScaler(), linear), ["area", "rooms"])
    stack = stack_class(
        [*BRANCHES, learner],
        training=training,
        individual_predictions=True,
        network=network,
        cv=SPLITS,
        random_state=0,
        **params,
    )

    before = fold_models(monkeypatch, stack, X, y)
    after = fold_models(monkeypatch, stack, *changed(X, y, HELD_OUT))

    n_models = len(BRANCHES) + 1 if training == "individual" else 2
    assert len(before) == len(after) == n_models * len(SPLITS)
    for first_fold, again in zip(before[:: len(SPLITS)], after[:: len(SPLITS)], strict=True):
        for old, new in zip(learned_state(first_fold), learned_state(again), strict=True):
            np.testing.assert_array_equal(old, new)
    # The folds that train on the changed rows do notice, so that the comparison above can fail.
    for other_fold, again in zip(before[1 :: len(SPLITS)], after[1 :: len(SPLITS)], strict=True):
        states = zip(learned_state(other_fold), learned_state(again), strict=True)
        assert any(old.shape != new.shape or not np.array_equal(old, new) for old, new in states)


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_learners_and_networks_that_are_suggested_learn_nothing_from_held_out_rows(monkeypatch, kind):
    X, y = plain_table(60)
    X, others = X[["area", "power", "color", "zip", "review"]], X.copy()
    others.loc[HELD_OUT, "area"] = 1e4
    others.loc[HELD_OUT, ["power", "color", "review"]] = [
        "999 bhp @ 1 rpm",
        "green",
        "sweet sweet sweet and very sweet",
    ]
    if kind == "regression":
        stack = MultimodalStackingRegressor(network=MultimodalNetworkRegressor(**SETTINGS), cv=SPLITS, random_state=0)
    else:
        stack = MultimodalStackingClassifier(network=MultimodalNetworkClassifier(**SETTINGS), cv=SPLITS, random_state=0)
        y = np.where(y > np.median(y), "dear", "cheap")
    changed_y = y.copy()
    changed_y[HELD_OUT] = y[HELD_OUT][::-1]

    before = fold_models(monkeypatch, stack, X, y)
    suggested = repr(stack.suggestion_)
    after = fold_models(monkeypatch, stack, others[X.columns], changed_y)

    assert repr(stack.suggestion_).split("# ")[0] == suggested.split("# ")[0]
    n_members = 5 if kind == "regression" else 4  # support vectors are for numbers
    assert len(before) == len(after) == n_members * len(SPLITS)
    for model in range(n_members):
        first, again = before[model * len(SPLITS)], after[model * len(SPLITS)]
        other, changed_other = before[model * len(SPLITS) + 1], after[model * len(SPLITS) + 1]
        np.testing.assert_array_equal(first.predict(X), again.predict(X))
        scores = "predict" if kind == "regression" else "predict_proba"
        assert not np.array_equal(getattr(other, scores)(X), getattr(changed_other, scores)(X))


def test_rows_set_aside_for_early_stopping_teach_branches_and_target_nothing():
    X, y = mixed_frame()
    network = MultimodalNetworkRegressor(BRANCHES, **{**SETTINGS, "epochs": 1})
    groups = np.arange(len(X)) // 12
    network.fit(X, y, groups=groups)
    fitted = {name: branch for name, branch, _ in network.branches_}
    # One of the five groups was set aside; the statistics are those of the other four.
    candidates = [groups != group for group in range(5)]
    matching = [
        rows
        for rows in candidates
        if np.allclose(fitted["numbers"].center_, np.median(X.loc[rows, ["area", "rooms"]], axis=0))
        and np.allclose(network.target_encoder_.center_, y[rows].mean())
    ]
    assert len(matching) == 1


def test_out_of_fold_predictions_are_those_of_models_that_did_not_see_the_row():
    X, y = mixed_frame()
    network = MultimodalNetworkRegressor(BRANCHES, **{**SETTINGS, "early_stopping": False})
    predictions = cross_fit(network, X, y, SPLITS, method="predict", task=RegressionTask().fit(y)).predictions
    training, held_out = SPLITS[1]
    alone = network.fit(X.iloc[training], y[training]).predict(X.iloc[held_out])
    np.testing.assert_allclose(predictions[held_out, 0], alone, rtol=1e-5)


def test_dates_and_lists_of_held_out_rows_teach_a_fold_nothing(monkeypatch):
    """Not where time begins, nor which words there are, nor how many texts a cell has."""
    rng = np.random.default_rng(0)
    lists = [rng.choice(["red", "blue", "hat", "coat"], n_texts).tolist() for n_texts in rng.integers(0, 4, 60)]
    X = pd.DataFrame({"when": pd.date_range("2026-01-01", periods=60, freq="31h"), "notes": lists})
    texts = TextBranch(item_pooling="attention", min_frequency=1, dim=2)
    branches = [("when", DateBranch(elapsed=True), ["when"]), ("notes", texts, ["notes"])]
    stack = MultimodalStackingRegressor(branches, network=MultimodalNetworkRegressor(**SETTINGS), cv=SPLITS)
    before = fold_models(monkeypatch, stack.set_params(random_state=0), X, np.arange(60.0))

    other = X.copy()
    other.loc[HELD_OUT, "when"] = pd.Timestamp("1926-12-31 23:30")
    other["notes"] = [["never seen"] * 9 if row in HELD_OUT else cell for row, cell in enumerate(lists)]
    with pytest.warns(UserWarning, match="rows hold more than the 3 items"):
        after = fold_models(
            monkeypatch, stack, other, np.where(np.isin(np.arange(60), HELD_OUT), -5.0, np.arange(60.0))
        )

    for old, new in zip(learned_state(before[0]), learned_state(after[0]), strict=True):
        np.testing.assert_array_equal(old, new)
    states = zip(learned_state(before[1]), learned_state(after[1]), strict=True)
    assert any(old.shape != new.shape or not np.array_equal(old, new) for old, new in states)


@pytest.mark.parametrize(
    "params", [{}, {"trainable": 1}, {"adapter_rank": 2}], ids=["frozen", "last layer", "adapters"]
)
def test_texts_of_held_out_rows_teach_a_pretrained_encoder_nothing(monkeypatch, tmp_path, params):
    """Not how features are spread, nor how long texts are, nor what its layers become."""
    rng, encoder = np.random.default_rng(0), write_folder(tmp_path / "tiny")
    words = rng.choice(["red", "old", "hat", "coat", "good", "bad"], (60, 4)).astype(object)
    X = pd.DataFrame({"title": words[:, 0], "text": [" ".join(row) for row in words]})
    branch = ("texts", TextBranch(encoder=encoder, **params), ["title", "text"])
    stack = MultimodalStackingRegressor([branch], network=MultimodalNetworkRegressor(**SETTINGS), cv=SPLITS)
    before = fold_models(monkeypatch, stack.set_params(random_state=0), X, np.arange(60.0))
    held_out = np.isin(np.arange(60), HELD_OUT)
    other = X.assign(text=X["text"].where(~held_out, "bad bad fits ! " * 6))
    after = fold_models(monkeypatch, stack, other, np.where(held_out, -5.0, np.arange(60.0)))

    for old, new in zip(learned_state(before[0]), learned_state(after[0]), strict=True):
        np.testing.assert_array_equal(old, new)
    states = zip(learned_state(before[1]), learned_state(after[1]), strict=True)
    assert any(old.shape != new.shape or not np.array_equal(old, new) for old, new in states)

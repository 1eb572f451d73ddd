"""Rows of the caller's own that decide when a network stops."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from _problems import BatchHook
from _small import branches, make_labels, make_table, network_classifier, network_regressor
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skstack.branches import NumericBranch
from skstack.training._values import values_of

SETTINGS = {"early_stopping": True, "epochs": 6, "patience": 2, "batch_size": 16, "optimizer__learning_rate": 0.05}


@pytest.fixture(scope="module")
def table():
    return make_table()


@pytest.fixture(scope="module")
def other():
    """Rows to validate on, by the names that `fit` has for them."""
    X, y = make_table(20, seed=3)
    return {"X_val": X, "y_val": y}


def _same_history(one, other):
    assert one.history_.keys() == other.history_.keys()
    for name, values in one.history_.items():
        assert values == pytest.approx(other.history_[name], rel=1e-4), name


def _joined(table, other):
    """Return all rows in one table, and which of them are trained on and which decide."""
    X, y = table
    rows = np.arange(len(y) + len(other["y_val"]))
    return pd.concat([X, other["X_val"]]), np.r_[y, other["y_val"]], (rows[: len(y)], rows[len(y) :])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("callbacks", [(), (BatchHook,)], ids=["loops", "keras"])
def test_they_stop_a_network_as_a_part_of_its_rows_would(table, other, weighted, callbacks):
    X, y, split = _joined(table, other)
    weight = np.linspace(0.5, 2, len(y))
    network = network_regressor(**SETTINGS, metrics=["mae"], callbacks=[kind() for kind in callbacks])
    given = {"sample_weight": weight} if weighted else {}
    (expected,) = clone(network).cross_fit(X, y, [], validation=[split], **given)
    own = {"sample_weight": weight[split[0]], "sample_weight_val": weight[split[1]]} if weighted else {}
    fitted = network.fit(*table, **other, **own)
    _same_history(fitted, expected)
    assert {"val_loss", "val_mean_absolute_error"} <= fitted.history_.keys()
    assert_allclose(fitted.predict(X), expected.predict(X), rtol=1e-5)


def test_all_training_rows_are_trained_on_and_nothing_is_learned_from_the_others(table, other):
    X, y = table
    network = network_regressor(**{**SETTINGS, "epochs": 1})
    strange = other["X_val"].assign(area=1e6, rooms=-1e6, city="Zwolle")
    fitted = [
        clone(network).fit(X, y, X_val=rows, y_val=targets)
        for rows, targets in ((other["X_val"], other["y_val"]), (strange, other["y_val"] * 1e6))
    ]
    without = clone(network).set_params(early_stopping=False).fit(X, y)
    for one in fitted:
        assert one.tasks_["output"].center_ == y.mean()
        for name, values in values_of(without.model_).items():
            assert_array_equal(values_of(one.model_)[name], values)
    assert fitted[0].history_["val_loss"] != pytest.approx(fitted[1].history_["val_loss"])


def test_they_do_decide_when_to_stop(table, other):
    X, y = table
    network = network_regressor(**{**SETTINGS, "epochs": 40})
    epochs = [
        len(clone(network).fit(X, y, X_val=other["X_val"], y_val=targets).history_["loss"])
        for targets in (other["y_val"], -other["y_val"])
    ]
    assert epochs[0] > epochs[1] >= 3


def test_weights_decide_with_them_and_rows_without_weight_do_not(table, other):
    X, y = table
    network = network_regressor(**{**SETTINGS, "epochs": 2})
    weight = np.repeat([1.0, 0.0], [15, 5])
    weighted = clone(network).fit(X, y, **other, sample_weight_val=weight)
    fewer = {name: rows[:15] for name, rows in other.items()}
    assert weighted.history_["val_loss"] == pytest.approx(clone(network).fit(X, y, **fewer).history_["val_loss"])
    heavy = clone(network).fit(X, y, **fewer, sample_weight_val=np.full(15, 3.0))
    assert heavy.history_["val_loss"] == pytest.approx([3 * loss for loss in weighted.history_["val_loss"]], rel=1e-4)


@pytest.mark.parametrize("fold_training", ["vectorized", "sequential"])
def test_they_stop_every_fold(table, other, fold_training):
    X, y = table
    splits = [np.arange(30), np.arange(14, 48)]
    network = network_regressor(**SETTINGS, fold_training=fold_training)
    fits = list(clone(network).cross_fit(X, y, splits, **other))
    for one, rows in zip(fits, [np.arange(48), *splits], strict=True):
        alone = clone(network).fit(X.iloc[rows], y[rows], **other)
        assert_allclose(one.predict(X), alone.predict(X), rtol=2e-3)
    assert fits[0].history_["val_loss"] == pytest.approx(alone_loss(network, table, other), rel=2e-3)


def alone_loss(network, table, other):
    """Return the losses of a fit on all rows."""
    return clone(network).fit(*table, **other).history_["val_loss"]


def test_classes(table, other):
    X, y = table
    labels, targets = make_labels(y, 3), make_labels(other["y_val"], 3)
    network = network_classifier(**SETTINGS, class_weight="balanced")
    fitted = network.fit(X, labels, X_val=other["X_val"], y_val=targets)
    assert fitted.classes_.tolist() == ["cheap", "dear", "fair"]
    assert len(fitted.history_["val_loss"]) >= 3
    # A fold without one of the classes is stopped by the rows of the others.
    rows = np.flatnonzero(labels != "dear")
    _, fold = clone(network).cross_fit(X, labels, [rows], X_val=other["X_val"], y_val=targets)
    known = targets != "dear"
    alone = clone(network).fit(X.iloc[rows], labels[rows], X_val=other["X_val"][known], y_val=targets[known])
    assert_allclose(fold.predict_proba(X), alone.predict_proba(X), rtol=1e-4)


def test_a_pipeline_transforms_them_on_the_way(table, other):
    X, y = table[0][["area", "rooms"]], table[1]
    X_val = other["X_val"][["area", "rooms"]]
    network = network_regressor([("numbers", NumericBranch(scale=None, hidden=(4,)))], **SETTINGS)
    scaler = StandardScaler().fit(X)
    expected = clone(network).fit(scaler.transform(X), y, X_val=scaler.transform(X_val), y_val=other["y_val"])
    with sklearn.config_context(enable_metadata_routing=True):
        last = clone(network).set_fit_request(X_val=True, y_val=True)
        steps = [("scale", StandardScaler()), ("network", last)]
        pipeline = Pipeline(steps, transform_input=["X_val"]).fit(X, y, X_val=X_val, y_val=other["y_val"])
    _same_history(pipeline[-1], expected)
    assert_allclose(pipeline.predict(X), expected.predict(scaler.transform(X)), rtol=1e-5)


def test_a_warm_start_takes_them_too(table, other):
    network = network_regressor(**SETTINGS, warm_start=True).fit(*table, **other)
    first = network.history_["val_loss"]
    assert network.fit(*table, **other).history_["val_loss"][0] < first[0]


# --- what cannot be used ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"y_val": None}, ValueError, "X_val is provided, but y_val was not provided"),
        ({"X_val": None}, ValueError, "y_val is provided, but X_val was not provided"),
        ({"X_val": None, "y_val": None, "sample_weight_val": [1]}, ValueError, r"sample_weight_val .* X_val was not"),
        ({"y_val": np.ones(19)}, ValueError, "X_val, y_val: .*inconsistent numbers of samples: .20, 19"),
        ({"sample_weight_val": np.ones(19)}, ValueError, "sample_weight_val has 19 values, X has 20 rows"),
        ({"sample_weight_val": -np.ones(20)}, ValueError, "should not be negative"),
        ({"sample_weight_val": np.zeros(20)}, ValueError, r"y_val: .*weight 0|non-zero"),
        ({"y_val": np.r_[np.ones(19), np.nan]}, ValueError, "y_val: Input y contains NaN: nan in row 19"),
        ({"y_val": np.ones((20, 2))}, ValueError, "y_val has 2 columns, y has 1"),
    ],
)
def test_what_cannot_be_used_is_named(table, other, change, error, message):
    with pytest.raises(error, match=message):
        network_regressor(**SETTINGS).fit(*table, **{**other, **change})


def test_cells_and_columns_that_cannot_be_used_are_named(table, other):
    network = network_regressor(**SETTINGS)
    bad = other["X_val"].astype({"area": object})
    bad.iloc[4, 0] = "large"
    with pytest.raises(ValueError, match=r"X_val: branch 'numbers': .*'area'.*'large'.* 104"):
        network.fit(*table, X_val=bad, y_val=other["y_val"])
    with pytest.raises(ValueError, match="X_val, y_val: The feature names should match"):
        network.fit(*table, X_val=other["X_val"].rename(columns={"area": "size"}), y_val=other["y_val"])
    with pytest.raises(ValueError, match=r"X_val: branch 'numbers': .*'area'"):
        clone(network).check_data(table[0], bad)
    assert not hasattr(network, "model_")


def test_an_unknown_class_is_named(table, other):
    labels, targets = make_labels(table[1]), make_labels(other["y_val"]).astype(object)
    targets[3] = "priceless"
    with pytest.raises(ValueError, match=r"y_val: .*a class that no training row has: 'priceless' in row 3"):
        network_classifier(**SETTINGS).fit(table[0], labels, X_val=other["X_val"], y_val=targets)


def test_a_network_that_does_not_stop_early_has_no_use_for_them(table, other):
    with pytest.raises(ValueError, match="X_val and y_val decide when to stop, and early_stopping is False"):
        network_regressor(branches(), early_stopping=False).fit(*table, **other)

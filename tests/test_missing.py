"""Rows that lack a modality, and tables that lack its column."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import cross_val_score

from skstack import MultimodalNetworkRegressor, MultimodalStackingClassifier, MultimodalStackingRegressor
from skstack.branches import CategoricalBranch, ImageBranch, NumericBranch
from skstack.preprocessing import tensor_column

N_ROWS = 60
BRANCHES = [
    ("numbers", NumericBranch(hidden=(4,)), ["area", "rooms"]),
    ("photo", ImageBranch(size=(6, 6), filters=(3,), hidden=()), ["photo"]),
]
LACKING = np.arange(N_ROWS) % 4 == 0


@pytest.fixture(scope="module")
def data():
    """Houses of which every fourth has no photo; those are worth 3 more."""
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, size=(N_ROWS, 6, 6, 3), dtype="uint8")
    photos = [None if lacking else picture for lacking, picture in zip(LACKING, pictures, strict=True)]
    X = pd.DataFrame({"area": rng.normal(size=N_ROWS), "rooms": rng.normal(size=N_ROWS), "photo": photos})
    return X, X["area"].to_numpy() + 3.0 * LACKING


def network(**params):
    settings = {"head": (), "epochs": 30, "early_stopping": False, "random_state": 0, "batch_size": 20}
    return MultimodalNetworkRegressor(BRANCHES, **settings | params)


def stack(**params):
    template = MultimodalNetworkRegressor(head=(), epochs=3, early_stopping=False)
    return MultimodalStackingRegressor(BRANCHES, network=template, cv=2, random_state=0, **params)


# --- networks ---------------------------------------------------------------------------------------------------------


def test_the_missing_embedding_learns_what_it_means_to_be_missing(data):
    X, y = data
    fitted = network(epochs=150, optimizer="adam", optimizer__learning_rate=0.02).fit(X, y)
    with_photo, without = X.iloc[[1, 2, 3]], X.iloc[[1, 2, 3]].assign(photo=None)
    difference = fitted.predict(without) - fitted.predict(with_photo)
    assert difference.mean() > 1.5


def test_what_stands_in_a_missing_row_does_not_matter(data):
    X, y = data
    fitted = network(epochs=2).fit(X, y)
    for nothing in (None, np.nan, "", "  ", b"", pd.NA):
        other = X.copy()
        other["photo"] = [nothing if lacking else cell for lacking, cell in zip(LACKING, X["photo"], strict=True)]
        np.testing.assert_array_equal(fitted.predict(other), fitted.predict(X))


def test_a_modality_that_no_training_row_lacks_may_be_missing_later(data):
    X, y = data
    X, y = X[~LACKING], y[~LACKING]
    fitted = network().fit(X, y)
    known, unknown = fitted.predict(X), fitted.predict(X.assign(photo=None))
    assert abs(unknown.mean() - known.mean()) < 0.5 * known.std()


def test_modality_dropout_makes_a_network_cope_without(data):
    X = data[0][["area", "rooms"]].assign(twin=data[0]["area"])
    parts = [
        (name, NumericBranch((), scale="standard", embedding=None), [column])
        for name, column in (("one", "area"), ("two", "twin"))
    ]
    errors = {}
    for rate in (0.0, 0.4):
        fitted = MultimodalNetworkRegressor(
            parts, head=(), modality_dropout=rate, epochs=150, early_stopping=False, random_state=0
        )
        fitted.fit(X, X["area"])
        errors[rate] = np.abs(fitted.predict(X.assign(twin=np.nan)) - X["area"]).mean()
    assert errors[0.4] < 0.85 * errors[0.0]
    assert "one_missing_embedding" in {layer.name for layer in fitted.model_.layers}


def test_the_only_modality_is_never_dropped(data):
    X, y = data
    alone = MultimodalNetworkRegressor(BRANCHES[:1], epochs=1, modality_dropout=0.9, random_state=0).fit(X, y)
    plain = MultimodalNetworkRegressor(BRANCHES[:1], epochs=1, random_state=0).fit(X, y)
    np.testing.assert_array_equal(alone.predict(X), plain.predict(X))


def test_folds_with_missing_rows_are_trained_together(data):
    X, y = data
    scores = {
        way: cross_val_score(stack().set_params(network__fold_training=way, network__modality_dropout=0.2), X, y, cv=2)
        for way in ("vectorized", "sequential")
    }
    np.testing.assert_allclose(scores["vectorized"], scores["sequential"], rtol=1e-3, atol=1e-4)


def test_missing_rows_are_told(data):
    X, y = data
    X = X.copy()
    X.loc[5, ["area", "rooms"]] = np.nan
    missing = network(epochs=1).fit(X, y).missing_rows(X)
    np.testing.assert_array_equal(missing["photo"], LACKING)
    assert np.flatnonzero(missing["numbers"]).tolist() == [5]


@pytest.mark.parametrize("make", [network, stack])
@pytest.mark.parametrize("container", [pd.DataFrame, pl.DataFrame])
def test_a_column_may_be_left_out(data, make, container):
    X, y = data
    X = X.assign(photo=tensor_column(np.stack([np.zeros((6, 6, 3), "uint8") if p is None else p for p in X["photo"]])))
    fitted = make(allow_missing_columns=True).set_params(**({"epochs": 1} if make is network else {})).fit(X, y)
    less, empty = X[["rooms", "area"]], X.assign(photo=None)
    given = less if container is pd.DataFrame else pl.from_pandas(less)
    np.testing.assert_allclose(fitted.predict(given), fitted.predict(empty), rtol=1e-6)
    with pytest.raises(ValueError, match=r"none of the columns .* was fitted with"):
        fitted.predict(X[["photo"]].set_axis(["picture"], axis=1))


def test_a_column_left_out_is_an_error_by_default(data):
    X, y = data
    with pytest.raises(ValueError, match=r"(?s)feature names.*photo"):
        network(epochs=1).fit(X, y).predict(X.drop(columns="photo"))


# --- the final estimator ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("training", ["joint", "individual"])
def test_the_final_estimator_is_told_what_is_missing(data, training):
    X, y = data
    fitted = stack(add_missing_indicator=True, training=training, final_estimator=LinearRegression()).fit(X, y)
    names = list(fitted.get_feature_names_out())
    assert names[-1] == "missingindicator_photo"
    assert sum(name.startswith("missingindicator") for name in names) == 1
    np.testing.assert_array_equal(fitted.transform(X)[:, -1], LACKING)
    assert fitted.final_estimator_.n_features_in_ == len(names)
    assert "missingindicator_photo" not in stack(training=training).fit(X, y).get_feature_names_out()


def test_indicators_stand_beside_what_is_passed_through(data):
    X, y = data
    fitted = stack(add_missing_indicator=True, passthrough=["area"], final_estimator=Ridge()).fit(X, y)
    assert list(fitted.final_estimator_.feature_names_in_)[-2:] == ["missingindicator_photo", "area"]


def test_indicators_of_a_classifier(data):
    X, y = data
    parts = [*BRANCHES, ("zip", CategoricalBranch(), ["rooms"])]
    template = {"network__epochs": 1, "network__early_stopping": False}
    fitted = MultimodalStackingClassifier(parts, cv=2, add_missing_indicator=True).set_params(**template)
    fitted.fit(X, y > y.mean())
    np.testing.assert_array_equal(fitted.transform(X)[:, -1], LACKING)
    assert len(fitted.predict_proba(X.head(3))) == 3

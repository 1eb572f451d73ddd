"""Stacks and networks inside estimators of other packages: MAPIE, imbalanced-learn, hiclass."""

import numpy as np
import pandas as pd
import pytest
from _small import TRAINING, branches
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LinearRegression, LogisticRegression, QuantileRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skstack import (
    MultimodalNetworkClassifier,
    MultimodalNetworkRegressor,
    MultimodalStackingClassifier,
    MultimodalStackingRegressor,
)
from skstack.branches import ImageBranch, TextBranch
from skstack.preprocessing import tensor_column

PARTS = [
    *branches(),
    ("photo", ImageBranch(size=(4, 4), filters=(2,), hidden=(2,)), ["photo"]),
    ("note", TextBranch(dim=2), ["note"]),
]


def _partner(module, extra):
    return pytest.importorskip(module, reason=f"{module} is not installed: pip install 'skstack[{extra}]'")


def _mixed_table(n_rows, seed=0):
    """Return every kind of cell, and a target that spreads more widely where there are more rooms."""
    generator = np.random.default_rng(seed)
    X = pd.DataFrame({"area": generator.normal(size=n_rows), "rooms": generator.integers(1, 6, n_rows).astype(float)})
    X["city"] = generator.choice(["Aachen", "Bonn", "Celle"], n_rows)
    X["photo"] = tensor_column(generator.integers(0, 256, size=(n_rows, 4, 4, 3), dtype="uint8"))
    X["note"] = generator.choice(["a fine house", "old", "near the station"], n_rows)
    y = X["area"] + 2.0 * (X["city"] == "Bonn") + 0.2 * X["rooms"] * generator.normal(size=n_rows)
    X.index = np.arange(n_rows) + 1000
    return X, y.to_numpy()


def _halves(X, y):
    first = np.arange(len(X)) < len(X) // 2
    return (X[first], y[first]), (X[~first], y[~first])


# --- prediction intervals ---------------------------------------------------------------------------------------------


def test_intervals_of_cross_conformal_prediction_cover_new_rows():
    mapie = _partner("mapie.regression", "conformal")
    (X, y), (X_new, y_new) = _halves(*_mixed_table(240))
    learner = ("linear", LinearRegression(), ["area", "rooms"])
    stack = MultimodalStackingRegressor(
        [*PARTS, learner], network=MultimodalNetworkRegressor(**TRAINING), cv=2, random_state=0
    )
    conformal = mapie.CrossConformalRegressor(stack, confidence_level=0.8, cv=3, method="plus")
    _, intervals = conformal.fit_conformalize(X, y).predict_interval(X_new)
    covered = (intervals[:, 0, 0] <= y_new) & (y_new <= intervals[:, 1, 0])
    # The share of 120 rows has a standard error of .04; the method promises at least .6 and aims at .8.
    assert 0.68 < covered.mean() < 0.92


class OneQuantile(RegressorMixin, BaseEstimator):
    """One of the quantiles that a fitted stack predicts, as MAPIE takes them."""

    def __init__(self, stack, column):
        self.stack = stack
        self.column = column
        self.fitted_ = True

    def fit(self, X, y):
        return self

    def predict(self, X):
        return self.stack.predict(X)[:, self.column]


def test_quantiles_of_a_stack_are_made_intervals_that_keep_what_they_promise():
    mapie = _partner("mapie.regression", "conformal")
    X, y = _mixed_table(600)
    fitting, calibrating, new = (np.arange(600) % 3 == part for part in range(3))
    learners = [
        ("linear", LinearRegression(), ["area"]),
        ("upper", QuantileRegressor(quantile=0.9, alpha=0), ["rooms"]),
    ]
    stack = MultimodalStackingRegressor(
        [*PARTS, *learners],
        quantile=[0.1, 0.5, 0.9],
        network=MultimodalNetworkRegressor(**TRAINING),
        passthrough=["rooms"],
        cv=2,
        random_state=0,
    ).fit(X[fitting], y[fitting])
    lower, median, upper = (OneQuantile(stack, column) for column in range(3))
    conformal = mapie.ConformalizedQuantileRegressor([lower, upper, median], confidence_level=0.8, prefit=True)
    conformal.conformalize(X[calibrating], y[calibrating])
    points, intervals = conformal.predict_interval(X[new])
    covered = (intervals[:, 0, 0] <= y[new]) & (y[new] <= intervals[:, 1, 0])
    assert 0.72 < covered.mean() < 0.88
    assert_array_equal(points, stack.predict(X[new])[:, 1])
    wide = np.ptp(intervals[:, :, 0], axis=1)
    assert wide[X[new]["rooms"] == 5].mean() > 1.5 * wide[X[new]["rooms"] == 1].mean()


# --- imbalance --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rare():
    """A table of every kind of cell, of which one row in eight is rare."""
    X, y = _mixed_table(160)
    return X, np.where(y > np.quantile(y, 7 / 8), "rare", "usual")


def _classifiers():
    network = MultimodalNetworkClassifier(**TRAINING)
    learner = ("logistic", LogisticRegression(), ["area", "rooms"])
    yield MultimodalStackingClassifier([*PARTS, learner], network=network, cv=2, random_state=0)
    yield MultimodalNetworkClassifier(PARTS, **TRAINING, random_state=0)


@pytest.mark.parametrize("sampler", ["over_sampling.RandomOverSampler", "under_sampling.RandomUnderSampler"])
def test_samplers_take_tables_of_every_kind_in_a_pipeline(rare, sampler):
    room, name = sampler.split(".")
    make_sampler = getattr(_partner(f"imblearn.{room}", "imbalance"), name)
    pipeline = _partner("imblearn.pipeline", "imbalance").make_pipeline
    X, y = rare
    resampled, labels = make_sampler(random_state=0).fit_resample(X, y)
    assert (labels == "rare").sum() == (labels == "usual").sum()
    assert (resampled.dtypes == X.dtypes).all()
    for classifier in _classifiers():
        whole = pipeline(make_sampler(random_state=0), classifier).fit(X, y)
        # Rows to predict are not resampled.
        assert whole.predict_proba(X).shape == (len(X), 2)
        by_hand = classifier.fit(resampled, labels)
        assert_array_equal(whole.predict_proba(X), by_hand.predict_proba(X))


# --- a hierarchy of classes -------------------------------------------------------------------------------------------


def test_each_parent_of_a_hierarchy_has_a_stack_of_its_own():
    hiclass = _partner("hiclass", "hierarchy")
    X, y = _mixed_table(160)
    places, prices = np.where(X["city"] == "Bonn", "Bonn", "elsewhere"), np.where(y > 0.5, "dear", "cheap")
    levels = np.column_stack([places, [f"{place} {price}" for place, price in zip(places, prices, strict=True)]])
    stack = next(_classifiers())
    # hiclass takes arrays of numbers: here the positions of the rows, which are looked up in the table.
    rows = FunctionTransformer(lambda positions: X.iloc[positions[:, 0].astype(int)])
    positions = np.arange(len(X))[:, np.newaxis]
    hierarchy = hiclass.LocalClassifierPerParentNode(local_classifier=make_pipeline(rows, stack))
    predicted = hierarchy.fit(positions, levels).predict(positions)
    assert predicted.shape == levels.shape
    # What is predicted lies in the hierarchy: a price of that city.
    assert all(price.startswith(city) for city, price in predicted)
    fitted = [data["classifier"][-1] for _, data in hierarchy.hierarchy_.nodes(data=True) if "classifier" in data]
    assert [type(each) for each in fitted] == [MultimodalStackingClassifier] * 3

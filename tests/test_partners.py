"""Stacks and networks inside estimators of other packages (MAPIE, imbalanced-learn, hiclass), and TabICL in stacks."""

import pickle

import numpy as np
import pandas as pd
import pytest
from _small import TRAINING, branches
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.linear_model import LinearRegression, LogisticRegression, QuantileRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import validate_data

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


# --- foundation models for tables as learners -------------------------------------------------------------------------


class InContext(ClassifierMixin, BaseEstimator):
    """Has the interface of TabICL's and TabPFN's classifiers, and predicts by looking at the training rows.

    As they do, it knows its columns by name, learns nothing by gradients, is seeded and limits the number of classes.
    """

    def __init__(self, n_estimators=8, device=None, model_path=None, random_state=42, n_jobs=None):
        self.n_estimators = n_estimators
        self.device = device
        self.model_path = model_path
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X, y):
        """Keep the rows."""
        self.X_, self.y_ = validate_data(self, X, y, ensure_all_finite="allow-nan")
        self.classes_ = np.unique(y)
        if len(self.classes_) > 10:
            raise ValueError("more than 10 classes")
        return self

    def predict_proba(self, X):
        """Return the classes of similar rows."""
        X = validate_data(self, X, reset=False, ensure_all_finite="allow-nan")
        weights = np.exp(-((X[:, np.newaxis] - self.X_) ** 2).sum(axis=2))
        shares = np.stack([weights[:, self.y_ == label].sum(axis=1) for label in self.classes_], axis=1)
        return shares / shares.sum(axis=1, keepdims=True)

    def predict(self, X):
        """Return the most frequent class of similar rows."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def _around(learner, X, labels, **params):
    """Return a fitted stack of a network, a linear model and a learner that gets the numbers."""
    parts = [*branches(), ("logistic", LogisticRegression(), ["area"]), ("context", learner, ["area", "rooms"])]
    network = MultimodalNetworkClassifier(**TRAINING)
    return MultimodalStackingClassifier(parts, network=network, cv=2, random_state=0, **params).fit(X, labels)


@pytest.mark.parametrize("refit", [True, "folds"])
def test_an_in_context_learner_is_a_base_model_like_any_other(refit):
    X, y = _mixed_table(60)
    labels = np.where(y > 0.5, "dear", "cheap")
    stack = _around(InContext(n_estimators=2), X, labels, refit=refit)
    train, test = stack.splits_[0]
    codes, numbers = (labels == "dear").astype(int), X[["area", "rooms"]]
    alone = InContext().fit(numbers.iloc[train], codes[train]).predict_proba(numbers.iloc[test])
    assert_array_equal(stack.oof_predictions_[test, -1], alone[:, 1])
    assert stack.predict_proba(X).shape == (60, 2)
    again = pickle.loads(pickle.dumps(stack))
    assert_array_equal(again.predict(X), stack.predict(X))
    assert clone(stack).get_params()["context__random_state"] == 42  # its own seed stays


@pytest.fixture(scope="module")
def tabicl_weights(tmp_path_factory):
    """Random weights of TabICL's architecture, as its checkpoints hold trained ones."""
    pytest.importorskip("tabicl", reason="tabicl is not installed: pip install tabicl")
    import torch
    from tabicl._model.tabicl import TabICL

    config = {"max_classes": 10, "embed_dim": 16, "col_num_blocks": 1, "col_nhead": 2, "col_num_inds": 4}
    config |= {"row_num_blocks": 1, "row_nhead": 2, "row_num_cls": 2, "icl_num_blocks": 1, "icl_nhead": 2}
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("tabicl") / "random.ckpt"
    torch.save({"config": config, "state_dict": TabICL(**config).state_dict()}, path)
    return path


@pytest.mark.filterwarnings("ignore")
def test_tabicl_is_a_base_model(tabicl_weights):
    from tabicl import TabICLClassifier

    X, y = _mixed_table(60)
    learner = TabICLClassifier(n_estimators=2, model_path=str(tabicl_weights), allow_auto_download=False, device="cpu")
    stack = _around(learner, X, np.where(y > 0.5, "dear", "cheap"))
    assert stack.predict_proba(X).shape == (60, 2)
    assert_array_equal(pickle.loads(pickle.dumps(stack)).predict(X), stack.predict(X))

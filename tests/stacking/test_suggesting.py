"""Stacks without estimators, whose parts are suggested for the training rows."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from _data import plain_table
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.linear_model import Ridge
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, KFold, cross_validate

from skstack import (
    MultimodalNetworkClassifier,
    MultimodalNetworkRegressor,
    MultimodalStackingClassifier,
    MultimodalStackingMultitask,
    MultimodalStackingRegressor,
    MultitaskNetwork,
    SeedEnsembleClassifier,
    suggest_estimators,
)
from skstack.suggestion import _suggest

SMALL = {"head": (4,), "epochs": 1, "batch_size": 32}
FOR_CLASSES = ["boosting", "trees", "linear"]
LEARNERS = [*FOR_CLASSES, "svr"]
RNG = np.random.default_rng(0)


def _stack(kind=MultimodalStackingRegressor, **params):
    network = {
        MultimodalStackingRegressor: MultimodalNetworkRegressor,
        MultimodalStackingClassifier: MultimodalNetworkClassifier,
        MultimodalStackingMultitask: MultitaskNetwork,
    }[kind]
    return kind(network=network(**SMALL), **{"cv": 2, "random_state": 0, **params})


def _requesting(stack):
    """Let the template of the network request what a default one does; learners that are suggested do so."""
    stack.network.set_fit_request(sample_weight=True, groups=True)
    return stack


@pytest.fixture(scope="module")
def table():
    return plain_table(60)


@pytest.fixture(scope="module")
def fitted(table):
    return _stack().fit(*table)


@pytest.fixture
def few_learners(monkeypatch):
    """Suggest one learner, for tests that are not about learners."""
    suggest = _suggest.suggest_learners

    def first(*args):
        return [part for part in suggest(*args) if part[0].startswith("linear")]

    monkeypatch.setattr(_suggest, "suggest_learners", first)


def test_a_plain_table_is_enough(fitted, table):
    X, _ = table
    assert [*fitted.named_estimators_] == ["network", *LEARNERS]
    assert [name for name, *_ in fitted.named_estimators_["network"].branches_] == [
        "numbers",
        "numbers_in_text",
        "categories",
        "entities",
        "dates",
        "text_review",
        "text_tags",
    ]
    assert fitted.predict(X).shape == (60,)
    assert list(fitted.get_feature_names_out()) == [
        f"multimodalstackingregressor_{name}" for name in ("network", *LEARNERS)
    ]
    assert_array_equal(fitted.feature_names_in_, X.columns)


def test_it_is_the_stack_of_what_is_suggested(fitted, table):
    X, y = table
    suggested = suggest_estimators(X, y)
    assert repr(fitted.suggestion_) == repr(suggested)
    pd.testing.assert_frame_equal(fitted.suggestion_.reasons, suggested.reasons)
    by_hand = _stack(estimators=suggested).fit(X, y)
    assert_array_equal(by_hand.oof_predictions_, fitted.oof_predictions_)
    assert not hasattr(by_hand, "suggestion_")


def test_parameters_stay_as_they_are(fitted):
    assert fitted.estimators is None
    assert not [name for name in fitted.get_params() if name.startswith("boosting")]
    again = clone(fitted)
    assert again.get_params(deep=False)["estimators"] is None and not hasattr(again, "suggestion_")
    assert "boosting" in fitted._repr_html_()  # the diagram of a fitted stack
    assert again._repr_html_()


def test_parameters_of_suggested_parts_are_to_be_given(fitted):
    with pytest.raises(ValueError, match="Invalid parameter 'numbers'") as raised:
        fitted.set_params(numbers__hidden=(4,))
    assert "suggest_estimators" in raised.value.__notes__[0]


def test_it_is_pickled(fitted, table):
    again = pickle.loads(pickle.dumps(fitted))
    assert_array_equal(again.predict(table[0]), fitted.predict(table[0]))
    assert repr(again.suggestion_) == repr(fitted.suggestion_)


def test_given_estimators_take_the_place_of_suggested_ones(few_learners):
    X, y = RNG.normal(size=(30, 2)), RNG.normal(size=30)
    stack = _stack().fit(X, y)
    assert hasattr(stack, "suggestion_")
    stack.set_params(estimators=[("ridge", Ridge())]).fit(X, y)
    assert not hasattr(stack, "suggestion_") and list(stack.named_estimators_) == ["ridge"]


def test_the_user_may_know_a_kind(few_learners, table):
    X, y = table
    stack = _stack(kinds={"zip": "numeric", "review": "drop"}).fit(X[["zip", "review", "area"]], y)
    assert [(name, columns) for name, _, columns in stack.suggestion_] == [
        ("numbers", ["zip", "area"]),
        ("linear", ["zip", "area"]),
    ]


def test_images_are_found_where_the_stack_is_told(few_learners, tmp_path):
    import PIL.Image

    for number in range(20):
        PIL.Image.new("RGB", (8, 8), (10 * number, 0, 0)).save(tmp_path / f"{number}.png")
    X = pd.DataFrame({"photo": [f"{number}.png" for number in range(20)], "area": RNG.normal(size=20)})
    stack = _stack(image_root=tmp_path).fit(X, RNG.normal(size=20))
    assert [name for name, *_ in stack.suggestion_] == ["numbers", "image_photo", "table_network", "linear"]
    # A file that is broken and one that is not there do not stop a stack that was told nothing.
    (tmp_path / "3.png").write_bytes(b"no picture")
    X.loc[7, "photo"] = "gone.png"
    with pytest.warns(UserWarning, match=r"row 3: image file .*3.png' cannot be decoded.* 2 of 20 rows hold"):
        stack.fit(X, RNG.normal(size=20))
    assert np.isfinite(stack.predict(X.iloc[[3, 7]])).all()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"estimators": [("ridge", Ridge())], "kinds": {"a": "text"}}, "'kinds' is for estimators=None"),
        ({"estimators": [("ridge", Ridge())], "image_root": "here"}, "'image_root' is for estimators=None"),
        ({"cv": "prefit"}, "cv='prefit' needs fitted 'estimators'"),
        ({"kinds": ["text"]}, "The 'kinds' parameter of MultimodalStackingRegressor must be"),
        ({"image_root": 3}, "The 'image_root' parameter of MultimodalStackingRegressor must be"),
        ({"kinds": {"zipp": "text"}}, "'kinds' names 'zipp', which is no column of X. Did you mean 'zip'"),
        ({"kinds": {"zip": "txt"}}, "says 'txt' of column 'zip'.*Did you mean 'text'"),
    ],
)
def test_bad_parameters_are_an_error_and_change_nothing(table, params, message):
    stack = _stack(**params)
    with pytest.raises(ValueError, match=message):
        stack.fit(*table)
    assert not [name for name in vars(stack) if name.endswith("_") and not name.startswith("_")]


@pytest.mark.parametrize("container", ["array", "list", "sparse", "float32"])
def test_numbers_come_in_any_container(container):
    numbers = RNG.normal(size=(40, 3))
    numbers[numbers < -0.5] = 0.0
    y = numbers[:, 0] + 1.0
    X = {
        "array": numbers,
        "list": numbers.tolist(),
        "sparse": sparse.csr_matrix(numbers),
        "float32": numbers.astype("float32"),
    }[container]
    stack = _stack().fit(X, y)
    assert list(stack.named_estimators_) == ["network", *(["trees", "linear"] if container == "sparse" else LEARNERS)]
    assert np.isfinite(stack.predict(X)).all()


def test_an_array_of_the_same_columns_is_predicted_as_the_table(fitted, table):
    X = table[0].head(9)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        assert_allclose(fitted.predict(X.to_numpy(dtype=object)), fitted.predict(X))


def test_a_table_may_be_of_polars_or_have_sparse_columns(few_learners):
    X = pd.DataFrame({"size": RNG.normal(size=40), "city": RNG.choice(["Bonn", "Ulm"], 40)})
    y = X["size"].to_numpy() + 1.0
    of_pandas = _stack().fit(X, y)
    of_polars = _stack().fit(pl.from_pandas(X), y)
    assert of_polars.suggestion_.reasons["kind"].tolist() == of_pandas.suggestion_.reasons["kind"].tolist()
    assert_allclose(of_polars.predict(pl.from_pandas(X)), of_pandas.predict(X), rtol=1e-6)
    of_sparse = _stack().fit(X.assign(size=X["size"].astype(pd.SparseDtype("float64", 0.0))), y)
    assert_allclose(of_sparse.predict(X), of_pandas.predict(X), rtol=1e-6)


def test_classes_are_predicted(few_learners, table):
    X, y = table
    stack = _stack(MultimodalStackingClassifier).fit(X[["color", "power"]], np.where(y > 9, "dear", "cheap"))
    assert stack.predict_proba(X.head(2)[["color", "power"]]).shape == (2, 2)
    # A stack knows what it predicts, where values could be either.
    digits = _stack(MultimodalStackingClassifier).fit(X[["color", "power"]], np.arange(60) % 3)
    assert is_classifier(digits.suggestion_[-1][1])


def test_several_targets_of_one_kind(table):
    X, y = table
    numbers = _stack().fit(X[["area", "color"]], np.stack([y, -y], axis=1))
    assert numbers.fitted_per_target_ == ["boosting", "svr"]  # which take one, also behind an encoder
    assert numbers.predict(X[["area", "color"]]).shape == (60, 2)
    labels = _stack(MultimodalStackingClassifier).fit(
        X[["area", "color"]], np.stack([y > 9, y > 11], axis=1).astype(int)
    )
    assert labels.predict(X[["area", "color"]]).shape == (60, 2)


def test_copies_of_boosting_learn_several_targets(table):
    X, y = pd.concat([table[0]] * 4, ignore_index=True)[["area", "power"]], np.tile(table[1], 4)
    numbers = _stack().fit(X, np.stack([y, -y], axis=1))
    assert numbers.suggestion_.reasons["parts"].str.contains("boosting").all()
    assert numbers.fitted_per_target_ == ["boosting", "svr"]
    labels = _stack(MultimodalStackingClassifier).fit(X, np.stack([y > 9, y > 11], axis=1).astype(int))
    boosting = labels.named_estimators_["boosting"].estimators_[0]
    assert isinstance(boosting[-1] if hasattr(boosting, "steps") else boosting, SeedEnsembleClassifier)


def test_several_tasks(table):
    X, y = table
    targets = pd.DataFrame({"price": y, "dear": y > 9})
    stack = _stack(MultimodalStackingMultitask).fit(X[["area", "color"]], targets)
    numbers, classes = [f"{name}_numbers" for name in LEARNERS], [f"{name}_classes" for name in FOR_CLASSES]
    assert list(stack.named_estimators_) == ["network", *numbers, *classes]
    assert list(stack.predict(X[["area", "color"]]).columns) == ["price", "dear"]


def test_weights_and_groups_reach_what_is_suggested(table):
    X, y = table
    groups, weight = np.arange(60) // 4, RNG.uniform(0.5, 2.0, 60)
    columns = ["area", "color"]
    with sklearn.config_context(enable_metadata_routing=True):
        routed = _requesting(_stack(cv=None)).fit(X[columns], y, sample_weight=weight, groups=groups)
    plain = _stack(cv=None).fit(X[columns], y, sample_weight=weight, groups=groups)
    assert len(plain.splits_) == 5
    for stack in (routed, plain):
        assert all(not set(groups[training]) & set(groups[test]) for training, test in stack.splits_)
    assert_array_equal(routed.oof_predictions_, plain.oof_predictions_)
    unweighted = _stack(cv=None).fit(X[columns], y, groups=groups)
    assert (np.abs(unweighted.oof_predictions_ - plain.oof_predictions_).max(axis=0) > 1e-9).all()


def test_rows_of_weight_0_have_no_say(few_learners, table):
    X, y = table
    odd = X[["area", "color"]].copy()
    odd["color"] = [f"color {number}" if number >= 40 else color for number, color in enumerate(X["color"])]
    weight = np.where(np.arange(60) < 40, 1.0, 0.0)
    reasons = [_stack().fit(odd, y, sample_weight=w).suggestion_.reasons for w in (weight, weight + 0.1)]
    assert reasons[0].loc["color", "reason"] == "3 different texts" != reasons[1].loc["color", "reason"]


def test_rows_are_shuffled_by_default_and_by_the_seed(few_learners):
    X, y = RNG.normal(size=(40, 2)), np.sort(RNG.normal(size=40))
    first, again, other = (_stack(cv=None, random_state=seed).fit(X, y).splits_ for seed in (0, 0, 1))
    assert len(first) == 5
    assert any(np.diff(test).max() > 1 for _, test in first)
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for (_, a), (_, b) in zip(first, other, strict=True))
    given = MultimodalStackingRegressor([("ridge", Ridge())]).fit(X, y).splits_
    assert all(np.diff(test).max() == 1 for _, test in given)


def test_it_is_searched_and_cross_validated(few_learners):
    X, y = RNG.normal(size=(40, 2)), RNG.normal(size=40)
    search = GridSearchCV(_stack(), {"kinds": [None, {0: "drop"}], "network__epochs": [1]}, cv=2).fit(X, y)
    assert len(search.cv_results_["params"]) == 2
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = get_scorer("r2").set_score_request(sample_weight=False)
        params = {"groups": np.arange(40) // 2, "sample_weight": np.ones(40)}
        stack = _requesting(_stack(cv=None))
        assert len(cross_validate(stack, X, y, cv=2, params=params, scoring=scorer)["test_score"]) == 2


def test_a_search_suggests_from_the_rows_of_each_split(few_learners, table):
    X, y = table
    odd = X[["area", "color"]].copy()
    odd.loc[30:, "color"] = "grey"
    results = cross_validate(_stack(), odd, y, cv=KFold(2), return_estimator=True)
    reasons = [stack.suggestion_.reasons.loc["color", "kind"] for stack in results["estimator"]]
    assert reasons == ["constant", "categorical"]

"""Learners for the columns of a table."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from _data import plain_table
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline

from skstack import SeedEnsembleRegressor
from skstack.suggestion._columns import describe_columns
from skstack.suggestion._learners import suggest_learners
from skstack.suggestion._targets import describe_targets

RNG = np.random.default_rng(0)


def _learners(X, y, task=None, quality="good"):
    return suggest_learners(describe_columns(X), describe_targets(y, task), X, quality)


def _chosen(X, columns):
    if isinstance(X, (pd.DataFrame, pl.DataFrame)):
        return X[columns] if isinstance(columns[0], str) else X.iloc[:, columns]
    return X[:, columns]


@pytest.fixture(scope="module")
def table():
    X, y = plain_table(200)
    return X, np.exp(y / 5)


@pytest.mark.parametrize("container", ["pandas", "polars", "objects", "positions"])
@pytest.mark.parametrize("has_classes", [False, True])
def test_learners_take_the_table(table, container, has_classes):
    X, y = table
    y = np.where(y > np.median(y), "dear", "cheap") if has_classes else y
    containers = {
        "pandas": X,
        "polars": pl.from_pandas(X),
        "objects": X.to_numpy(dtype=object),
        "positions": X.set_axis(range(15), axis=1),
    }
    X = containers[container]
    for name, learner, columns in _learners(X, y):
        fitted = clone(learner).fit(_chosen(X, columns), y)
        assert fitted.score(_chosen(X, columns), y) > 0.7, name
        new = _chosen(X[:3] if container != "positions" else X.iloc[:3], columns)
        assert len(fitted.predict(new)) == 3
        assert is_classifier(fitted) is has_classes


def _table_of_cities(target):
    """Return a table with a column of many categories, and a target."""
    rng = np.random.default_rng(1)
    X = pd.DataFrame({"city": [f"city {index}" for index in rng.integers(0, 60, 300)], "area": rng.normal(size=300)})
    y = X["area"] + X["city"].str[5:].astype(float) / 10 + rng.normal(size=300)
    return X, y if target == "number" else pd.qcut(y, 2 if target == "two classes" else 3, labels=False)


@pytest.mark.parametrize("target", ["number", "two classes", "three classes"])
def test_with_seeds_they_learn_the_same_each_time(target):
    """Means of the target by category are taken over folds that are shuffled."""
    X, y = _table_of_cities(target)
    for name, learner, columns in _learners(X, y):
        seeded = clone(learner)
        seeded.set_params(**{key: 7 for key in seeded.get_params() if key.endswith("random_state")})
        # What has no seed draws from the generator of all, which goes on from one fit to the next.
        predicted = [clone(seeded).fit(X[columns], y).predict(X[columns]) for _ in range(2)]
        np.testing.assert_array_equal(*predicted, err_msg=name)


def test_they_take_many_categories_where_metadata_are_routed():
    X, y = _table_of_cities("number")
    with sklearn.config_context(enable_metadata_routing=True):
        for name, learner, columns in _learners(X, y):
            assert clone(learner).fit(X[columns], y).score(X[columns], y) > 0.5, name


def test_unseen_categories_and_missing_cells_are_predicted(table):
    X, y = table
    new = X.head(4).copy()
    new.loc[0, :] = None
    new.loc[1, ["color", "zip", "team_1", "review"]] = ["violet", 99999, "FC Z", "quite another thing"]
    for name, learner, columns in _learners(X, y):
        assert np.isfinite(clone(learner).fit(X[columns], y).predict(new[columns])).all(), name


def test_the_members():
    X, y = plain_table()
    names = [name for name, *_ in _learners(X, y)]
    assert names == ["boosting", "trees", "linear", "svr"]
    assert [name for name, *_ in _learners(X, y, quality="fast")] == ["boosting", "linear", "svr"]
    assert [name for name, *_ in _learners(X, y > 9)] == ["boosting", "trees", "linear"]
    assert {tuple(columns) for *_, columns in _learners(X, y)} == {
        tuple(name for name in X.columns if name not in ("row", "source", "code"))
    }


def test_names_of_rows_and_images_are_left_out():
    X = pd.DataFrame({"photo": pd.Series([np.zeros((8, 8, 3), "uint8")] * 30), "key": [f"a{x}" for x in range(30)]})
    assert _learners(X, RNG.normal(size=30)) == []


def test_numbers_need_no_skrub():
    X = RNG.normal(size=(40, 3))
    for matrix in (X, pd.DataFrame(X, columns=list("abc"))):
        learners = {name: learner for name, learner, _ in _learners(matrix, X[:, 0])}
        assert not isinstance(learners["boosting"], Pipeline) and not isinstance(learners["trees"], Pipeline)
        assert [type(step).__name__ for step in learners["linear"]] == ["SimpleImputer", "SquashingScaler", "RidgeCV"]


def test_sparse_rows_stay_sparse():
    X = sparse.random(50, 20, 0.2, format="csr", random_state=0)
    y = X.sum(axis=1).A1 if hasattr(X.sum(axis=1), "A1") else np.asarray(X.sum(axis=1)).ravel()
    learners = _learners(X, y)
    assert [name for name, *_ in learners] == ["trees", "linear"]
    for _, learner, columns in learners:
        assert np.isfinite(learner.fit(X[:, columns], y).predict(X[:, columns])).all()


def test_heavy_tails_are_learned_as_logarithms(table):
    X, _ = table
    tail = np.random.default_rng(0).lognormal(0, 1, 200)
    logged = {}
    for power in (2, 0.7, 0.01):
        learners = _learners(X, tail**power)
        logged[power] = [name for name, part, _ in learners if getattr(part, "func", None) is np.log]
    assert logged == {2: ["boosting", "trees", "linear", "svr"], 0.7: ["linear", "svr"], 0.01: []}


def test_several_kinds_of_targets_have_learners_of_their_own(table):
    X, y = table
    targets = pd.DataFrame({"price": y, "dear": y > np.median(y)})
    learners = {name: learner for name, learner, _ in _learners(X, targets)}
    assert list(learners) == [
        *(f"{name}_numbers" for name in ("boosting", "trees", "linear", "svr")),
        *(f"{name}_classes" for name in ("boosting", "trees", "linear")),
    ]
    assert [is_classifier(learner) for learner in learners.values()] == [False] * 4 + [True] * 3


def test_boosting_sets_no_rows_aside_of_rare_classes():
    X = RNG.normal(size=(300, 3))
    often, rare = np.repeat([0, 1], 150), np.repeat([0, 1], [295, 5])
    stopping, rare_ones = (_learners(X, y, "classification")[0][1] for y in (often, rare))
    assert stopping.estimator.early_stopping and stopping.n_estimators == 4
    assert not rare_ones.early_stopping  # and one is as good as four
    assert not _learners(X[:99], often[:99], "classification")[0][1].early_stopping


@pytest.mark.parametrize(("quality", "n_rows", "n_members"), [("good", 300, 4), ("good", 10_001, 2), ("best", 300, 8)])
def test_boosting_is_the_mean_of_as_many_as_a_network_has_members(quality, n_rows, n_members):
    X = RNG.normal(size=(n_rows, 2))
    boosting = dict((name, part) for name, part, _ in _learners(X, X[:, 0], quality=quality))["boosting"]
    assert isinstance(boosting, SeedEnsembleRegressor) and boosting.n_estimators == n_members
    assert isinstance(_learners(X, X[:, 0], quality="fast")[0][1], HistGradientBoostingRegressor)


def test_codes_are_categories_and_numbers():
    X = pd.DataFrame({"zip": [f"{10 * (x % 60) + 10000}" for x in range(300)], "x": RNG.normal(size=300)})
    y = X["zip"].astype(int) / 100 + X["x"]
    for name, learner, columns in _learners(X, y):
        reader = learner[0]
        assert (reader.numbers, list(reader.categories)) == ({"zip": 1}, ["zip"]), name
        # Codes that no training row has lie between those that some have.
        rows = X.assign(zip=lambda table: table["zip"].astype(int) + 5)
        assert np.corrcoef(clone(learner).fit(X[columns], y).predict(rows), y)[0, 1] > 0.9, name
    # Also where there is nothing else.
    y = y - X["x"]
    for name, learner, columns in _learners(X[["zip"]], y):
        assert np.corrcoef(clone(learner).fit(X[columns], y).predict(X[columns]), y)[0, 1] > 0.9, name


def _texts(n_rows, n_words):
    words = [f"word{number}" for number in range(300)]
    return [" ".join(RNG.choice(words, n_words)) for _ in range(n_rows)]


@pytest.mark.parametrize(("n_rows", "are_suggested"), [(300, True), (5_000, True), (5_001, False)])
def test_support_vectors_are_for_few_rows(n_rows, are_suggested):
    X = pd.DataFrame({"x": RNG.normal(size=n_rows), "text": _texts(n_rows, 5)})
    assert ("svr" in [name for name, *_ in _learners(X, X["x"])]) is are_suggested


@pytest.mark.parametrize("container", ["pandas", "objects"])
def test_support_vectors_get_short_texts_only(container):
    X = pd.DataFrame(
        {"long": _texts(300, 30), "x": RNG.normal(size=300), "more": _texts(300, 9), "few": _texts(300, 5)}
    )
    y = X["x"] + X["few"].str.contains("word1")
    X = X if container == "pandas" else X.to_numpy(dtype=object)
    learners = {name: (learner, columns) for name, learner, columns in _learners(X, y)}
    assert learners["linear"][1] == (["long", "x", "more", "few"] if container == "pandas" else [0, 1, 2, 3])
    svr, columns = learners["svr"]  # 5 and 9 words of 8 characters would be more than 100
    assert columns == (["x", "few"] if container == "pandas" else [1, 3])
    assert svr.fit(_chosen(X, columns), y).score(_chosen(X, columns), y) > 0.9
    alone = X[["long"]] if container == "pandas" else X[:, :1]
    assert [name for name, *_ in _learners(alone, y)] == ["boosting", "trees", "linear"]


def test_support_vectors_know_the_scale_of_rows_and_target():
    X = pd.DataFrame({"a": RNG.normal(size=200), "b": RNG.normal(size=200)})
    y = np.sin(2 * X["a"]) + X["b"] ** 2
    learner = dict((name, part) for name, part, _ in _learners(X, y))["svr"]
    scores = [clone(learner).fit(X * a, y * b).score(X * a, y * b) for a, b in [(1, 1), (1e3, 1e-6), (1e-3, 1e6)]]
    np.testing.assert_allclose(scores, scores[0], rtol=1e-3)
    assert scores[0] > 0.9


def test_many_rows_make_no_larger_trees():
    table = np.broadcast_to(RNG.normal(size=(1, 4)), (200_000, 4))
    columns = describe_columns(RNG.normal(size=(9, 4)))
    learners = suggest_learners(columns, describe_targets(RNG.normal(size=9)), table, "good")
    trees = {name: learner for name, learner, _ in learners}
    assert trees["trees"].min_samples_leaf == 8


def test_whole_numbers_are_no_classes_for_the_encoder_of_categories():
    X = pd.DataFrame({"many": [f"place {chr(65 + x % 50)}" for x in range(200)], "x": RNG.normal(size=200)})
    y = RNG.integers(0, 200, 200)
    learner = dict((name, part) for name, part, _ in _learners(X, y, "regression"))["boosting"]
    pipeline = getattr(learner, "regressor", learner)
    encoded = pipeline[:-1].fit_transform(X, y)
    assert encoded.shape == (200, 2)

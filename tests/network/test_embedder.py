"""Features that a network learns from the target, for other estimators."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from skstack import (
    MultimodalNetworkClassifier,
    MultimodalNetworkRegressor,
    MultimodalStackingRegressor,
    NetworkEmbedder,
)
from skstack.branches import CategoricalBranch, NumericBranch

SETTINGS = {"head": (), "batch_size": 20, "early_stopping": False, "optimizer__learning_rate": 0.01, "random_state": 0}
BRANCH = ("x", NumericBranch((16,), scale="standard", embedding=None, dropout=0.0))


@pytest.fixture(scope="module")
def rows():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(120, 4))
    return X, X[:, 0] * X[:, 1] + X[:, 2]


def _embedder(cv=3, epochs=2, kind=MultimodalNetworkRegressor, **params):
    return NetworkEmbedder(kind([BRANCH], epochs=epochs, **{**SETTINGS, **params}), cv=cv)


def test_features_are_what_the_head_gets(rows):
    X, y = rows
    embedder = _embedder().fit(X, y)
    features = embedder.transform(X)
    assert features.shape == (120, 16) and features.dtype == "float32"
    assert embedder.get_feature_names_out().tolist() == [f"networkembedder{index}" for index in range(16)]
    # Without a head, the output is a linear function of the features.
    predicted = embedder.network_.predict(X)
    assert_allclose(Ridge(1e-6).fit(features, predicted).predict(features), predicted, atol=1e-3)


def test_rows_get_the_features_of_a_network_without_them(rows):
    X, y = rows
    splits = list(KFold(3).split(X))
    features = _embedder(splits).fit_transform(X, y)
    whole = _embedder().fit(X, y)
    training, held_out = splits[1]
    alone = _embedder().fit(X[training], y[training])
    # They are a linear function of what the network that was trained without them makes of them.
    expected, own = alone.transform(X[held_out]), features[held_out]
    assert_allclose(LinearRegression().fit(expected, own).predict(expected), own, atol=1e-3)
    # And so they lie near to those of the network of all rows.
    goal = whole.transform(X[held_out])
    assert np.linalg.norm(own - goal) < 0.5 * np.linalg.norm(expected - goal)


def test_features_of_two_networks_that_know_the_same_are_the_same():
    # A network of each half of the rows, which are the same, so that both are turned and stretched copies of one.
    X = np.tile(np.random.default_rng(0).normal(size=(60, 4)), (2, 1))
    y = X[:, 0] - X[:, 1]
    embedder = _embedder([(np.arange(60), np.arange(60, 120)), (np.arange(60, 120), np.arange(60))], epochs=20)
    found = embedder.fit_transform(X, y)
    assert np.corrcoef(found.ravel(), embedder.transform(X).ravel())[0, 1] > 0.98


def test_the_network_of_all_rows_is_the_one_that_fit_makes(rows):
    X, y = rows
    crossed, plain = _embedder(), _embedder().fit(X, y)
    crossed.fit_transform(X, y)
    assert_allclose(crossed.transform(X), plain.transform(X), rtol=1e-4, atol=1e-5)


def test_labels_learned_by_heart_do_not_show_in_the_features():
    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(80, 20)), np.arange(80) % 2
    embedder = _embedder(5, epochs=150, kind=MultimodalNetworkClassifier)
    honest = embedder.fit_transform(X, y)
    seen = embedder.transform(X)
    cv = StratifiedKFold(5, shuffle=True, random_state=0)
    assert cross_val_score(LogisticRegression(), seen, y, cv=cv).mean() > 0.95
    assert cross_val_score(LogisticRegression(), honest, y, cv=cv).mean() < 0.68


def test_in_a_stack_nothing_comes_from_rows_that_a_fold_holds_out(rows):
    X, y = rows
    splits = list(KFold(3).split(X))
    held_out = splits[0][1]
    learner = make_pipeline(_embedder(2), Ridge())
    changed, other = X.copy(), y.copy()
    changed[held_out], other[held_out] = 1e3, -1e3
    fitted = [
        MultimodalStackingRegressor([("tuned", clone(learner))], cv=splits, random_state=0).fit(*data)
        for data in ((X, y), (changed, y), (X, other))
    ]
    before, _, relabelled = (stack.oof_predictions_[:, 0] for stack in fitted)
    # The model of the first fold predicts the same for its rows whatever their targets are.
    assert_array_equal(before[held_out], relabelled[held_out])
    assert (before[splits[1][1]] != relabelled[splits[1][1]]).all()
    # Its own rows do not move what it learned from the others either.
    of_fold = [clone(learner).fit(data[splits[0][0]], y[splits[0][0]]).predict(X) for data in (X, changed)]
    assert_array_equal(of_fold[0], of_fold[1])
    assert_allclose(of_fold[0][held_out], before[held_out], rtol=1e-4, atol=1e-4)


def test_groups_and_weights_reach_networks_and_splitter(rows):
    X, y = rows
    groups, weight = np.arange(120) // 10, np.where(np.arange(120) < 60, 1.0, 0.0)
    embedder = _embedder(GroupKFold(3), early_stopping=True)
    whole = embedder.fit_transform(X, y, groups=groups)
    assert whole.shape == (120, 16)
    assert_array_equal(_embedder(3, early_stopping=True).fit_transform(X, y, groups=groups), whole)
    with pytest.raises(ValueError, match="groups"):
        embedder.fit_transform(X, y)
    weighted = _embedder().fit(X, y, sample_weight=weight)
    assert_allclose(weighted.transform(X), _embedder().fit(X[:60], y[:60]).transform(X), rtol=1e-4, atol=1e-5)


def test_a_row_that_is_held_out_twice_gets_the_mean(rows):
    X, y = rows
    once = list(KFold(3).split(X))
    twice = [once[0], *once]
    assert_allclose(_embedder(twice).fit_transform(X, y), _embedder(once).fit_transform(X, y), rtol=1e-3, atol=1e-4)


def test_a_row_that_is_never_held_out_is_an_error(rows):
    with pytest.raises(ValueError, match=r"cv=.* never holds out row \d+, which then has no features"):
        _embedder(ShuffleSplit(1, test_size=0.5, random_state=0)).fit_transform(*rows)


def test_folds_may_have_features_of_other_widths():
    city = np.array([f"city {row // 2}" for row in range(60)] + ["other"] * 60)
    X = pd.DataFrame({"city": city})
    network = MultimodalNetworkRegressor(
        [("city", CategoricalBranch(encoding="onehot"), ["city"])], epochs=1, **SETTINGS
    )
    splits = [(np.arange(60, 120), np.arange(60)), (np.arange(60), np.arange(60, 120))]
    embedder = NetworkEmbedder(network, cv=splits)
    assert embedder.fit_transform(X, np.arange(120.0)).shape == embedder.transform(X).shape


def test_what_is_no_network_is_refused(rows):
    with pytest.raises(ValueError, match="'network' parameter of NetworkEmbedder must be an instance of"):
        NetworkEmbedder(Ridge()).fit(*rows)

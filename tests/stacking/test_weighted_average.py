"""Final estimators that average the predictions of base models."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from skstack import WeightedAverageClassifier, WeightedAverageRegressor
from skstack.stacking._weighting import SquaredLoss

WEIGHTINGS = ["nonnegative", "selection", "mean", "best"]


@parametrize_with_checks([WeightedAverageRegressor(weighting) for weighting in WEIGHTINGS])
def test_scikit_learn_accepts_it(estimator, check):
    check(estimator)


def _numbers(n_outputs=1, n_rows=60):
    """Return the predictions of three members and the target: the second is best, the last is useless."""
    generator = np.random.default_rng(0)
    y = generator.normal(size=(n_rows, n_outputs)) * 10.0 ** np.arange(n_outputs)
    noise = [generator.normal(size=y.shape) * y.std(axis=0) * scale for scale in (0.5, 0.3, 3.0)]
    return np.hstack([y + error for error in noise]), y[:, 0] if n_outputs == 1 else y


def _probabilities(n_classes=2, n_rows=90):
    """Return the probabilities that three members predict and the classes: the last member guesses."""
    generator = np.random.default_rng(0)
    y = np.arange(n_rows) % n_classes
    scores = [np.eye(n_classes)[y] * scale + generator.normal(size=(n_rows, n_classes)) for scale in (2.0, 3.0, 0.0)]
    tables = [np.exp(score) / np.exp(score).sum(axis=1, keepdims=True) for score in scores]
    return np.hstack([table[:, 1:] if n_classes == 2 else table for table in tables]), y


# --- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_predictions_are_averages(weighting, n_outputs):
    X, y = _numbers(n_outputs)
    average = WeightedAverageRegressor(weighting).fit(X, y)
    assert average.weights_.shape == (3,)
    assert average.weights_.sum() == pytest.approx(1) and average.weights_.min() >= 0
    blocks = np.split(X, 3, axis=1)
    expected = sum(weight * block for weight, block in zip(average.weights_, blocks, strict=True))
    assert_allclose(average.predict(X), expected.reshape(y.shape))
    if weighting != "mean":
        assert average.weights_[1] == average.weights_.max() and average.weights_[2] < 0.02


def test_targets_count_alike_whatever_their_unit():
    X, y = _numbers(2)
    average, scaled = WeightedAverageRegressor().fit(X, y), WeightedAverageRegressor()
    scaled.fit(X * np.tile([1.0, 1000.0], 3), y * [1.0, 1000.0])
    assert_allclose(scaled.weights_, average.weights_, rtol=1e-5)


def test_a_constant_shift_of_everything_changes_no_weight():
    X, y = _numbers()
    shifted = WeightedAverageRegressor().fit(X + 1e3, y + 1e3)
    assert_allclose(shifted.weights_, WeightedAverageRegressor().fit(X, y).weights_, rtol=1e-6)


@pytest.mark.parametrize("weighting", ["nonnegative", "selection", "best"])
def test_a_weight_of_two_is_a_row_twice(weighting):
    X, y = _numbers()
    weight = np.where(np.arange(len(y)) < 20, 2, 1)
    weighted = WeightedAverageRegressor(weighting).fit(X, y, sample_weight=weight)
    repeated = WeightedAverageRegressor(weighting).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    assert_allclose(weighted.weights_, repeated.weights_, rtol=1e-6)
    X, y = _probabilities()
    weight = np.where(np.arange(len(y)) < 20, 2, 1)
    weighted = WeightedAverageClassifier(weighting).fit(X, y, sample_weight=weight)
    repeated = WeightedAverageClassifier(weighting).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    assert_allclose(weighted.weights_, repeated.weights_, rtol=1e-6)


# --- classes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("n_classes", [2, 4])
def test_probabilities_are_averages(weighting, n_classes):
    X, y = _probabilities(n_classes)
    names = np.array(["a", "b", "c", "d"])[y]
    average = WeightedAverageClassifier(weighting).fit(X, names)
    blocks = np.split(X, 3, axis=1)
    expected = sum(weight * block for weight, block in zip(average.weights_, blocks, strict=True))
    probabilities = average.predict_proba(X)
    assert_allclose(probabilities[:, 1:] if n_classes == 2 else probabilities, expected)
    assert_allclose(probabilities.sum(axis=1), 1)
    assert_array_equal(average.classes_, np.unique(names))
    assert_array_equal(average.predict(X), average.classes_[probabilities.argmax(axis=1)])
    assert average.score(X, names) > 0.8
    assert weighting == "mean" or average.weights_[2] < 0.1


def test_labels():
    X, y = _probabilities()
    Y = np.column_stack([y, 1 - y])
    X = np.column_stack([part for member in X.T for part in (member, 1 - member)])
    average = WeightedAverageClassifier().fit(X, Y)
    assert average.predict_proba(X).shape == Y.shape
    assert_array_equal(average.predict(X), average.predict_proba(X) > 0.5)
    assert_allclose(average.weights_, WeightedAverageClassifier().fit(_probabilities()[0], y).weights_, atol=1e-2)


def test_copies():
    X, y = _probabilities(3)
    average = WeightedAverageClassifier("selection", n_rounds=5).fit(X, y)
    assert_array_equal(pickle.loads(pickle.dumps(average)).predict_proba(X), average.predict_proba(X))
    assert clone(average).get_params() == {"weighting": "selection", "n_rounds": 5, "class_weight": None}


# --- bad input --------------------------------------------------------------------------------------------------------

SCORES = LogisticRegression().fit(*_probabilities(3)).decision_function(_probabilities(3)[0])


@pytest.mark.parametrize(
    ("average", "X", "y", "message"),
    [
        (WeightedAverageRegressor("nonegative"), *_numbers(), "'weighting' parameter of WeightedAverageRegressor"),
        (WeightedAverageClassifier(n_rounds=0), *_probabilities(), "'n_rounds' parameter of WeightedAverageClassifier"),
        (WeightedAverageRegressor(), _numbers(3)[0][:, 1:], _numbers(3)[1], "8 columns.*target has 3 values"),
        (WeightedAverageClassifier(), _probabilities(3)[0][:, 1:], _probabilities(3)[1], "8 columns.*has 3 values"),
        (WeightedAverageClassifier(), _numbers()[0], np.arange(60) % 2, r"in row \d+ member \d predicts -?\d"),
        (WeightedAverageClassifier(), SCORES, _probabilities(3)[1], r"in row 0 member 0 predicts \[.*, .*, .*\]"),
        (WeightedAverageClassifier(), _probabilities()[0], np.zeros(90, int), "at least 2 classes"),
        (WeightedAverageClassifier(), _probabilities()[0], np.arange(89) % 2, "inconsistent numbers of samples"),
    ],
)
def test_what_cannot_be_averaged_is_refused(average, X, y, message):
    with pytest.raises(ValueError, match=message):
        average.fit(X, y)


# --- gaps and weights of classes --------------------------------------------------------------------------------------


def test_missing_targets_do_not_count():
    X, y = _numbers(2)
    gaps = y.copy()
    gaps[:25, 1] = np.nan
    average = WeightedAverageRegressor().fit(X, gaps)
    changed = X.copy()
    changed[:25, 1::2] = 1e6  # what is predicted for targets that are missing
    assert_array_equal(WeightedAverageRegressor().fit(changed, gaps).weights_, average.weights_)
    first, second = X[:, ::2], X[25:, 1::2]
    losses = [
        SquaredLoss((of_target.T - target)[:, :, np.newaxis] / target.std(), np.full(len(target), 1 / len(target)))
        for of_target, target in ((first, y[:, 0]), (second, y[25:, 1]))
    ]
    candidates = np.vstack([average.weights_, np.random.default_rng(0).dirichlet(np.ones(3), 2000)])
    together = sum(loss(candidates) for loss in losses)
    assert together[0] == pytest.approx(together.min(), rel=1e-4)
    assert average.predict(X).shape == (60, 2)


def test_a_target_without_values_and_one_target_with_gaps_are_refused():
    X, y = _numbers(2)
    y[:, 1] = np.nan
    with pytest.raises(ValueError, match="y has no values of target 1"):
        WeightedAverageRegressor().fit(X, y)
    with pytest.raises(ValueError, match="NaN"):
        WeightedAverageRegressor().fit(X, y[:, 1])
    with pytest.raises(ValueError, match="inconsistent"):
        WeightedAverageRegressor().fit(X, y[:9])


@pytest.mark.parametrize("class_weight", ["balanced", {"rare": 5.0, "usual": 0.5}])
def test_weights_of_classes_are_weights_of_their_rows(class_weight):
    X, y = _probabilities(2, 90)
    kept = np.flatnonzero((y == 0) | (np.arange(90) % 10 == 1))
    X, y = X[kept], np.where(y[kept] == 1, "rare", "usual")
    weight = np.where(y == "rare", 10.0, 1.0) if class_weight != "balanced" else np.where(y == "rare", 5.0, 1.0)
    assert (y == "usual").sum() == 5 * (y == "rare").sum()
    average = WeightedAverageClassifier(class_weight=class_weight).fit(X, y)
    expected = WeightedAverageClassifier().fit(X, y, sample_weight=weight)
    assert_allclose(average.weights_, expected.weights_)
    assert not np.allclose(WeightedAverageClassifier().fit(X, y).weights_, expected.weights_, atol=1e-3)
    both = WeightedAverageClassifier(class_weight=class_weight).fit(X, y, sample_weight=np.arange(len(y)))
    assert_allclose(both.weights_, WeightedAverageClassifier().fit(X, y, weight * np.arange(len(y))).weights_)


def test_weights_of_classes_mean_nothing_for_several_labels():
    X = np.random.default_rng(0).uniform(size=(20, 4))
    with pytest.raises(ValueError, match="'class_weight' is for one class per row"):
        WeightedAverageClassifier(class_weight="balanced").fit(X, np.eye(2, dtype=int)[np.arange(20) % 2])

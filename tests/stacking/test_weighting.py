"""Weights by what their average loses, compared with what general optimisers find."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize

from skstack.stacking._weighting import WEIGHTINGS, LogLoss, SquaredLoss


@pytest.fixture(scope="module")
def squared():
    """Errors of four members of unequal worth, two of which err alike."""
    generator = np.random.default_rng(0)
    errors = generator.normal(size=(4, 200, 2)) * np.array([1.0, 0.8, 2.0, 1.0])[:, np.newaxis, np.newaxis]
    errors[3] = errors[0] + 0.05 * errors[3]
    weight = generator.uniform(0.1, 1, 200)
    return errors, weight / weight.sum()


@pytest.fixture(scope="module")
def log():
    """Probabilities that three members give to what is true."""
    generator = np.random.default_rng(1)
    return generator.beta([[6.0], [6.0], [1.0]], 2.0, size=(3, 300))[:, :, np.newaxis], np.full(300, 1 / 300)


def _slsqp(loss, n_members):
    found = minimize(
        lambda weights: loss(weights[np.newaxis])[0],
        np.full(n_members, 1 / n_members),
        bounds=[(0, 1)] * n_members,
        constraints={"type": "eq", "fun": lambda weights: weights.sum() - 1},
        tol=1e-12,
    )
    return found.x


def test_squared_loss_is_that_of_the_average(squared):
    errors, weight = squared
    weightings = np.array([[0.25, 0.25, 0.25, 0.25], [0.1, 0.9, 0.0, 0.0]])
    expected = [np.average(np.tensordot(w, errors, axes=1) ** 2, axis=0, weights=weight).mean() for w in weightings]
    assert_allclose(SquaredLoss(errors, weight)(weightings), expected)


def test_log_loss_is_that_of_the_average(log):
    probabilities, weight = log
    weights = np.array([[0.2, 0.5, 0.3]])
    expected = -np.log(np.tensordot(weights[0], probabilities, axes=1)).mean()
    assert_allclose(LogLoss(probabilities, weight)(weights), expected)


def test_nonnegative_weights_lose_least(squared, log):
    for loss, n_members in ((SquaredLoss(*squared), 4), (LogLoss(*log), 3)):
        ours = WEIGHTINGS["nonnegative"](loss, n_members, 50)
        assert ours.min() >= 0 and ours.sum() == pytest.approx(1)
        assert loss(ours[np.newaxis])[0] <= loss(_slsqp(loss, n_members)[np.newaxis])[0] + 1e-4


def test_members_that_predict_the_same_share_their_weight(squared):
    errors, weight = squared
    twice = SquaredLoss(np.concatenate([errors[:1], errors[:1], errors[1:2]]), weight).minimize()
    once = SquaredLoss(errors[:2], weight).minimize()
    assert_allclose(twice, [once[0] / 2, once[0] / 2, once[1]], atol=1e-4)


def test_members_without_an_error_are_averaged():
    assert_array_equal(SquaredLoss(np.zeros((2, 5, 1)), np.full(5, 0.2)).minimize(), [0.5, 0.5])


def _greedy_by_hand(loss, n_members, n_steps):
    bag, path = [], []
    for _ in range(n_steps):
        tried = [[*bag, member] for member in range(n_members)]
        weightings = np.array([np.bincount(members, minlength=n_members) / len(members) for members in tried])
        chosen = int(np.argmin(loss(weightings)))
        bag = tried[chosen]
        path.append((loss(weightings)[chosen], weightings[chosen]))
    return min(path, key=lambda step: step[0])[1]


def test_greedy_selection_takes_what_helps_most_and_may_take_it_again(squared, log):
    for loss, n_members in ((SquaredLoss(*squared), 4), (LogLoss(*log), 3)):
        ours = WEIGHTINGS["selection"](loss, n_members, 7)
        assert_allclose(ours, _greedy_by_hand(loss, n_members, 7))
        assert np.count_nonzero(ours) > 1
        first = WEIGHTINGS["selection"](loss, n_members, 1)
        assert_array_equal(first, WEIGHTINGS["best"](loss, n_members, 1))


def test_mean_and_best(squared):
    loss = SquaredLoss(*squared)
    assert_array_equal(WEIGHTINGS["mean"](loss, 4, 50), [0.25] * 4)
    assert_array_equal(WEIGHTINGS["best"](loss, 4, 50), [0, 1, 0, 0])


def test_a_member_that_is_sure_and_wrong_once_is_not_out_for_ever(log):
    probabilities, weight = log
    wrong = probabilities.copy()
    wrong[0, 0] = 0.0
    weights = LogLoss(wrong, weight).minimize()
    assert np.isfinite(LogLoss(wrong, weight)(weights[np.newaxis])).all()
    assert weights[0] > 0.3

"""Shapley values and interactions, against another package and against their definitions."""

from itertools import permutations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skstack.inspection._shapley import coalitions, shapley, shapley_interactions, without_rounding


def _game(n_players, seed=0):
    return np.random.default_rng(seed).normal(size=2**n_players)


@pytest.mark.parametrize("n_players", [2, 3, 5])
def test_values_and_interactions_are_those_of_shapiq(n_players):
    shapiq = pytest.importorskip("shapiq", reason="the peer that exact values are compared with")
    values = _game(n_players)
    weights = 2 ** np.arange(n_players)

    def game(members):
        return values[members @ weights]

    exact = shapiq.ExactComputer(n_players=n_players, game=game)
    ours, pairs = shapley(values), shapley_interactions(values)
    theirs, their_pairs = exact(index="SV", order=1), exact(index="SII", order=2)
    their_mains = exact(index="k-SII", order=2)
    for first in range(n_players):
        assert_allclose(ours[first], theirs[(first,)], atol=1e-12)
        assert_allclose(pairs[first, first], their_mains[(first,)], atol=1e-12)
        for second in range(first):
            assert_allclose(pairs[first, second], their_pairs[(second, first)], atol=1e-12)


@pytest.mark.parametrize("n_players", [1, 4])
def test_values_are_the_mean_over_all_orders_of_joining(n_players):
    values, members = _game(n_players), coalitions(n_players)
    expected = np.zeros(n_players)
    orders = list(permutations(range(n_players)))
    for order in orders:
        joined = np.zeros(n_players, dtype=bool)
        for player in order:
            before = values[(members == joined).all(axis=1)][0]
            joined[player] = True
            expected[player] += values[(members == joined).all(axis=1)][0] - before
    assert_allclose(shapley(values), expected / len(orders), atol=1e-12)


def test_values_sum_to_what_all_add_for_each_output():
    values = np.random.default_rng(0).normal(size=(2**3, 4, 2))
    assert_allclose(shapley(values).sum(axis=0), values[-1] - values[0])


def test_interactions_and_the_diagonal_sum_to_the_values():
    interactions = shapley_interactions(_game(4))
    diagonal = np.diag(interactions)
    assert_allclose(interactions, interactions.T)
    assert_allclose(diagonal + (interactions.sum(axis=1) - diagonal) / 2, shapley(_game(4)))


def test_players_that_only_add_up_do_not_interact():
    worth = np.array([1.0, -2.0, 5.0])
    values = coalitions(3) @ worth
    assert_allclose(shapley(values), worth)
    assert_allclose(shapley_interactions(values), np.diag(worth), atol=1e-12)


def test_what_two_players_are_worth_together_alone_is_their_interaction():
    members = coalitions(3)
    values = 4.0 * (members[:, 0] & members[:, 2])
    assert_allclose(shapley(values), [2, 0, 2])
    expected = np.zeros((3, 3))
    expected[0, 2] = expected[2, 0] = 4
    assert_allclose(shapley_interactions(values), expected, atol=1e-12)


def test_errors_of_rounding_are_shown_as_nothing():
    assert without_rounding(np.array([1.0, -1e-12, 1e-6])).tolist() == [1.0, 0.0, 1e-6]
    assert without_rounding(np.array([1e-12, 1e-3]), scale=1e4).tolist() == [0.0, 1e-3]

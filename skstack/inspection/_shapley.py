"""Exact Shapley values and interactions of a few players, from the value of every coalition."""

from math import comb

import numpy as np

#: Every player more doubles the number of coalitions.
MAX_PLAYERS = 12


def coalitions(n_players):
    """Return which players are in each coalition, of shape (2 ** n_players, n_players): nobody first, all last."""
    return (np.arange(2**n_players)[:, np.newaxis] >> np.arange(n_players)) & 1 == 1


def shapley(values):
    """Return the Shapley value of each player.

    Parameters
    ----------
    values : ndarray of shape (2 ** n_players, ...)
        Of each coalition, in the order of :func:`coalitions`.

    Returns
    -------
    shapley : ndarray of shape (n_players, ...)
        With the value of the coalition of nobody, they sum to that of all.
    """
    n_players = _n_players(values)
    members = coalitions(n_players)
    sizes = members.sum(axis=1)
    joined = np.array([1 / (n_players * comb(n_players - 1, size - 1)) if size else 0.0 for size in sizes])
    left = np.array([1 / (n_players * comb(n_players - 1, size)) if size < n_players else 0.0 for size in sizes])
    return np.tensordot(np.where(members, joined[:, np.newaxis], -left[:, np.newaxis]).T, values, axes=1)


def shapley_interactions(values):
    """Return the Shapley interaction index of each pair of players.

    Parameters
    ----------
    values : ndarray of shape (2 ** n_players, ...)
        Of each coalition, in the order of :func:`coalitions`.

    Returns
    -------
    interactions : ndarray of shape (n_players, n_players, ...)
        Symmetric. What a player is worth apart from interactions stands on the diagonal: with half of each of its
        interactions, it is the player's Shapley value.
    """
    n_players = _n_players(values)
    members = coalitions(n_players).astype(int)
    interactions = np.zeros((n_players, n_players, *values.shape[1:]))
    for first in range(n_players):
        for second in range(first):
            both = members[:, first] + members[:, second]
            n_others = members.sum(axis=1) - both
            sign = np.where(both == 1, -1.0, 1.0)
            weight = sign / np.array([(n_players - 1) * comb(n_players - 2, others) for others in n_others])
            interactions[first, second] = interactions[second, first] = np.tensordot(weight, values, axes=1)
    diagonal = np.arange(n_players)
    interactions[diagonal, diagonal] = shapley(values) - interactions.sum(axis=1) / 2
    return interactions


def without_rounding(values, scale=0.0):
    """Return values with 0 for those that are nothing but errors of rounding, beside the largest or a larger scale."""
    largest = max(np.abs(values).max(initial=0.0), abs(scale))
    return np.where(np.abs(values) < 1e-9 * largest, 0.0, values)


def _n_players(values):
    return int(values.shape[0]).bit_length() - 1

"""Weights for an average of predictions: never negative, and 1 in sum.

Weights are found by what the average would lose. Both losses here are functions of the weights alone, once the
predictions of the members are summed up in a matrix: :class:`SquaredLoss` and :class:`LogLoss`.
"""

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import nnls

#: Probabilities below are taken as this: a member that is sure and wrong once would otherwise be out for ever.
MIN_PROBABILITY = 1e-6

#: Part of the mean squared error of the members that is added to each as if it were noise of its own: members that
#: predict the same then share their weight.
_NOISE = 1e-6

#: Passes of the fixed-point iteration for the log loss, which ends sooner where weights have settled.
_MAX_PASSES, _SETTLED = 200, 1e-5


class SquaredLoss:
    """Mean squared error of a weighted average.

    Parameters
    ----------
    errors : ndarray of shape (n_members, n_samples, n_outputs)
        Predictions minus target, each target in units of its own deviation.
    sample_weight : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        1 in sum, for each target.
    """

    def __init__(self, errors, sample_weight):
        scaled = errors * np.sqrt(sample_weight / errors.shape[2]).reshape(len(sample_weight), -1)
        flat = scaled.reshape(len(errors), -1)
        # As weights are 1 in sum, the error of the average is the average of the errors.
        self._products = flat @ flat.T

    def __call__(self, weights):
        """Return the loss for each of several weightings, of shape (n_weightings, n_members)."""
        return np.einsum("wi,ij,wj->w", weights, self._products, weights)

    def minimize(self):
        """Return the best weights of shape (n_members,), by non-negative least squares.

        Where the gradient of the loss is the same for all members that have a weight, and no smaller for the others,
        weights are best. Up to their sum, these are the solution of a least-squares problem without the constraint on
        the sum, which the active-set method of Lawson and Hanson solves exactly.
        """
        n_members = len(self._products)
        noise = _NOISE * np.trace(self._products) / n_members
        if noise == 0.0:  # all members are perfect
            return np.full(n_members, 1.0 / n_members)
        root = cholesky(self._products + noise * np.eye(n_members), lower=True)
        solution, _ = nnls(root.T, solve_triangular(root, np.ones(n_members), lower=True))
        return solution / solution.sum()


class LogLoss:
    """Mean negative logarithm of the probability that a weighted average gives to what is true.

    Parameters
    ----------
    probabilities : ndarray of shape (n_members, n_samples, n_labels)
        That each member gives to what is true: the class of a row, or each of its labels.
    sample_weight : ndarray of shape (n_samples,)
        1 in sum.
    """

    def __init__(self, probabilities, sample_weight):
        n_labels = probabilities.shape[2]
        self._probabilities = np.maximum(probabilities, MIN_PROBABILITY).reshape(len(probabilities), -1)
        self._sample_weight = np.repeat(sample_weight / n_labels, n_labels)

    def __call__(self, weights):
        """Return the loss for each of several weightings, of shape (n_weightings, n_members)."""
        return -np.log(weights @ self._probabilities) @ self._sample_weight

    def minimize(self):
        """Return the best weights of shape (n_members,), those of the likeliest mixture, by expectation maximisation.

        The loss is convex in the weights, and no pass raises it: each member gets the part that it had in the
        probability of what is true, averaged over the rows.
        """
        weights = np.full(len(self._probabilities), 1.0 / len(self._probabilities))
        for _ in range(_MAX_PASSES):
            before = weights
            weights = weights * (self._probabilities @ (self._sample_weight / (weights @ self._probabilities)))
            if np.abs(weights - before).max() < _SETTLED:
                break
        return weights / weights.sum()


def mean_weights(loss, n_members, n_rounds):
    """Return the same weight for all members."""
    return np.full(n_members, 1.0 / n_members)


def best_member(loss, n_members, n_rounds):
    """Return all weight for the member that loses least by itself."""
    alone = np.eye(n_members)
    return alone[np.argmin(loss(alone))]


def nonnegative_weights(loss, n_members, n_rounds):
    """Return the weights that lose least."""
    return loss.minimize()


def ensemble_selection(loss, n_members, n_rounds):
    """Return how often greedy selection with replacement takes each member, as parts of all it took.

    The member that helps most is added again and again, `n_rounds` times; what lost least on the way is the result.
    """
    counts, best = np.zeros(n_members), (np.inf, None)
    for n_taken in range(1, n_rounds + 1):
        candidates = (counts + np.eye(n_members)) / n_taken
        losses = loss(candidates)
        chosen = np.argmin(losses)
        counts[chosen] += 1
        if losses[chosen] < best[0]:
            best = losses[chosen], candidates[chosen]
    return best[1]


#: How weights are found, by name.
WEIGHTINGS = {
    "nonnegative": nonnegative_weights,
    "selection": ensemble_selection,
    "mean": mean_weights,
    "best": best_member,
}

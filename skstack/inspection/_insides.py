"""Opened networks of an estimator, and the mean of what is seen in them."""

import numpy as np
from sklearn.utils import Bunch

from ..network._opened import OpenedNetwork
from ._networks import find_networks
from ._targets import Target


class Inside:
    """A network opened to look at one output of it.

    Parameters
    ----------
    found : FoundNetwork
    output : object
        See Target.
    pixels : collection of str, default=()
    logits : bool, default=False
        See OpenedNetwork.
    """

    def __init__(self, found, output, pixels=(), logits=False):
        self.found = found
        self.opened = OpenedNetwork(found.network, pixels, logits)
        self.target = Target(self.opened.assembly, output, logits, found.outputs)
        #: Positions of the classes that rows are asked about, if these are not those that the network predicts.
        self.asked = ()

    def encode(self, X):
        """Return rows of X as the model takes them."""
        return self.opened.encode(self.found.rows(X))

    def branch(self, name):
        """Return a branch, in detail."""
        return self.opened.part(name).branch

    def weights(self, outputs, asked):
        """Return the weights of the score of each row, and what they are about.

        Parameters
        ----------
        outputs : list of (ndarray or dict of str to ndarray)
            The outputs of each member.
        asked : ndarray of int or empty tuple
            Of these rows, see the attribute.
        """
        mean = np.mean([self.target.of_task(of_member) for of_member in outputs], axis=0)
        positions = np.asarray(asked) if len(asked) else self.target.positions(mean)
        return self.target.weights(positions), positions

    def probabilities(self, X):
        """Return the probability of each class that may be explained."""
        return self.target.probabilities(self.found.network._outputs(self.found.rows(X)))


def insides(estimator, X, branch=None, output=None, **how):
    """Return the networks of an estimator that a branch is in, opened to look at what they make of X; see Inside."""
    opened = [Inside(found, output, **how) for found in find_networks(estimator, branch)]
    if len(opened) > 1 and opened[0].target.picks_class:
        _ask_alike(opened, X)
    return opened


def _ask_alike(opened, X):
    """Let networks of folds, which may predict different classes of a row, explain the one that they predict together.

    It is the likeliest on average, among those that all of them know.
    """
    of_each = [inside.target.classes.tolist() for inside in opened]
    shared = [label for label in of_each[0] if all(label in known for known in of_each)]
    places = [[known.index(label) for label in shared] for known in of_each]
    columns = [inside.probabilities(X)[:, own] for inside, own in zip(opened, places, strict=True)]
    likeliest = np.mean(columns, axis=0).argmax(axis=1)
    for inside, own in zip(opened, places, strict=True):
        inside.asked = np.array(own)[likeliest]


def mean_of_insides(results):
    """Return the mean of what was seen in several networks, Bunches whose arrays of floats are alike in shape.

    Raises
    ------
    ValueError
        If they are not: each has a vocabulary of its own.
    """
    first, *others = results
    if not others:
        return first
    return Bunch(**{name: _mean([result[name] for result in results]) for name in first})


def _mean(values):
    first = values[0]
    if isinstance(first, dict):
        return Bunch(**{name: _mean([value[name] for value in values]) for name in first})
    are_floats = isinstance(first, np.ndarray) and first.dtype.kind == "f"
    if not are_floats or len({value.shape for value in values}) > 1:
        if not all(np.array_equal(first, value) for value in values[1:]):
            raise ValueError(
                "the networks of the folds differ in what they see: look into one of them, such as "
                "stack.fold_estimators_['network'][0]."
            )
        return first
    return np.mean(values, axis=0)

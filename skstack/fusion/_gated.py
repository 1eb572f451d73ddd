"""Fusion by gates: every row decides how much each branch says to each feature."""

from ._base import Fusion, nested, projected


class Gated(Fusion):
    """Weigh the branches against each other, feature by feature, by gates that see all of them.

    The gated multimodal unit [1]_: the vector of each branch goes through a dense layer with tanh, and the results are
    averaged with weights that are a softmax, over the branches, of a dense layer of all vectors. For two branches this
    is the unit of the paper, ``z * h_1 + (1 - z) * h_2`` with a sigmoid z.

    References
    ----------
    .. [1] Arevalo, J., Solorio, T., Montes-y-Gómez, M. and González, F. A. (2017). "Gated Multimodal Units for
       Information Fusion". ICLR 2017 workshop. arXiv:1702.01992.
    """

    def fuse(self, features, name):
        """Return the average of the projected feature vectors, weighed by their gates."""
        return nested(_gated, features, name)


def _gated(features):
    from .._backend import keras

    ops = keras.ops
    hidden = projected(features, "tanh")
    everything = keras.layers.Concatenate(name="all")(features)
    gates = [
        keras.layers.Dense(vector.shape[-1], name=f"gate_{index}")(everything) for index, vector in enumerate(hidden)
    ]
    weights = ops.softmax(ops.stack(gates, axis=1), axis=1)
    return ops.sum(weights * ops.stack(hidden, axis=1), axis=1)

"""Fusion by attention: branches look at each other."""

from ._base import Fusion, nested, projected

#: Heads of the attention; each looks at a part of the features of its own.
_HEADS = 4


class Attention(Fusion):
    """Let the branches attend to each other, then take their mean.

    The vector of each branch goes through a dense layer of its own and is then a token. What the self-attention [1]_
    of the tokens gives is added to them, as in a transformer, and the mean over the tokens is the result: it does not
    depend on the order of the branches.

    References
    ----------
    .. [1] Vaswani, A. et al. (2017). "Attention Is All You Need". NeurIPS 2017.
    """

    def fuse(self, features, name):
        """Return the mean of the feature vectors after self-attention."""
        return nested(_attended, features, name)


def _attended(features):
    from .._backend import keras

    tokens = keras.ops.stack(projected(features), axis=1)
    attention = keras.layers.MultiHeadAttention(_HEADS, max(1, tokens.shape[-1] // _HEADS), name="attention")
    return keras.ops.mean(tokens + attention(tokens, tokens), axis=1)

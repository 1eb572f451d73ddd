"""Features of texts, each different text passing through a model once."""

from hashlib import blake2b

import numpy as np

from ..caching._features import computed_once
from ._text_encoder import digest

#: Texts that one process computes before it looks what others have done.
_BLOCK = 256


def text_features(texts, model, block=_BLOCK):
    """Return the features of texts, computing those that were never computed before.

    Parameters
    ----------
    texts : list of str
    model : object
        Has a method ``features`` of a list of texts, and ``features_key``: bytes that are the same for models whose
        features are known to be the same, or None, with which nothing is kept.
    block : int, default=256
        Texts that are handed to it at a time.

    Returns
    -------
    features : ndarray of shape (len(texts), n_features), dtype float32
    """
    indices = {}
    for text in texts:
        indices.setdefault(text, len(indices))
    different = list(indices)
    # Texts of equal length beside each other, which a model can compute with little padding.
    order = sorted(range(len(different)), key=lambda index: (len(different[index]), different[index]))
    features = _of_different([different[index] for index in order], model, block)
    places = np.empty(len(order), dtype=int)
    places[order] = np.arange(len(order))
    return features[places[[indices[text] for text in texts]]]


def _of_different(texts, model, block):
    if model.features_key is None:
        return np.concatenate([model.features(texts[start : start + block]) for start in range(0, len(texts), block)])

    def compute(positions):
        return [vector.tobytes() for vector in model.features([texts[position] for position in positions])]

    way = blake2b(model.features_key, digest_size=32).digest()
    keys = [blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16, key=way).digest() for text in texts]
    (first,) = computed_once(keys[:1], compute, None, 1)
    values = computed_once(keys, compute, len(first), block)
    return np.frombuffer(b"".join(values), dtype="float32").reshape(len(values), -1)


class FrozenModel:
    """An encoder that reads no more than so many tokens of a text, as :func:`text_features` takes it.

    Parameters
    ----------
    encoder : TextEncoder or StaticVectors
    max_length : int, default=None
        As many as the encoder was made for by default.
    """

    def __init__(self, encoder, max_length=None):
        self._encoder, self._max_length = encoder, max_length
        self.n_features = encoder.n_features
        self.features_key = digest(encoder.fingerprint, max_length)

    def features(self, texts):
        """Return the features of texts."""
        return self._encoder.features(texts, self._max_length)

"""Encoders of texts that have learned before: a tokenizer, and a model that makes a vector of its tokens."""

import threading
from functools import cached_property, lru_cache
from hashlib import blake2b

import numpy as np

from .._forks import refuse_fork
from ..reading._token_ids import TokenIds

#: Texts go through a model with others whose numbers of tokens are the same when rounded up to a multiple of this.
_STEP = 16

#: Tokens that go through a model at a time, padding included. For each length always as many rows, as the last digits
#: of the features of a text depend on that number.
_TOKENS = 512

#: How a vector becomes of those of the tokens.
POOLINGS = ("mean", "cls")


class TextEncoder:
    """A model of the BERT family with its tokenizer, which turns texts into features.

    Parameters
    ----------
    tokenizer : str
        Content of tokenizer.json.
    model : Bert
    pooling : {"mean", "cls"}
    normalize : bool
        Whether features are brought to length 1.
    max_length : int
        Tokens that are read of a text, those at its beginning and end included.
    """

    #: Whether its layers can be trained further.
    is_trainable = True

    def __init__(self, tokenizer, model, pooling, normalize, max_length):
        self.tokenizer = tokenizer
        self.model = model
        self.pooling = pooling
        self.normalize = normalize
        self.max_length = min(max_length, model.max_length)
        self._lock = threading.Lock()

    @property
    def n_features(self):
        """Number of features of a text."""
        return self.model.units

    @cached_property
    def fingerprint(self):
        """Bytes that are the same for encoders that compute the same."""
        return digest(self.tokenizer, self.pooling, self.normalize, self.max_length, self.model.fingerprint())

    def features(self, texts, max_length=None):
        """Return the features of texts, which do not depend on what stands beside a text.

        Parameters
        ----------
        texts : list of str
        max_length : int, default=None
            Tokens that are read of each, at most as many as the encoder reads, which is the default.

        Returns
        -------
        features : ndarray of shape (n, n_features), dtype float32
        """
        ids = token_ids(self.tokenizer, texts, min(max_length or self.max_length, self.max_length))
        sizes = np.maximum(-(-ids.lengths // _STEP), 1) * _STEP
        features = np.empty((len(texts), self.n_features), dtype="float32")
        for size in np.unique(sizes):
            rows, n_rows = np.flatnonzero(sizes == size), max(1, _TOKENS // size)
            for start in range(0, len(rows), n_rows):
                batch = rows[start : start + n_rows]
                features[batch] = self._of_batch(ids.take(batch, [1] * len(batch)), n_rows, size)
        return features

    def _of_batch(self, ids, n_rows, size):
        filled = np.zeros((n_rows, size), dtype="int32")
        filled[: len(ids)] = ids.padded(size)
        refuse_fork()
        with self._lock:
            features = self._forward.predict_on_batch(filled)
        return np.asarray(features, dtype="float32")[: len(ids)]

    @cached_property
    def _forward(self):
        from .._backend import keras, names_of_their_own
        from ._bert_layers import PoolTokens

        with names_of_their_own():
            model = self.model.build(dtype="float32")
            pool = PoolTokens(self.pooling, self.normalize, dtype="float32", name="pool")
            return keras.Model(model.inputs, pool([model.outputs[0], model.inputs[0]]), name="features")


def digest(*parts):
    """Return a digest of some parts."""
    return blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def token_ids(tokenizer, texts, max_length):
    """Return the tokens of texts as ids plus 1, with those that stand at the beginning and the end.

    Parameters
    ----------
    tokenizer : str
        Content of tokenizer.json.
    texts : list of str
    max_length : int
        Tokens of a text at most.

    Returns
    -------
    ids : TokenIds
        A blank text has none.
    """
    there = [text for text in texts if text.strip()]
    found = iter(loaded_tokenizer(tokenizer, max_length).encode_batch_fast(there))
    ids = TokenIds.of([next(found).ids if text.strip() else [] for text in texts])
    return TokenIds(ids.flat + np.int32(1), ids.lengths)


@lru_cache(maxsize=8)
def loaded_tokenizer(tokenizer, max_length=None):
    """Return a tokenizer of the library, which cuts texts behind so many tokens.

    Raises
    ------
    ValueError
        If the content is not that of a tokenizer.
    """
    from tokenizers import Tokenizer

    try:
        loaded = Tokenizer.from_str(tokenizer)
    except Exception as error:  # the library raises nothing narrower
        raise ValueError(f"the tokenizer cannot be read: {error}") from error
    loaded.no_padding()
    if max_length is None:
        loaded.no_truncation()
    else:
        loaded.enable_truncation(max_length)
    return loaded
